#!/bin/bash
# SIGKILL in the middle of publishing, again and again: what was said to be stored is there.
. "$(dirname "$0")/lib.bash"

start a
check 'founding' found a test

# Each round publishes until the daemon dies under it, and keeps the ids that were acknowledged.
for round in 1 2 3 4 5 6; do
    seq -f "round $round line %.0f" 100000 |
        hearsay a pub --lines >>"$work/acknowledged" 2>/dev/null &
    publisher=$!
    sleep "0.$((RANDOM % 40 + 15))"
    stop a KILL
    wait "$publisher" 2>/dev/null
    start a
done
sort -u "$work/acknowledged" >"$work/want"
hearsay a sub --history -F %i | sort >"$work/have"
check 'something was acknowledged' test -s "$work/want"
check 'every acknowledged id is held' test -z "$(comm -23 "$work/want" "$work/have")"
check 'no id is held twice' test -z "$(uniq -d "$work/have")"
hearsay a sub --history -F %q | sort -n >"$work/slots"
no_gaps() {
    local lines last
    lines=$(wc -l <"$work/slots") last=$(tail -n 1 "$work/slots")
    [ "$lines" = "$last" ] || { echo "$lines bundles, the last is number $last"; return 1; }
}
check 'no place in the log was used twice' test -z "$(uniq -d "$work/slots")"
check 'nor left out' no_gaps

# A node that gets its bundles from another survives the same way.
start b
check 'b joins' enter b test "$(addr a)"
all=$(bundles a)
for _ in 1 2 3; do
    sleep 0.2
    stop b KILL
    start b
done
check 'b has all in the end, its peer remembered' holds b "$all" 15
check 'the same' same a b
finish
