#!/bin/bash
# Every header compiles alone, and twice: it includes what it needs, and guards itself. The pure
# ones do so as plain C11.
set -eu
cd "$(dirname "$0")/.."
: "${CC:=cc}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warn='-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Werror'

number=0
for header in $(find include bloom nat src -name '*.h' | sort); do
    case $header in
    src/port/* | src/common/* | src/daemon/* | src/cli/* | src/lab/*) posix=-D_GNU_SOURCE ;;
    *) posix= ;;
    esac
    number=$((number + 1))
    printf '#include "%s"\n' "$header" "$header" >"$work/alone.c"
    # shellcheck disable=SC2086 # lists of flags
    if $CC -std=c11 $posix $warn -Iinclude -I. -fsyntax-only "$work/alone.c" 2>"$work/log"; then
        echo "ok $number - $header"
    else
        echo "not ok $number - $header"
        cat "$work/log"
        failed=1
    fi
done
[ "$number" != 0 ] && [ -z "${failed-}" ]
