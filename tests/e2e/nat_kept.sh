#!/bin/bash
# What the laboratory says of paths that are kept: a path that was just used is open, and a datagram
# gets through; boxes that were made to forget have shut it, and the two find together again.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/nat_lab.bash"

# Both the kernel's flows and the maps that boxes fill are read; timers are longer than all this.
# Who was asked without a token, as its own puncture was overtaken, knows nobody yet to whom a path
# could lead; all others are open.
adds_up() { # share, share
    awk -v open="$1" -v unknown="$2" \
        'BEGIN { exit !(open >= 0.5 && open + unknown > 0.999) }' || { echo "$1 and $2"; return 1; }
}
check 'paths are held' nat --kinds address_restricted,port_restricted,carrier --trials 2 --hold 3
for pair in 'address_restricted port_restricted' 'port_restricted port_restricted' \
    'port_restricted carrier'; do
    # shellcheck disable=SC2086 # two words
    {
        check "$pair: two trials" is "$(row $pair held)" 2
        check "$pair: all the time" adds_up "$(row $pair kept_share)" \
            "$(row $pair kept_unknown_share)"
        check "$pair: a datagram gets through" above_none "$(row $pair kept_end_share)"
        check "$pair: as was read" is "$(row $pair kept_end_doubted)" 0
    }
done

# The control: the same, when boxes forget; by either engine.
for engine in kernel simulator; do
    check "$engine: boxes forget" nat --engine "$engine" --kinds port_restricted,carrier \
        --trials 2 --hold 3 --flush 1
    for pair in 'port_restricted port_restricted' 'port_restricted carrier'; do
        # shellcheck disable=SC2086 # two words
        {
            check "$engine, $pair: both trials" is "$(row $pair flushes)" 2
            check "$engine, $pair: there was something to forget" \
                above_none "$(row $pair flushed_flows)"
            check "$engine, $pair: no path is open then" is "$(row $pair flush_shut_share)" 1
        }
    done
    check "$engine: one box forgets" nat --engine "$engine" --kinds open,port_restricted \
        --trials 2 --hold 3 --flush 1 --flush-of guest
    check "$engine: its path alone is shut" is "$(row open port_restricted flush_shut_share)" 0.5
    check "$engine: where there is none, nothing is forgotten" is "$(row open open flushes)" 0
done
check 'both are compared' nat --engine both --kinds port_restricted --trials 2 --hold 3 --flush 1
for figure in p_kept_throughout p_kept_end p_flush_answered p_flush_bundle; do
    check "$figure is known" known "$(row port_restricted port_restricted $figure both)"
done
check 'a figure that is not there is noticed' \
    eval '! known "$(row port_restricted port_restricted p_magic both)" >/dev/null'
check 'an unknown figure is noticed' eval '! known null >/dev/null && ! above_none null >/dev/null'
check 'none is noticed' eval '! above_none 0 >/dev/null && above_none 0.5'
check 'a hundred are simulated' is \
    "$(row port_restricted port_restricted flushes simulator)" 100
check 'a moment outside is refused' eval '! nat --kinds open --hold 3 --flush 3'
finish
