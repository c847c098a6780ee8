#!/bin/bash
# The main job on real input: an overlay of hearsayd processes on 127.0.0.1, all in a temporary
# folder.  The first node is the tracker; the others know nobody else.  Texts are published at three
# nodes, one node is killed with SIGKILL in the middle and started again with its store, and one
# joins late with an empty store.  At the end every store must hold exactly the same.
#
#   NODES=12   how many, 3 or more
#   INPUT=     files or folders; a bundle per line that is not empty.  Else the licenses of Debian
#   STEP=      time between two steps of a node, as in 500ms; else hearsayd's own
#   LIMIT=     seconds until it says no; else 120, and one more for each thousand bundles
#   KEEP=      1: the folder stays
#   B=build    where the programs are
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1

build=${B:-build} nodes=${NODES:-12} step=${STEP:-} limit=${LIMIT:-}
licenses=/usr/share/common-licenses
waves=12      # so many portions per publisher: there is a middle in which to kill
gap=0.1       # seconds between them
payload_max=900
pid=() socket=()
watcher=

fail() {
    echo "demo: $*" >&2
    exit 1
}

[[ $nodes =~ ^[0-9]+$ && $nodes -ge 3 && $nodes -le 200 ]] ||
    { echo "demo: NODES=$nodes is no number from 3 to 200" >&2; exit 2; }
[[ $limit =~ ^[0-9]*$ ]] || { echo "demo: LIMIT=$limit is no number of seconds" >&2; exit 2; }
[[ -x $build/hearsayd && -x $build/hearsay ]] || fail "no programs in $build; run make first"

# --- what runs is ended, whatever happens ----------------------------

work=$(mktemp -d "${TMPDIR:-/tmp}/hearsay.XXXXXX") || exit 1

alive() { # node
    [ -n "${pid[$1]-}" ] && kill -0 "${pid[$1]}" 2>/dev/null
}

end_node() { # node, signal
    ! alive "$1" || kill "-$2" "${pid[$1]}" 2>/dev/null
}

any_alive() {
    local i
    for ((i = 1; i <= nodes; i++)); do
        ! alive $i || return 0
    done
    return 1
}

