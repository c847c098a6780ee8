#!/bin/bash
# Two nodes in one local network find each other by beacons alone.
. "$(dirname "$0")/lib.bash"

[ "$(id -u)" = 0 ] || skip "only root can make network namespaces"
command -v ip >/dev/null || skip "no ip command here"
space=hsay$$
cleanup() {
    ip netns del "$space-a" 2>/dev/null
    ip netns del "$space-b" 2>/dev/null
}
{ ip netns add "$space-a" && ip netns add "$space-b" &&
    ip link add "v$$a" netns "$space-a" type veth peer name "v$$b" netns "$space-b"
} 2>/dev/null ||
    skip "cannot make network namespaces here"
for side in a b; do
    ip -n "$space-$side" link set lo up
    ip -n "$space-$side" link set "v$$$side" up
done
ip -n "$space-a" addr add 10.64.21.1/24 dev "v$$a"
ip -n "$space-b" addr add 10.64.21.2/24 dev "v$$b"

inside() { # name, namespace, options...
    local name=$1 side=$2
    shift 2
    ip netns exec "$space-$side" "$hearsayd" --state "$work/$name" --control "$work/$name.sock" \
        --log-level info "$@" 2>>"$work/$name.log" </dev/null &
    pid[$name]=$!
    await "$name"
}

check 'a node starts' inside a a --listen '[::]:0'
check 'another one in the same network' inside b b --listen 0.0.0.0:0
check 'and one that keeps silent' inside c b --listen 0.0.0.0:0 --no-lan-beacons
check 'founding' found a test --secret
check 'a publishes' hearsay a pub 'to whom it may concern'
check 'b joins without naming a peer' enter b test
check 'b finds a' holds b 1 15
secret=$join
found a other >/dev/null
join=$secret
check 'c joins the first' enter c test
sleep 2
check 'c, without beacons, has found nobody' holds c 0 1

# What is on the link: the right size, a time to live of 1, and never the same twice.
cat >"$work/hear.py" <<'PY'
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("239.255.64.21", 6422))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
             socket.inet_aton("239.255.64.21") + socket.inet_aton("10.64.21.2"))
s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
s.settimeout(15)
seen = []
while len(seen) < 2:
    data, extra, _, _ = s.recvmsg(2000, 64)
    seen.append(data)
    ttl = struct.unpack("i", extra[0][2])[0]
    if len(data) != 144 or ttl != 1:
        sys.exit(f"{len(data)} bytes, time to live {ttl}")
same = [i for i in range(0, 144, 16) if seen[0][i:i + 16] == seen[1][i:i + 16]]
sys.exit(f"alike at {same}" if same else 0)
PY
if command -v python3 >/dev/null; then
    check 'beacons say nothing twice and stay on the link' \
        ip netns exec "$space-b" timeout 25 python3 "$work/hear.py"
fi
check 'a stops' stop a
finish
