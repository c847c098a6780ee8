#!/bin/bash
# shellcheck disable=SC2317 # functions that `check` calls
#
# hearsay-lab as its user meets it: what it prints, what it writes and where, what it says of
# mistakes, what it does when the disk is full or somebody has enough of it.
set -u
export LC_ALL=C.UTF-8
# shellcheck disable=SC2164 # a folder that is not there is told below
lab=$(cd "${B:-build}" && pwd)/hearsay-lab
[ -x "$lab" ] || { echo "no hearsay-lab in ${B:-build}"; exit 77; }
work=$(mktemp -d) || exit 1
mounted=
trap '[ -z "$mounted" ] || umount "$work/small"; rm -rf "$work"' EXIT
cd "$work" || exit 1
count=0 failed=0

verdict() { # good (0 or other), name, what was seen
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        printf '%s\n' "${3-}" | head -n 20 | cut -c 1-300 | sed 's/^/#   /'
        failed=1
    fi
}

# $out, $err and $status of a command.
run() { # arguments...
    "$lab" "$@" >out 2>err </dev/null
    status=$?
    out=$(cat out) err=$(cat err)
}

check() { # name, test command...
    local name=$1
    shift
    "$@"
    verdict $? "$name" "exit $status: $err $out"
}

# Ends with this code, and says these words in a single line (one for each thing that is wrong).
says() { # name, exit code, words, arguments...
    local name=$1 code=$2 words=$3
    shift 3
    run "$@"
    [[ $status = "$code" && $err = *"$words"* && -z $out && $(wc -l <err) = 1 ]]
    verdict $? "$name" "exit $status: $err $out"
}

# The same of a scenario that has the line, behind `set nodes 5`.
faulty() { # name, words, line
    printf 'set nodes 5\n%s\n' "$3" >faulty.scenario
    says "$1" 2 "$2" run faulty.scenario
}

field() { # name, file: a number or text of the object on its last line
    tail -n 1 "$2" | grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"'
}

# One line of JSON.  Python is a convenience of this test alone; without it braces must do.
is_object() { # file
    if command -v python3 >/dev/null; then
        tail -n 1 "$1" | python3 -c 'import json, sys; json.loads(sys.stdin.read())'
    else
        tail -n 1 "$1" | grep -q '^{.*}$'
    fi
}

holds() { # words: all of them stand in what was printed
    local word
    for word; do
        [[ $out = *"$word"* ]] || return 1
    done
}

cat >small.scenario <<'END'
## One bundle among ten hosts.
set nodes 10
set duration 40
measure spread
variant still push=no
result slower = still.steps_last / main.steps_last
sweep loss 0 10%
figure "How it spreads" table=spread x=step:"Steps" y=share:"Share of hosts"
@20 publish {any}
END

# --- what it prints -------------------------------------------------------------------------------

run --help
check 'help' holds 'usage: hearsay-lab' sweep redo
run --version
check 'version' holds 'hearsay-lab '
run list
check 'list: experiments, settings, actions, measures' \
    holds propagation 'loss ' 'publish [BYTES]' 'spread ['
check 'columns stand apart' grep -q '^  attacker_networks  4  ' out
run list propagation
check 'list of one' holds 'One bundle' '1000 '
run
[[ $status = 2 && $err = usage:* && -z $out ]]
verdict $? 'no command' "$err"

run run small.scenario --json
check 'run --json is one line' test "$status,$(wc -l <out),$err" = 0,1,
check 'which is an object' is_object out
check 'with the experiment, its fields and all that is needed to do it again' holds \
    '"experiment":"small"' '"nodes":10' '"seeds":1' '"reached_share":1' '"steps_last":' \
    '"steps_last_mean":' '"steps_last_worst":' '"copies_per_delivery":' '"digest":"' \
    '"slower":' '"variants":{"main":{' '"still":{' '"settings":{"seed":1' '"version":"' \
    '"command":"hearsay-lab run small.scenario --json"' '"machine":{'
digest=$(field digest out)
run run small.scenario --quiet
check 'without --json the last line is the object' is_object out
check 'and a table stands before it' holds 'small, 10 nodes' 'main' 'still' 'steps_last'
check 'the digest is the same again' test "$(field digest out)" = "$digest"
run run small.scenario --json --threads 3 --crypto real
check 'and with threads and real crypto' test "$(field digest out)" = "$digest"
run run small.scenario --json --seed 2
check 'but not with another seed' test "$(field digest out)" != "$digest"
run run small.scenario --json --seeds 3 -j2 --set loss=10% --nodes=12 --variant still
check 'seeds, settings and a variant' holds '"seeds":3' '"loss":"10%"' '"nodes":12' \
    '"variants":{"still":{'
