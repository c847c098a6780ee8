#!/bin/sh
# The Debian packages that the build and the tests need, in one place.
#
#   tests/deps.sh missing   names those that are missing, one a line
#   tests/deps.sh install   installs them, as root or by sudo; elsewhere names them and fails
#
# What counts is whether a thing works, not whether a package is installed: a library built by
# hand, or another compiler in $CC, is as good.
set -u
CC=${CC:-cc}
PATH=$PATH:/usr/sbin:/sbin # not in every user's, and where nft and ip are

compiles() { # with these flags
    echo 'int main(void) { return 0; }' | $CC "$@" -x c - -o /dev/null 2>/dev/null
}

missing() {
    # The compiler may have come without the C library's headers.
    case $CC in
    *clang*) compiler=clang runtime=libclang-rt-dev ;;
    *) compiler=gcc runtime=libc6-dev ;;
    esac
    if ! command -v "${CC%% *}" >/dev/null; then
        echo "$compiler"
        echo libc6-dev
        [ $compiler = gcc ] || echo $runtime
    elif ! compiles -include stdio.h; then
        echo libc6-dev
    elif [ $compiler = clang ] && ! compiles -fsanitize=address; then
        echo $runtime
    fi

    # Without pkg-config every library looks missing; apt-get passes over those that are there.
    while read -r module package; do
        pkg-config --exists "$module" 2>/dev/null || echo "$package"
    done <<END
libevent_core libevent-dev
libsodium libsodium-dev
lmdb liblmdb-dev
libxxhash libxxhash-dev
jansson libjansson-dev
miniupnpc libminiupnpc-dev
cmocka libcmocka-dev
END
    compiles -include natpmp.h -lnatpmp || echo libnatpmp-dev # which has no module
    # miniupnpd-nftables is the program without the service that Debian makes of it.
    while read -r command package; do
        command -v "$command" >/dev/null || echo "$package"
    done <<END
pkg-config pkg-config
mandoc mandoc
gnuplot gnuplot-nox
ps procps
nft nftables
ip iproute2
miniupnpd miniupnpd-nftables
END
}

install() {
    packages=$(missing)
    [ -n "$packages" ] || return 0
    if ! command -v apt-get >/dev/null; then
        run=
    elif [ "$(id -u)" = 0 ]; then
        run='env DEBIAN_FRONTEND=noninteractive'
    elif sudo -n true 2>/dev/null; then
        run='sudo -n env DEBIAN_FRONTEND=noninteractive'
    else
        run=
    fi
    if [ -z "$run" ]; then
        echo "not root, and no sudo without a password. Please install:" $packages >&2
        return 1
    fi
    echo "installing" $packages
    # shellcheck disable=SC2086 # both are lists
    $run apt-get -qq update && $run apt-get -qq -y --no-install-recommends install $packages \
        >/dev/null || return 1
    packages=$(missing)
    [ -z "$packages" ] || echo "still missing:" $packages >&2
    [ -z "$packages" ]
}

case ${1-} in
missing) missing ;;
install) install ;;
*)
    echo "usage: tests/deps.sh missing|install" >&2
    exit 2
    ;;
esac
