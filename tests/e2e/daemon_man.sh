#!/bin/bash
# Each sentence by which `hearsay status` says why a node is not in sync stands in hearsayd(8).
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0 failed=0

verdict() { # good (0 or other), name; what was seen is in $work/log
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        sed 's/^/#   /' "$work/log"
        failed=1
    fi
}

# Up to the advice, which a colon begins.
said() {
    tr '\n' ' ' <src/daemon/ctl_why.c | grep -oE 'snprintf\(text, size, +"[^":]*' |
        sed -E 's/.*"//; s/%llu/N/' | sort
}

told() { # page
    awk '/^\.Sh/ { inside = $0 == ".Sh DIAGNOSTICS" } inside' "$1" | sed -n 's/^\.It //p' | sort
}

page=src/daemon/hearsayd.8
[ "$(said | wc -l)" -gt 5 ] && diff <(said) <(told "$page") >"$work/log"
verdict $? 'hearsayd(8) has the sentences of ctl_why.c, and no other'

sed '/^\.It comparing with peers/d' "$page" >"$work/page"
diff <(said) <(told "$work/page") >"$work/log"
[ $? = 1 ]
verdict $? 'one that is missing is noticed'
exit "$failed"
