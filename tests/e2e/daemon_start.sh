#!/bin/bash
# Everything that can be wrong at the start: one line that says what, and an exit status.
. "$(dirname "$0")/lib.bash"

start a
port=$(addr a)
mine=(--control "$work/x.sock" --no-lan-beacons --log-level error)
check 'port taken' refused 1 "cannot listen at $port: Address already in use" \
    --state "$work/x" --listen "$port" "${mine[@]}"
check 'an address that is not ours' refused 1 'this machine has no such address' \
    --state "$work/x" --listen 192.0.2.1:0 "${mine[@]}"
check 'a second daemon on one state folder' refused 3 "another hearsayd (process ${pid[a]}) uses" \
    --state "$work/a" --listen 127.0.0.1:0 "${mine[@]}"
check 'a second daemon on one control socket' refused 3 "another hearsayd answers at $work/a.sock" \
    --state "$work/y" --listen 127.0.0.1:0 --control "$work/a.sock" --log-level error
check 'the first one lives on' hearsay a status
check 'a control path that is too long' refused 2 'longer than 107 bytes' \
    --state "$work/y" --listen 127.0.0.1:0 --control "$work/$(printf '%0110d' 0)" --log-level error

: >"$work/file"
check 'a state folder that is a file' refused 1 'Not a directory' \
    --state "$work/file" --listen 127.0.0.1:0 "${mine[@]}"
check 'a state folder below a file' refused 1 'cannot make the state folder' \
    --state "$work/file/sub" --listen 127.0.0.1:0 "${mine[@]}"
if [ "$(id -u)" != 0 ]; then
    mkdir -m 500 "$work/locked"
    check 'a state folder without rights' refused 1 'cannot write in the state folder' \
        --state "$work/locked" --listen 127.0.0.1:0 "${mine[@]}"
fi

keep() { # a state folder with keys
    rm -rf "$work/x"
    cp -r "$work/a" "$work/x"
    rm -f "$work/x/lock"
}
keep
echo nonsense >"$work/x/node.key"
check 'a damaged key' refused 1 'is damaged: it must be one line of 64 hex digits' \
    --state "$work/x" --listen 127.0.0.1:0 "${mine[@]}"
keep
chmod 644 "$work/x/author.key"
check 'a key that others can read' refused 1 'can be read by others' \
    --state "$work/x" --listen 127.0.0.1:0 "${mine[@]}"
keep
echo 'overlay what' >"$work/x/overlays"
check 'a damaged list of overlays' refused 1 'overlays:1: not written by hearsayd' \
    --state "$work/x" --listen 127.0.0.1:0 "${mine[@]}"
keep
for file in "$work"/x/store/*; do
    [ "${file##*/}" = lock.mdb ] || head -c 65536 /dev/zero >"$file"
done
check 'a corrupt store' refused 1 "$work/x/store" \
    --state "$work/x" --listen 127.0.0.1:0 "${mine[@]}"

# Cut short, where what is left looks whole until it is walked through.
check 'founding a third' found a third
check 'a publishes much' eval 'seq 3000 | hearsay a pub -lq -o third'
check 'a stops' stop a
size=$(stat -c %s "$work/a/store/data.mdb")
for part in 1 2 3 4 5 6 7; do
    rm -rf "$work/x"
    cp -a "$work/a" "$work/x"
    truncate -s $((size * part / 8)) "$work/x/store/data.mdb"
    check "a store cut to $part eighths" refused 1 'is damaged' \
        --state "$work/x" --listen 127.0.0.1:0 "${mine[@]}"
done
start a

# A file that a crash left behind is no daemon.
rm -rf "$work/x"
stop a KILL
check 'a stop by SIGKILL leaves the socket' test -S "$work/a.sock"
start a
check 'the next start takes it over' hearsay a status

# A wrong path is no reason to delete what lies there.
echo precious >"$work/file"
ln -s file "$work/link"
ln -s nothing "$work/dangling"
mkdir "$work/folder"
for there in file link dangling folder; do
    check "a control path where a $there is" refused 1 \
        "what lies at $work/$there is no socket and was left alone" \
        --state "$work/z" --listen 127.0.0.1:0 --control "$work/$there" --log-level error
done
check 'the file survives' test "$(cat "$work/file")" = precious
check 'and the links' test "$(readlink "$work/link" "$work/dangling" | paste -sd ' ')" = \
    'file nothing'
check 'stop by the client' hearsay a stop
check 'ends cleanly' ended a
check 'and takes the socket away' test ! -e "$work/a.sock"
finish
