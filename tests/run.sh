#!/bin/bash
# Runs tests, counts them, and ends with the line `N passed, N failed`.
#
#   tests/run.sh [-j jobs] [-t seconds] group: 'command' ... group/1: 'command' ...
#
# A test is a command, run by sh from the top folder. Its exit status says passed (0), skipped (77,
# the last line it printed is the reason) or failed. If it prints TAP ("ok 1 - name", "not ok 2 -
# name"), each of these lines counts as a test of its own; cmocka does, when asked. Tests of a group
# run side by side, as many as -j says or as the number behind the group's name.
#
# What passes is silent; what fails shows all that it printed. An empty group is a failure: it means
# that tests were lost, not that there is nothing to test.
set -u
export CMOCKA_MESSAGE_OUTPUT=TAP

jobs=2 limit=120
while getopts j:t: option; do
    case $option in
    j) jobs=$OPTARG ;;
    t) limit=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

# The path stays short: a test may put a socket there, whose path has room for 107 bytes.
# Others may pass through it, for tests that become another user.
work=$(mktemp -d /tmp/hsay.XXXXXX) || exit 1
chmod 711 "$work"
trap 'rm -rf "$work"' EXIT
trap 'trap - INT TERM; kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM

passed=0 failed=0 count=0
skipped=()

# Runs one test in the background, with a folder for its files and a limit to its time.
run_one() { # folder, command
    mkdir -p "$1/tmp"
    TMPDIR=$1/tmp timeout -k 5 "$limit" sh -c "$2" >"$1/out" 2>&1 </dev/null &
    trap 'kill $! 2>/dev/null; wait $!; exit 130' INT TERM
    wait $!
    echo $? >"$1/status"
    rm -rf "$1/tmp"
}

# Counts one finished test, and shows it if it failed.
tally() { # folder, command
    local status good bad reason
    status=$(cat "$1/status")
    good=$(grep -v '# SKIP' "$1/out" | grep -c '^ok ')
    bad=$(grep -v '# SKIP' "$1/out" | grep -c '^not ok ')
    while read -r reason; do
        skipped+=("$2: $reason")
    done < <(sed -nE 's/^(not )?ok.*# SKIP *//p' "$1/out")

    if [ "$status" = 77 ] && [ "$bad" = 0 ]; then
        reason=$(grep -v '^ok ' "$1/out" | tail -n 1)
        skipped+=("$2: ${reason:-no reason given}")
    elif [ "$status" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
    elif [ "$status" = 0 ] && [ "$good" = 0 ] && [ "$bad" = 0 ]; then
        grep -q '# SKIP' "$1/out" || good=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$bad" != 0 ]; then
        echo "FAILED: $2"
        sed 's/^/    /' "$1/out"
        case $status in
        124 | 137) echo "    stopped after $limit seconds" ;;
        *) echo "    exit status $status" ;;
        esac
    fi
}

run_group() { # name, jobs, commands
    local name=$1 width=$2 first=$count before=$passed start=$SECONDS command
    shift 2
    if [ $# = 0 ]; then
        echo "FAILED: the group '$name' has no tests"
        failed=$((failed + 1))
        return
    fi
    for command; do
        while [ "$(jobs -pr | wc -l)" -ge "$width" ]; do
            wait -n
        done
        count=$((count + 1))
        run_one "$work/$count" "$command" &
    done
    wait
    count=$first
    for command; do
        count=$((count + 1))
        tally "$work/$count" "$command"
    done
    printf '%-12s %4d passed in %d s\n' "$name" $((passed - before)) $((SECONDS - start))
}

group= width=$jobs
commands=()
for word in "$@" end:; do
    if [[ $word =~ ^([a-z0-9-]+)(/([0-9]+))?:$ ]]; then
        [ -z "$group" ] || run_group "$group" "$width" "${commands[@]}"
        group=${BASH_REMATCH[1]} width=${BASH_REMATCH[3]:-$jobs}
        commands=()
    else
        commands+=("$word")
    fi
done

if [ ${#skipped[@]} != 0 ]; then
    echo "${#skipped[@]} skipped:"
    printf '    %s\n' "${skipped[@]}"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
