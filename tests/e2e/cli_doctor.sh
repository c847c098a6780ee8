#!/bin/bash
# The doctor with real patients: one that is well, and some that are not.
. "$(dirname "$0")/lib.bash"

disk=$work/disk
cleanup() {
    umount "$disk" 2>/dev/null
}

# The doctor ends so, and says these words in one line.
doctor() { # exit status, words, node, options...
    local want=$1 words=$2 node=$3 seen status
    shift 3
    seen=$(hearsay "$node" doctor "$@" 2>&1)
    status=$?
    [ $status = "$want" ] && grep -qF -- "$words" <<<"$seen" && return 0
    echo "exit $status: $seen"
    return 1
}

results() { # node, what each test found, in order
    [ "$(hearsay "$1" doctor --tsv | cut -f 1,2 | tr '\t\n' ': ')" = "$2 " ] ||
        { hearsay "$1" doctor; return 1; }
}

# --- well ---------------------------------------------------------------------------------------

start a
check 'without an overlay: no problem, but what to do' doctor 0 "'hearsay overlay new NAME'" a
check 'founding' found a test
for name in b c d; do
    start $name
    check "$name joins" enter $name test "$(addr a)"
done
check 'publishing' publish a 20 line
check 'b holds all' holds b 20
check 'a node that is well' soon 20 doctor 0 'ok       sync       test: in sync' b
check 'who has answered' doctor 0 \
    'ok       peers      test: 1 of 1 named peers have answered lately' b
check 'its NAT, once three have told it' soon 20 doctor 0 \
    "ok       nat        IPv4 $(addr b), public" b
check 'that a test has its reach' doctor 0 \
    "warning  socket     $(addr b): only this machine can reach it" b
check 'all tests, in their order' soon 20 results b "ok:daemon warning:socket ok:clock ok:peers \
ok:nat ok:mapping ok:punctures ok:store ok:quota ok:sync"
check 'as JSON' soon 20 doctor 0 \
    '{"result":"ok","test":"sync","message":"test: in sync","advice":null}' b --json

# --- ill ----------------------------------------------------------------------------------------

start alone
check 'founding another' hearsay alone overlay new other
check 'nobody to talk to' doctor 1 'problem  peers      other: no peer is known' alone
check 'what to do about it' doctor 1 '-> ask a member for its address: hearsay peer add' alone
check 'and why it does not sync' doctor 1 'problem  sync       other: no peers known' alone

touch -d '3 days' "$work/alone/node.key"
check 'a clock that is late' doctor 1 "problem  clock      $(date -u +%Y-%m-%d)" alone
check 'set it' doctor 1 '-> set the clock' alone

start small --quota 4kB
check 'joining with a tiny quota' enter small test "$(addr a)"
check 'publishing more than that' publish a 200 'a line that takes its room'
check 'a quota that is reached' soon 20 doctor 1 'problem  quota      test: full' small
check 'raise it' doctor 1 "-> raise 'quota'" small

mkdir "$disk"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1500k tmpfs "$disk" 2>/dev/null; then
    ln -s "$disk/full" "$work/full"
    mkdir "$disk/full"
    start full
    check 'joining on a small disk' enter full test "$(addr a)"
    check 'it warns while there is room' soon 20 doctor 0 'warning  store ' full
    dd if=/dev/zero of="$disk/filler" bs=4k 2>/dev/null
    check 'a full disk' doctor 1 'problem  store ' full
    check 'publishing more than it takes' publish a 2000 'more than the disk takes'
    check 'one that failed to write' soon 20 doctor 1 'the disk takes nothing more' full
    check 'make room' doctor 1 '-> make room on the disk' full
    check 'it ends' stop full
fi

# One that never was there, and one that is there no more.
start tracker
check 'founding a third' found tracker third
tracker=$(addr tracker)
check 'the tracker stops' stop tracker
start left --step 0.1
check 'joining where nobody is' enter left third "$tracker"
check 'one who never answered' soon 20 doctor 0 \
    'warning  peers      third: none of 1 named peers has answered; 0 others' left
check 'check the secret' doctor 0 \
    "-> check that they run, their address and port, and the overlay's secret" left
spawn tracker --listen "$tracker"
check 'the tracker comes' await tracker
check 'it answers' soon 20 doctor 0 'third: 1 of 1 named peers have answered lately' left
check 'and is killed' eval '! stop tracker KILL'
check 'one who answered once' soon 60 doctor 0 \
    'warning  peers      third: of 1 named peers 1 answered once, but none lately; 0 others' left
check 'see whether it runs' doctor 0 '-> check that they still run where they were' left

check 'd stops' stop d
check 'no daemon' doctor 3 "problem  daemon     no daemon at $work/d.sock" d
check 'no daemon, as JSON' doctor 3 \
    '{"result":"problem","test":"daemon","message":"no daemon' d --json
check 'how to start it' doctor 3 "start one with 'hearsayd" d

check 'a word too many' doctor 2 'is too much' b now
check 'an option that is not for it' doctor 2 "not for 'doctor'" b --matrix
finish
