#!/bin/bash
# Peers by name: from the hosts file, asked for again when not found, in nobody's way.
# In a network namespace of its own where that can be had, so that no name server is asked.
if [ -z "${HSAY_INSIDE-}" ] && unshare -n ip link set lo up 2>/dev/null; then
    HSAY_INSIDE=1 exec unshare -n "$0"
fi
[ -z "${HSAY_INSIDE-}" ] || ip link set lo up
. "$(dirname "$0")/lib.bash"

grep -qE '^127\.0\.0\.1[[:space:]]+.*localhost' /etc/hosts 2>/dev/null ||
    skip "no localhost in /etc/hosts"
start a
start b ${HSAY_INSIDE:+--peer no-such-host.invalid:6421}
check 'founding' found a test
check 'a publishes' publish a 10 'found by name'
port=$(addr a)
before=$SECONDS
check 'b joins, and knows a by name and another that is nowhere' \
    enter b test "localhost:${port##*:}"
check 'b gets all' holds b 10
check 'nobody has waited for a name server' test $((SECONDS - before)) -lt 5
check 'b stops cleanly while names are looked up' stop b
start b
check 'the name is remembered' hearsay b wait -W 10
check 'b stops' stop b
check 'a name that is none is refused' refused 2 "is not HOST:PORT" --peer 'no host' --check-config
finish
