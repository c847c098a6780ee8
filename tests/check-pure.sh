#!/bin/bash
# The core owns no socket, clock, file, thread, heap or global state. This is the proof: the core
# archive, linked into one object, asks the outside for nothing but memory functions, assert and
# named hash functions, and has no writable data.
#
# It is built for the purpose, without the flags of sanitizers and hardening, which bring names of
# their own. A check that cannot fail proves nothing, so each rule is then broken on purpose.
set -eu -o pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
: "${B:=build}" "${CC:=cc}" "${MAKE:=make}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Clang writes bcmp for a memcmp that only asks whether two things are equal.
cat >"$work/allowed" <<END
memcpy
memmove
memset
memcmp
bcmp
memchr
__assert_fail
__stack_chk_fail
_GLOBAL_OFFSET_TABLE_
XXH3_64bits
XXH3_64bits_withSeed
XXH3_64bits_withSecret
XXH3_128bits
XXH3_128bits_withSeed
END

# The flags of the outer make stay outside.
env -u MAKEFLAGS -u MFLAGS -u CFLAGS -u SANITIZE "$MAKE" -s "$B/pure/libcore.a" B="$B/pure" \
    CC="$CC" HARDEN= >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# Prints what is impure about the core and further objects; says nothing if nothing is.
impurities() { # objects
    ld -r -o "$work/core.o" --whole-archive "$B/pure/libcore.a" --no-whole-archive "$@"
    nm -u "$work/core.o" >"$work/undefined"
    sed 's/.* //' "$work/undefined" | grep -vxF -f "$work/allowed" || [ $? = 1 ]
    # Sections, not symbols: a table of pointers that is only relocated is no state.
    size -A "$work/core.o" | awk '($1 ~ /^\.(data|bss|tdata|tbss)/ && $1 !~ /^\.data\.rel\.ro/) &&
        $2 > 0 { print "writable section " $1 " of " $2 " bytes" }'
}

[ -n "$(ar t "$B/pure/libcore.a")" ] || { echo "the core archive is empty"; exit 1; }

found=$(impurities)
if [ -n "$found" ]; then
    echo "not ok 1 - the core is pure"
    echo "the core may not use:"
    echo "$found"
    exit 1
fi
echo "ok 1 - the core is pure"

number=1
breaks() { # name, what must be reported, C source
    number=$((number + 1))
    printf '%s\n' "$3" >"$work/planted.c"
    $CC -std=c11 -O2 -c -o "$work/planted.o" "$work/planted.c"
    impurities "$work/planted.o" >"$work/found"
    if grep -q "$2" "$work/found"; then
        echo "ok $number - $1 is noticed"
    else
        echo "not ok $number - $1 is noticed"
        exit 1
    fi
}

breaks 'a clock' '^time$' '#include <time.h>
long planted(void); long planted(void) { return (long)time(0); }'
breaks 'a heap' '^malloc$' '#include <stdlib.h>
void *planted(int n); void *planted(int n) { return malloc((unsigned)n); }'
breaks 'a counter' '^writable section .bss' \
    'int planted(void); int planted(void) { static int calls; return ++calls; }'