check 'without what was not run' test "${out/slower/}" = "$out"

# --- what it writes -------------------------------------------------------------------------------

run run small.scenario --seeds 2 --json -o first
check 'results lie in a folder' test -s first/manifest.json -a -s first/result.json \
    -a -s first/tables/runs.csv -a -s first/tables/spread.csv
check 'a row for each run' test "$(wc -l <first/tables/runs.csv)" = 5
check 'the object is the one that was printed' \
    test "$(tr -d ' \n' <first/result.json)" = "$(tr -d ' \n' <out)"
run run small.scenario --json -o first
check 'a folder of results may be used again' test "$status" = 0
check 'and nothing old is left in it' test "$(wc -l <first/tables/runs.csv)" = 3
mkdir mine && echo precious >mine/notes
says 'a folder with other things is not touched' 1 'mine/notes' run small.scenario --json -o mine
check 'and they are still there' test "$(cat mine/notes)" = precious
says 'a file is no folder' 1 'is no folder' run small.scenario --json -o small.scenario
run run small.scenario --json --events log
check 'events on request' test -s log/main-1.jsonl -a -s log/still-1.jsonl
check 'with claims by name' test "$(grep -o '"claim":"[a-z]*"' log/main-1.jsonl | sort -u |
    grep -cvE '"(none|sum|filter|empty)"')" = 0 -a "$(grep -c '"claim":"' log/main-1.jsonl)" != 0
check 'the hosts that were watched are counted' test "$(field checked_hosts out)" = 10
run run small.scenario --json --variant main --check sampled --nodes 2500 --duration 1 --join 0
check 'of a sample, too' test "$(field checked_hosts out)" -gt 500 -a \
    "$(field checked_hosts out)" -lt 2500

run redo first
check 'redo: the same' test "$status,$(grep -c ', the same' out)" = 0,2
run run small.scenario --json --variant main --loss 0.123456789012 -o digits
run redo digits
check 'redo of a setting with many digits' test "$status,$(grep -c ', the same' out)" = 0,1
cp first/manifest.json moved.json
run redo moved.json --json
check 'redo of a manifest elsewhere, in JSON' holds '"same":true' "$digest"
sed -i 's/@20 publish/@21 publish/' moved.json
run redo moved.json
check 'redo of a doctored one: not the same' test "$status,$(grep -c 'NOT the same' out)" = 1,2
check 'and it shows both' holds "it was $digest"
sed 's/"scenario"/"scenery"/' first/manifest.json >moved.json
says 'redo without a scenario' 2 'no scenario' redo moved.json
says 'redo of something else' 2 'no manifest' redo small.scenario
says 'redo with settings' 2 'takes no settings' redo first --nodes 5
run run small.scenario --json --variant still --variant main -o second
check 'two variants' holds '"variants":{"main":{' '"still":{' '"slower":'
run redo second
check 'redo of two variants' test "$status,$(wc -l <out)" = 0,2
run run small.scenario --json --variant still -o second
check 'with one variant alone, the fields are its own' \
    test "$(field digest out)" = "$(grep -o '"digest":.*' out | tail -n 1 | cut -d '"' -f 4)"
run redo second
check 'redo of one variant' test "$status,$(wc -l <out)" = 0,1

run sweep small.scenario --json --variant main -o grid
check 'the sweep that the scenario says' test "$status" = 0 -a -s grid/sweep.csv \
    -a -s grid/loss=0/result.json -a -s grid/loss=10%/tables/spread.csv
check 'a point for each value' test "$(grep -o '"point":{' out | wc -l)" = 2
run sweep small.scenario nodes=5,8 loss=0,5%,20% --json --seeds 2 --variant main -o grid
check 'one that is typed, over the old one' test "$(find grid -name '*=*' | wc -l)" = 6
check 'a row for each run' test "$(wc -l <grid/sweep.csv)" = 13
run redo 'grid/nodes=8,loss=20%'
check 'a point can be redone' test "$status,$(grep -c ', the same' out)" = 0,2
run redo grid
check 'and so can all of them' test "$status,$(wc -l <out),$(grep -c ', the same' out)" = 0,12,12
check 'each is told with its point' holds 'main, nodes=5, loss=5%, seed 2: ' \
    'main, nodes=8, loss=20%, seed 1: '
