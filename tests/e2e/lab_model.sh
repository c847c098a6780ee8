#!/bin/bash
# Is the laboratory's model true?  Fifty real daemons on loopback and fifty simulated hosts do the
# same; what they need to bring bundles to all must be the same within 15 %.
#
# The daemons go first, and the simulation takes over from them what a shell on a busy machine
# cannot promise: from bundle to bundle, and how long all of it took.  Steps are times in units of
# the step that was set.  The state lies in memory: no disk takes part in the comparison.
#
#   VARIANT=claims    the same without direct mail and rumors
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.bash"

nodes=50 step=0.5 warmup=8 bundles=48 gap_us=500000 seeds=10 within=0.15
variant=${VARIANT:-main}
[ -x "$B/hearsay-lab" ] || skip "no hearsay-lab in $B"
[ -z "${SANITIZE-}" ] || skip 'a sanitizer changes the pace of daemons'

# --- the daemons ----------------------------------------------------------------------------------

spawn_node() { # number, options...
    local i=$1
    shift
    spawn "n$i" --config "$work/conf" --listen "127.0.77.$i:0" --step $step --log-level warning "$@"
}

spawn_overlay() {
    local i tracker
    printf '[node]\npull-only = %s\n' "$([ "$variant" = claims ] && echo yes || echo no)" \
        >"$work/conf"
    spawn_node 1
    await n1 && found n1 model && tracker=$(addr n1) || return 1
    for ((i = 2; i <= nodes; i++)); do
        spawn_node $i --peer "$tracker" --overlay "$join=model"
        sleep 0.04 # they would else step in time with each other
    done
    for ((i = 2; i <= nodes; i++)); do
        await "n$i" || return 1
    done
}

# Who hears a bundle says so here, the publisher too; $work/heard has TIME NODE BUNDLE.
listen_to_all() {
    local i
    mkfifo "$work/fifo"
    while read -r line; do
        echo "$EPOCHREALTIME $line"
    done <"$work/fifo" >"$work/heard" &
    pid[reader]=$!
    exec 9>"$work/fifo"
    for ((i = 1; i <= nodes; i++)); do
        "$B/hearsay" --socket "$work/n$i.sock" sub --new -F "$i %p" >&9 2>/dev/null &
        pid[ear$i]=$!
    done
}

# NODE TIME BYTES STEPS of each.
snapshot() {
    local i
    for ((i = 1; i <= nodes; i++)); do
        hearsay "n$i" stats --tsv | awk -v node=$i -v time="$EPOCHREALTIME" '
            $2 == "bytes_out" { bytes = $3 }
            $2 == "steps" { steps = $3 }
            END { print node, time, bytes, steps }'
    done
}

# Each from some node, at an even pace.
publish_all() { # batch, count
    local i due=${EPOCHREALTIME/./} wait_us
    for ((i = 0; i < $2; i++)); do
        hearsay "n$((RANDOM % nodes + 1))" pub --quiet "$(printf '%s %018d' "$1" $i)" || return 1
        wait_us=$(((due += gap_us) - ${EPOCHREALTIME/./}))
        ((wait_us <= 0)) ||
            sleep "$(printf '%d.%06d' $((wait_us / 1000000)) $((wait_us % 1000000)))"
    done
}

# Prints: incomplete bundles, mean steps to the last node, seconds from bundle to bundle.
times_of() { # batch
    awk -v batch="$1" -v nodes=$nodes -v step=$step '
        $3 == batch {
            if (!($4 in count) || $1 < first[$4]) first[$4] = $1
            if ($1 > last[$4]) last[$4] = $1
            count[$4]++
        }
        END {
            for (i in count) {
                bundles++
                missing += count[i] != nodes
                sum += (last[i] - first[i]) / step
                if (!begin || first[i] < begin) begin = first[i]
                if (first[i] > end) end = first[i]
            }
            if (bundles < 2) exit 1
            printf "%d %.4f %.4f\n", missing, sum / bundles, (end - begin) / (bundles - 1)
        }' "$work/heard"
}

# Prints: bytes per node and second, steps per node and second, seconds.
traffic_between() { # snapshot, snapshot
    paste -d ' ' "$1" "$2" | awk '
        { seconds += $6 - $2; bytes += $7 - $3; steps += $8 - $4 }
        END { printf "%.2f %.4f %.4f\n", bytes / seconds, steps / seconds, seconds / NR }'
}

# --- the same, simulated --------------------------------------------------------------------------

field() { # name
    sed -n "s/.*\"$1\":\\([0-9.e+-]*\\).*/\\1/p" "$work/json"
}

simulate() { # bundles, gap, tail
    "$B/hearsay-lab" run loopback --variant "$variant" --json --quiet --seeds $seeds \
        --nodes $nodes --step $step --warmup $warmup --bundles "$1" \
        --gap "$2" --tail "$3" >"$work/json"
}

near() { # what, real, simulated
    awk -v what="$1" -v real="$2" -v model="$3" -v within=$within 'BEGIN {
        ratio = model > 0 ? real / model : 0
        printf "# %-28s daemons %9.3f  simulated %9.3f  ratio %.3f\n", what, real, model, ratio
        exit ratio < 1 - within || ratio > 1 + within
    }' >>"$work/verdicts"
}

agree() {
    local status=0
    : >"$work/verdicts"
    near 'steps to all' "$real_steps" "$(field steps_last)" || status=1
    near 'bytes per node and second' "$real_bytes" "$(field bytes_per_host_second)" || status=1
    near 'steps per node and second' "$real_pace" "$(field steps_per_host_second)" || status=1
    return $status
}

# A batch of bundles through both worlds.
compare() { # batch, bundles
    local gap seconds missing
    snapshot >"$work/before"
    publish_all "$1" "$2" || return 1
    sleep 2.5
    snapshot >"$work/after"
    read -r missing real_steps gap < <(times_of "$1") || return 1
    [ "$missing" = 0 ] || { echo "$missing bundles did not reach all"; return 1; }
    read -r real_bytes real_pace seconds < <(traffic_between "$work/before" "$work/after")
    simulate "$2" "$gap" "$(awk "BEGIN { print $seconds - $2 * $gap }")" && agree
}

# One burst of work elsewhere on this machine is no reason to call the model wrong: what fails is
# done again, at twice the length, and that counts.
compare_or_again() {
    compare first $bundles && return
    mv "$work/verdicts" "$work/first"
    compare second $((2 * bundles))
}

check 'fifty daemons start' spawn_overlay
check 'they are listened to' listen_to_all
sleep $warmup
check 'daemons and simulated hosts agree' compare_or_again
cat "$work/first" "$work/verdicts" 2>/dev/null
finish
