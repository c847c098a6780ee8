# For tests of `hearsay-lab nat`, after lib.bash: what it said last lies in $work/json and
# $work/said.
lab=$B/hearsay-lab
[ -x "$lab" ] || skip "no hearsay-lab in $B"

nat() { # options...
    TMPDIR=$work "$lab" nat --json --quiet --step 1 "$@" >"$work/json" 2>"$work/said" ||
        { tail -n 3 "$work/said"; return 1; }
}

# A field of the pair's row in the last result. Of two engines' results that are compared, the last
# part is the simulator's, and the one before it that of the kernel.
row() { # mine, theirs, field, where: both, kernel or simulator; of one engine's result alone
    tr '{}' '\n\n' <"$work/json" | awk -v want="${4-}" '
        match($0, /"engine":"[a-z]*"/) { at = substr($0, RSTART + 10, RLENGTH - 11) }
        want == "" || at == want' | grep "\"mine\":\"$1\",\"theirs\":\"$2\"" |
        sed -n "s/.*\"$3\":\"*\([a-z0-9. ]*\).*/\1/p"
}

is() { # number, number
    [ "$1" = "$2" ] || { echo "$1, not $2"; return 1; }
}

known() { # number; null and nothing are none
    [[ $1 =~ ^[0-9.]+$ ]] || { echo "'$1' is no number"; return 1; }
}

above_none() { # number
    known "$1" && awk -v number="$1" 'BEGIN { exit !(number > 0) }' || { echo "$1"; return 1; }
}

if ! nat --kinds blocked --trials 1 --patience 0.1 >/dev/null; then
    reason=$(grep -oE '(cannot (make|map|mount|open|set|run)|no network namespace).*' \
        "$work/said" | head -n 1)
    [ -z "$reason" ] || skip "no NATs can be made here: $reason"
    cat "$work/said"
    exit 1
fi