run redo grid/manifest.json --json
check 'likewise in JSON' holds '"same":true' '"point":{"nodes":8,"loss":"20%"}'
sed 's/@20 publish/@21 publish/; s/"version": "[^"]*"/"version": "0.0.1"/' grid/manifest.json \
    >moved.json
run redo moved.json
check 'a doctored one: not the same, by another version' \
    test "$status,$(grep -c 'NOT the same: it was [0-9a-f]* by version 0.0.1, and' out)" = 1,12
sed 's/"digests"/"digits"/' grid/manifest.json >moved.json
says 'a sweep without digests' 2 'or no digests' redo moved.json

run report first grid -o page.html
check 'report: one page' test "$status" = 0 -a -s page.html
check 'that needs nothing else' test -z "$(grep -oE '(src|href)="(http|//|/|\.)[^"]*"' page.html)"
check 'with figures, tables and the paragraph' test "$(grep -c '<svg' page.html)" -gt 0 \
    -a "$(grep -c 'One bundle among ten hosts' page.html)" -gt 0
run report first
check 'or beside the results, which stay results' test -s first/report.html \
    -a "$status" = 0
run run small.scenario --json -o first
check 'and may be used again' test "$status" = 0
says 'report of nothing' 1 'no results' report mine
says 'report without a folder' 2 'which results' report

# --- mistakes on the command line -----------------------------------------------------------------

says 'unknown command' 2 "unknown command 'fly'" fly
says 'no experiment' 2 'which experiment' run
says 'two of them' 2 "'small.scenario' is too much" run propagation small.scenario
says 'unknown experiment' 2 "did you mean 'propagation'" run propagatoin
says 'unknown setting' 2 "did you mean 'nodes'" run small.scenario --nodez 5
says 'unknown setting by --set' 2 "unknown setting 'nodez'" run small.scenario --set nodez=5
says 'setting without its value' 2 'a value is missing' run small.scenario --nodes
says 'no KEY=VALUE' 2 'expected KEY=VALUE' run small.scenario --set nodes
says 'unknown letter' 2 "unknown option '-z'" run small.scenario -z
says 'value of a flag' 2 'takes no value' run small.scenario --quiet=5
says 'no number of processes' 2 "not 'two'" run small.scenario -j two
says 'no nodes' 2 'nodes is 0, but goes from 1' run small.scenario --nodes 0
says 'negative nodes' 2 "nodes is '-5'" run small.scenario --nodes -5
says 'no number' 2 "nodes is 'many', expected a whole number" run small.scenario --nodes many
says 'no whole number' 2 "nodes is '5.5'" run small.scenario --nodes 5.5
says 'negative duration' 2 "duration is '-5', expected a time" run small.scenario --duration -5
says 'more than all' 2 'loss is 150%, but goes from 0 to 1' run small.scenario --loss 150%
says 'unknown word' 2 'known are: constant, uniform' run small.scenario --delay often
says 'trackers beyond nodes' 2 '11 trackers, but only 10 nodes' run small.scenario --trackers 11
says 'nodes beyond networks' 2 'no room for 70000 nodes' \
    run small.scenario --nodes 70000 --networks 1
says 'unknown NAT' 2 "'wall'" run small.scenario --nat wall
says 'NATs of some hosts only' 2 'add up to 0.5' run small.scenario --nat open:0.5
says 'variants of which one is unknown' 2 "did you mean 'still'" \
    run small.scenario --variant main --variant stil
says 'fuzz with -o' 2 "fuzz takes no -o, but is given 'there'" fuzz -o there
says 'fuzz with a variant' 2 "fuzz takes no --variant, but is given 'main'" fuzz --variant main
says 'fuzz with events' 2 "fuzz takes no --events, but is given 'log'" fuzz --events log
says 'redo with -o' 2 "redo takes no -o, but is given 'there'" redo first -o there
says 'list with -o' 2 'list takes no -o' list -o there
says 'report with -j' 2 'report takes no -j' report first -j 2
says 'nowhere to write' 2 '-o is given no name' run small.scenario -o ''
says 'nowhere for events' 2 '--events is given no name' run small.scenario --events=
says 'unknown variant' 2 "did you mean 'still'" run small.scenario --variant stil
says 'no pattern' 2 'pattern=FILE' run small.scenario --churn pattern
says 'a pattern that is not there' 2 'No such file' \
    run small.scenario --churn pattern --pattern nowhere
printf '# host on off\n3 0 10\n11 0 10\n' >pattern
says 'a pattern about others' 2 'pattern:3: host 11' \
    run small.scenario --churn pattern --pattern pattern
says 'healed after the end' 2 'heal is 500, but the run ends at 40' run small.scenario --heal 500
says 'an attack after the end' 2 'attack_from is 50, but the run ends at 40' \
    run small.scenario --attack_from 50
says 'faults that end before they begin' 2 'fault_until is 20, but fault_from is 50' \
    run small.scenario --duration 100 --fault_from 50 --fault_until 20
says 'faults after the end' 2 'fault_from is 40, but the run ends' \
    run small.scenario --crash 0.1 --fault_from 40
says 'churn that ends before it begins' 2 'churn_until is 10, but churn_from is 20' \
    run small.scenario --churn_from 20 --churn_until 10
says 'victims beyond nodes' 2 'victims is 500, but there are only 10' \
    run small.scenario --victims 500
says 'small datagrams' 2 'datagram is 100, but goes from 1232 to 1452' \
    run small.scenario --datagram 100
for seed in 9007199254740993 9223372036854775807; do
    says "seed $seed" 2 "seed is $seed, but goes from 0 to 9007199254740991" \
        run small.scenario --seed $seed
done
says 'the last seed' 2 'seeds is 2, but the last' \
    run small.scenario --seed 9007199254740991 --seeds 2
says 'seeds to sweep' 2 'seed is the same for all' sweep small.scenario seed=1,2
says 'the same key twice' 2 'loss is swept twice' sweep small.scenario loss=0,0.1 loss=0.2
says 'the same value twice' 2 'loss=0 is there twice' sweep small.scenario loss=0,0
says 'events of several threads' 2 'only with threads=1' \
    run small.scenario --threads 2 --events log
says 'no values to sweep' 2 'KEY=VALUE,VALUE' sweep small.scenario nodes
says 'a value to sweep that is none' 2 "nodes is 'x'" sweep small.scenario nodes=5,x
says 'an unknown key to sweep' 2 "unknown setting 'nodez'" sweep small.scenario nodez=5

# --- mistakes in a scenario: file, line, what is known --------------------------------------------

faulty 'unknown action' "faulty.scenario:2: unknown action 'fly'; known are: annotate" \
    '@1 fly {any}'
faulty 'unknown key of an action' "unknown key of publish 'size'; known are: count" \
    '@1 publish size=5 {any}'
faulty 'unknown value of a key' "unknown value of cut 'off'; known are: both, in, out" \
    '@1 partition cut=off {1}'
faulty 'unknown expectation' "unknown word 'peace'; known are: same" '@1 expect peace'
faulty 'peer out of range' 'faulty.scenario:2: peer 9 is beyond the 5 nodes' '@1 publish {4-9}'
faulty 'no peers' 'no peer set' '@1 publish'
faulty 'unknown peers' "unknown peer set 'nobody'; known are: all, any" '@1 publish {nobody}'
faulty 'unknown peers beside others' "unknown peer set 'lone'; known are: all, any, island" \
    'peers island {1}
@1 publish {lone}'
faulty 'braces left open' 'braces' '@1 publish {any'
faulty 'unknown measure' "unknown measure 'speed'; known are: traffic, spread" 'measure speed'
faulty 'unknown key of a measure' "did you mean 'horizon'" 'measure spread horizn=4'
faulty 'wrong value of a measure' "horizon='long': expected a number" 'measure spread horizon=long'
faulty 'unknown setting' "did you mean 'nodes'" 'set node 5'
faulty 'unknown setting of a variant' "unknown setting 'nodez'" 'variant other nodez=5'
faulty 'seed of a variant' 'faulty.scenario:2: seed is the same for all' 'variant other seed=3'
faulty 'seeds of a variant' 'faulty.scenario:2: seeds is the same for all' 'variant other seeds=4'
faulty 'seeds to sweep' 'faulty.scenario:2: seed is the same for all' 'sweep seed 1 2'
faulty 'a value to sweep twice' 'faulty.scenario:2: loss=0 is there twice' 'sweep loss 0 0.1 0'
faulty 'a setting made of itself' "faulty.scenario:2: duration is made of itself: '\$duration'" \
    "set duration \$duration"
faulty 'healed after the end' 'faulty.scenario:2: heal is 400, but the run ends at 300' \
    'set heal 400'
faulty 'unknown setting of links' "unknown key of link 'colour'; known are: delay" \
    '@1 link colour=7'
faulty 'too much loss' 'loss is 7, but goes from 0 to 1' '@1 link loss=7'
faulty 'unknown variant of a result' "unknown variant 'other'; known are: main" 'result x = other.y'
faulty 'unknown field of a result' "faulty.scenario:2: unknown field 'nope'; known are: d" \
    'result r = main.nope / main.events'
faulty 'field of a measure that is not taken' "unknown field 'steps_last'" \
    'result r = main.steps_last'
faulty 'unknown table of a figure' "faulty.scenario:2: unknown table 'nope'; known are: runs" \
    'figure "x" table=nope x=step y=share'
faulty 'table of a measure that is not taken' "unknown table 'spread'" \
    'figure "x" table=spread x=step y=share'
faulty 'table of a run that is not healed' "unknown table 'healing'" \
    'figure "x" table=healing x=step y=least'
faulty 'unknown column of all fields' "unknown column of runs 'nope'; known are: deliveries" \
    'figure "x" table=runs x=nope y=events'
faulty 'unknown column to tell apart by' "unknown column of runs 'nope'" \
    'figure "x" table=runs x=nodes y=events by=nope'
printf 'set nodes 5\nmeasure spread\n%s\n%s\n' 'figure "x" table=spread x=steps y=share' \
    'figure "y" table=spread x=step y=share,shares' >faulty.scenario
run run faulty.scenario
words="column of spread '.*' (did you mean '.*'?); known are: step, seconds"
check 'unknown columns of a table are told together, with those that it has' \
    test "$status,$(grep -c "$words" err)" = 2,2
printf 'set nodes 5\nset duration 10\nset heal 10\n%s\n%s\n%s\n' \
    'result r = main.events_worst / main.drop_strange' \
    'figure "x" table=healing x=step y=least' \
    'figure "y" table=sweep x=loss y=heal_steps' >fine.scenario
run run fine.scenario --json
check 'what a run may have is no mistake' holds '"digest":"'
faulty 'unknown style' "known are: lines, steps" 'figure "x" table=spread x=step y=share style=pie'
faulty 'unknown statement' "unknown statement 'walk'" 'walk on'
faulty 'time before the beginning' "the time '-5'" '@-5 publish {any}'
faulty 'time that ends before it begins' 'ends before it begins' '@9..1/2 publish {any}'
faulty 'negative time' "'-5': expected a time" '@1 clock -5 {1}'
faulty 'too large a bundle' 'a bundle takes up to' '@1 publish 5000 {1}'
faulty 'missing include' "faulty.scenario:2: no such file" 'include nowhere.scenario'
faulty 'cyclic include' 'would include itself' 'include faulty.scenario'
printf 'set nodes 5\n@1 publish {7}\n@2 fly\n@3 publish {8}\n' >faulty.scenario
run run faulty.scenario
check 'several mistakes are told together' test "$status,$(wc -l <err)" = 2,1 -o \
    "$status,$(grep -c '^faulty.scenario:' err)" = 2,3
printf 'set nodes 5\nset duration 20\n@15 publish {1}\n@90 publish {1}\n' >late.scenario
run run late.scenario --json
check 'what comes too late is told, and the rest is run' \
    test "$status,$(grep -c 'late.scenario:4: never happens' err)" = 0,1
printf 'set nodes 5\nset duration 20\n@6 offline\n@9 publish count=3 {1-2}\n' >off.scenario
run run off.scenario --json
check 'what nobody could publish is counted' test "$(field unpublished out)" = 6
printf 'set nodes 5\nset duration 60\n@10 link loss=1\n@20 publish {1}\n@end expect same\n' \
    >unmet.scenario
run run unmet.scenario --json
check 'an expectation that fails: 1, and where' \
    test "$status,$(grep -c 'unmet.scenario:5: peers' err)" = 1,1
check 'and how to see it again, and by which version' \
    grep -q '^  version [^ ]*, again: hearsay-lab run unmet.scenario --seed 1' err
mkdir 'a b'
{ cat unmet.scenario; echo 'param word none'; } >"a b/it's.scenario"
run run "a b/it's.scenario" --word "it's \$HOME, \"so\"" --events 'some log' --json
again=$(sed -n 's/^  version .*, again: hearsay-lab //p' err)
check 'which can be typed as it stands' test -n "$again"
rm -r 'some log'
eval "run $again"
check 'and does the same, events included' \
    test "$status,$(grep -c "it's.scenario:5: peers" err),$(ls 'some log')" = 1,1,main-1.jsonl
check 'and tells the same command' \
    test "$(sed -n 's/^  version .*, again: hearsay-lab //p' err)" = "$again"
printf 'set nodes 5\nset duration 20\nresult x = main.digest\n' >result.scenario
run run result.scenario --json -o result
check 'a number that no run has costs nothing else' holds '"x":null' '"digest":"'
check 'but is told, with file and line' \
    test "$status,$(grep -c "result.scenario:3: there is no number 'main.digest'" err)" = 1,1
check 'and all is written' test -s result/result.json -a -s result/tables/runs.csv

printf 'set nodes 5\nset duration 60\nset heal 40\n@20 stop\n' >stopped.scenario
run run stopped.scenario --json
check 'a run that is stopped before it was healed has failed' \
    test "$status,$(grep -c 'stopped at second 20, before hosts healed at 40' err)" = 1,1
printf 'set nodes 5\nset duration 60\nset heal 60\n@50 link loss=1\n@55 publish {1}\n' \
    >agree.scenario
run run agree.scenario --json --heal_steps 0.01 --check off
check 'and so has one that is not healed in time, whatever is checked' \
    test "$status,$(grep -c 'not the same' err)" = 1,1

# With so much loss, every second seed or so fails: two seeds are looked for of which one does.
printf 'set nodes 6\nset duration 60\nmeasure spread\n@20 publish {1}\n%s\n' '@end expect same' \
    >some.scenario
for ((first = 1; first < 40; first++)); do
    run run some.scenario --json --seed $first --seeds 2 --loss 0.5 --check off -j 2 -o some
    [[ $(grep -c 'again:' err) != 1 ]] || break
done
check 'one run fails, the other is written: 1' test "$status" = 1 -a -s some/result.json
check 'with the failed one marked' holds '"failed_runs":[{"variant":"main","seed":' \
    '"digest":null' '"steps_last_missing":1' '"error":"some.scenario:5: peers'
check 'and a row for each' test "$(wc -l <some/tables/runs.csv)" = 3 \
    -a "$(grep -c null some/manifest.json)" != 0
run run some.scenario --loss 0.5 --check off --seed $first --seeds 2 -q
check 'people are told, too' holds '1 run failed'
run run unmet.scenario --json -o some
check 'a former result that stays is told of' test \
    "$status,$(grep -c '^hearsay-lab: some still holds the result of an earlier run' err)" = 1,1
check 'and stays' test -s some/result.json

# --- a full disk, and enough ----------------------------------------------------------------------

if [ -w /dev/full ]; then
    for command in 'run small.scenario --json' list --help 'redo second'; do
        # shellcheck disable=SC2086 # words
        "$lab" $command >/dev/full 2>err </dev/null
        status=$? out=
        check "nowhere to print: ${command%% *}" \
            test "$status,$(grep -c 'No space left' err)" = 1,1
    done
fi
mkdir small
if mount -t tmpfs -o size=48k none small 2>/dev/null; then
    mounted=yes
    run run small.scenario --seeds 40 --json -o small/out
    check 'a full disk: 1, and which file' \
        test "$status,$(grep -c '^hearsay-lab: small/out/.*No space left' err)" = 1,1
    check 'the results are printed all the same' is_object out
    run run small.scenario --json --events small/log
    check 'a full disk for events' test "$status,$(grep -c 'hearsay-lab: ' err)" != 0,0
    run report grid -o small/page.html
    check 'a full disk for a page' test "$status,$(grep -c 'No space left' err)" = 1,1
    umount small
    mounted=
else
    echo "ok $((++count)) - a full disk # SKIP may not mount"
fi

# --- NATs in the simulator ------------------------------------------------------------------------

nat=(nat --engine simulator --json --quiet --step 1 --trials 4)
run nat --engine magic
check 'an engine that there is not' test "$status,$(grep -c "not 'magic'" err)" = 2,1
run nat --engine simulator --hold 10 --flush 10
check 'a flush behind the end' test "$status,$(grep -c 'within --hold' err)" = 2,1
"$lab" "${nat[@]}" >nat1 2>err && "$lab" "${nat[@]}" >nat2 2>err
check 'simulated meetings repeat by their seed' cmp nat1 nat2
check 'and are of fifteen pairs' test "$(grep -o '"mine"' nat1 | wc -l)" = 15
"$lab" "${nat[@]}" --seed 1000 >nat2 2>err
check 'another seed gives others' eval '! cmp -s nat1 nat2'
held=("${nat[@]}" --kinds port_restricted,short_10 --hold 20 --flush 10)
"$lab" "${held[@]}" >nat1 2>err && "$lab" "${held[@]}" >nat2 2>err
check 'simulated boxes forget' test "$(grep -o '"flush_shut_share":1[,.]' nat1 | wc -l)" -ge 3
check 'and what follows repeats by its seed' cmp nat1 nat2
# Nobody looked.
for pair in same_hairpin same_lan same_home; do
    flushed=("${nat[@]}" --kinds "$pair" --hold 3 --flush 1)
    "$lab" "${flushed[@]}" >nat1 2>err
    check "$pair: boxes forget" test "$(field flushes nat1)" = 4
    check "$pair: what that shut is not known" test "$(field flush_shut_share nat1)" = null
done
"$lab" nat --engine simulator --quiet --step 1 --trials 4 --kinds same_home --hold 3 --flush 1 >out
check 'nor is it in the table' grep -qE '^same_home +same_home +4 +[0-9.]+ +- ' out
for number in 'trials 1.5' 'steps 1.7' 'seed 0.5' 'trials -1' 'steps 0'; do
    # shellcheck disable=SC2086 # an option and its value
    run nat --engine simulator --kinds open --$number
    check "no such number: $number" \
        test "$status,$(grep -c "takes a whole number from .* not '${number#* }'" err),$out" = 2,1,
done
run nat --engine simulator --kinds open --json --trials 2e0 --steps 1.0 --step 0.5
check 'but whole ones, and parts of a second' \
    test "$status,$(field trials out),$(field step_s out)" = 0,2,0.5
run nat --engine simulator --kinds open,symmetric --trials 0 --json
check 'programs are told of boxes alone, too' test "$status,$(grep -o '"verified":"[a-z]' out |
    wc -l),$(grep -o '"trials":0,"connected":0' out | wc -l),$(wc -l <out)" = 0,2,5,1
