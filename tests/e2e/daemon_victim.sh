#!/bin/bash
# What bad input gets: an attacker tries 10^5 times to have a node send to a victim, in all ways of
# tests/victim/attacks.h. What may not be done is counted, and no victim gets a packet; what is
# allowed stays within its bounds. Then the same with checks switched off, in a daemon that exists
# for this alone: each attack works as soon as the check that stands against it is gone.
#
# The node, its attacker, and victims in the world, in the node's LAN and in its own loopback, in
# namespaces made here. Each attack has a victim of its own.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/netns.bash"
packets=115000 # of which some do what is allowed, or are one network's too many
few=12000      # for attacks that are to succeed

needs ip nft
[ -x "$B/tests/attacker" ] && [ -x "$B/tests/unguarded" ] || skip "no attacker in $B"

# d: the node; a: the attacker; v: victims that get nothing; w: those that get what is allowed; l:
# victims in the node's LAN.
namespaces d a v w l
for side in "${sides[@]}"; do
    # Sources are forged, and are to arrive; nothing but what is sent here is to move.
    on $side sh -c 'cd /proc/sys/net && echo 0 >ipv4/conf/all/rp_filter &&
        echo 0 >ipv4/conf/default/rp_filter &&
        { [ ! -e ipv6 ] || echo 1 >ipv6/conf/default/disable_ipv6; }' 2>/dev/null ||
        skip "cannot switch off the filter of sources here"
done

# A host with many addresses, at the end of a cable of the node's.
cable() { # namespace, its addresses
    ip link add "to-$1" netns "$space-d" type veth peer name eth netns "$space-$1" &&
        ip -n "$space-d" link set "to-$1" up && ip -n "$space-$1" link set eth up &&
        ip -n "$space-$1" route add local "$2" dev lo && ip -n "$space-$1" route add default dev eth
}
{ cable a 5.128.0.0/9 && cable v 5.32.0.0/11 && cable w 5.64.0.0/11 && cable l 192.168.50.0/25 &&
    ip -n "$space-d" addr add 5.20.0.1/32 dev to-a &&
    ip -n "$space-d" addr add 192.168.50.254/24 dev to-l &&
    ip -n "$space-d" route add 239.0.0.0/8 dev to-l src 192.168.50.254 &&
    ip -n "$space-d" route add 5.32.0.0/11 dev to-v src 5.20.0.1 &&
    ip -n "$space-d" route add 5.64.0.0/11 dev to-w src 5.20.0.1 &&
    ip -n "$space-d" route add default dev to-a src 5.20.0.1
} 2>"$work/said" || skip "cannot make networks here: $(tail -n 1 "$work/said")"

# Whatever arrives is counted before anything else looks at it: all of it, and by victim.
watched() { # namespace, addresses, with N for the number
    local n
    {
        printf 'table inet watch\ndelete table inet watch\ntable inet watch {\n'
        printf 'chain hits {\ntype filter hook prerouting priority -400\ncounter comment "all"\n'
        for ((n = 1; n < 32; n++)); do
            echo "$2 counter comment \"$n\"" |
                sed "s/32+N/$((32 + n))/; s/64+N/$((64 + n))/; s/N/$n/g"
        done
        printf '}\n}\n'
    } >"$work/$1.nft"
}
watched v 'ip daddr 5.32+N.0.1'
watched w 'ip daddr 5.64+N.0.1'
watched l 'ip daddr { 192.168.50.N, 239.0.0.N }'
watched d 'iifname "lo" ip daddr 127.0.1.N meta l4proto udp'
reset() { # all counters
    local side
    for side in v w l d; do
        on $side nft -f "$work/$side.nft" || return 1
    done
}
reset 2>"$work/said" || skip "cannot count packets here: $(head -n 1 "$work/said")"

# --- an attack ----------------------------------------------------------------------------------

declare -A number=() tried=() sent=() told=()

