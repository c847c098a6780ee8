#!/bin/bash
# Runs every experiment that is shipped with hearsay-lab, draws the report of all of them, and holds
# the figures that have a bar against it.
#
#   bench/experiments.sh            all, about 45 minutes on two cores; writes bench/EXPERIMENTS.md
#                                   and bench/experiments.html
#   bench/experiments.sh NAME...    only these experiments, anew; what others have left stays, and
#                                   each line of EXPERIMENTS.md says of which commit it is
#
# Results lie in build/experiments (or B=elsewhere), a folder for each command, and report.html.
# Exit code 1 when something could not be run; a bar that is missed is told in the table.
set -uo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1
build=${B:-build}
build=${build#"$PWD/"} # it stands in each command of the report
lab=$build/hearsay-lab
out=$build/experiments

# folder | what hearsay-lab is told | field bar, field bar, ...
# A field is that of the plain variant, or VARIANT/FIELD.
commands() {
    cat <<'END' | sed -e :a -e '/\\$/N; s/\\\n *//; ta'
propagation|run propagation --seeds 100|steps_last_mean <=6, steps_last_worst <=8, \
    copies_per_delivery_mean <=1.15, paper/steps_last_mean <=12, paper/steps_last_worst <=16, \
    loss/steps_last_mean <=8, loss/reached_share_least >=1
propagation-sweep|sweep propagation --variant main|
propagation-10000|run propagation --variant main --nodes 10000 --seeds 4|steps_last_mean <=8
churn|run churn --session 30 --seeds 3|held_share >=0.99, degradation <=2
churn-sweep|sweep churn --variant main|
throughput|run throughput|bundles_per_second >=10000, realtime_factor >=1
throughput-sweep|sweep throughput --variant main|
catchup|run catchup|wire_ratio <=1.10, missed <=0
catchup-sweep|sweep catchup|
heuristics|run heuristics|
heuristics-sweep|sweep heuristics|
massfailure|run massfailure --seeds 3|held_share >=0.99
massfailure-sweep|sweep massfailure --variant main|
partition|run partition --seeds 3|
walk|run walk|clustering <=0.01, path_mean <=4.5, indegree_max_ratio <=3
walk-half-hour|run walk --nodes 1000 --duration 1800 --variant main -j 1|wall_seconds <=60
bandwidth-sweep|sweep bandwidth|
demers|run demers|
allchannel|run allchannel|
nat|run nat --seeds 3|unreached_share <=0.05, puncturing_against_code2019 <=1, \
    possible_answered_share >=0.90
eclipse|run eclipse --seeds 3|attacker_share_mean <=0.10, one_host/attacker_share_mean <=0.02, \
    many_networks/attacker_share_mean <=0.30, nats/attacker_share_mean <=0.15, \
    nats_long/attacker_share_mean <=0.30, grouping_cost <=0.05
swarm|run swarm --seeds 5|
scale|run scale|peak_gib <=20, reached_share >=0.999, wall_seconds <=900
scale-sweep|sweep scale nodes=1000,10000,100000|
END
}

# Numbers by name, in the JSON of one variant or of the result's beginning.
field_of() { # json, [variant/]field
    local from='{'
    [[ $2 != */* ]] || from="\"${2%/*}\":{"
    awk -v from="$from" -v name="\"${2##*/}\":" '{
        at = index($0, from)
        rest = substr($0, at + length(from))
        if (at == 0 || (at = index(rest, name)) == 0)
            exit
        value = substr(rest, at + length(name))
        sub(/[,}].*/, "", value)
        print value
    }' "$1"
}

holds() { # value, bar such as <=6
    awk -v v="$1" -v bar="$2" 'BEGIN {
        limit = substr(bar, 3) + 0
        exit !(v != "" && (bar ~ /^<=/ ? v <= limit : v >= limit)) }'
}

run_one() { # folder, arguments
    local start=$SECONDS
    # shellcheck disable=SC2086 # a list of words
    "$lab" $2 --json -o "$out/$1" >"$out/$1.json" 2>"$out/$1.err"
    local rc=$?
    printf '%-20s %5d s  hearsay-lab %s\n' "$1" $((SECONDS - start)) "$2"
    [ $rc = 0 ] || sed 's/^/    /' "$out/$1.err"
    return $rc
}

table() {
    echo '| command | commit | field | value | at least | |'
    echo '| --- | --- | --- | ---: | --- | --- |'
    while IFS='|' read -r folder words bars; do
        [ -s "$out/$folder.json" ] || continue
        version=$(field_of "$out/$folder.json" version | tr -d '"')
        while read -r field bar; do
            [ -n "$field" ] || continue
            value=$(field_of "$out/$folder.json" "$field")
            if holds "$value" "$bar"; then verdict=ok; else verdict=MISSED; fi
            printf '| `hearsay-lab %s` | %s | %s | %s | %s | %s |\n' "$words" "${version##*+g}" \
                "$field" "${value:--}" "${bar:0:2} ${bar:2}" "$verdict"
        done <<<"${bars//, /$'\n'}"
    done < <(commands)
}

write_results() {
    {
        echo '# Experiments'
        echo
        echo 'Written by `make experiments`; do not edit.  All chance follows from the seeds, which'
        echo 'begin at 1.'
        echo
        printf -- '- date: %s\n' "$(date -u '+%Y-%m-%d %H:%M UTC')"
        printf -- '- machine: %s, %s processors, %s GiB\n' \
            "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
            "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)"
        printf -- '- load before and after: %s, %s\n' "$load" "$(cut -d ' ' -f 1 /proc/loadavg)"
        echo
        table
    } >bench/EXPERIMENTS.md
}

is_complete() {
    while IFS='|' read -r folder words bars; do
        [ -s "$out/$folder.json" ] || return 1
    done < <(commands)
}

[ -x "$lab" ] || { echo "experiments: $lab is not built; run make" >&2; exit 1; }
mkdir -p "$out" || exit 1
load=$(cut -d ' ' -f 1 /proc/loadavg)
status=0
while IFS='|' read -r folder words bars; do
    name=$(cut -d ' ' -f 2 <<<"$words")
    if [ $# != 0 ] && ! grep -qxF "$name" < <(printf '%s\n' "$@"); then
        continue
    fi
    run_one "$folder" "$words" </dev/null || status=1
done < <(commands)
"$lab" report "$out" || status=1
table | sed 's/^/  /'
if is_complete; then
    write_results
    cp "$out/report.html" bench/experiments.html
fi
exit $status
