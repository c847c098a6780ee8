#!/bin/bash
# Every verb of the client against two real daemons: what it prints, in which form, and how it ends.
set -u
build=${B:-build}
hearsay=$build/hearsay
work=$(mktemp -d) || exit 1
daemons=()
count=0 failed=0
trap 'kill "${daemons[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

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

# Output and errors of a verb, its exit code, and a pattern that must match.
says() { # name, exit code, pattern, arguments...
    local name=$1 code=$2 pattern=$3 seen got
    shift 3
    seen=$("$hearsay" "$@" 2>&1 </dev/null)
    got=$?
    # shellcheck disable=SC2053 # the right side is a pattern
    [[ $got = "$code" && $seen == $pattern ]]
    verdict $? "$name" "exit $got: $seen"
}

start() { # name, options...
    local name=$1 tries
    shift
    "$build/hearsayd" --config "$work/$name/hearsay.conf" --lan-beacons no "$@" \
        2>"$work/$name.log" </dev/null &
    daemons+=($!)
    for ((tries = 0; tries < 100; tries++)); do
        ! "$hearsay" --state "$work/$name" status >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    cat "$work/$name.log"
    echo "not ok 0 - node $name starts"
    exit 1
}

says 'init of the first' 0 "*hearsayd --config $work/a/hearsay.conf*" \
    init "$work/a" --listen 127.0.0.1:0
start a
export HEARSAY_SOCKET=$work/a/control.sock

# --- overlays ----------------------------------------------------------------------------------

says 'publishing without an overlay' 1 'hearsay: *' pub hello
says 'founding' 0 "name  first*join  hsay1:*overlay join first*" overlay new first --secret
says 'founding it again' 1 '*joined already*' overlay new first
says 'the list' 0 '*first*' overlay ls
says 'showing one as JSON' 0 '{*"join":"hsay1:*"*}' overlay show --json
join=$("$hearsay" overlay show --json | sed -n 's/.*"join":"\([^"]*\)".*/\1/p')
address=$("$hearsay" status --json | sed -n 's/.*"listen":\["\([^"]*\)".*/\1/p')
says 'no such overlay' 1 'hearsay: *' overlay show other

# --- publishing and reading --------------------------------------------------------------------

hex='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
says 'pub of words' 0 "$hex*"$'\n'"$hex*" pub one two
says 'pub as JSON' 0 '{"id":"*"digest":"*"sequence":*}' pub --json three
printf 'a file\nof two lines\n' >"$work/text"
says 'pub of a file' 0 '' pub -q -f "$work/text"
printf 'four\n\nfive\nsix' | "$hearsay" pub -l >"$work/ids"
[ "$(wc -l <"$work/ids")" = 3 ]
verdict $? 'pub of lines leaves out the empty one' "$(cat "$work/ids")"
says 'reading in order' 0 $'one\ntwo\nthree\na file\nof two lines\n\nfour\nfive\nsix' sub -C 7
says 'history alone' 0 'one*six' sub --history
says 'time runs out' 4 '*six' sub -W 0.3
says 'a format' 0 '*7 0 3 736978 six' sub -H -F '%t %T %l %x %p'
says 'columns' 0 "*736978" sub -H --tsv
says 'one bundle' 0 '*signature * yes*payload * 4 bytes*four' show "$(head -n 1 "$work/ids")"
says 'its payload' 0 four show --raw "$(head -n 1 "$work/ids")"
says 'a bundle that is not there' 1 'hearsay: no such*' show "$(printf '%064d' 0)"
says 'what is no id' 2 'hearsay: an id has*' show xyz

seen=$({ printf 'fits\n'; head -c 901 /dev/zero | tr '\0' x; printf '\nfits too\n'; } |
    "$hearsay" pub -l -q 2>&1)
[[ $? = 5 && $seen = *'stored 2 of 3 bundles' ]]
verdict $? 'a line too long is said, the others are stored' "$seen"
says 'a file that is not there' 1 '*No such file*' pub -f "$work/none"
seen=$("$hearsay" pub -q -t 9 -f "$work/none" -f "$work/text" 2>&1)
[[ $? = 5 && $seen = *'stored 1 of 1 bundles, and 1 file could not be read' ]]
verdict $? 'a file that is not there does not keep the next one out' "$seen"
head -c 2000000 /dev/zero >"$work/large"
says 'a file far too large' 1 '*large: over 1048576 bytes*' pub -f "$work/large"
says 'a type of its own' 0 "$hex*" pub -t 7 seven
says 'only that type' 0 seven sub -H -t 7

