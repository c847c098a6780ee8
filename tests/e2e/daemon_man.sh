#!/bin/bash
# Each sentence by which `hearsay status` says why a node is not in sync stands in hearsayd(8).
. "$(dirname "$0")/page.bash"

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