node() { # program: always the same node
    node_program=$1 launch d d --port-mapping no --log-level info --listen 0.0.0.0:6421 --step 1
    await d
}
value() { # field: a number or word of what is read
    sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
# What was tried stands in $tried and $sent (packets, bytes) by attack, the rest in $told.
attack() { # packets
    local key overlay a b c e
    key=$(hearsay d status --json | value node_key)
    overlay=$(hearsay d overlay show o --json | value key)
    on a timeout 100 "$B/tests/attacker" "$work/tokens" 5.20.0.1:6421 "$key" "$overlay" \
        ${1:+"$1"} >"$work/tried" || return 1
    while read -r a b c e; do
        case $a in
        [0-9]*) number[$b]=$a tried[$b]=$c sent[$b]=$e ;;
        *) told[$a]=$b ;;
        esac
    done <"$work/tried"
}
count_of() { # namespace, victim, packets or bytes
    on "$1" nft list chain inet watch hits |
        sed -n "s/.*counter packets \([0-9]*\) bytes \([0-9]*\) comment \"$2\".*/\1 \2/p" |
        cut -d ' ' -f "$([ "${3-packets}" = packets ] && echo 1 || echo 2)"
}
hits() { # attack, packets or bytes: what its victim got
    local side sum=0
    for side in v w l d; do
        sum=$((sum + $(count_of $side "${number[$1]}" "${2-packets}")))
    done
    echo $sum
}
statistic() { # group, field
    hearsay d stats --json | sed -n "s/.*\"$1\":{\([^}]*\)}.*/\1/p" | value "$2"
}

tried_of() { # attacks...: in all
    local each sum=0
    for each; do
        sum=$((sum + tried[$each]))
    done
    echo $sum
}
hurt() { # attacks...: each victim got something
    local each status=0
    for each; do
        [ "${tried[$each]}" -gt 0 ] && [ "$(hits "$each")" -gt 0 ] && continue
        echo "$each: ${tried[$each]} tried, $(hits "$each") packets arrived"
        status=1
    done
    return $status
}
unhurt() { # attacks...: each was tried, and no victim got anything
    local each status=0
    for each; do
        [ "${tried[$each]}" -gt 0 ] && [ "$(hits "$each")" = 0 ] && continue
        echo "$each: ${tried[$each]} tried, $(hits "$each") packets arrived"
        status=1
    done
    return $status
}
silent() { # namespace: not a packet of any kind
    [ "$(count_of "$1" all)" = 0 ] || { on "$1" nft list chain inet watch hits; return 1; }
}
at_least() { # number, number
    [ "$1" -ge "$2" ] || { echo "$1, not $2"; return 1; }
}
at_most() { # number, number
    [ "$1" -le "$2" ] || { echo "$1, more than $2"; return 1; }
}
payload() { # attack: bytes of datagrams that its victim got, without IP and UDP
    echo $(($(hits "$1" bytes) - 28 * $(hits "$1")))
}
told_of() { # name, address: somebody's word for it counts
    hearsay "$1" nat --json | grep -q "\"$2\"" || { hearsay "$1" nat; return 1; }
}
not_told_of() { # name, address
    ! told_of "$1" "$2" >/dev/null || { hearsay "$1" nat; return 1; }
}
sees_itself() { # name, address: what its peers say it has, and have said
    hearsay "$1" nat --json | grep -q "\"ip4\":{\"addr\":\"$2\",[^[]*\"confirmed\":true" ||
        { hearsay "$1" nat; return 1; }
}

strangers=(stranger forged-token stale-token anothers-token replay forged-source from-victim)
targets=(lan multicast loopback low-port)
unasked=(unasked unasked-contact moved)
met=(met-lan met-multicast met-loopback met-low-port)
fields=(lan-field met-lan-field) # the ways in a LAN: the attacker is not in the node's
forbidden=("${strangers[@]}" "${targets[@]}" "${unasked[@]}" "${met[@]}" met-unwanted probe)

# --- a node as it is ----------------------------------------------------------------------------

