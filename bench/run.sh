#!/bin/bash
# Measures.  Every program of this folder prints lines `name value unit`; what starts with # is for
# people.  This prints the figures that have a bar, one line each, and writes them all with machine,
# commit and seeds to bench/RESULTS.md.
#
#   bench/run.sh           all of it, about five minutes
#   bench/run.sh NAME...   only these, by program (catchup, or bench_catchup), by figure
#                          (catchup_wire_ratio), or `demo`; RESULTS.md stays as it is
#
# Exit code 1 when something could not be measured.  Ends no process that it has not started.
set -uo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1
build=${B:-build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
export B=$build
limit_seconds=600

# figure | bar | measured by | what it is
figures() {
    cat <<'END'
demo_overhead|<= 1.35|demo|bytes of all twelve nodes of `make demo` / bundle bytes delivered
catchup_wire_ratio|<= 1.10|catchup|all bytes on the wire / bundle bytes, 100,000 of 300 B
catchup_cpu_ratio|<= 1.8|catchup|CPU of the receiver / CPU of verifying the signatures
ten_nodes_steps|<= 36|nodes|steps per node until ten nodes have 1,000 bundles, Dispersy's pace
ten_nodes_seconds|<= 5|loopback|the same with Hearsay's defaults, real processes
claim_us|<= 100|claim|a full filter out of 1,000,000 stored bundles
answer_modulo_us|<= 1000|claim|the answer to a claim of a slice, 1,000,000 stored
answer_pivot_us|<= 1000|claim|the answer to a claim of a time range, 1,000,000 stored
filter_build_ratio|<= 4|bloom|filter per key / one XXH3 of 32 bytes
false_positive_ratio|0.95 .. 1.05|bloom|false positives in 10 million queries / theory
idle_bytes_per_second|<= 60|idle|an idle node in sync, the worse direction
rss_mib|<= 64|catchup|resident with 100,000 bundles, mapped store not counted
stranger_bytes_ratio|<= 1.0|stranger|bytes that a stranger gets / it sent, all senders, worst case
stranger_packets_ratio|<= 2.0|stranger|packets likewise
candidates_after_10s|>= 15|loopback|the least of twenty processes, one of them the tracker
request_rate_ratio|>= 0.5|request|requests answered / a loop of receive, open, seal, send
END
}

work=$(mktemp -d "${TMPDIR:-/tmp}/hearsay-run.XXXXXX") || exit 1
child=
cleanup() {
    trap - EXIT INT TERM
    if [ -n "$child" ]; then
        kill "$child" 2>/dev/null
        wait "$child" 2>/dev/null
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT
trap 'cleanup; exit 143' TERM

# --- what to run ----------------------------------------------------------

all_programs() {
    local source
    for source in bench/bench_*.c; do
        source=${source#bench/bench_}
        echo "${source%.c}"
    done
    echo demo
}

program_of() { # name
    local name=${1#bench_}
    if all_programs | grep -qx "$name"; then
        echo "$name"
    else
        figures | awk -F '|' -v name="$1" '$1 == name { print $3 }' | grep .
    fi
}

choose() { # names
    local name
    if [ $# = 0 ]; then
        all_programs
        return
    fi
    for name; do
        program_of "$name" || {
            echo "bench: there is no '$name'; there are $(all_programs | tr '\n' ' ')" >&2
            return 1
        }
    done | awk '!seen[$0]++'
}

# --- running ----------------------------------------------------------

run_demo() {
    NODES='' INPUT='' STEP='' tests/demo.sh >"$work/demo.screen" 2>"$work/demo.err"
    local rc=$?
    tail -n 1 "$work/demo.screen" | tee "$work/demo.last" | sed 's/^/# /'
    awk '/^demo: / { for (i = 2; i < NF; i++) {
            if ($i == "overhead") printf "demo_overhead %s x\n", $(i + 1)
            if ($i == "seconds") printf "demo_seconds %s s\n", $(i + 1) } }' "$work/demo.last"
    grep -q 'identical yes' "$work/demo.last" || return 1
    return $rc
}

run_one() { # program
    local rc
    if [ "$1" = demo ]; then
        run_demo >"$work/demo.out" &
    elif [ -x "$build/bench/bench_$1" ]; then
        timeout $limit_seconds "$build/bench/bench_$1" >"$work/$1.out" 2>"$work/$1.err" </dev/null &
    else
        echo "bench: $build/bench/bench_$1 is not built; run make bench" >&2
        return 1
    fi
    child=$!
    wait $child
    rc=$?
    child=
    [ $rc = 0 ] || {
        echo "bench: $1 failed with exit code $rc" >&2
        tail -n 5 "$work/$1.err" >&2
    }
    return $rc
}

value_of() { # figure
    cat "$work"/*.out 2>/dev/null | awk -v name="$1" '$1 == name { print $2, $3 }' | tail -n 1
}

verdict() { # value, bar
    awk -v value="$1" -v bar="$2" 'BEGIN {
        n = split(bar, part, " ")
        if (part[1] == "<=") good = value + 0 <= part[2] + 0
        else if (part[1] == ">=") good = value + 0 >= part[2] + 0
        else good = value + 0 >= part[1] + 0 && value + 0 <= part[n] + 0
        print good ? "ok" : "short" }'
}

# --- telling ----------------------------------------------------------

print_figures() {
    local name bar program what value unit
    while IFS='|' read -r name bar program what; do
        grep -qx "$program" "$work/programs" || continue
        read -r value unit <<<"$(value_of "$name")"
        if [ -z "$value" ]; then
            echo "$name - missing (least $bar)"
        else
            echo "$name $value $unit (least $bar: $(verdict "$value" "$bar"))"
        fi
    done < <(figures)
}

machine() {
    awk -F ': *' '/^model name/ { print $2; exit }' /proc/cpuinfo
}

memory_gib() {
    awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo
}

version() {
    git describe --always --dirty --abbrev=12 2>/dev/null || cat VERSION 2>/dev/null || echo unknown
}

write_results() {
    local name bar program what value unit
    cat <<END
# Results

Written by \`make bench\`; do not edit.

| | |
| --- | --- |
| commit | $(version) |
| date | $(date -u +'%Y-%m-%d %H:%M UTC') |
| machine | $(machine), $(nproc) processors, $(memory_gib) GiB |
| system | $(uname -s) $(uname -r | cut -d. -f1,2), $(uname -m) |
| compiler | $(${CC:-cc} --version | head -n 1) |
| load before and after | $load_before, $(cut -d ' ' -f 1 /proc/loadavg) |

Seeds are fixed; each program names its own below.  Times are CPU time or ratios of it wherever that
is possible, since other work may run on the machine.

| figure | value | unit | least | | what |
| --- | ---: | --- | --- | --- | --- |
END
    while IFS='|' read -r name bar program what; do
        read -r value unit <<<"$(value_of "$name")"
        if [ -z "$value" ]; then
            echo "| $name | - | | $bar | missing | $what |"
        else
            echo "| $name | $value | $unit | $bar | $(verdict "$value" "$bar") | $what |"
        fi
    done < <(figures)
    printf '\n## All that was measured\n'
    while read -r program; do
        [ ! -s "$work/$program.out" ] || printf '\n### %s\n\n```\n%s\n```\n' "$program" \
            "$(cat "$work/$program.out")"
    done <"$work/programs"
}

choose "$@" >"$work/programs" || exit 2
load_before=$(cut -d ' ' -f 1 /proc/loadavg)
failed=0
while read -r program; do
    [ ! -t 2 ] || echo "  BENCH $program" >&2
    run_one "$program" || failed=1
    [ $# = 0 ] || [ ! -f "$work/$program.out" ] || cat "$work/$program.out"
done <"$work/programs"

print_figures | tee "$work/figures"
! grep -q ' missing ' "$work/figures" || failed=1
if [ $# = 0 ]; then
    write_results >"$work/RESULTS.md" && cp "$work/RESULTS.md" bench/RESULTS.md
fi
exit $failed
