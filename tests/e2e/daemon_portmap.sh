#!/bin/bash
# A real gateway opens the door: PCP, NAT-PMP and UPnP, each alone and one for the other; what is
# mapped lets packets in, is renewed, and is gone at the end. With the switch off nothing is sent.
#
# Two hosts in two networks of one router, and a stranger outside, in namespaces made here.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/netns.bash"

# miniupnpc reads a length out of a header by atoi, where the line ends and no string does: right,
# and refused by the strictest of the sanitizer's checks.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:strict_string_checks=0
export TSAN_OPTIONS=${TSAN_OPTIONS-}:atexit_sleep_ms=0 # the time of ends is measured

needs ip nft miniupnpd
miniupnpd --version | grep -q nftables || skip "this miniupnpd is for iptables"
namespaces r h g w
for side in "${sides[@]}"; do
    # Addresses that are good at once change nothing later, for which nodes would look again.
    on "$side" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad' 2>/dev/null
done

cable() { # name, namespace, address, to name, to namespace, to address
    ip link add "$1" netns "$space-$2" type veth peer name "$4" netns "$space-$5" &&
        ip -n "$space-$2" addr add "$3" dev "$1" && ip -n "$space-$5" addr add "$6" dev "$4" &&
        ip -n "$space-$2" link set "$1" up && ip -n "$space-$5" link set "$4" up
}
{ cable lan h 192.168.77.2/24 lan0 r 192.168.77.1/24 &&
    cable lan g 192.168.78.2/24 lan1 r 192.168.78.1/24 &&
    cable wan w 11.64.21.2/24 wan r 11.64.21.1/24 &&
    ip -n "$space-h" route add default via 192.168.77.1 &&
    ip -n "$space-r" route add default via 11.64.21.2
} 2>"$work/said" || skip "cannot make networks here: $(tail -n 1 "$work/said")"
on r sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' 2>/dev/null || skip "cannot forward packets here"