check 'a node' node "$hearsayd"
check 'with something to give' eval 'found d o && publish d 50 "something of our own"'
check 'gives tokens' attack
check 'which end with it' stop d
check 'a node again' node "$hearsayd"
reset
start=$SECONDS
check 'is attacked' attack $packets
seconds=$((SECONDS - start + 1))
check 'it is still there' alive d
read_in=$(statistic counters packets_in)
lost=$((told[all] - read_in))
early=$(($(statistic drops rate) + $(statistic drops agree)))
{
    echo "packets: ${told[all]} sent, $read_in read, $early too many of one network"
    for each in "${!number[@]}"; do
        echo "$each: ${tried[$each]} tried, $(hits "$each") packets arrived"
    done | sort
} | sed 's/^/# /'
check 'it read nearly all' at_most $((lost * 1000)) "${told[all]}"
check 'nearly all had their turn' at_most $((early * 20)) "${told[all]}"
check 'that were 10^5 tries' at_least $(($(tried_of "${forbidden[@]}") - lost - early)) 100000
check 'who may not ask for punctures gets none' unhurt "${strangers[@]}"
check 'who may gets none to where nobody is sent' unhurt "${targets[@]}"
check 'nor do probes go to who did not send them' unhurt probe
check 'answers that nobody asked for hurt nobody' unhurt "${unasked[@]}"
check 'nor introductions to where nobody is sent' unhurt "${met[@]}"
check 'nor those that nobody asked for' unhurt met-unwanted
check 'nor addresses in the LAN of somebody elsewhere' unhurt "${fields[@]}"
check 'not a packet of any kind came to a victim in the world' silent v
check 'nor in the LAN' silent l
check 'each was counted: punctures' at_least "$(statistic drops puncture)" \
    $(($(tried_of "${strangers[@]}" "${targets[@]}") - lost - early))
check 'each was counted: probes' at_least "$(statistic drops token)" \
    $((tried[probe] - lost - early))
check 'each was counted: answers' at_least "$(statistic drops unasked)" \
    $(($(tried_of "${unasked[@]}") - lost - early))
check 'each was counted: introductions' at_least "$(statistic drops introduced)" \
    $(($(tried_of "${met[@]}" met-unwanted) - lost))
check 'its address is what those say that it asked' sees_itself d 5.20.0.1:6421
check 'and no word of others counts' not_told_of d 5.99.0.1:6421

# What is allowed. A request is answered to where it seems to come from, with what it paid for.
check 'forged sources get answers' hurt reflected
check 'with no more bytes than were sent' at_most "$(payload reflected)" "${sent[reflected]}"
check 'contacts have one victim hit' hurt named
check 'by three packets' at_most "$(hits named)" 3
check 'and 4.5 kB' at_most "$(hits named bytes)" 4500
check 'and one host at many ports' at_most "$(hits ports)" $((20 * seconds))
check 'stop' stop d

# --- without its checks -------------------------------------------------------------------------

unguarded() { # checks that are off
    export HSAY_TEST_OFF=$1
    node "$B/tests/unguarded" && reset && attack $few && unset HSAY_TEST_OFF
}

check 'a node with every check, built like those below' unguarded none
check 'is as good' unhurt "${forbidden[@]}"
check 'stop' stop d

check 'without a look at targets' unguarded target
check 'punctures go anywhere' hurt "${targets[@]}"
check 'and requests' soon 40 hurt "${met[@]}"
check 'but not for strangers' unhurt "${strangers[@]}" "${unasked[@]}" met-unwanted probe
check 'stop' stop d

check 'without doubt about who names addresses inside' unguarded inside,target
check 'they are sent to' soon 40 hurt "${fields[@]}"
check 'stop' stop d

check 'without tokens and limits of punctures' unguarded token,puncture
check 'anybody can have anybody punctured' hurt "${strangers[@]}"
check 'or probed' hurt probe
check 'but answers are still asked for' unhurt "${unasked[@]}" met-unwanted
check 'stop' stop d

check 'without a ledger and limits of punctures and places' unguarded ledger,puncture,place
check 'a puncture moves whom it names to its source' soon 40 hurt moved
check 'a named victim is flooded' at_least "$(hits named)" $((tried[named] / 2))
check 'and a host at many ports' at_least "$(hits ports)" $((tried[ports] / 2))
check 'and forged sources gain' at_least "$(payload reflected)" $((2 * sent[reflected]))
check 'stop' stop d

# The last, as all that answered is in the address book afterwards.
check 'without a look at what was asked for' unguarded asked
check 'any answer introduces' soon 40 hurt unasked unasked-contact met-unwanted
check 'and says what its address is' told_of d 5.99.0.1:6421
check 'but nobody is punctured for strangers' unhurt "${strangers[@]}" "${targets[@]}"
check 'stop' stop d
finish
