#!/bin/bash
# What the client says about the NAT in front of a node, and about those that it has reached.
. "$(dirname "$0")/lib.bash"

# The answer of a verb holds these words.
says() { # words, node, verb, words...
    local words=$1 seen
    shift
    seen=$(hearsay "$@" 2>&1)
    [[ $seen == *"$words"* ]] || { echo "$seen"; return 1; }
}

usage() { # node, verb, words...
    hearsay "$@"
    [ $? = 2 ]
}

start a
check 'alone, it knows no address' says 'no address known, NAT unknown' a nat
check 'and why' says 'no peer has said yet' a nat
check 'nobody was introduced to it' says 'nobody who was introduced' a nat --matrix
check 'as JSON, no row' test -z "$(hearsay a nat --matrix --json)"

# Three that know only the tracker meet through it.
for name in b c d; do
    start $name
done
check 'founding' found a test
for name in b c d; do
    check "$name joins" enter $name test "$(addr a)"
done
own=$(addr b)
check 'three network groups see b where it is' soon 30 says \
    "3 of 3 network groups see us where the socket is bound" b nat
check 'confirmed' says "IPv4        $own, confirmed, NAT public" b nat
check 'each of them is named' says "$(addr c)" b nat
check 'IPv6 stays open' says 'IPv6        no address known' b nat
check 'as JSON' says '"nat":"public","confirmed":true,"votes":3' b nat --json
check 'nobody on this host shows what a NAT filters' says \
    '"votes":3,"filtering":"unknown","filtering_votes":0' b nat --json
check 'which is said' says 'what is filtered has not shown' b nat
check 'with what each saw' says "\"network\":\"$(addr a)\",\"addr\":\"$own\"" b nat --json
check 'no NAT, so there is nothing to measure' says \
    '"lifetime":{"at_least_seconds":null,"below_seconds":null,' b nat --json
check 'nor to be said about it' eval '! says "lifetime  " b nat >/dev/null'
check 'and whether a port is mapped' says '"port_mapping":{"mode":"no"' b nat --json
check 'and whether it may search for ports' says \
    '"port_search":{"allowed":true,"begun":0,"met":0}' b nat --json
check 'as columns' says "ip4	$own	true	public	3" b nat --tsv

# Whoever of two is introduced to the other first makes the attempt.
matrix() {
    cat <(hearsay b "$@") <(hearsay c "$@") <(hearsay d "$@")
}
met() {
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        [ -z "$(matrix nat --matrix --json)" ] || return 0
        sleep 0.1
    done
    return 1
}
check 'they are introduced to each other, and meet' met
seen=$(matrix nat --matrix --json | head -n 1)
[[ $seen == '{"mine":"'*'"theirs":"'*'"family":"ip4","connected":'*'"share":1.0}' ]]
verdict $? 'which is counted by kind, family and outcome' "$seen"
seen=$(matrix nat --matrix)
[[ $seen =~ all\ +all\ +all\ +[1-9][0-9]*\ +0\ +100\.0\ % ]]
verdict $? 'for people with a sum and the share' "$seen"
seen=$(matrix stats --tsv)
[[ $seen =~ punctures.[a-z]+_[a-z]+_ip4_connected.[1-9] ]]
verdict $? 'and among the counters' "$seen"
check 'those of JSON, too' grep -q '"punctures":\[{"mine"' <<<"$(matrix stats --json)"

check 'an option that is not for it' usage a nat --count 1
check 'a word too many' usage a nat now
check 'the matrix is not for others' usage a status --matrix
finish
