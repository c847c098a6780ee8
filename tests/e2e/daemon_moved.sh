#!/bin/bash
# The NAT in front of a node gets another public address, or forgets its mappings: the node's own
# addresses stay what they were. It knows soon, and what is published right then arrives. (That it
# is within 15 seconds, tests/unit/test_node_address.c shows in time that nothing else takes.)
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/netns.bash"

needs ip nft
namespaces w b h
build() {
    local i
    ip link add wan netns "$space-b" type veth peer name wan netns "$space-w" &&
        ip link add lan netns "$space-b" type veth peer name lan netns "$space-h" &&
        ip -n "$space-b" addr add 11.99.0.1/16 dev wan &&
        ip -n "$space-w" addr add 11.99.0.254/16 dev wan &&
        ip -n "$space-b" addr add 10.9.0.254/24 dev lan &&
        ip -n "$space-h" addr add 10.9.0.1/24 dev lan &&
        ip -n "$space-b" link set wan up && ip -n "$space-w" link set wan up &&
        ip -n "$space-b" link set lan up && ip -n "$space-h" link set lan up &&
        ip -n "$space-b" route add default via 11.99.0.254 &&
        ip -n "$space-h" route add default via 10.9.0.254 &&
        on b sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' || return 1
    for ((i = 10; i <= 15; i++)); do
        ip -n "$space-w" addr add "11.$i.1.1/32" dev lo || return 1
    done
    nat 40001
}
# The sockets from which it measures have ports of their own.
nat() { # port: by which the node is seen, whomever it writes to
    on b nft -f - <<END
table ip box
delete table ip box
table ip box {
    chain input { type filter hook input priority 0; policy drop; }
    chain leaving {
        type nat hook postrouting priority 100; policy accept;
        oifname wan udp sport 6421 masquerade to :$1
        oifname wan meta l4proto udp masquerade
    }
}
END
}
build 2>"$work/said" || skip "cannot make networks here: $(tail -n 1 "$work/said")"

inside() { # name, namespace, address
    launch "$1" "$2" --port-mapping no --log-level info --listen "$3"
    await "$1"
}
field() { # field: of node a's IPv4, and not of those who see it, whose list has the first bracket
    hearsay a nat --json | sed -n 's/.*"ip4":{\([^[]*\).*/\1/p' |
        sed -n "s/.*\"$1\":\"\{0,1\}\([^\",]*\).*/\1/p"
}
at() { # host, seconds: node a takes that for its own address, for certain; how long it took
    local start=$EPOCHREALTIME us addr
    for (( ; ; )); do
        addr=$(field addr)
        us=$((${EPOCHREALTIME/./} - ${start/./}))
        [ "${addr%:*}" != "$1" ] || [ "$(field confirmed)" != true ] || break
        [ $us -lt $(($2 * 1000000)) ] || { hearsay a nat; return 1; }
        sleep 0.1
    done
    took=$us
}

tracker=11.10.1.1:6421
check 'a tracker' inside t w $tracker
check 'an overlay' found t test
for ((i = 11; i <= 15; i++)); do
    check "peer o$i" inside "o$i" w "11.$i.1.1:6421"
    check 'joins' enter "o$i" test "$tracker"
done
check 'a node behind a NAT' inside a h 10.9.0.1:6421
check 'joins' enter a test "$tracker"
check 'it knows its public address' at 11.99.0.1 60
check 'something to be in sync about' publish t 1 first
check 'all hold it' same t a
sleep "${HSAY_MOVE_AFTER:-20}" # in sync, its steps become rare

move() { # from, to: as when a router reconnects
    ip -n "$space-b" addr del "$1/16" dev wan && ip -n "$space-b" addr add "$2/16" dev wan &&
        ip -n "$space-b" route replace default via 11.99.0.254
}
before=1 from=11.99.0.1
for to in 11.99.7.1 11.99.8.1; do
    check "the NAT's address is $to now" move $from $to
    start=$EPOCHREALTIME
    check 'a bundle is published inside' publish a 1 inside
    check 'and one outside' publish o12 1 outside
    check 'the node knows' at $to 30
    echo "# noticed after $((took / 1000)) ms"
    before=$((before + 2))
    check 'it holds both bundles' holds a $before 30
    check 'and so do those outside' holds o14 $before 30
    echo "# both bundles everywhere after $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms"
    from=$to
    sleep 5
done

# The same address, another port: no NAT with a port for each destination. An address that goes
# takes with it what was tracked.
flush() { # port
    ip -n "$space-b" addr del "$from/16" dev wan && nat "$1" &&
        ip -n "$space-b" addr add "$from/16" dev wan &&
        ip -n "$space-b" route replace default via 11.99.0.254
}
check 'its mapping is one for all' test "$(field nat)" = independent
check 'the NAT forgets its mappings' flush 50001
symmetric=0 kind=
for ((i = 0; i < 120; i++)); do
    kind=$(field nat)
    [ "$kind" != symmetric ] || symmetric=$((symmetric + 1))
    sleep 0.25
done
echo "# taken for symmetric in $symmetric of 120 looks within 30 s"
check 'it is not taken for symmetric for long' test "$kind" = independent
knows_port() { # port
    [ "$(field addr)" = "$from:$1" ] || { hearsay a nat; return 1; }
}
check 'and it knows its new port' soon 30 knows_port 50001
finish