# What a stranger may have written does not reach the terminal as it is; elsewhere it does.
printf 'red \033[31m \200 \342\200\256 end' | "$hearsay" pub -q -t 8 -f -
says 'a pipe gets every byte' 0 $'red \033[31m \200 \342\200\256 end' sub -H -t 8
if command -v script >/dev/null; then
    seen=$(script -qec "'$hearsay' sub -H -t 8" /dev/null </dev/null | tr -d '\r')
    [ "$seen" = 'red \x1b[31m \x80 \u{202e} end' ]
    verdict $? 'a terminal does not' "$seen"
fi

# More than a node takes at once: the client waits for it, and all of them arrive.
seq 12000 >"$work/lines"
seen=$("$hearsay" pub -q -l -f "$work/lines" --progress=json 2>&1)
[[ $? = 0 && $seen = *'"done":12000,"total":12000'* ]]
verdict $? 'twelve thousand lines' "$seen"

# --- the second node ---------------------------------------------------------------------------

"$hearsay" init "$work/b" --listen 127.0.0.1:0 >/dev/null
start b
says 'joining' 0 'name  mine*' --state "$work/b" overlay join mine "$join"
key=$(cut -d : -f 2 <<<"$join")
says 'not the same yet' 1 "<*12,012 bundles, 12,012 only here*>* 0 bundles*" \
    diff "$work/a" "$work/b" -o "$key"
says 'adding a peer' 0 "added $address" --state "$work/b" peer add "$address"
says 'waiting for sync' 0 'in sync' --state "$work/b" wait --synced -W 60
says 'watching until it is full' 0 $'a\t12012*b\t12012*' \
    watch -C 12012 -W 60 --tsv "$work/a" "$work/b" --progress none
says 'the same' 0 '*the same' diff "$work/a" "$work/b" -o "$key"
says 'status' 0 'hearsayd *listens *overlay *mine *' --state "$work/b" status
says 'status as JSON' 0 '{*"overlays":\[{*}\]}' status --json
says 'peers' 0 "address *127.0.0.1:*" --state "$work/b" peers
says 'peers in columns' 0 "*127.0.0.1:*"$'\t'* --state "$work/b" peers --tsv
says 'counters' 0 '*counters *packets_out *drops *daemon *' stats
says 'steps' 0 '* -> *127.0.0.1*' --state "$work/b" walk --trace -C 1 -W 30
says 'steps as JSON' 0 '{*"event":"*}' --state "$work/b" walk --trace -C 1 -W 30 --json
says 'a peer that does not answer' 0 'added *' peer add 127.0.0.1:9
says 'what is not known of it' 0 $'*127.0.0.1:9\t-\t*\t-\t*\t-\t0\tfalse\tfalse*' peers --tsv

# As many columns as the manual names.
told() { # verb
    awk -v head=".It Cm $1" '/^\.Bl/ { depth++ }
        /^\.El/ { depth-- }
        /^\.It/ && depth == 1 { inside = $0 == head || index($0, head " ") == 1 }
        inside && /^\.Fl -tsv/ { open = 1; next }
        open && /^\./ { open = 0 }
        open { line = line " " $0 }
        END { sub(/^ a line per overlay:/, "", line); sub(/;.*/, "", line)
              print line == "" ? 0 : split(line, part, ",") }' src/cli/hearsay.1
}
for verb in status nat doctor; do
    seen=$("$hearsay" "$verb" --tsv | awk -F '\t' '{ print NF }' | sort -u)
    [ "$seen" = "$(told "$verb")" ]
    verdict $? "the columns of $verb are those of the manual" "$seen, not $(told "$verb")"
done
says 'the next claim' 0 'claim *range *the peer *' filter explain
says 'the next claim as JSON' 0 '{*"kind":"*}' filter explain --json
says 'the log, with nothing in it' 4 '*' log error -W 0.3
says 'reload' 0 '*' reload
says 'versions' 0 'hearsay *hearsayd *pid *' version

# --- leaving -----------------------------------------------------------------------------------

says 'two overlays' 0 '*' overlay new second
says 'which one?' 1 'hearsay: *' pub hello
says 'this one' 0 "$hex*" pub -o second hello
says 'leaving' 0 'left second' overlay leave second
says 'left it is' 1 'hearsay: *' sub -H -o second
says 'stop' 0 stopped stop -W 30
says 'stopped it is' 3 '*no daemon at*' status
exit $failed
