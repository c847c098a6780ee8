#!/bin/bash
# Two peers behind real NATs of three kinds meet, or do not, as their boxes allow, and as the
# simulator says of its own; without punctures those that need them do not. Boxes that are not what
# they should be are noticed, and nothing outlives the laboratory.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/nat_lab.bash"

# --- three kinds, each with each ----------------------------------------------------------------

check 'nine meetings of three kinds, and a hundred times as many simulated' \
    nat --engine both --kinds open,port_restricted,symmetric --trials 2 --patience 8
cp "$work/said" "$work/boxes"
for pair in 'open open' 'open port_restricted' 'port_restricted port_restricted' \
    'open symmetric'; do
    # shellcheck disable=SC2086 # two words
    check "$pair meet" is "$(row $pair connected_ever kernel)" 2
    # shellcheck disable=SC2086
    check "$pair meet in the simulator" is "$(row $pair connected_ever simulator)" 100
done
# Two trials say little about times, but two that meet where none of a hundred does say enough.
for pair in 'open open' 'open port_restricted' 'open symmetric' \
    'port_restricted port_restricted' 'port_restricted symmetric' 'symmetric symmetric'; do
    # shellcheck disable=SC2086
    check "$pair: the simulator does what the kernel does" \
        grep -qx 'agree\|times differ' <<<"$(row $pair verdict both)"
done
check 'simulated boxes are as real ones' test "$(grep -c 'a mapping per destination' \
    "$work/boxes")" = 2
check 'a port-restricted box was one' grep -q 'port_restricted .* filters by address and port' \
    "$work/boxes"
check 'a symmetric box was one' grep -q 'symmetric .* a mapping per destination' "$work/boxes"
check 'peers punctured' test "$(row port_restricted port_restricted punctures kernel)" -gt 0
check 'and simulated ones' \
    test "$(row port_restricted port_restricted punctures simulator)" -gt 0

# --- the control: without punctures -------------------------------------------------------------

check 'two restricted peers whose punctures are lost' \
    nat --kinds port_restricted --trials 36 --punctures no --patience 1.5
check 'they were made' test "$(row port_restricted port_restricted punctures_made)" -gt 0
check 'and none got through' is "$(row port_restricted port_restricted punctures)" 0
# Now and then two that both were introduced ask each other at the same time, and their requests
# open what punctures do not: 12 of 96 on a busy machine. At that rate more than 12 of 36 do in one
# run of four thousand, and more than 4 of 12 in one of a hundred.
check 'then they hardly meet' test "$(row port_restricted port_restricted connected)" -le 12
check 'the same in the simulator' \
    nat --engine simulator --kinds port_restricted --trials 100 --punctures no --patience 1.5
check 'where they hardly meet, either' \
    test "$(row port_restricted port_restricted connected)" -le 10
check 'although punctures were made' \
    test "$(row port_restricted port_restricted punctures_made)" -gt 0

# --- boxes that are not what they should be -----------------------------------------------------

# An nft that forgets half of what it is told.
mkdir "$work/bin"
cat >"$work/bin/nft" <<END
#!/bin/sh
sed 's/ fully-random//' | $(PATH=$PATH:/usr/sbin:/sbin command -v nft) "\$@"
END
chmod +x "$work/bin/nft"
check 'a box of another kind ends the run' \
    eval '! PATH="$work/bin:$PATH" nat --kinds symmetric --trials 1'
check 'and says so' grep -q "'symmetric' is not what it should be" "$work/said"

# --- nothing stays ------------------------------------------------------------------------------

# Under a name of their own, so that those of others are not counted.
ln -s "$(realpath "$B/hearsayd")" "$work/hearsayd"
running() {
    ps -eo args | awk -v path="$work/hearsayd" '$1 == path { n++ } END { print n + 0 }'
}
wait_running() { # more than none: yes or no
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        [ "$(running)" -gt 0 ] && [ "$1" = yes ] && return 0
        [ "$(running)" -le 0 ] && [ "$1" = no ] && return 0
        sleep 0.1
    done
    return 1
}
for signal in TERM KILL; do
    TMPDIR=$work "$lab" nat --kinds blocked,open --trials 3 --quiet --daemon "$work/hearsayd" \
        >"$work/json" 2>&1 &
    pid[lab]=$!
    check "nodes run ($signal)" wait_running yes
    kill -$signal "${pid[lab]}"
    wait "${pid[lab]}" 2>/dev/null
    unset 'pid[lab]'
    check "after $signal none is left" wait_running no
done
finish
