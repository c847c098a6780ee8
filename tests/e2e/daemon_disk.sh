#!/bin/bash
# A disk that is full: the node walks and serves on, refuses to publish, and recovers by itself.
. "$(dirname "$0")/lib.bash"

[ "$(id -u)" = 0 ] || skip "only root can mount a small disk"
disk=$work/disk
mkdir "$disk"
cleanup() {
    umount "$disk" 2>/dev/null
}
mount -t tmpfs -o size=1500k tmpfs "$disk" 2>/dev/null || skip "cannot mount a tmpfs here"
on_disk() { # options...: a node whose state is on the small disk
    "$hearsayd" --state "$disk/b" --control "$work/b.sock" --no-lan-beacons --log-level info \
        --listen 127.0.0.1:0 "$@" 2>>"$work/b.log" </dev/null &
    pid[b]=$!
    await b
}

start a
check 'a node on a small disk starts' on_disk
check 'founding' found a test
check 'b joins' enter b test "$(addr a)"
check 'a first bundle' hearsay a pub first
check 'arrives' holds b 1
dd if=/dev/zero of="$disk/filler" bs=4k 2>/dev/null
check 'a publishes a lot' publish a 2000 'more than the disk takes'
check 'b says that the disk takes nothing more' says_why b 'disk takes nothing more'
seen=$(hearsay b pub 'one more' 2>&1)
verdict $((1 - $?)) 'b refuses to publish' "$seen"
check 'with the word full, or what the disk said' grep -qE 'full|disk' <<<"$seen"
check 'it is alive' alive b
check 'it said so once' test "$(grep -c 'cannot write:' "$work/b.log")" -le 2

# It serves what it has to one who knows nobody else.
steps() {
    hearsay b stats --json | sed -n 's/.*"requests":\([0-9]*\).*/\1/p'
}
start c
before=$(steps)
check 'c joins, and knows only b' enter c test "$(addr b)"
check 'c gets the first one at least' says_why c sync 10
check 'b has answered it' test "$(steps)" -gt "$before"

rm "$disk/filler"
check 'with room again b recovers by itself' says_why b 'in sync' 20
check 'and publishes' hearsay b pub 'again'
check 'nothing is lost' same a b
check 'it stops cleanly' stop b

# A disk that was full at the start keeps nobody out either.
dd if=/dev/zero of="$disk/filler" bs=4k 2>/dev/null
check 'b starts on a full disk' on_disk
check 'with all that it had' test "$(bundles b)" -gt 1
check 'and stops cleanly' stop b

mount -o remount,ro "$disk"
check 'on a read-only disk it says so and ends' refused 1 'Read-only file system' \
    --state "$disk/b" --control "$work/b.sock" --listen 127.0.0.1:0
finish
