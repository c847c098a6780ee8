#!/bin/bash
# Two nodes of one overlay hold the same, whichever of them publishes, also over IPv6.
. "$(dirname "$0")/lib.bash"

start a
start b
check 'an overlay is founded' found a test --secret
check 'the other one joins' enter b test "$(addr a)"
check 'a publishes' publish a 200 'from a'
check 'b publishes' publish b 100 'from b'
check 'a holds all' holds a 300
check 'b holds all' holds b 300
check 'they hold the same' same a b
check 'both say that they are in sync' hearsay b wait -W 10
check 'no difference is found' hearsay a diff "$work/a.sock" "$work/b.sock"

# What is published while they follow arrives at once, by mail, far sooner than the next step.
hearsay b sub --new -C 1 -W 5 >"$work/heard" &
listener=$!
sleep 0.3
check 'one more' hearsay a pub 'breaking news'
check 'a follower hears it' wait "$listener"
check 'as it was said' grep -qx 'breaking news' "$work/heard"

if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
    spawn c --listen '[::1]:0'
    check 'a node on IPv6 starts' await c
    spawn d --listen '[::]:0'
    check 'and one for both families' await d
    check 'the IPv6 node joins' enter c test
    check 'the one for both joins, and knows an IPv4 and an IPv6 peer' \
        enter d test "$(addr a)" "$(addr c)"
    check 'all arrives over IPv4' holds d 301
    check 'all arrives over IPv6' holds c 301
else
    echo "ok $((++count)) - IPv6 # SKIP no IPv6 on loopback"
fi
check 'a stops cleanly' stop a
check 'its socket is gone' test ! -e "$work/a.sock"
check 'b stops cleanly when interrupted' stop b INT
finish
