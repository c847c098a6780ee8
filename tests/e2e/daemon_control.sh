#!/bin/bash
# The control socket under bad manners: nobody can stop the daemon or fill its memory.
. "$(dirname "$0")/lib.bash"

command -v python3 >/dev/null || skip "no python3 to be impolite with"
start a
check 'founding' found a test
check 'some bundles' publish a 3000 'a line of some length, so that answers become long'

cat >"$work/rude.py" <<'PY'
import json, os, random, socket, sys, time

path, pid = sys.argv[1], sys.argv[2]
random.seed(6421)


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(path)
    return s


def answers(s, count=1):
    """All objects up to the count-th last line."""
    out, data = [], b""
    while count:
        part = s.recv(65536)
        if not part:
            raise EOFError(data[-200:])
        data += part
        while b"\n" in data and count:
            line, data = data.split(b"\n", 1)
            out.append(json.loads(line))
            count -= "ok" in out[-1]
    return out


def ask(line, body=b""):
    s = connect()
    s.sendall(line + b"\n" + body)
    return answers(s)


def resident_kb():
    with open(f"/proc/{pid}/status") as f:
        return int([line for line in f if line.startswith("RssAnon")][0].split()[1])


def error_of(line, body=b""):
    return ask(line, body)[-1].get("error")


def words():
    assert error_of(b"nonsense") == "usage"
    assert error_of(b"status now") == "usage"
    assert error_of(b"peers nowhere") == "no-overlay"
    assert error_of(b"show - " + b"0" * 64) == "no-bundle"
    assert error_of(b"show - xyz") == "usage"
    assert error_of(b"overlay-new bad/name") == "usage"
    assert error_of(b"overlay-join x hsay1:12") == "bad-key"
    assert error_of(b"overlay-join test hsay1:" + b"0" * 64) in ("exists", "bad-key")
    assert error_of(b"peer-add - 1:2:3") == "usage"
    assert error_of(b"pub - 0 0 901", b"x" * 901) == "too-large"
    assert error_of(b"pub - 0 0 -1") == "usage"
    assert error_of(b"pub - x 0 1", b"x") == "usage"
    assert error_of(b"wait - 0") in (None, "timeout")
    assert error_of(b"log loud") == "usage"
    assert error_of(b"x" * 5000) == "usage"
    assert error_of(b"status\r") == "usage"


def order():
    """Answers keep the order of the questions, whatever each one takes."""
    s = connect()
    big = b"y" * 2000000
    s.sendall(b"pub - 0 0 3\nabcpub - 0 0 0\nsum -\npub - 0 0 4\nabcdversion\n")
    s.sendall(b"pub - 0 0 2000000\n" + big + b"sub - 1 0 -\nsum -\n")
    got = [x for x in answers(s, 8)]
    ends = [x.get("error", "ok") for x in got if "ok" in x]
    assert ends == ["ok"] * 5 + ["too-large", "ok", "ok"], ends
    kinds = [next(iter(x)) for x in got if "ok" not in x]
    assert kinds[:5] == ["id", "id", "count", "id", "version"], kinds[:5]
    assert kinds.count("id") == 3 + got[-2]["count"], kinds.count("id")
    assert got[-2]["count"] == 3003, got[-2]


def half_closed():
    """A client that says all and shuts its side still gets every answer."""
    s = connect()
    s.sendall(b"digests -\nsum -\n")
    s.shutdown(socket.SHUT_WR)
    got = answers(s, 2)
    assert sum("d" in x for x in got) == got[-2]["count"]
    assert s.recv(10) == b""


def slow():
    """A follower that does not read is let go, and the memory he took comes back."""
    before = resident_kb()
    s = connect()
    s.sendall(b"sub - 0 1 -\n")
    time.sleep(0.2)
    p = connect()
    body = os.urandom(450).hex().encode()
    for _ in range(16):
        p.sendall(b"".join(b"pub - 7 0 900\n" + body for _ in range(500)))
        answers(p, 500)
    room = 16384 * (16 if os.environ.get("SANITIZE") else 1)  # sanitizers keep what was freed
    assert resident_kb() < before + room, (before, resident_kb())
    data = b""
    while True:
        part = s.recv(1 << 20)
        if not part:
            break
        data += part
    assert json.loads(data.splitlines()[-1])["error"] == "slow"


def crowd():
    """Too many connections: the last are told, and room comes back."""
    crowd = [connect() for _ in range(40)]
    time.sleep(0.3)
    told = 0
    for s in crowd:
        s.settimeout(0.05)
        try:
            told += b"too many" in s.recv(1000)
        except (TimeoutError, ConnectionResetError):
            pass
    assert told >= 8, told
    for s in crowd:
        s.close()
    time.sleep(0.3)
    assert "version" in ask(b"version")[0]


def noise():
    verbs = [b"status", b"overlays", b"peers -", b"sub - 1 1 -", b"sub - 1 0 -", b"digests -",
             b"trace -", b"log trace", b"claim -", b"wait - 1", b"stats", b"sum -", b"pub - 0 0 5",
             b"show - 00", b"version", b"reload", b"overlay-show -"]
    for i in range(400):
        s = connect()
        s.settimeout(0.02)
        data = b"".join(random.choice(verbs) + b"\n" for _ in range(random.randrange(6)))
        if i % 3 == 0:
            data = bytearray(data + os.urandom(random.randrange(200)))
            for _ in range(3):
                if data:
                    data[random.randrange(len(data))] = random.randrange(256)
        try:
            s.sendall(bytes(data))
            if i % 2:
                s.recv(random.randrange(1, 5000))
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        s.close()
    assert "version" in ask(b"version")[0]


globals()[sys.argv[3]]()
PY
for manners in words order half_closed slow crowd noise; do
    check "$manners" timeout 60 python3 "$work/rude.py" "$work/a.sock" "${pid[a]}" "$manners"
done
check 'it still answers' hearsay a status
check 'nothing was logged line by line' test "$(wc -l <"$work/a.log")" -lt 100

# Who is neither the daemon's user, nor root, nor of the group.
if [ "$(id -u)" = 0 ] && id nobody >/dev/null 2>&1 && command -v setpriv >/dev/null; then
    as_nobody() {
        setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
    }
    chmod 711 "$work"
    cp "$B/hearsay" "$work/client"
    check 'another user is kept out' \
        bash -c "! $(declare -f as_nobody); ! as_nobody $work/client --socket $work/a.sock status"
    printf '[control]\ngroup = nogroup\n' >"$work/group.conf"
    start g --config "$work/group.conf"
    found g test --secret
    check 'a member of the group may look' as_nobody "$work/client" --socket "$work/g.sock" status
    seen=$(as_nobody "$work/client" --socket "$work/g.sock" overlay show test --json)
    check 'is not shown how to get in' test -z "$(grep -o hsay1: <<<"$seen")"
    seen=$(as_nobody "$work/client" --socket "$work/g.sock" pub hello 2>&1)
    verdict $((1 - $?)) 'and may change nothing' "$seen"
    check 'which it is told' grep -q 'only the user' <<<"$seen"
fi
check 'a stops cleanly' stop a
finish
