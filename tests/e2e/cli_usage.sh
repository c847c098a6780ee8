#!/bin/bash
# What the client says without a daemon: usage, the nearest known word, exit codes 2 and 3.
set -u
hearsay=${B:-build}/hearsay
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export HEARSAY_SOCKET=$work/none/control.sock
count=0 failed=0

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

# One line on stderr that holds the words, and this exit code.
says() { # name, exit code, words, arguments...
    local name=$1 code=$2 words=$3 seen got good=1
    shift 3
    seen=$("$hearsay" "$@" 2>&1 >/dev/null </dev/null)
    got=$?
    [[ $got = "$code" && $seen = *"$words"* && $(wc -l <<<"$seen") = 1 ]] && good=0
    verdict $good "$name" "exit $got: $seen"
}

says 'unknown verb' 2 "did you mean 'status'" statu
says 'unknown verb like none' 2 "'hearsay help' lists them" zzzzzzzzzz
says 'second word missing' 2 'new join leave ls show' overlay
says 'second word wrong' 2 "did you mean 'overlay leave'" overlay laeve
says 'unknown option' 2 'did you mean --overlay' pub --overlya x y
says 'unknown letter' 2 'unknown option -z' status -z
says 'option of another verb' 2 "not for 'status'" status --count 3
says 'option without its value' 2 'wants PATH' status --socket
says 'value of a flag' 2 'takes no value' status --json=yes
says 'no number' 2 "not 'three'" sub -C three
says 'no seconds' 2 "not '-1'" sub -W -1
says 'too many words' 2 "'more' is too much" status more
says 'too few words' 2 'something is missing' diff a
says 'nothing to publish' 2 'nothing to publish' pub
says 'contradiction' 2 'leaves the history out' sub --new --history
says 'bad format' 2 'means nothing' sub -F %z
says 'format that ends early' 2 'means nothing' sub -F 'x%'
says 'bad name of an overlay' 2 'is no name' overlay new -- -x
says 'name that looks like a key' 2 'is no name' overlay new 0123456789ab
says 'bad join text' 2 'is no join text' overlay join x hsay1:12
says 'join text from nowhere' 2 'is no join text' overlay join x -
says 'bad peer' 2 'is no peer' peer add 'a b:1'
says 'bad level' 2 'is no level' log loud
says 'no daemon' 3 "$HEARSAY_SOCKET" status
says 'no daemon, and how to start one' 3 'start one with' status
says 'no daemon in a state folder' 3 "$work/none/control.sock" --state "$work/none" peers
says 'no daemon to compare with' 3 "$work/a" diff "$work/a" "$work/b"
echo precious >"$work/precious"
ln -s precious "$work/link"
mkdir "$work/folder"
for there in precious link folder; do
    says "no socket: $there" 3 "what lies at $work/$there is no control socket" \
        -s "$work/$there" status
done
seen=$("$hearsay" -s "$work/precious" status 2>&1)
[[ $seen != *'start one'* ]]
verdict $? 'nobody is told to start a daemon there' "$seen"
says 'path of a socket too long' 3 'too long' -s "$(printf '%0200d' 0)" status

seen=$("$hearsay" help)
verdict $? 'help' "$seen"
for verb in init 'overlay new' pub sub status 'filter explain' diff walk; do
    # shellcheck disable=SC2086 # a verb may be two words
    seen=$("$hearsay" help $verb)
    [[ $seen = "usage: hearsay $verb"* && $seen = *--json* ]]
    verdict $? "help $verb" "$seen"
    # shellcheck disable=SC2086
    [ "$("$hearsay" $verb --help)" = "$seen" ]
    verdict $? "$verb --help is the same" "$seen"
done
seen=$("$hearsay" version --json)
[[ $? = 0 && $seen = '{"client":"'*'","daemon":null}' ]]
verdict $? 'version without a daemon' "$seen"

# --- init ---------------------------------------------------------------------------------------

seen=$("$hearsay" init "$work/state" --listen 127.0.0.1:0 --peer 127.0.0.1:6421)
verdict $? 'init' "$seen"
[ "$(stat -c %a "$work/state" "$work/state/node.key" "$work/state/author.key" | paste -sd ' ')" = \
    '700 600 600' ]
verdict $? 'only the owner reads keys' "$(ls -l "$work/state")"
grep -q '^listen = 127.0.0.1:0$' "$work/state/hearsay.conf" &&
    grep -q '^peer = 127.0.0.1:6421$' "$work/state/hearsay.conf"
verdict $? 'the configuration says what was asked' "$(cat "$work/state/hearsay.conf")"
seen=$("$(dirname "$hearsay")/hearsayd" --check-config --config "$work/state/hearsay.conf" 2>&1)
verdict $? 'the daemon understands it' "$seen"
says 'init again changes nothing' 1 'is there already' init "$work/state"
key=$(cat "$work/state/node.key")
rm "$work/state/hearsay.conf"
seen=$("$hearsay" init "$work/state" 2>&1)
[ "$(cat "$work/state/node.key")" = "$key" ]
verdict $? 'keys that are there stay' "$seen"
rm "$work/state/hearsay.conf"
echo short >"$work/state/node.key"
says 'a broken key is not replaced' 1 'is no key file' init "$work/state"
touch "$work/file"
says 'a folder that cannot be' 1 "$work/file" init "$work/file/state"
says 'bad peer for init' 2 'is no peer' init "$work/other" --peer 'a b'
for listen in bogus 127.0.0.1 localhost:1 '[::1]' ::1:x 127.0.0.1:65536 ''; do
    says "nothing to listen at: '$listen'" 2 'nothing to listen at' \
        init "$work/other" --listen "$listen"
done
says 'a path that no configuration can hold' 1 'quotes' init "$work/a\"b"
odd="$work/a # b; c"
for listen in 0 6421 127.0.0.1:0 '[::]:6421'; do
    rm -rf "$odd"
    "$hearsay" init "$odd" --listen "$listen" >/dev/null 2>"$work/err" &&
        "$(dirname "$hearsay")/hearsayd" --check-config --config "$odd/hearsay.conf" \
            >/dev/null 2>"$work/err" && grep -qF "state = \"$odd\"" "$odd/hearsay.conf"
    verdict $? "listening at $listen, in a folder with signs" "$(cat "$work/err")"
done
says 'no time to expire in' 2 'at least 1 second' pub -e 0 x

[ ! -w /dev/full ] || ! "$hearsay" help >/dev/full 2>"$work/err"
verdict $? 'a full disk is a failure' "$(cat "$work/err" 2>/dev/null)"
exit $failed
