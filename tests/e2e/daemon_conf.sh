#!/bin/bash
# Configuration: each mistake has a file, a line and a hint; who goes first; what reload does.
. "$(dirname "$0")/lib.bash"

conf() { # lines on standard input
    cat >"$work/hearsay.conf"
}
bad() { # what, words; the file on standard input
    conf
    check "$1" refused 2 "$2" --config "$work/hearsay.conf" --check-config
}

bad 'unknown key' \
    "hearsay.conf:4: unknown key 'peeer' in [overlay test]; nearest known: 'peer'" <<END
[node]
listen = 127.0.0.1:0
[overlay test]
peeer = localhost:1
END
bad 'unknown section' 'hearsay.conf:1: unknown section [nodes]; nearest known: [node]' <<<'[nodes]'
bad 'no section' "stands before the first section; begin with [node]" <<<'step = 5'
bad 'bad time' "hearsay.conf:2: step '5x' is not a time from 0.05 to 3600 seconds" <<END
[node]
step = 5x
END
bad 'time out of bounds' "step '2h' is not" <<END
[node]
step = 2h
END
bad 'bad size' "quota 'much' is not a size" <<END
[store]
quota = much
END
bad 'bad address' "listen 'localhost:1' is not ADDR:PORT" <<END
[node]
listen = localhost:1
END
bad 'bad peer' "peer '[::1:5' is not HOST:PORT" <<END
[node]
peer = [::1:5
END
bad 'bad choice' "policy 'papr' is not hearsay, paper or code2019" <<END
[overlay x]
policy = papr
END
bad 'bad switch' "lan-beacons 'maybe' is not yes or no" <<END
[node]
lan-beacons = maybe
END
bad 'bad mapping' "port-mapping 'yes' is not auto, no, pcp, nat-pmp or upnp" <<END
[node]
port-mapping = yes
END
bad 'overlay without a name' 'hearsay.conf:1: [overlay NAME] needs a name' <<<'[overlay]'
bad 'name like a key' 'would be taken for a key' <<<'[overlay abcdef0123]'
bad 'a line that is none' 'hearsay.conf:2: expected `key = value` or `[section]`' <<END
[node]
listen
END
bad 'quotes' 'quotes around the value do not match' <<END
[node]
state = "abc
END
bad 'the secret stays out of the message' 'join value is not the text' <<END
[overlay x]
join = hsay1:0123:5ec3e7
END
check 'no file' refused 2 'there is no such file' --config "$work/none" --check-config
check 'unknown option' refused 2 'there is no option --lisen' --lisen x
check 'option without a value' refused 2 'a value is missing after --listen' --listen
check 'word that is no option' refused 2 "'stray' is no option" stray
check 'bad option' refused 2 "--step 'never' is not a time" --step never --check-config
check 'control path too long' refused 2 'longer than 107 bytes' \
    --control "/tmp/$(printf '%0110d' 0)" --check-config
printf '[control]\ngroup = no-such-group\n' >"$work/hearsay.conf"
check 'unknown group' refused 2 "there is no group 'no-such-group'" \
    --config "$work/hearsay.conf" --check-config
check 'bad environment' env HEARSAY_QUOTA=lots bash -c '"$0" --check-config 2>&1 |
    grep -q "environment: HEARSAY_QUOTA .lots. is not a size"' "$hearsayd"

conf <<END
# All there is.
[node]
listen = 127.0.0.1:0 # any
listen = "127.0.0.1:0"
peer = localhost:6421
peer = 127.0.0.1:9#$(printf '%064d' 1)
policy = paper
step = 500ms
fixed-step = no
pull-only = yes
answer-bytes = 5kB
answer-bytes-max = 64KiB
mail-fanout = 10
lan-beacons = no
port-mapping = nat-pmp
overlays-max = 8
candidates-max = 32
datagram-bytes = 1400
[store]
quota = 2.5GB
[control]
path = $work/c.sock
[log]
level = info
format = text
[overlay test]
join = hsay1:$(printf '%064d' 2)
peer = 127.0.0.1:10
quota = 0
step = 2s
END
check 'a good one' "$hearsayd" --config "$work/hearsay.conf" --check-config
check 'the example' "$hearsayd" --config src/daemon/hearsay.conf.example --check-config
check 'help' "$hearsayd" --help
check 'version' "$hearsayd" --version

# --- option before environment before file ------------------------------------------------------

conf <<END
[node]
policy = paper
[log]
level = error
END
policy() {
    hearsay a overlay ls --json | sed -n 's/.*"policy":"\([^"]*\)".*/\1/p'
}
start a --config "$work/hearsay.conf"
found a test
check 'the file counts' test "$(policy)" = paper
stop a
export HEARSAY_POLICY=code2019
start a --config "$work/hearsay.conf"
check 'the environment before it' test "$(policy)" = code2019
stop a
start a --config "$work/hearsay.conf" --policy hearsay
check 'an option before both' test "$(policy)" = hearsay
stop a
unset HEARSAY_POLICY

# --- reload -------------------------------------------------------------------------------------

start b
port=$(addr b)
start a --config "$work/hearsay.conf"
join=$(hearsay a overlay show test --json | sed -n 's/.*"join":"\([^"]*\)".*/\1/p')
enter b test
hearsay b pub 'only b has this' >/dev/null
conf <<END
[node]
policy = hearsay
peer = $port
[log]
level = debug
END
seen=$(hearsay a reload --json)
check 'reload tells what has changed' grep -q '"node.peer"' <<<"$seen"
check 'and what waits for a restart' grep -q '"restart_needed":\[[^]]*"node.policy"' <<<"$seen"
check 'the new peer is visited' holds a 1
echo 'nonsense' >>"$work/hearsay.conf"
kill -HUP "${pid[a]}"
sleep 0.3
check 'a bad file changes nothing, and is named' logged a 'nothing has changed: hearsay.conf:6'
check 'the node lives on' hearsay a status
check 'and stops cleanly' stop a
finish