cleanup() {
    local i tries
    trap - EXIT INT TERM
    [ -z "$watcher" ] || kill "$watcher" 2>/dev/null
    for ((i = 1; i <= nodes; i++)); do
        end_node $i TERM
    done
    for ((tries = 0; tries < 50; tries++)); do
        any_alive || break
        sleep 0.1
    done
    for ((i = 1; i <= nodes; i++)); do
        end_node $i KILL
    done
    if [ "${KEEP:-}" = 1 ]; then
        echo "demo: kept in $work" >&2
    else
        rm -rf "$work"
    fi
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT
trap 'cleanup; exit 143' TERM

# --- input ----------------------------------------------------------

list_input() {
    if [ -z "${INPUT:-}" ]; then
        [ -d $licenses ] || fail "no $licenses here; name files with INPUT="
        find $licenses -type f -print0 | sort -z
    else
        # shellcheck disable=SC2086 # a list of files
        find -L $INPUT -type f -print0 || fail "INPUT names what is not there"
    fi
}

# One line per bundle; longer ones than a bundle holds become several.
read_input() {
    list_input >"$work/files" || exit 1
    # shellcheck disable=SC1003,SC2016 # sed's own: a newline at the end of each file
    xargs -0r sed -s -e '/^$/d' -e '$a\' <"$work/files" |
        LC_ALL=C fold -b -w $payload_max >"$work/lines"
    bundles=$(wc -l <"$work/lines")
    [ "$bundles" -gt 0 ] || fail "the input has no lines"
}

# --- nodes ----------------------------------------------------------

name() { # node
    printf 'n%02d' "$1"
}

hearsay() { # node, verb, words
    local node=$1
    shift
    "$build/hearsay" --socket "${socket[$node]}" "$@"
}

start_node() { # node, further options
    local node=$1 state
    state=$work/$(name "$1")
    shift
    mkdir -p "$state"
    socket[node]=$state/control.sock
    "$build/hearsayd" --state "$state" --control "${socket[node]}" --listen 127.0.0.1:0 \
        --lan-beacons no --quota 0 ${step:+--step "$step"} "$@" 2>>"$state/log" </dev/null 9>&- &
    pid[node]=$!
    disown
}

await_node() { # node
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        ! hearsay "$1" status >/dev/null 2>&1 || return 0
        alive "$1" || break
        sleep 0.1
    done
    tail -n 5 "$work/$(name "$1")/log" >&2
    fail "node $(name "$1") did not start"
}

join_node() { # node
    hearsay "$1" overlay join demo - <<<"$join" >/dev/null || fail "$(name "$1") could not join"
}

start_tracker() {
    start_node 1
    await_node 1
    join=$(hearsay 1 overlay new demo --tsv | cut -f 3)
    tracker=$(hearsay 1 status --json | sed -n 's/.*"listen":\["\([^"]*\)".*/\1/p')
    [[ -n $join && -n $tracker ]] || fail "the tracker founded no overlay"
}

start_members() {
    local i
    for ((i = 2; i < late; i++)); do
        start_node $i --peer "$tracker"
    done
    for ((i = 2; i < late; i++)); do
        await_node $i
        join_node $i
    done
}

# Who does what: the last comes late, the one before is killed, the three before that publish; in a
# small overlay fewer, and the tracker too.
choose_roles() {
    local i
    late=$nodes killed=$((nodes - 1))
    publishers=()
    for ((i = killed - 1; i >= 1 && ${#publishers[@]} < 3; i--)); do
        publishers+=("$i")
    done
}

# --- what happens ----------------------------------------------------------

# Descriptor 9 leads to `hearsay watch`, which shows the line above the nodes.
note() {
    echo "$*" >&9
}

publish_wave() { # wave
    local i part publishing=()
    for ((i = 0; i < ${#publishers[@]}; i++)); do
        part=$(printf '%s/part.%03d' "$work" $(($1 * ${#publishers[@]} + i)))
        hearsay "${publishers[i]}" pub --quiet --lines --file "$part" --progress none &
        publishing+=($!)
    done
    for part in "${publishing[@]}"; do
        wait "$part" || note "a publisher failed"
    done
    sleep $gap
}

# bundles, datagrams out and in, bytes out and in, as one row
snapshot() { # node
    "$build/hearsay" watch --tsv --progress none -W 0 "${socket[$1]}" | cut -f 2,4-7
}

held() { # node
    snapshot "$1" | cut -f 1
}

# What a node sent between the last look at its counters and its end is not known.  It is taken to
# be as much as between the last two looks, which lie further apart.
kill_node() { # node
    local before last
    before=$(snapshot "$1")
    last=$(snapshot "$1")
    kill -KILL "${pid[$1]}"
    paste <(tr '\t' '\n' <<<"$before") <(tr '\t' '\n' <<<"$last") |
        awk '{ print (NR == 2 || NR == 4 ? 2 * $2 - $1 : $2) }' | paste -s >"$work/first-life"
    note "$(name "$1") killed (SIGKILL) with $(cut -f 1 "$work/first-life") of $bundles bundles"
    while alive "$1"; do
        sleep 0.01
    done
}

# In the middle means: it has some, and others are still to come.
await_some() { # node
    local tries
    for ((tries = 0; tries < 30 && $(held "$1") == 0; tries++)); do
        sleep 0.1
    done
}

drive() {
    local wave
    for ((wave = 0; wave < waves; wave++)); do
        if ((wave == waves / 2)); then
            await_some $killed
            kill_node $killed
        elif ((wave == waves * 3 / 4)); then
            start_node $killed --peer "$tracker"
            await_node $killed
            note "$(name $killed) started again with its store, holds $(held $killed) now"
        elif ((wave == waves - 1)); then
            start_node "$late" --peer "$tracker"
            await_node "$late"
            join_node "$late"
            note "$(name "$late") joined with an empty store"
        fi
        publish_wave $wave
    done
    note "all is published"
}

# --- the verdict ----------------------------------------------------------

identical() {
    local i same=0
    for ((i = 2; i <= nodes; i++)); do
        "$build/hearsay" diff "${socket[1]}" "${socket[$i]}" >"$work/diff" 2>&1 && continue
        echo "n01 and $(name $i) differ:"
        head -n 5 "$work/diff"
        same=1
    done
    return $same
}

# The sizes of all payloads that each node now has to give.
payload_bytes() {
    local i
    for ((i = 1; i <= nodes; i++)); do
        hearsay $i sub --history --format %l | awk '{ sum += $1 } END { print sum + 0 }'
    done
}

# Adds the first life of the killed node to its row, and what payload each holds to all.
complete_rows() {
    awk -F '\t' -v OFS='\t' -v killed="$(name $killed)" -v life="$(cat "$work/first-life")" '
        BEGIN { split(life, first) }
        $1 == killed { $4 += first[2]; $5 += first[3]; $6 += first[4]; $7 += first[5] }
        { print }' "$work/table" | paste - <(payload_bytes) >"$work/rows"
}

print_table() {
    awk -F '\t' -v killed="$(name $killed)" '
        function row(a, b, c, d, e, f, g, h, i) {
            printf "%-5s %8s  %-16s %13s %12s %11s %11s %13s %8s\n", a, b, c, d, e, f, g, h, i
        }
        BEGIN {
            row("node", "bundles", "fingerprint", "datagrams out", "datagrams in", "bytes out",
                "bytes in", "payload bytes", "seconds")
        }
        {
            row($1, $2, $3, $4, $5, $6, $7, $10, $9 == "-" ? "-" : sprintf("%.1f", $9))
            for (i = 4; i <= 10; i++)
                sum[i] += $i
        }
        END {
            row("all", "", "", sum[4], sum[5], sum[6], sum[7], sum[10], "")
            print killed " counts both its lives; seconds run from the first bundle published"
        }' "$work/rows"
}

# A bundle has one publisher; every other node gets a copy.
print_verdict() { # yes or no
    awk -F '\t' -v said="$1" -v bundles="$bundles" '
        $8 > bytes { bytes = $8 }
        { out += $6 }
        $9 > seconds { seconds = $9 }
        $9 == "-" { never = 1 }
        END {
            overhead = bytes && NR > 1 ? out / (bytes * (NR - 1)) : 0
            printf "demo: identical %s nodes %d bundles %d seconds %s overhead %.3f\n", said, NR,
                bundles, never ? "-" : sprintf("%.1f", seconds), overhead
        }' "$work/rows"
}

same_everywhere() { # column, value or "" for any
    cut -f "$1" "$work/table" | sort -u | awk -v want="$2" '
        END { exit NR != 1 || (want != "" && $0 != want) }'
}

choose_roles
read_input
limit=${limit:-$((120 + bundles / 1000))}
split -n "r/$((waves * ${#publishers[@]}))" -d -a 3 "$work/lines" "$work/part."
files=$(tr -cd '\0' <"$work/files" | wc -c)
echo "$nodes nodes on 127.0.0.1, $bundles lines of $files files, published at" \
    "$(for i in "${publishers[@]}"; do name "$i"; echo; done | sort | paste -sd ' ')"
printf '' >"$work/first-life"
start_tracker
start_members

socket[late]=$work/$(name "$late")/control.sock
mapfile -t folders < <(for ((i = 1; i <= nodes; i++)); do echo "$work/$(name $i)"; done)
mkdir -p "${folders[@]}"
exec 9> >(exec "$build/hearsay" watch --tsv --notes -i 0.1 -C "$bundles" -W "$limit" \
    "${folders[@]}" >"$work/table")
watcher=$!
drive
exec 9>&-
wait $watcher
watcher=

verdict=no
if identical && same_everywhere 3 '' && same_everywhere 2 "$bundles"; then
    verdict=yes
fi
complete_rows
print_table
print_verdict $verdict
[ $verdict = yes ]
