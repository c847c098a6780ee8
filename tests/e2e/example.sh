#!/bin/bash
# The manual of the library keeps its word: its example compiles as printed, without a warning, and
# does what it says; and its synopsis names every function that the public headers declare.
. "$(dirname "$0")/page.bash"
: "${B:=build}" "${CC:=cc}" "${SANITIZE:=}"
manual=src/libhearsay.3

# Between the marks; the lines that are roff's own go, and \e stands for a backslash.
sed -n '/^\.\\" example begins/,/^\.\\" example ends/p' "$manual" | grep -v '^\.' |
    sed 's/\\e/\\/g' >"$work/hello.c"

warn='-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Werror'
# shellcheck disable=SC2046,SC2086 # lists of flags
$CC -std=c11 $warn ${SANITIZE:+-fsanitize=$SANITIZE} -Iinclude -o "$work/hello" "$work/hello.c" \
    "$B/libhearsay.a" $(pkg-config --libs libsodium lmdb libxxhash) -pthread >"$work/log" 2>&1
verdict $? 'the example of the manual compiles'

timeout 20 "$work/hello" >"$work/log" 2>&1 && [ "$(cat "$work/log")" = hello ]
verdict $? 'and hands a bundle from one node to the other'

sed -nE '/^(static|typedef)/d; s/^[a-z][a-z0-9_ ]*[ *](hsay_[a-z0-9_]+)\(.*/\1/p' \
    include/hearsay/*.h | sort >"$work/declared"
sed -nE '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/s/^\.F[no] (hsay_[a-z0-9_]+).*/\1/p' "$manual" |
    sort >"$work/named"
[ -s "$work/declared" ] && diff "$work/declared" "$work/named" >"$work/log"
verdict $? 'the synopsis names every public function, and no other'

echo "1..$count"
exit "$failed"