# What comes in from outside passes only where the gateway has let somebody in.
on r nft -f - 2>"$work/said" <<'END' || skip "cannot make a NAT here: $(head -n 1 "$work/said")"
table inet filter {
    chain input {
        type filter hook input priority 0
    }
    chain forward {
        type filter hook forward priority 0; policy drop
        ct state established,related accept
        iifname { "lan0", "lan1" } accept
        jump miniupnpd
    }
    chain miniupnpd { }
    chain prerouting {
        type nat hook prerouting priority -100
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority 100
        jump postrouting_miniupnpd
        oifname "wan" masquerade
    }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
END
for side in h g; do
    on $side nft -f - <<'END'
table inet watch {
    chain output {
        type filter hook output priority 0
        oifname "lan" meta l4proto { tcp, udp } counter
    }
}
END
done
sent() { # namespace: packets that have left it
    on "$1" nft list table inet watch | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}

# The shortest that PCP asks for at least is granted at most: renewals come within the test.
cat >"$work/miniupnpd.conf" <<END
ext_ifname=wan
listening_ip=lan0
listening_ip=lan1
enable_natpmp=yes
enable_upnp=yes
min_lifetime=4
max_lifetime=6
secure_mode=yes
ipv6_disable=yes
uuid=b0e5b0e5-0000-4000-8000-000000000001
allow 1024-65535 192.168.76.0/22 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
END
ip netns exec "$space-r" miniupnpd -d -f "$work/miniupnpd.conf" -P "$work/miniupnpd.pid" \
    </dev/null >"$work/router" 2>&1 &
pid[router]=$!
for ((i = 0; i < 100; i++)); do
    ! grep -q 'Listening for NAT-PMP/PCP' "$work/router" || break
    alive router || skip "miniupnpd does not run here: $(tail -n 1 "$work/router")"
    sleep 0.05
done

inside() { # name, namespace, how, options...
    local name=$1 side=$2 how=$3
    shift 3
    launch "$name" "$side" ${how:+--port-mapping "$how"} --log-level debug "$@"
    await "$name"
}

# A word of the one port in `hearsay status`.
mapping() { # name, field
    hearsay "$1" status --json | sed -n 's/.*"port_mapping":{\([^}]*\)}.*/\1/p' |
        sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"]*\).*/\1/p"
}
port_of() { # name
    addr "$1" | sed 's/.*://'
}
mapped() { # name, protocol, seconds
    local tries
    for ((tries = 0; tries < ${3:-8} * 20; tries++)); do
        if [ "$(mapping "$1" protocol)" = "$2" ]; then
            [ "$(mapping "$1" external)" = "11.64.21.1:$(port_of "$1")" ]
            return
        fi
        sleep 0.05
    done
    hearsay "$1" status
    return 1
}
rules() { # port: how many lines of the router let it in
    on r nft list table inet filter | grep -c "dport $1 "
}
open() { # port
    [ "$(rules "$1")" = 2 ] || { on r nft list table inet filter; return 1; }
}
shut() { # port
    [ "$(rules "$1")" = 0 ] || { on r nft list table inet filter; return 1; }
}
datagrams() { # name
    hearsay "$1" status --json | sed -n 's/.*"datagrams_in":\([0-9]*\).*/\1/p'
}
reached() { # name, port: by a stranger's datagram
    local before tries
    before=$(datagrams "$1")
    on w bash -c "echo knock >/dev/udp/11.64.21.1/$2"
    for ((tries = 0; tries < 10; tries++)); do
        [ "$(datagrams "$1")" = "$before" ] || return 0
        sleep 0.05
    done
    return 1
}

# --- silence ------------------------------------------------------------------------------------

check 'a node that is not to map' inside off h no --listen 0.0.0.0:0
check 'one on loopback' inside loop h auto --listen 127.0.0.1:0
check 'one without a gateway' inside lost g auto --listen '[::]:0'
sleep 1
check 'nothing was sent' test "$(sent h)" = 0
check 'nor without a gateway' test "$(sent g)" = 0
check 'which it says' test "$(mapping lost error)" = 'no default gateway'
check 'and when it will look again' test "$(mapping lost next_try_seconds)" -gt 50
check 'off says so' grep -q '"port_mapping":{"mode":"no","ports":\[\]}' \
    <(hearsay off status --json)
check 'a stranger does not reach it' eval '! reached off "$(port_of off)"'
check 'stop' stop off
check 'stop' stop loop

# --- each protocol alone ------------------------------------------------------------------------

declare -A port=()
for how in pcp nat-pmp upnp; do
    check "a node with $how" inside $how h $how --listen 0.0.0.0:0
    port[$how]=$(port_of $how)
done
for how in pcp nat-pmp upnp; do
    check "$how maps" mapped $how $how
    check "$how: the router lets it in" open "${port[$how]}"
    check "$how: a stranger reaches it" reached $how "${port[$how]}"
done
check 'something was sent' test "$(sent h)" -gt 0
check 'status shows it' grep -q "^mapping  *11.64.21.1:${port[pcp]} to port ${port[pcp]} by pcp" \
    <(hearsay pcp status)
check 'PCP may live for six seconds' test "$(mapping pcp left_seconds)" -lt 6
check 'NAT-PMP for two hours' test "$(mapping nat-pmp left_seconds)" -gt 7000
check 'UPnP too' test "$(mapping upnp left_seconds)" -gt 7000

check 'a node that is killed' inside killed h pcp --listen 0.0.0.0:0
port[killed]=$(port_of killed)
check 'has been let in' mapped killed pcp
stop killed KILL

# --- another network, and one protocol for another ----------------------------------------------

# PCP's packets begin with a 2, those of NAT-PMP with a 0.
on r nft add rule inet filter input iifname lan1 udp dport 5351 @th,64,8 2 drop
ip -n "$space-g" route add default via 192.168.78.1
ip -n "$space-g" addr add 10.64.21.9/32 dev lo
check 'a change of addresses makes it look at once; NAT-PMP in place of PCP' mapped lost nat-pmp
lost=$(port_of lost)
check 'the router lets it in' open "$lost"

on r nft insert rule inet filter input iifname lan1 udp dport 5351 reject
check 'a node whose router speaks UPnP alone' inside plain g auto --listen 192.168.78.2:0
check 'maps by it' mapped plain upnp
plain=$(port_of plain)
check 'a stranger reaches it' reached plain "$plain"

# --- renewal ------------------------------------------------------------------------------------

gone() { # port, seconds
    local tries
    for ((tries = 0; tries < $2 * 20; tries++)); do
        ! shut "$1" >/dev/null || return 0
        sleep 0.05
    done
    shut "$1"
}
again() { # name: how often it has been mapped once more
    grep -c 'stays mapped' "$work/$1.log"
}

check 'what nobody renews ends by itself' gone "${port[killed]}" 10
check 'PCP was renewed' test "$(again pcp)" -ge 1
check 'and is still let in' open "${port[pcp]}"

# As after a new start of the router: what it held is forgotten.
on r nft flush chain inet filter prerouting_miniupnpd
on r nft flush chain inet filter miniupnpd
for how in nat-pmp upnp; do
    check "the router has forgotten $how" shut "${port[$how]}"
    before=$(again $how)
    check "a reload asks again by $how" hearsay $how reload
    for ((i = 0; i < 60; i++)); do
        [ "$(again $how)" = "$before" ] || break
        sleep 0.05
    done
    check "$how is let in again" open "${port[$how]}"
done

# --- the end ------------------------------------------------------------------------------------

quickly() { # seconds, command...
    local limit=$1 start=$EPOCHREALTIME us
    shift
    "$@" || return 1
    us=$((${EPOCHREALTIME/./} - ${start/./}))
    [ $us -lt $((limit * 1000000)) ] || { echo "$us us"; return 1; }
}
for how in pcp nat-pmp upnp; do
    check "$how ends" quickly 1 stop $how
    check "$how: nothing is left" shut "${port[$how]}"
done

echo '[node]' >"$work/late.conf"
check 'a node whose settings are a file' inside late h '' --listen 0.0.0.0:0 \
    --config "$work/late.conf"
late=$(port_of late)
check 'maps' mapped late pcp
check 'the router lets it in' open "$late"
echo 'port-mapping = no' >>"$work/late.conf"
check 'it is told not to' hearsay late reload
check 'and gives back what it had' gone "$late" 2
check 'it ends' stop late

on r nft insert rule inet filter input iifname lan1 drop
check 'a node whose router is mute now ends' quickly 3 stop lost
check 'and one that had UPnP' quickly 3 stop plain
finish
