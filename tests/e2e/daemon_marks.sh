#!/bin/bash
# A node loses its store and publishes at once, alone: its log goes on, and nobody holds two bundles
# of one place against it.  Then, to show that there is something to be afraid of, the same without
# the mark.
. "$(dirname "$0")/lib.bash"

start a
start b
check 'founding' found a test
check 'b joins' enter b test "$(addr a)"
check 'a publishes' publish a 40 'before the loss'
check 'b has it' holds b 40

# Both are stopped, a loses these, starts alone and publishes; what place the bundle has in its log.
lose() { # files...
    local file
    stop a
    stop b
    for file; do
        rm -r "$work/a/$file"
    done
    start a
    place=$(hearsay a pub 'after the loss' --json | sed -n 's/.*"sequence":\([0-9]*\).*/\1/p')
}
meet() {
    start b
    hearsay a peer add "$(addr b)"
}

lose store
first=$place
check "the log goes on, with number $first" test "$first" -gt 40
check 'it is all that a holds' test "$(bundles a)" = 1
check 'a meets b' meet
check 'a has its past and the new one' holds a 41
check 'b has the new one' holds b 41
check 'the same' same a b

# An overlay that was left and joined again is such a loss as well.
check 'a leaves' hearsay a overlay leave test
check 'a joins again' enter a test "$(addr b)"
check 'it gets all back' holds a 41
second=$(hearsay a pub 'after the leave' --json | sed -n 's/.*"sequence":\([0-9]*\).*/\1/p')
check "and goes on, with number $second" test "$second" -gt "$first"
check 'b has that, too' holds b 42

lose store marks
check 'without the mark the log begins anew' test "$place" = 1
check 'they meet' meet
check 'and what stood above that place is lost' holds b 2
finish
