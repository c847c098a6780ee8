#!/bin/bash
# Pages of the store overwritten by noise: the daemon comes up and serves what it once was given, or
# it ends with status 1 and one line that names the store.  Never by a signal, never without end.
. "$(dirname "$0")/lib.bash"

RANDOM=${SEED:=7}
places=20

start a
check 'founding' found a test
# In many commits, so that there are free pages; some lines are longer than a page.
for round in 1 2 3 4 5 6; do
    publish a 700 "round $round"
done
for length in 3000 9000 20000; do
    head -c $length /dev/zero | tr '\0' x | hearsay a pub -q -
done
hearsay a sub --history -F %i | sort >"$work/given"
check 'thousands are held' test "$(wc -l <"$work/given")" -ge 4200
check 'a stops' stop a
file=$work/x/store/data.mdb
pages=$(($(stat -c %s "$work/a/store/data.mdb") / 4096))

copy() {
    rm -rf "$work/x" "$work/x.log"
    cp -a "$work/a" "$work/x"
}

# It is up: nothing but what was given, and it goes on storing.
serves() {
    hearsay x status >/dev/null && hearsay x sub --history -F %i | sort >"$work/served" &&
        [ -z "$(comm -13 "$work/given" "$work/served")" ] &&
        publish x 100 more && stop x
}

# How it ended: in time, with status 1, and with one line.
gave_up() { # status
    [ "$1" = 1 ] && [ "$(grep -c ' error ' "$work/x.log")" = 1 ] &&
        grep -q "error store: .*$work/x/store.*move the folder away" "$work/x.log" &&
        [ "$(wc -l <"$work/x.log")" = 1 ]
}

up=0 refused=0
survives() { # what
    local began=$SECONDS status
    spawn x --listen 127.0.0.1:0
    if await x; then
        up=$((up + 1))
        serves || { echo "SEED=$SEED $1: it is up, and not well"; cat "$work/x.log"; return 1; }
        return
    fi
    ended x
    status=$?
    refused=$((refused + 1))
    gave_up "$status" && [ $((SECONDS - began)) -le 11 ] ||
        { echo "SEED=$SEED $1: exit $status"; cat "$work/x.log"; return 1; }
}

copy
check 'a copy without damage starts' survives whole
check 'and is up' test "$up" = 1
check 'with all' cmp "$work/given" "$work/served"

for ((i = 0; i < places; i++)); do
    copy
    page=$((RANDOM % (pages - 2)))
    dd if=/dev/urandom of="$file" bs=4096 seek=$page count=2 conv=notrunc status=none
    check "noise at page $page of $pages" survives "page $page"
done
check 'some of it was found out' test "$refused" -gt 0
echo "# $up up, $refused refused"

# Moved away as the line says.
copy
dd if=/dev/urandom of="$file" bs=4096 seek=2 count=$((pages - 2)) conv=notrunc status=none
check 'noise everywhere' survives all
mv "$work/x/store" "$work/x/store.away"
check 'without the folder it starts' start x
check 'and is still in its overlay' test "$(bundles x)" = 0
check 'the end' stop x
finish
