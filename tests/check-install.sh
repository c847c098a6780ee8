#!/bin/bash
# Installs into an empty folder as a packager would, compiles a program against what is there with
# nothing but pkg-config, runs it, and uninstalls: no file may stay behind, and no installed file
# may name a folder of this machine.
set -eu
cd "$(dirname "$0")/.."
: "${B:=build}" "${CC:=cc}" "${MAKE:=make}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"

number=0
ok() { number=$((number + 1)); echo "ok $number - $1"; }
fail() { number=$((number + 1)); echo "not ok $number - $1"; exit 1; }
make_quietly() {
    "$MAKE" -s "$@" B="$B" CC="$CC" DESTDIR="$root" PREFIX=/usr \
        >"$work/log" 2>&1 || { cat "$work/log"; fail "make $1"; }
}

make_quietly install
for file in lib/libhearsay.a lib/libhearsay.so lib/libhearsay.so.0 lib/pkgconfig/hearsay.pc \
    include/hearsay/node.h bin/hearsay sbin/hearsayd; do
    [ -e "$root/usr/$file" ] || fail "installs $file"
done
ok "installs $(find "$root" -not -type d | wc -l) files"

if grep -rlF -e "$PWD" -e "$root" "$root" >"$work/log"; then
    cat "$work/log"
    fail 'installed files name no folder of this machine'
fi
ok 'installed files name no folder of this machine'

if grep -rnI '@[A-Z]*@' "$root/usr/lib" >"$work/log"; then
    cat "$work/log"
    fail 'templates are filled in'
fi
ok 'templates are filled in'

# The interface is what the installed headers declare: all of that leaves the shared library, and no
# other name, lest an internal one bind us.
sed -nE '/^(static|typedef)/d; s/^[a-z][a-z0-9_ ]*[ *](hsay_[a-z0-9_]+)\(.*/\1/p' \
    "$root"/usr/include/hearsay/*.h | sort >"$work/declared"
nm -D --defined-only "$root/usr/lib/libhearsay.so.0" | sed -nE 's/.* T ([^@]*).*/\1/p' |
    sort >"$work/exported"
if ! diff "$work/declared" "$work/exported" >"$work/log" || [ ! -s "$work/declared" ]; then
    cat "$work/log"
    fail 'the shared library exports what the headers declare, and nothing else'
fi
ok 'the shared library exports what the headers declare, and nothing else'

# A program that sees every header, and takes an address from the library, so that it must be linked
# and loaded.
for header in "$root"/usr/include/hearsay/*.h; do
    echo "#include <hearsay/${header##*/}>"
done >"$work/tiny.c"
cat >>"$work/tiny.c" <<'END'
#include <stdio.h>

int main(void)
{
    return puts(hsay_strerror(0)) < 0;
}
END
# PREFIX says where things will be; what is tried here still lies below DESTDIR.
ours() {
    PKG_CONFIG_PATH=$root/usr/lib/pkgconfig pkg-config --define-variable=prefix="$root/usr" \
        --define-variable=libdir="$root/usr/lib" \
        --define-variable=includedir="$root/usr/include" "$@" hearsay
}
flags=$(ours --cflags --libs)
# shellcheck disable=SC2086 # a list of flags
$CC -std=c11 -Wall -Werror -o "$work/shared" "$work/tiny.c" $flags
LD_LIBRARY_PATH=$root/usr/lib "$work/shared" >/dev/null || fail 'the shared library works'
ok 'the shared library works'

flags=$(ours --cflags --libs --static)
# shellcheck disable=SC2086
$CC -std=c11 -Wall -Werror -o "$work/static" "$work/tiny.c" ${flags//-lhearsay/-l:libhearsay.a}
"$work/static" >/dev/null || fail 'the archive works'
ok 'the archive works'

make_quietly uninstall
if [ -n "$(find "$root" -not -type d -o -name '*hearsay*')" ]; then
    find "$root" -not -type d -o -name '*hearsay*'
    fail 'uninstall leaves nothing'
fi
ok 'uninstall leaves nothing'
