# For the end-to-end tests: starts daemons in a folder of their own, and ends those that it started.
#
# A test is sourced into being by `. "$(dirname "$0")/lib.bash"`, says `check 'what' command...` for
# each thing that must be true, and ends with `finish`. Programs come from $B. It prints TAP.
set -u
export LC_ALL=C.UTF-8
B=${B:-build}
hearsayd=$B/hearsayd
work=$(mktemp -d "${TMPDIR:-/tmp}/hsay.XXXXXX") || exit 1
count=0 failed=0
declare -A pid=()

# Only processes that this test started are ended, each by its number.
end_all() {
    local name
    for name in "${!pid[@]}"; do
        kill -KILL "${pid[$name]}" 2>/dev/null
        wait "${pid[$name]}" 2>/dev/null
    done
    pid=()
    declare -F cleanup >/dev/null && cleanup
    rm -rf "$work"
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

skip() { # reason
    echo "$1"
    exit 77
}

[ -x "$hearsayd" ] && [ -x "$B/hearsay" ] || skip "no programs in $B"

verdict() { # status, what, seen
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        [ -z "${3-}" ] || printf "%s\n" "$3" | sed 's/^/#   /'
        failed=1
    fi
}

# In this shell and not below it, so that what the command sets stays set.
check() { # what, command...
    local what=$1
    shift
    "$@" >"$work/seen" 2>&1
    verdict $? "$what" "$(head -c 2000 "$work/seen" | tr -d '\0')"
}

finish() {
    if [ "$failed" != 0 ]; then
        tail -n 20 "$work"/*.log 2>/dev/null | sed 's/^/# /'
    fi
    exit "$failed"
}

# --- nodes -------------------------------------------------------------------------------------

# The command succeeds within so many seconds, and some tenths; else what it said last.
soon() { # seconds, command...
    local tries most=$(($1 * 10))
    shift
    for ((tries = 0; tries < most; tries++)); do
        ! "$@" >/dev/null || return 0
        sleep 0.1
    done
    "$@"
}

# Starts a node whose state is $work/NAME and waits until it answers.
start() { # name, options...
    local name=$1
    shift
    spawn "$name" --listen 127.0.0.1:0 "$@"
    await "$name" || {
        echo "not ok 0 - node $name starts"
        sed 's/^/# /' "$work/$name.log"
        exit 1
    }
}

# The same without an address and without waiting.
spawn() { # name, options...
    local name=$1
    shift
    "$hearsayd" --state "$work/$name" --control "$work/$name.sock" --no-lan-beacons \
        --port-mapping no --log-level info "$@" 2>>"$work/$name.log" </dev/null &
    pid[$name]=$!
}

alive() { # name
    kill -0 "${pid[$1]}" 2>/dev/null
}

await() { # name
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        ! hearsay "$1" status >/dev/null 2>&1 || return 0
        alive "$1" || return 1
        sleep 0.05
    done
    return 1
}

# Ends a node; its exit status.
stop() { # name, signal
    local status
    kill "-${2:-TERM}" "${pid[$1]}"
    wait "${pid[$1]}" 2>/dev/null
    status=$?
    unset "pid[$1]"
    return $status
}

# The exit status of a node that is to end by itself.
ended() { # name
    local tries status
    for ((tries = 0; tries < 100; tries++)); do
        alive "$1" || break
        sleep 0.05
    done
    alive "$1" && return 255
    wait "${pid[$1]}" 2>/dev/null
    status=$?
    unset "pid[$1]"
    return $status
}

# Runs hearsayd to its end: $seen holds what it said, $status how it ended.
run() { # options...
    seen=$(timeout 10 "$hearsayd" "$@" 2>&1 </dev/null)
    status=$?
}

# It ended so, and said these words in one line.
refused() { # status, words, options...
    local want=$1 words=$2 seen status
    shift 2
    run "$@"
    [ "$status" = "$want" ] && [[ $seen == *"$words"* ]] && [ "$(wc -l <<<"$seen")" = 1 ] ||
        { echo "exit $status: $seen"; return 1; }
}

hearsay() { # name, verb, words...
    local name=$1
    shift
    timeout 20 "$B/hearsay" --socket "$work/$name.sock" "$@"
}

addr() { # name: where it listens
    hearsay "$1" status --json | sed -n 's/.*"listen":\["\([^"]*\)".*/\1/p'
}

found() { # name, overlay, [--secret]: makes an overlay and keeps its text in $join
    hearsay "$1" overlay new "$2" ${3+"$3"} >/dev/null || return 1
    join=$(hearsay "$1" overlay show "$2" --json | sed -n 's/.*"join":"\([^"]*\)".*/\1/p')
    [ -n "$join" ]
}

enter() { # name, overlay, peers...
    local name=$1 overlay=$2 peer words=()
    shift 2
    for peer; do
        words+=(--peer "$peer")
    done
    hearsay "$name" overlay join "$overlay" - "${words[@]}" <<<"$join" >/dev/null
}

# Publishes lines "PREFIX 1" to "PREFIX COUNT".
publish() { # name, count, prefix
    seq -f "$3 %.0f" "$2" | hearsay "$1" pub --lines --quiet
}

bundles() { # name: how many it holds
    hearsay "$1" overlay ls --json | sed -n 's/.*"bundles":\([0-9]*\).*/\1/p'
}

holds() { # name, count, seconds
    local tries
    for ((tries = 0; tries < ${3:-10} * 20; tries++)); do
        [ "$(bundles "$1")" != "$2" ] || return 0
        sleep 0.05
    done
    echo "$1 holds $(bundles "$1") bundles, not $2: $(why "$1")"
    return 1
}

why() { # name
    hearsay "$1" overlay ls --json | sed -n 's/.*"why":"\([^"]*\)".*/\1/p'
}

says_why() { # name, words, seconds
    local tries
    for ((tries = 0; tries < ${3:-10} * 20; tries++)); do
        [[ $(why "$1") != *"$2"* ]] || return 0
        sleep 0.05
    done
    why "$1"
    return 1
}

same() { # name, name, seconds: the same bundles, as soon as the last of them has arrived
    local a b tries
    for ((tries = 0; tries < ${3:-10} * 20; tries++)); do
        a=$(hearsay "$1" overlay ls --json | sed -n 's/.*"fingerprint":"\([^"]*\)".*/\1/p')
        b=$(hearsay "$2" overlay ls --json | sed -n 's/.*"fingerprint":"\([^"]*\)".*/\1/p')
        [ -z "$a" ] || [ "$a" != "$b" ] || return 0
        sleep 0.05
    done
    echo "$a against $b"
    return 1
}

logged() { # name, words
    grep -qF -- "$2" "$work/$1.log"
}
