#!/bin/bash
# A chain a - b - c: a and c never hear each other's address from a person.
. "$(dirname "$0")/lib.bash"

start a
start b
start c
check 'founding' found a test
check 'b knows a' enter b test "$(addr a)"
check 'c knows b' enter c test "$(addr b)"
check 'a publishes' publish a 150 'from a'
check 'c publishes' publish c 150 'from c'
check 'a holds all' holds a 300
check 'b holds all' holds b 300
check 'c holds all' holds c 300
check 'a and c hold the same' same a c

# Who was introduced to whom is a fact of the network now: b may go.
check 'b stops' stop b
check 'a publishes without b' publish a 50 'later'
check 'c gets it without b' holds c 350 15
finish
