# For tests that make networks of their own, after lib.bash: namespaces that begin with $space, and
# are gone at the end. Needs root, and says so.
PATH=$PATH:/usr/sbin:/sbin
space=hsay$$
sides=()

needs() { # commands...
    local command
    [ "$(id -u)" = 0 ] || skip "only root can make network namespaces"
    for command; do
        command -v "$command" >/dev/null || skip "no $command here"
    done
}

cleanup() {
    local side
    for side in "${sides[@]}"; do
        ip netns del "$space-$side" 2>/dev/null
    done
}

namespaces() { # their names...
    local side
    for side; do
        sides+=("$side")
        ip netns add "$space-$side" 2>/dev/null || skip "cannot make network namespaces here"
        ip -n "$space-$side" link set lo up
    done
}

on() { # namespace, command...
    local side=$1
    shift
    ip netns exec "$space-$side" "$@"
}

# A node there, without waiting for it.
launch() { # name, namespace, options of hearsayd...
    local name=$1 side=$2
    shift 2
    ip netns exec "$space-$side" "${node_program:-$hearsayd}" --state "$work/$name" \
        --control "$work/$name.sock" --no-lan-beacons "$@" 2>>"$work/$name.log" </dev/null &
    pid[$name]=$!
}
