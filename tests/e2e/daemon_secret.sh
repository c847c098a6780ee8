#!/bin/bash
# Who has the overlay's key and another secret gets nothing at all, and is not answered.
. "$(dirname "$0")/lib.bash"

start a
start b
start c
check 'founding with a secret' found a test --secret
check 'a publishes' publish a 20 'a secret'
good=$join
wrong=${join%:*}:$(printf '%064d' 0)
join=$wrong
check 'b joins with another secret' enter b test "$(addr a)"
join=${wrong%:*}
check 'c joins without a secret' enter c test "$(addr a)"
sleep 3
check 'b holds nothing' holds b 0 1
check 'c holds nothing' holds c 0 1
counter() { # name, group, counter
    hearsay "$1" stats --json | sed -n 's/.*"'"$2"'":{[^}]*"'"$3"'":\([0-9]*\).*/\1/p'
}
check 'b was not answered' test "$(counter b counters packets_in)" = 0
check 'c was not answered' test "$(counter c counters packets_in)" = 0
check 'a has counted the strangers' test "$(counter a drops overlay)" -gt 0
check 'b says why' says_why b 'none has answered' 1
check 'b leaves' hearsay b overlay leave test
join=$good
check 'b joins with the right secret' enter b test "$(addr a)"
check 'b gets all' holds b 20
finish
