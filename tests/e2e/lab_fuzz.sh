#!/bin/bash
# The swarm: a fixed list of seeds, in which those that found bugs stand, and some that no run had
# before, since they follow from the commit.  Then a bound that nobody can keep: a failing run must
# say so, and how it is made again.
set -u
lab=${B:-build}/hearsay-lab
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0 failed=0
[ -x "$lab" ] || {
    echo "no hearsay-lab in ${B:-build}"
    exit 77
}

verdict() { # good (0 or other), name, what was seen
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        printf '%s\n' "$3" | sed 's/^/#   /'
        failed=1
    fi
}

# A commit's name as a number of 48 bits; what has no history has a constant.
commit=$(git -C "$here" rev-parse HEAD 2>/dev/null) || commit=20130604
seed=$((16#${commit:0:12}))
fresh=${SANITIZE:+15}
fresh=${fresh:-150}

fuzz() { # name, arguments...
    local name=$1 good
    shift
    "$lab" fuzz --quiet --json "$@" >"$work/out" 2>"$work/err" &&
        grep -q '"violations":0,' "$work/out"
    good=$?
    verdict $good "$name" "$(tail -n 60 "$work/err" "$work/out")"
}

if [ -n "${SANITIZE:-}" ]; then
    head -n 16 "$here/../lab/fuzz.seeds" >"$work/seeds"
else
    cp "$here/../lab/fuzz.seeds" "$work/seeds"
fi
fuzz "seeds of the list" "$work/seeds"
fuzz "$fresh seeds from $seed, of this commit" --seed "$seed" --seeds "$fresh"

"$lab" fuzz --quiet --json --seed 1 --seeds 10 --heal_steps 0.01 >"$work/out" 2>"$work/err"
got=$?
seen=$(cat "$work/out" "$work/err")
[ $got = 1 ] && ! grep -q '"violations":0,' "$work/out"
verdict $? "a bound that cannot be kept is a violation, and exit code 1" "exit $got: $seen"
told='^seed [0-9]*, version [^ ]*, again: hearsay-lab '
again=$(sed -n "s/$told//p" "$work/err" | head -n 1)
[ -n "$again" ] && grep -q '^set nodes ' "$work/err"
verdict $? "it tells seed, version, the command, and all that was drawn" "$seen"
grep -q '^  version [^ ]*, again: hearsay-lab fuzz --seed ' "$work/err"
verdict $? "and so does the line of each that failed" "$seen"
# shellcheck disable=SC2086
"$lab" $again --quiet --json >"$work/out" 2>"$work/err"
got=$?
[ $got = 1 ] && grep -q 'agreement' "$work/err"
verdict $? "that command makes the violation again" "exit $got: $(cat "$work/err")"

"$lab" fuzz "$work/none" >"$work/out" 2>"$work/err"
got=$?
[ $got = 2 ]
verdict $? "a list that is not there" "exit $got: $(cat "$work/err")"
echo "five # not a number" >"$work/seeds"
"$lab" fuzz "$work/seeds" >"$work/out" 2>"$work/err"
got=$?
[ $got = 2 ] && grep -q ':1: ' "$work/err"
verdict $? "a list of words" "exit $got: $(cat "$work/err")"
echo 9007199254740993 >"$work/seeds"
"$lab" fuzz "$work/seeds" >"$work/out" 2>"$work/err"
got=$?
[ $got = 2 ] && grep -q ':1: a seed is a number from 0 to 9007199254740991' "$work/err"
verdict $? "a list with a seed that would be another" "exit $got: $(cat "$work/err")"

"$lab" fuzz --quiet --seeds 3 --duration 1 >"$work/out" 2>"$work/err"
got=$?
[ $got = 2 ] && [ "$(grep -c 'heal is .*, but the run ends at 1' "$work/err")" = 1 ]
verdict $? "a setting that fits no run is told once" "exit $got: $(cat "$work/err")"

"$lab" fuzz --quiet --seed 3 --seeds 2 --heal_steps 400 >"$work/out" 2>"$work/err"
got=$?
[ $got = 0 ] && grep -q '^fuzz, 2 seeds from 3$' "$work/out" &&
    grep -q '^  failed seeds  *none$' "$work/out" &&
    grep -q '^  invariants broken  *none$' "$work/out"
verdict $? "what it comes to, for people" "exit $got: $(cat "$work/out")"
for word in '"seed_first":3' '"settings":{"seed":3,' '"heal_steps":400' '"version":"' \
    '"command":"hearsay-lab fuzz --quiet --seed 3' '"machine":{'; do
    tail -n 1 "$work/out" | grep -qF -- "$word" || echo "$word is missing"
done >"$work/log"
[ ! -s "$work/log" ]
verdict $? "and all that is needed to do it again" "$(cat "$work/log" "$work/out")"

echo "1..$count"
exit $failed
