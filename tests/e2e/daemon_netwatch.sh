#!/bin/bash
# A node notices another address of its machine, and nothing else that the kernel tells of them.
. "$(dirname "$0")/lib.bash"

[ "$(id -u)" = 0 ] || skip "only root can make network namespaces"
command -v ip >/dev/null || skip "no ip command here"
space=hsay$$
cleanup() { ip netns del "$space" 2>/dev/null; }
ip netns add "$space" 2>/dev/null || skip "cannot make network namespaces here"
net() { ip -n "$space" "$@"; }
net link set lo up
net link add "v$$" type veth peer name "w$$" 2>/dev/null || skip "cannot make interfaces here"
net addr add 10.64.22.1/24 dev "v$$"

ip netns exec "$space" "$hearsayd" --state "$work/n" --control "$work/n.sock" --listen 0.0.0.0:0 \
    --port-mapping no --no-lan-beacons --log-level info 2>"$work/n.log" </dev/null &
pid[n]=$!
check 'a node starts' await n

changes() { grep -c 'addresses have changed' "$work/n.log"; }
noticed() { # how often
    local tries
    for ((tries = 0; tries < 50; tries++)); do
        [ "$(changes)" = "$1" ] && return 0
        sleep 0.1
    done
    echo "$(changes) times, not $1"
    return 1
}
stays() { # how often, for longer than the dust takes to settle
    sleep 2
    noticed "$1"
}

# A link that comes up brings an address of its own; a lease or a router's word makes one last.
net link set "v$$" up
net link set "w$$" up
check 'an address of the link alone is none' stays 0
net addr change 10.64.22.1/24 dev "v$$" valid_lft 1000 preferred_lft 1000
check 'an address that lasts longer is the same' stays 0
net addr add 10.64.23.1/24 dev "v$$"
check 'another address is noticed' noticed 1
net addr del 10.64.23.1/24 dev "v$$"
check 'and that it has gone' noticed 2
check 'the node stops' stop n
finish
