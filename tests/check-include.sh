#!/bin/bash
# Includes point one way:
#
#   daemon, cli, lab -> port, node -> sync, walk -> wire -> bloom, nat -> include
#
# Nothing points back, neighbours do not know each other, and the pure folders see nothing of the
# system but types, memory and assert. Every path is written from the top, so that a line of code
# says which room it depends on.
set -eu
cd "$(dirname "$0")/.."

# What each room sees of the others, and of the system.
inner='bloom nat hearsay'
middle="src/sync src/walk src/wire $inner"
outer="src/common src/port src/node $middle version.h"
pure='stdint.h stddef.h stdbool.h stdalign.h string.h assert.h'

rules="
include/hearsay | hearsay                    | stdint.h stddef.h stdbool.h
bloom           | bloom hearsay              | $pure xxhash.h
nat             | nat hearsay                | $pure
src/wire        | src/wire $inner            | $pure xxhash.h
src/walk        | src/walk src/wire $inner   | $pure
src/sync        | src/sync src/wire $inner   | $pure
src/node        | src/node $middle           | $pure
src/port        | src/port $middle version.h | *
src/common      | $outer                     | *
src/daemon      | src/daemon $outer          | *
src/cli         | src/cli $outer             | *
src/lab         | src/lab src/lab/* $outer   | *
src/lab/sim     | src/lab/sim $outer         | *
src/lab/script  | src/lab/script $outer      | *
src/lab/output  | src/lab/output $outer      | *
src/lab/measure | src/lab/measure src/lab/sim src/lab/output $outer | *
src/lab/nat     | src/lab/nat src/lab/sim src/lab/output $outer | *
"

# Foreign libraries, and the only files of ours that know them.
owners='
xxhash.h | bloom/* src/wire/salted.h src/lab/sim/* src/lab/swarm*
lmdb.h   | src/port/store_lmdb*
sodium.h | src/port/crypto_sodium*
event2/* | src/daemon/*
natpmp.h | src/daemon/portmap_natpmp*
miniupnpc/* | src/daemon/portmap_upnp*
'

# The room of a header is its folder. Those of the adapters are installed beside the others, but
# they are of the port's room: the core sees none of them.
room_of() { # header
    case $1 in
    hearsay/crypto_sodium.h | hearsay/store_lmdb.h | hearsay/store_mem.h) echo src/port ;;
    *) dirname "$1" ;;
    esac
}

matches() { # word, patterns
    local pattern
    set -f
    for pattern in $2; do
        # shellcheck disable=SC2053 # the right side is a pattern
        if [[ $1 == $pattern ]]; then
            set +f
            return 0
        fi
    done
    set +f
    return 1
}

includes() { # folder: one line per include, as file:"path or file:<path
    find "$1" -name '*.[ch]' -exec grep -HE '^[[:blank:]]*#[[:blank:]]*include' {} + |
        sed -nE 's/^([^:]*):[^"<]*(["<][^">]*).*/\1:\2/p'
}

# Prints each include below a folder that breaks a rule.
violations() ( # top
    cd "$1"
    while IFS='|' read -r folder rooms system; do
        folder=${folder%% *}
        [ -d "$folder" ] || continue
        while IFS=: read -r file path; do
            case $path in
            '"version.h') matches version.h "$rooms" ;;
            '"'*) matches "$(room_of "${path#?}")" "$rooms" ;;
            '<'*) matches "${path#?}" "$system" && owned "$file" "${path#?}" ;;
            esac || echo "$file may not include ${path#?}"
        done < <(includes "$folder")
    done < <(grep '|' <<<"$rules")
)

owned() { # file, system header: false if the header belongs to another file
    while IFS='|' read -r header owner; do
        ! matches "$2" "$header" || matches "$1" "$owner" || return 1
    done < <(grep '|' <<<"$owners")
}

found=$(violations .)
if [ -n "$found" ]; then
    echo "not ok 1 - includes point one way"
    echo "$found"
    exit 1
fi
echo "ok 1 - includes point one way"

# The same rules on planted files: each of these must be reported, and none of those below them.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
plant() { # file, line
    mkdir -p "$work/${1%/*}"
    echo "$2" >>"$work/$1"
}
plant include/hearsay/planted.h '#include <stdio.h>'
plant bloom/planted.c '#include "nat/vote.h"'
plant bloom/planted.h '# include <stdlib.h> /* malloc */'
plant nat/planted.c '#include <sys/socket.h>'
plant src/wire/planted.c '#include "src/walk/candidate.h"'
plant src/wire/planted.h '#include <xxhash.h>'
plant src/walk/planted.c '#include "src/sync/claim.h"'
plant src/sync/planted.c '#include "src/walk/candidate.h"'
plant src/sync/planted.h '  #include <time.h>'
plant src/node/planted.c '#include "src/port/ordset.h"'
plant src/sync/other.c '#include "hearsay/store_mem.h"'
plant include/hearsay/other.h '#include "hearsay/crypto_sodium.h"'
plant src/node/planted.h '#include <lmdb.h>'
plant src/node/other.c '#include "planted.h"'
plant src/port/planted.c '#include "src/daemon/loop.h"'
plant src/port/store_mem.c '#include <lmdb.h>'
plant src/port/ordset.c '#include <event2/event.h>'
plant src/daemon/planted.c '#include "src/cli/table.h"'
plant src/daemon/planted.h '#include <natpmp.h>'
plant src/common/planted.c '#include <miniupnpc/miniupnpc.h>'
plant src/cli/planted.c '#include <sodium.h>'
expected=$(find "$work" -name '*.[ch]' | wc -l)

plant src/port/store_lmdb.c '#include <lmdb.h>'
plant src/daemon/loop.c '#include <event2/event.h>'
plant src/daemon/portmap_upnp.c '#include <miniupnpc/miniupnpc.h>'
plant src/daemon/main.c '#include "version.h"'
plant src/node/node.c '#include "src/walk/candidate.h"'
plant bloom/bloom.c '#include <string.h>'

reported=$(violations "$work" | grep -cE 'planted|other|store_mem|ordset' || true)
all=$(violations "$work" | wc -l)
if [ "$reported" = "$expected" ] && [ "$all" = "$expected" ]; then
    echo "ok 2 - $expected planted includes are noticed"
else
    echo "not ok 2 - $expected planted includes are noticed"
    violations "$work"
    exit 1
fi
