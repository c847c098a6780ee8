#!/bin/bash
# A store at its quota refuses bundles and says so, walks and serves on, and recovers.
. "$(dirname "$0")/lib.bash"

start a
start b --quota 40kB
check 'founding' found a test
check 'b joins' enter b test "$(addr a)"
check 'a publishes more than b may hold' publish a 1000 'a line that takes its room'
check 'b says that it is full' says_why b 'store full'
held=$(bundles b)
check 'b holds some' test "$held" -gt 50
check 'b holds no more than its quota' test "$held" -lt 1000
seen=$(hearsay b pub "$(printf '%0800d' 0)" 2>&1)
verdict $((1 - $?)) 'b refuses to publish' "$seen"
check 'and says why' grep -q full <<<"$seen"
check 'status says so too' grep -q '"full":true' <<<"$(hearsay b status --json)"

# What it has it still gives to others.
start c
check 'c joins, and knows only b' enter c test "$(addr b)"
check 'c gets all, from b and whom b names' holds c 1000 15

check 'b stops' stop b
start b --quota 10MB
check 'with more room b gets the rest' holds b 1000 15
check 'and publishes again' hearsay b pub 'one more'
check 'all hold the same' holds a 1001
finish
