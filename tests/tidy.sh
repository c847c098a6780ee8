#!/bin/bash
# The part of the style that a machine can see. The rest is for readers.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8

code='-name *.[ch] -o -name *.sh -o -name Makefile -o -path */.ci/run'
text="$code -o -name *.md -o -name *.scn -o -name *.[1-8] -o -name *.in -o -name *.map"
tree='src include bloom nat tests bench .ci Makefile README.md CHANGES.md SECURITY.md'
core='bloom nat src/wire src/walk src/sync src/node include'

# Words that promise a later change, split here so that this file stays clean of them.
later='TO''DO|FIX''ME|XX''X'

# What the core may never call. The purity check sees the archive; this one names the line.
banned='malloc|calloc|realloc|free|alloca|[a-z]*printf|puts|fopen|getenv|abort|exit'
banned="$banned|time|clock|clock_gettime|gettimeofday|sleep|usleep|rand|random|srand|qsort"

files() { # find expression, folders
    local found=() path
    for path in $2; do
        [ ! -e "$path" ] || found+=("$path")
    done
    set -f
    # shellcheck disable=SC2086 # a list of words for find
    find "${found[@]}" -type f \( $1 \) -not -path '*/corpus/*' -not -path '*/vectors/*.bin'
    set +f
}

# Prints file:line: of whatever $2 matches in the files $3, with the rule it breaks.
rule() { # name, pattern, files
    [ -z "$3" ] || grep -nHE -e "$2" $3 | sed "s|\$|    <- $1|" || true
}

untidy() { # top
    (
        cd "$1"
        rule 'over 100 columns' '^.{101,}' "$(files "$code" "$tree")"
        rule 'blanks at the end of the line' '[[:blank:]]+$' "$(files "$text" "$tree")"
        rule 'a carriage return' $'\r' "$(files "$text" "$tree")"
        rule 'a word for later' "\\b($later)\\b" "$(files "$text" "$tree")"
        rule 'a tab in C' $'\t' "$(files '-name *.[ch]' "$tree")"
        rule 'a path with ..' '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"\.\./' \
            "$(files '-name *.[ch]' "$tree")"
        rule 'a call that the core may not make' "(^|[^_[:alnum:]\">.])($banned)\\(" \
            "$(files '-name *.[ch]' "$core")"
    )
}

found=$(untidy .)
if [ -n "$found" ]; then
    echo "not ok 1 - the tree is tidy"
    echo "$found"
    exit 1
fi
echo "ok 1 - the tree is tidy"

# The same rules on a planted file that breaks each of them once.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bloom"
{
    printf '%0101d\n' 0
    printf 'int blank; \n'
    printf 'int carriage;\r\n'
    printf '/* %s */\n' "${later%%|*}"
    printf '\tint tab;\n'
    printf '#include "../nat/vote.h"\n'
    printf 'long now = time(0);\n'
    printf 'long fine = hsay_time(0);\n'
} >"$work/bloom/planted.c"
noticed=$(untidy "$work" | sed 's/.*<- //' | sort -u | wc -l)
if [ "$noticed" = 7 ]; then
    echo "ok 2 - seven planted faults are noticed"
else
    echo "not ok 2 - seven planted faults are noticed"
    untidy "$work"
    exit 1
fi
