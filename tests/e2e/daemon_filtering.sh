#!/bin/bash
# What nodes behind real NATs find out about them: the mapping from votes, the filter from what
# comes in and what does not. None may take a NAT that filters for one that does not.
#
# A world of open peers and of peers behind symmetric NATs, each in a network of its own, and boxes
# as src/lab/nat/box.c makes them, in namespaces made here. With HSAY_NAT_RUNS=4 there are four
# nodes behind each kind of box, and HSAY_NAT_SECONDS is how long they have.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/netns.bash"

needs ip nft
runs=${HSAY_NAT_RUNS:-2} seconds=${HSAY_NAT_SECONDS:-60}
kinds=(open full_cone address_restricted port_restricted symmetric)
namespaces w f p b1 h1 b2 h2 b3 h3 b4 h4

# --- networks -----------------------------------------------------------------------------------

# A box, what is inside of it, and the way to the world; the light takes a few milliseconds.
connect() { # box, inside, number: the box is 11.NUMBER.0.1 and 10.NUMBER.0.254
    local n=$3
    ip link add wan netns "$space-$1" type veth peer name "to$n" netns "$space-w" &&
        ip -n "$space-$1" addr add "11.$n.0.1/24" dev wan &&
        ip -n "$space-w" addr add "11.$n.0.254/24" dev "to$n" &&
        ip link add lan netns "$space-$1" type veth peer name lan netns "$space-$2" &&
        ip -n "$space-$1" addr add "10.$n.0.254/24" dev lan &&
        ip -n "$space-$1" link set wan up && ip -n "$space-w" link set "to$n" up &&
        ip -n "$space-$1" link set lan up && ip -n "$space-$2" link set lan up &&
        ip -n "$space-$1" route add default via "11.$n.0.254" || return 1
    on "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    on "$1" tc qdisc add dev wan root netem delay 5ms 2>/dev/null
    on w tc qdisc add dev "to$n" root netem delay 5ms 2>/dev/null
    return 0
}
inside() { # inside, number, host: one more host in there, seen as 11.NUMBER.HOST.1
    ip -n "$space-$1" addr add "10.$2.0.$3/24" dev lan &&
        { [ "$3" != 1 ] || ip -n "$space-$1" route add default via "10.$2.0.254"; } &&
        ip -n "$space-w" route add "11.$2.$3.1/32" via "11.$2.0.1"
}
rules() { # box, number, kind, hosts
    local i
    on "$1" nft -f - <<END
table ip box {
    map opened { type inet_service : ipv4_addr; flags dynamic,timeout; timeout 60s; }
    map admitted { type ipv4_addr . inet_service : ipv4_addr; flags dynamic,timeout; timeout 60s; }
    chain input { type filter hook input priority 0; policy drop; }
    chain passing { type filter hook forward priority 0; policy accept;
        oifname wan update @opened { udp sport : ip saddr }
        oifname wan update @admitted { ip daddr . udp sport : ip saddr }
    }
    chain arriving { type nat hook prerouting priority -100; policy accept; }
    chain leaving { type nat hook postrouting priority 100; policy accept; }
}
END
    case $3 in
    full_cone) on "$1" nft add rule ip box arriving iifname wan dnat to udp dport map @opened ;;
    address_restricted)
        on "$1" nft add rule ip box arriving iifname wan \
            dnat to ip saddr . udp dport map @admitted
        ;;
    esac
    for ((i = 1; i <= $4; i++)); do
        ip -n "$space-$1" addr add "11.$2.$i.1/32" dev wan &&
            on "$1" nft add rule ip box leaving oifname wan meta l4proto udp ip saddr "10.$2.0.$i" \
                snat to "11.$2.$i.1$([ "$3" != symmetric ] || echo ':20000-60000 fully-random')" ||
            return 1
    done
}
build() {
    local k i
    on w sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' || return 1
    for ((k = 1; k <= 4; k++)); do
        connect "b$k" "h$k" $((100 + k)) && rules "b$k" $((100 + k)) "${kinds[k]}" "$runs" ||
            return 1
        for ((i = 1; i <= runs; i++)); do
            inside "h$k" $((100 + k)) $i || return 1
        done
    done
    for ((i = 1; i <= runs; i++)); do
        ip -n "$space-w" addr add "11.100.$i.1/32" dev lo || return 1
    done
    for ((i = 10; i <= 17; i++)); do
        ip -n "$space-w" addr add "11.$i.1.1/32" dev lo || return 1
    done
    # Five symmetric boxes in one: each host goes out by an address in a network of its own.
    connect f p 200 && rules f 200 none 0 || return 1
    for ((i = 1; i <= 5; i++)); do
        ip -n "$space-p" addr add "10.200.0.$i/24" dev lan &&
            ip -n "$space-f" addr add "11.$((200 + i)).1.1/32" dev wan &&
            ip -n "$space-w" route add "11.$((200 + i)).1.1/32" via 11.200.0.1 &&
            on f nft add rule ip box leaving oifname wan meta l4proto udp \
                ip saddr "10.200.0.$i" snat to "11.$((200 + i)).1.1:20000-60000" fully-random ||
            return 1
    done
    ip -n "$space-p" route add default via 10.200.0.254
}
build 2>"$work/said" || skip "cannot make networks here: $(tail -n 1 "$work/said")"

