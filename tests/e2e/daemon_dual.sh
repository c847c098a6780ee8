#!/bin/bash
# Nodes with both families, and one of each alone, make one overlay; a peer with two addresses is
# one peer, over IPv6 as long as that works and over IPv4 when it does not.
. "$(dirname "$0")/lib.bash"

[ "$(id -u)" = 0 ] || skip "only root can make network namespaces"
command -v ip >/dev/null || skip "no ip command here"
space=hsay$$
nodes='t a b four six' # t: the one that all others are told of
number=0
cleanup() {
    local name
    for name in hub $nodes; do
        ip netns del "$space-$name" 2>/dev/null
    done
}
ip netns add "$space-hub" 2>/dev/null || skip "cannot make network namespaces here"
ip -n "$space-hub" link add lan type bridge 2>/dev/null || skip "cannot make a bridge here"
ip -n "$space-hub" link set lan up
for name in $nodes; do
    number=$((number + 1))
    ip netns add "$space-$name"
    ip link add eth0 netns "$space-$name" type veth peer name "p$number" netns "$space-hub"
    ip -n "$space-hub" link set "p$number" master lan up
    ip -n "$space-$name" link set lo up
    ip -n "$space-$name" link set eth0 up
    [ "$name" = six ] || ip -n "$space-$name" addr add "10.64.24.$number/24" dev eth0
    [ "$name" = four ] || ip -n "$space-$name" addr add "fd64:24::$number/64" dev eth0 nodad ||
        skip "no IPv6 here"
done
# Where nobody is, but the way out would be.
ip -n "$space-a" route add 192.0.2.0/24 dev eth0
ip -n "$space-a" route add 2001:db8::/32 dev eth0
[ -z "$(ip netns exec "$space-a" cat /proc/net/if_inet6 2>/dev/null)" ] && skip "no IPv6 here"

inside() { # name
    ip netns exec "$space-$1" "$hearsayd" --state "$work/$1" --control "$work/$1.sock" \
        --listen '[::]:6421' --no-lan-beacons --port-mapping no --step 500ms --log-level info \
        2>>"$work/$1.log" </dev/null &
    pid[$1]=$!
    await "$1"
}

# As peers --json lists them: the addresses of the node under its key.
key() { # name
    hearsay "$1" status --json | sed -n 's/.*"node_key":"\([^"]*\)".*/\1/p'
}
listed() { # name, other: one line each, "address bucket"
    hearsay "$1" peers --json | tr '{}' '\n\n' | grep "\"key\":\"$(key "$2")\"" |
        sed -n 's/.*"addr":"\([^"]*\)".*"bucket":"\([^"]*\)".*/\1 \2/p'
}
has() { # name, other, address, seconds: it was heard of from there, and nowhere else
    local tries seen
    for ((tries = 0; tries < $4 * 5; tries++)); do
        seen=$(listed "$1" "$2")
        case $seen in "$3 contacted" | "$3 requested") return 0 ;; esac
        sleep 0.2
    done
    echo "$1 has $2 as: $seen"
    return 1
}
never_has() { # name, other
    [ -z "$(listed "$1" "$2")" ] || { listed "$1" "$2"; return 1; }
}

for name in $nodes; do
    check "$name starts at [::]" inside "$name"
done
check 't founds the overlay' found t test
for name in a b; do
    check "$name joins over both" enter "$name" test 10.64.24.1:6421 '[fd64:24::1]:6421'
done
check 'four joins over IPv4' enter four test 10.64.24.1:6421
check 'six joins over IPv6' enter six test '[fd64:24::1]:6421'
for name in $nodes; do
    check "$name publishes" hearsay "$name" pub "from $name"
done
for name in $nodes; do
    check "$name has what all said" holds "$name" 5 30
done

check 'a has b once, over IPv6' has a b '[fd64:24::3]:6421' 30
check 'b has a once, over IPv6' has b a '[fd64:24::2]:6421' 30
check 'four has a over IPv4' has four a 10.64.24.2:6421 30
check 'six has a over IPv6' has six a '[fd64:24::2]:6421' 30
says() { # name, words
    hearsay "$1" nat | grep -qF -- "$2" || { hearsay "$1" nat; return 1; }
}
check 'a knows both its addresses' soon 30 says a 'bound       10.64.24.2:6421, [fd64:24::2]:6421'
check 'there is no NAT over IPv4' soon 30 says a '10.64.24.2:6421, not confirmed, NAT public'
check 'nor over IPv6' soon 30 says a '[fd64:24::2]:6421, not confirmed, NAT public'
check 'four was never told of six' never_has four six
check 'nor six of four' never_has six four

# No IPv6 at b from now on, without a word to its node: no address goes.
check 'IPv6 is cut' eval 'ip -n "$space-b" -6 route del fd64:24::/64 dev eth0'
check 'a has b once, over IPv4' has a b 10.64.24.3:6421 60
check 'b has a once, over IPv4' has b a 10.64.24.2:6421 60
check 'a publishes on' hearsay a pub 'and on'
check 'b has it' holds b 6 20
check 'IPv6 is back' eval 'ip -n "$space-b" -6 route add fd64:24::/64 dev eth0'
check 'a has b over IPv6 again' has a b '[fd64:24::3]:6421' 100
check 'a stops' stop a
finish
