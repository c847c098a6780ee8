# For tests of manuals: runs from the top folder; what a verdict is about lies in $work/log.
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0 failed=0

verdict() { # good (0 or other), name
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        head -n 30 "$work/log" | sed 's/^/#   /'
        failed=1
    fi
}