# --- nodes --------------------------------------------------------------------------------------

at() { # name, namespace, address
    launch "$1" "$2" --port-mapping no --log-level info --listen "$3"
}
come() { # name: when it is there, it joins
    await "$1" && enter "$1" test "$tracker"
}

tracker=11.10.1.1:6421
at t w $tracker
check 'a tracker' await t
check 'an overlay' found t test
peers=()
for ((i = 11; i <= 17; i++)); do
    at "o$i" w "11.$i.1.1:6421"
    peers+=("o$i")
done
for ((i = 1; i <= 5; i++)); do
    at "s$i" p "10.200.0.$i:6421"
    peers+=("s$i")
done
for name in "${peers[@]}"; do
    check "peer $name" come "$name"
done
sleep 20 # they find each other, and what each of them has in front of it

for ((i = 1; i <= runs; i++)); do
    at "open$i" w "11.100.$i.1:$((6500 + i))"
    for ((k = 1; k <= 4; k++)); do
        at "${kinds[k]}$i" "h$k" "10.$((100 + k)).0.$i:$((6500 + i))"
    done
    for kind in "${kinds[@]}"; do
        check "node $kind$i" come "$kind$i"
    done
done

field() { # name, field: of IPv4
    hearsay "$1" nat --json | sed -n 's/.*"ip4":{\(.*\)},"ip6".*/\1/p' |
        sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p"
}
known() { # name: sooner or later
    local tries
    for ((tries = 0; tries < 120; tries++)); do
        [ "$(field "$1" filtering)" = unknown ] || return 0
        sleep 1
    done
    return 1
}
sleep "$seconds"

# What may be said of each, and what has to be known of it by now.
declare -A mapping=([open]=public [full_cone]=independent [address_restricted]=independent
    [port_restricted]=independent [symmetric]=symmetric)
declare -A filter=([open]='none|unknown' [full_cone]='none|unknown'
    [address_restricted]='address|address or port|unknown'
    [port_restricted]='port|address or port|unknown' [symmetric]='port|address or port|unknown')
declare -A tally=()
for kind in "${kinds[@]}"; do
    sure=0
    for ((i = 1; i <= runs; i++)); do
        said=$(field "$kind$i" filtering) seen=$(field "$kind$i" nat)
        tally["$kind: $seen, $said"]=$((${tally["$kind: $seen, $said"]-0} + 1))
        [ "$said" = unknown ] || sure=$((sure + 1))
        [[ "|${filter[$kind]}|" == *"|$said|"* ]]
        verdict $? "$kind is not taken for what lets in more, or less" "$said"
        [ "$seen" = "${mapping[$kind]}" ]
        verdict $? "$kind: its mapping" "$(hearsay "$kind$i" nat)"
    done
    [ "$sure" -gt 0 ] || known "${kind}1"
    verdict $? "$kind: its filter is known" "$(hearsay "${kind}1" nat)"
done
for said in "${!tally[@]}"; do
    echo "# ${tally[$said]} $said"
done | sort -k 3
finish