check 'boxes alone can be looked into' eval \
    '"$lab" nat --engine simulator --trials 0 --timers yes --quiet | grep -q "a stream after 2 s"'
mkdir events
"$lab" "${nat[@]}" --kinds open --trials 1 --events events >out 2>err
check 'what the two did can be had' grep -q '"node": *"visitor"' events/*

# As by Ctrl-C; `timeout` because a shell lets its background jobs ignore it.
timeout --foreground -s INT 2 "$lab" run small.scenario --nodes 4000 --duration 100000 --seeds 9 \
    -j 2 --json -o stopped >out 2>err </dev/null
status=$? out=$(cat out) err=$(cat err)
check 'Ctrl-C: it ends, says so, and writes nothing' \
    test "$status,$(grep -c 'stopped before the end' err),$(wc -c <out),$(ls stopped)" = 124,1,0,
for signal in TERM KILL; do
    "$lab" run small.scenario --nodes 4000 --duration 100000 --seeds 9 -j 2 --json \
        >out 2>err </dev/null &
    parent=$!
    for ((tries = 0; tries < 100; tries++)); do
        mapfile -t children < <(pgrep -P $parent)
        [ ${#children[@]} -lt 2 ] || break
        sleep 0.05
    done
    kill -$signal $parent
    wait $parent 2>/dev/null
    for ((tries = 0; tries < 100; tries++)); do
        # A dead child that nobody has buried yet is dead enough.
        living=$(ps -o stat= -p "$(IFS=,; echo "${children[*]}")" | grep -vc '^Z')
        [ "$living" != 0 ] || break
        sleep 0.05
    done
    check "SIG$signal: ${#children[@]} runs end with it" test "${#children[@]},$living" = 2,0
done
exit $failed
