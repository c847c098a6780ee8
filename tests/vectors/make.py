#!/usr/bin/env python3
"""Makes the .hex files beside it from PROTOCOL.md and the RFCs alone: Python's standard library,
no line of the C code.  Everything is fixed, so two runs give the same bytes.

    make.py              write the files
    make.py --check      say which of them differ from what would be written; exit 1 if any
    make.py --corpus D   write seeds for the fuzzers to D/message, D/envelope and D/pack

A file holds lines `name = hex`; `#` begins a comment.  crypto.hex is typed in from the standards,
and this program checks itself against it before it writes anything.
"""
import hashlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# --- primitives: RFC 7748, RFC 8032, RFC 8439, draft-irtf-cfrg-xchacha-03

P = 2**255 - 19


def x25519(secret, public):
    k = bytearray(secret)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, 'little')
    x1 = int.from_bytes(public, 'little') % 2**255
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a, c * b
        x3, z3 = (da + cb)**2 % P, x1 * (da - cb)**2 % P
        e = a * a - b * b
        x2, z2 = a * a * b * b % P, e * (a * a + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, 'little')


def x25519_public(secret):
    return x25519(secret, (9).to_bytes(32, 'little'))


D = -121665 * pow(121666, P - 2, P) % P
L = 2**252 + 27742317777372353535851937790883648493


def point_add(p, q):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = p, q
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_mul(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = point_add(q, p)
        p = point_add(p, p)
        n >>= 1
    return q


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1:
        x = P - x
    return x, y, 1, x * y % P


BASE = base_point()


def point_bytes(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, 'little')


def sha512_int(*parts):
    return int.from_bytes(hashlib.sha512(b''.join(parts)).digest(), 'little')


def ed25519_expand(seed):
    h = bytearray(hashlib.sha512(seed).digest())
    h[0] &= 248
    h[31] = h[31] & 127 | 64
    return int.from_bytes(h[:32], 'little'), bytes(h[32:])


def ed25519_public(seed):
    return point_bytes(point_mul(ed25519_expand(seed)[0], BASE))


def ed25519_sign(seed, message):
    a, prefix = ed25519_expand(seed)
    public = ed25519_public(seed)
    r = sha512_int(prefix, message) % L
    big_r = point_bytes(point_mul(r, BASE))
    s = (r + sha512_int(big_r, public, message) * a) % L
    return big_r + s.to_bytes(32, 'little')


def rotl(x, n):
    return (x << n | x >> 32 - n) & 0xffffffff


def chacha_rounds(state):
    s = list(state)

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = s[x] + s[y] & 0xffffffff
            s[z] = rotl(s[z] ^ s[x], n)
    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return s


def words(b):
    return [int.from_bytes(b[i:i + 4], 'little') for i in range(0, len(b), 4)]


SIGMA = words(b'expand 32-byte k')


def hchacha20(key, nonce16):
    s = chacha_rounds(SIGMA + words(key) + words(nonce16))
    return b''.join(w.to_bytes(4, 'little') for w in s[:4] + s[12:])


def chacha20(key, nonce12, counter, data):
    out = bytearray()
    for i in range(0, len(data), 64):
        state = SIGMA + words(key) + [counter + i // 64] + words(nonce12)
        block = b''.join((a + b & 0xffffffff).to_bytes(4, 'little')
                         for a, b in zip(state, chacha_rounds(state)))
        out += bytes(x ^ y for x, y in zip(data[i:i + 64], block))
    return bytes(out)


def poly1305(key, message):
    r = int.from_bytes(key[:16], 'little') & 0x0ffffffc0ffffffc0ffffffc0fffffff
    acc = 0
    for i in range(0, len(message), 16):
        acc = (acc + int.from_bytes(message[i:i + 16] + b'\1', 'little')) * r % (2**130 - 5)
    return ((acc + int.from_bytes(key[16:], 'little')) % 2**128).to_bytes(16, 'little')


def pad16(b):
    return b + bytes(-len(b) % 16)


def xchacha_seal(key, nonce24, header, plain):
    subkey, nonce12 = hchacha20(key, nonce24[:16]), bytes(4) + nonce24[16:]
    text = chacha20(subkey, nonce12, 1, plain)
    mac = pad16(header) + pad16(text) + len(header).to_bytes(8, 'little') + \
        len(text).to_bytes(8, 'little')
    return text + poly1305(chacha20(subkey, nonce12, 0, bytes(32)), mac)


def blake2b(size, key, *parts):
    return hashlib.blake2b(b''.join(parts), digest_size=size, key=key).digest()


# XXH3-128 of 16 bytes with a seed (xxHash specification 0.2.0, XXH3_len_9to16).
XXH_SECRET = bytes.fromhex('cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c')
XXH_PRIME64_1, XXH_PRIME64_2 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
XXH_PRIME32_2 = 0x85EBCA77
M64 = 2**64 - 1


def xxh3_128_of_16(data, seed):
    def le(b, at):
        return int.from_bytes(b[at:at + 8], 'little')

    def avalanche(h):
        h = (h ^ h >> 37) * 0x165667919E3779F9 & M64
        return h ^ h >> 32
    flip_low = (le(XXH_SECRET, 0) ^ le(XXH_SECRET, 8)) - seed & M64
    flip_high = (le(XXH_SECRET, 16) ^ le(XXH_SECRET, 24)) + seed & M64
    low, high = le(data, 0), le(data, 8)
    m = (low ^ high ^ flip_low) * XXH_PRIME64_1
    m_low, m_high = (m & M64) + (len(data) - 1 << 54) & M64, m >> 64
    high ^= flip_high
    m_high = m_high + (high >> 32 << 32) + (high & 0xffffffff) * XXH_PRIME32_2 & M64
    m_low ^= int.from_bytes(m_high.to_bytes(8, 'little'), 'big')
    h = m_low * XXH_PRIME64_2
    return avalanche(h & M64), avalanche((h >> 64) + m_high * XXH_PRIME64_2 & M64)


# --- fields

def u8(v): return v.to_bytes(1, 'big')
def u16(v): return v.to_bytes(2, 'big')
def u32(v): return v.to_bytes(4, 'big')
def u64(v): return v.to_bytes(8, 'big')


def varint(v):
    """RFC 9000, section 16, shortest form."""
    for prefix, size in enumerate((1, 2, 4, 8)):
        if v < 1 << 8 * size - 2:
            return (v | prefix << 8 * size - 2).to_bytes(size, 'big')
    raise ValueError(v)


def ip4(text, port): return u8(4) + u16(port) + bytes(map(int, text.split('.')))
def ip6(hexes, port): return u8(6) + u16(port) + bytes.fromhex(hexes)
def handle(hexes, port): return u8(8) + u16(port) + bytes.fromhex(hexes)


NOWHERE = u8(0)
NO_EXTENSION = u8(0)


def extensions(*pairs):
    return u8(len(pairs)) + b''.join(u8(t) + u16(len(v)) + v for t, v in pairs)


def span(first, size):
    return bytes((first + i) % 256 for i in range(size))


# --- section: keys

OVERLAY_SEED = span(0x10, 32)
SECRET = span(0x40, 32)
NODE_A, NODE_B = span(0x60, 32), span(0x80, 32)
AUTHOR_1, AUTHOR_2 = span(0xa0, 32), span(0xc0, 32)


class Overlay:
    def __init__(self, secret):
        self.key = ed25519_public(OVERLAY_SEED)
        self.bind = blake2b(32, secret, b'hearsay bind 1', self.key)
        self.tag = blake2b(16, self.bind, b'hearsay tag 1')[:4]
        self.first = blake2b(32, self.bind, b'hearsay first 1')

    def pair(self, own_secret, peer_public):
        own = x25519_public(own_secret)
        return blake2b(32, self.bind, b'hearsay pair 1', x25519(own_secret, peer_public),
                       *sorted((own, peer_public)))


OPEN, CLOSED = Overlay(b''), Overlay(SECRET)


def token(secret, epoch, kind, port, address, node, tag):
    t = bytearray(blake2b(16, secret, b'hearsay token 1', u64(epoch), u8(kind), u16(port),
                          address + bytes(16 - len(address)), node, tag))
    t[15] = t[15] & 0xfe | epoch & 1
    return bytes(t)


def rng(seed, size):
    key, out = seed, b''
    while len(out) < size:
        block = blake2b(64, key, b'hearsay rng 1')
        key, out = block[:32], out + block[32:]
    return out


def derive_vectors():
    """The pool is handed out from its end; one pool is one vector here."""
    yield 'overlay.seed', OVERLAY_SEED
    yield 'overlay.key', OPEN.key
    yield 'overlay.secret', SECRET
    for name, o in (('open', OPEN), ('closed', CLOSED)):
        yield name + '.bind', o.bind
        yield name + '.tag', o.tag
        yield name + '.first', o.first
    yield 'node.a.secret', NODE_A
    yield 'node.a.key', x25519_public(NODE_A)
    yield 'node.b.secret', NODE_B
    yield 'node.b.key', x25519_public(NODE_B)
    yield 'open.pair', OPEN.pair(NODE_A, x25519_public(NODE_B))
    yield 'closed.pair', CLOSED.pair(NODE_B, x25519_public(NODE_A))
    token_secret = span(0xe0, 32)
    yield 'token.secret', token_secret
    scope = (x25519_public(NODE_A), OPEN.tag)
    yield 'token.ip4.epoch0', token(token_secret, 0, 4, 6421, bytes([192, 0, 2, 1]), *scope)
    yield 'token.ip4.epoch7', token(token_secret, 7, 4, 6421, bytes([192, 0, 2, 1]), *scope)
    yield 'token.ip6.epoch8', token(token_secret, 8, 6, 6421, span(0x20, 16), *scope)
    yield 'rng.seed', span(0, 32)
    pools = rng(span(0, 32), 96)
    yield 'rng.pools', pools


# --- section: messages

HERE4, THERE4, LAN4 = ip4('198.51.100.7', 6421), ip4('203.0.113.9', 40000), ip4('10.1.2.3', 6421)
HERE6 = ip6('20010db8000000000000000000000001', 6421)
HANDLE = handle('00112233445566778899aabbccddeeff', 1)
KEY_C = x25519_public(span(0x33, 32))
ID = 0x0102030405060708
T_MAX = 2**62 - 1


def claim_range(low, high, slicing, modulo, offset, count, fingerprint):
    return varint(low) + varint(high) + u8(slicing) + u32(modulo) + u32(offset) + varint(count) + \
        u64(fingerprint)


def bloom(hashes, salt, bits):
    return u8(hashes) + u64(salt) + u16(len(bits)) + bits


C_NONE = u8(0)
C_SUM = u8(1) + claim_range(0, T_MAX, 0, 1, 0, 100000, 0x1122334455667788)
C_BLOOM = u8(2) + claim_range(63, 64, 1, 65536, 65535, 16383, 0x1122334455667788) + \
    bloom(7, 0xdeadbeefcafef00d, span(1, 8))
C_BLOOM_TIME = u8(2) + claim_range(16384, 2**30, 2, 3, 2, 64, 1) + bloom(16, 0, bytes(1375))
C_BLOOM_ONE = u8(2) + claim_range(0, 0, 1, 1, 0, 1, 0) + bloom(1, 1, span(0xf0, 8))
C_EMPTY = u8(3) + claim_range(1, 1, 0, 1, 0, 0, 0x99aabbccddeeff00)


def request(ident=ID, flags=1, nat=0, to=HERE4, lan=NOWHERE, time=5, answer=65536, newest=(),
            claim=C_NONE, ext=NO_EXTENSION):
    return u8(1) + u64(ident) + u8(flags) + u8(nat) + span(0x60, 16) + to + lan + varint(time) + \
        varint(answer) + u8(len(newest)) + b''.join(map(u64, newest)) + claim + ext


def response(ident=ID, flags=0, nat=0, to=THERE4, time=9, want=0, datagrams=0, count=0, fingerprint=0,
             introduced=NOWHERE, ext=NO_EXTENSION, tail=b''):
    return u8(2) + u64(ident) + u8(flags) + u8(nat) + span(0x70, 16) + to + varint(time) + u16(want) + \
        u8(datagrams) + varint(count) + u64(fingerprint) + introduced + ext + tail


def puncture_request(ident=ID, target=THERE4, lan=NOWHERE, key=KEY_C, nat=0, ext=NO_EXTENSION):
    return u8(3) + u64(ident) + target + lan + key + u8(nat) + ext


def puncture(ident=ID, ext=NO_EXTENSION): return u8(4) + u64(ident) + span(0x50, 16) + ext


def bundles(ident=ID, flags=0, ext=NO_EXTENSION, tail=b''):
    return u8(5) + u64(ident) + u8(flags) + ext + tail


def fetch(ident=ID, count=None, digests=span(0, 16), ext=NO_EXTENSION):
    return u8(6) + u64(ident) + u8(len(digests) // 16 if count is None else count) + digests + ext


def direct(kind=77, ext=NO_EXTENSION, tail=b'payload'): return u8(7) + varint(kind) + ext + tail


def probe(ident=ID, port=40000, ext=NO_EXTENSION):
    return u8(8) + u64(ident) + u16(port) + span(0x40, 16) + ext


def good_messages():
    yield 'request.plain', request()
    yield 'request.flags', request(flags=1, nat=15, to=HERE6, lan=LAN4, time=0, answer=0)
    yield 'request.sum', request(claim=C_SUM, newest=(1, 2**64 - 1))
    yield 'request.bloom', request(claim=C_BLOOM, to=HANDLE, newest=range(8))
    yield 'request.bloom_time', request(to=NOWHERE, claim=C_BLOOM_TIME, time=T_MAX, answer=T_MAX)
    yield 'request.bloom_one', request(claim=C_BLOOM_ONE)
    yield 'request.empty', request(claim=C_EMPTY)
    yield 'request.padded_3', request(ext=extensions((0, b'')))
    yield 'request.padded_200', request(ext=extensions((0, bytes(197))))
    yield 'response.plain', response()
    yield 'response.introduced', response(flags=7, nat=15, want=0xffff, datagrams=255, count=100000,
                                          fingerprint=2**64 - 1, introduced=THERE4 + LAN4 + KEY_C + u8(15))
    yield 'response.bundles', response(introduced=HERE6 + NOWHERE + KEY_C + u8(0), tail=span(9, 100))
    yield 'puncture_request.plain', puncture_request()
    yield 'puncture_request.lan', puncture_request(target=HERE6, lan=LAN4, nat=9)
    yield 'puncture.plain', puncture()
    yield 'puncture.zero', puncture(ident=0)
    yield 'bundles.answer', bundles(flags=2, tail=span(0, 50))
    yield 'bundles.none', bundles()
    yield 'bundles.mail', bundles(ident=0, flags=1, tail=span(5, 5))
    yield 'fetch.one', fetch()
    yield 'fetch.48', fetch(digests=span(0, 48 * 16), ext=extensions((0, bytes(20))))
    yield 'direct.plain', direct()
    yield 'direct.empty', direct(kind=T_MAX, tail=b'')
    yield 'probe.plain', probe()


def extended_messages():
    """Valid, with extensions that version 1 ignores: decode and encode gives the shorter form."""
    yield 'request.unknown', request(ext=extensions((1, b'abc'), (127, b''))), request()
    yield 'request.padded', request(ext=extensions((0, bytes(9)), (5, b'x'))), \
        request(ext=extensions((0, bytes(9))))
    yield 'response.padded', response(ext=extensions((0, bytes(2))), tail=b'z'), \
        response(tail=b'z')
    yield 'puncture_request.unknown', puncture_request(ext=extensions((3, b'q'))), \
        puncture_request()
    yield 'puncture.unknown', puncture(ext=extensions((1, b''), (2, b''), (3, b''))), puncture()
    yield 'bundles.unknown', bundles(ext=extensions((9, b'r')), tail=b'z'), bundles(tail=b'z')
    yield 'fetch.unknown', fetch(ext=extensions((9, b'r'))), fetch()
    yield 'direct.unknown', direct(ext=extensions((64, span(0, 300)))), direct()
    yield 'probe.unknown', probe(ext=extensions((64, b'x'))), probe()


def bad_messages():
    def with_claim(*a):
        return request(claim=u8(1) + claim_range(*a))

    def with_filter(*a):
        return request(claim=u8(2) + claim_range(0, 9, 0, 1, 0, 5, 0) + bloom(*a))
    yield 'type_0', u8(0) + request()[1:]
    yield 'type_9', u8(9) + request()[1:]
    yield 'type_alone', u8(1)
    yield 'request.left_over', request() + b'\0'
    yield 'request.id_0', request(ident=0)
    yield 'request.flag_2', request(flags=2)
    yield 'request.nat_16', request(nat=16)
    for kind in (1, 5, 7, 9, 255):
        yield 'request.addr_kind_%d' % kind, request(to=u8(kind) + u16(1) + bytes(16))
        yield 'request.addr_kind_%d_short' % kind, request(to=u8(kind) + u16(1) + bytes(4))
    yield 'request.addr_mapped', request(to=ip6('00000000000000000000ffffc0000201', 6421))
    yield 'request.lan_mapped', request(lan=ip6('00000000000000000000ffff0a000001', 6421))
    yield 'request.time_long', request().replace(varint(5) + varint(65536), b'\x40\x05' +
                                                 varint(65536))
    yield 'request.newest_9', request(newest=range(9))
    yield 'request.newest_cut', request()[:-3] + u8(1) + u64(1)[:7]
    for kind in (4, 255):
        yield 'request.claim_kind_%d' % kind, request(claim=u8(kind))
        yield 'request.claim_kind_%d_sum' % kind, request(claim=u8(kind) + C_SUM[1:])
        yield 'request.claim_kind_%d_bloom' % kind, request(claim=u8(kind) + C_BLOOM[1:])
    yield 'request.low_above_high', with_claim(10, 9, 0, 1, 0, 0, 0)
    yield 'request.slicing_3', with_claim(0, 9, 3, 1, 0, 0, 0)
    yield 'request.modulo_0', with_claim(0, 9, 1, 0, 0, 0, 0)
    yield 'request.modulo_65537', with_claim(0, 9, 1, 65537, 0, 0, 0)
    yield 'request.offset', with_claim(0, 9, 1, 7, 7, 0, 0)
    yield 'request.none_modulo_2', with_claim(0, 9, 0, 2, 0, 0, 0)
    yield 'request.empty_count_1', request(claim=u8(3) + claim_range(0, 9, 0, 1, 0, 1, 0))
    yield 'request.hashes_0', with_filter(0, 1, bytes(8))
    yield 'request.hashes_17', with_filter(17, 1, bytes(8))
    yield 'request.filter_7', with_filter(7, 1, bytes(7))
    yield 'request.filter_1376', with_filter(7, 1, bytes(1376))
    yield 'request.must_know', request(ext=extensions((0x80, b'')))
    yield 'request.tags_fall', request(ext=extensions((2, b''), (1, b'')))
    yield 'request.tag_twice', request(ext=extensions((1, b''), (1, b'')))
    yield 'request.padding_twice', request(ext=extensions((0, b''), (0, b'')))
    yield 'request.padding_not_zero', request(ext=extensions((0, b'\0\1\0')))
    yield 'request.extension_cut', request(ext=u8(1) + u8(0) + u16(9) + bytes(8))
    yield 'request.no_extensions', request()[:-1]
    yield 'response.flag_8', response(flags=8)
    yield 'response.nat_16', response(nat=16)
    yield 'response.introduced_nat_16', response(introduced=THERE4 + NOWHERE + KEY_C + u8(16))
    yield 'response.key_cut', response(introduced=THERE4 + NOWHERE + KEY_C + u8(0))[:-3]
    yield 'response.must_know', response(ext=extensions((200, b'')), tail=b'zz')
    yield 'puncture_request.nowhere', puncture_request(target=NOWHERE)
    yield 'puncture_request.nat_16', puncture_request(nat=16)
    yield 'probe.id_0', probe(ident=0)
    yield 'probe.port_0', probe(port=0)
    yield 'probe.short', probe()[:-1]
    yield 'puncture_request.nowhere_alone', u8(3) + u64(ID) + NOWHERE + NO_EXTENSION
    yield 'puncture_request.left_over', puncture_request() + b'\0'
    yield 'puncture.left_over', puncture() + b'\0'
    yield 'puncture.short', puncture()[:-1]
    yield 'bundles.flag_4', bundles(flags=4)
    yield 'bundles.mail_with_id', bundles(flags=1)
    yield 'bundles.answer_without_id', bundles(ident=0, flags=2)
    yield 'fetch.id_0', fetch(ident=0)
    yield 'fetch.none', fetch(digests=b'')
    yield 'fetch.49', fetch(digests=bytes(49 * 16))
    yield 'fetch.cut', fetch(count=2)
    yield 'direct.kind_long', u8(7) + b'\xc0' + bytes(7) + NO_EXTENSION
    yield 'direct.no_extensions', u8(7) + varint(1)


def message_vectors():
    for name, m in good_messages():
        yield 'good.' + name, m
    for name, m, shorter in extended_messages():
        yield 'extended.' + name, m
        yield 'shorter.' + name, shorter
    for name, m in bad_messages():
        yield 'bad.' + name, m


# --- section: the envelope

def envelope(overlay, key, sender, nonce, message, shown=b'', first=False):
    header = u8(1) + u8(bool(shown) | first << 1) + overlay.tag + x25519_public(sender) + nonce + \
        shown
    return header + xchacha_seal(key, nonce + bytes(8), header, message)


def good_envelopes():
    """name, overlay, key, datagram, message"""
    b = x25519_public(NODE_B)
    for name, o in (('open', OPEN), ('closed', CLOSED)):
        key = o.pair(NODE_A, b)
        yield name + '.plain', key, envelope(o, key, NODE_A, span(3, 16), puncture()), puncture()
        yield name + '.token', key, envelope(o, key, NODE_A, span(4, 16), request(claim=C_SUM),
                                             shown=span(0xf0, 16)), request(claim=C_SUM)
        yield name + '.first', o.first, envelope(o, o.first, NODE_A, span(5, 16), request(),
                                                 first=True), request()
    shortest = u8(7)
    yield 'open.shortest', OPEN.first, envelope(OPEN, OPEN.first, NODE_A, span(7, 16), shortest,
                                                first=True), shortest
    largest = direct(tail=span(0, 1452 - 70 - 4))
    key = OPEN.pair(NODE_A, b)
    yield 'open.largest', key, envelope(OPEN, key, NODE_A, span(6, 16), largest), largest


def bad_envelopes():
    plain = next(iter(good_envelopes()))[2]
    yield 'bad.empty', b''
    yield 'bad.version_only', u8(1)
    yield 'bad.no_message', plain[:54 + 16]
    yield 'bad.flag_4', u8(1) + u8(4) + plain[2:]
    yield 'bad.token_and_first', u8(1) + u8(3) + plain[2:] + bytes(16)
    yield 'bad.token_cut', u8(1) + u8(1) + plain[2:54] + bytes(16 + 16)
    yield 'bad.too_long', plain + bytes(1453 - len(plain))
    yield 'other.version_0', u8(0) + plain[1:]
    yield 'other.version_2', u8(2) + plain[1:]
    yield 'other.short', u8(2)


def envelope_vectors():
    for name, key, datagram, message in good_envelopes():
        yield 'good.' + name + '.key', key
        yield 'good.' + name + '.datagram', datagram
        yield 'good.' + name + '.message', message
    yield from bad_envelopes()


# --- section: bundles and lists of them

def bundle(seed, kind, sequence, time, payload, flags=0, expiry=0, parents=(), overlay=OPEN):
    body = u8(1) + u8(flags) + ed25519_public(seed) + varint(kind) + varint(sequence) + \
        varint(time) + varint(expiry) + u8(len(parents)) + b''.join(parents) + \
        varint(len(payload)) + payload
    return body + ed25519_sign(seed, blake2b(32, b'', b'hearsay bundle 1', overlay.key, body))


def bundle_id(b):
    return blake2b(32, b'', b)


PLAIN = bundle(AUTHOR_1, 1, 1, 1, b'hello')
SECOND = bundle(AUTHOR_1, 1, 2, 70, b'', flags=5, expiry=2**31, parents=[bundle_id(PLAIN)])
OTHER = bundle(AUTHOR_2, 16384, 64, 2**30, span(0, 900))


def bundle_vectors():
    yield 'author.1.seed', AUTHOR_1
    yield 'author.1.key', ed25519_public(AUTHOR_1)
    yield 'author.2.seed', AUTHOR_2
    yield 'author.2.key', ed25519_public(AUTHOR_2)
    total = 0
    for name, b in (('plain', PLAIN), ('parent', SECOND), ('large', OTHER)):
        yield name, b
        yield name + '.id', bundle_id(b)
        total += int.from_bytes(bundle_id(b)[:16], 'big')
    total %= 2**128
    yield 'sum.empty.fingerprint', fingerprint(0, 0)
    yield 'sum.three', total.to_bytes(16, 'big')
    yield 'sum.three.fingerprint', fingerprint(3, total)


def fingerprint(count, total):
    """How a sum goes over the wire."""
    return blake2b(16, b'', u64(count), total.to_bytes(16, 'big'))[:8]


def pack(*items):
    out, known = b'', []
    for b in items:
        author = b[2:34]
        if author in known:
            item = u8(known.index(author) + 1)
        else:
            item = u8(0) + author
            known = (known + [author])[:16]
        item += b[:2] + b[34:]
        out += varint(len(item)) + item
    return out


def fake(author, size):
    """A pack looks at nothing but the author."""
    return bytes([1, 0]) + span(author, 32) + span(author + 7, size - 34)


def pack_vectors():
    many = [fake(i, 40) for i in range(18)] + [fake(i, 41 + i) for i in (0, 15, 16, 16)]
    lists = (('one', [PLAIN]), ('author_twice', [PLAIN, SECOND]), ('two_authors', [PLAIN, OTHER]),
             ('back', [fake(1, 34), fake(2, 1040), fake(1, 100), fake(2, 34)]), ('many', many))
    yield 'good.empty', b''
    yield 'good.empty.bundles', b''
    for name, items in lists:
        yield 'good.' + name, pack(*items)
        yield 'good.' + name + '.bundles', b''.join(u16(len(b)) + b for b in items)
    a = fake(1, 60)
    item = u8(0) + a[2:34] + a[:2] + a[34:]
    yield 'bad.number', varint(29) + u8(1) + a[:2] + a[34:]
    yield 'bad.number_2', pack(a) + varint(29) + u8(2) + a[:2] + a[34:]
    yield 'bad.key_twice', 2 * (varint(len(item)) + item)
    yield 'bad.size_0', varint(0)
    yield 'bad.size_long', b'\x40' + u8(len(item)) + item
    yield 'bad.size_large', varint(len(item) + 1) + item
    yield 'bad.size_huge', b'\xff' * 8
    yield 'bad.key_cut', varint(20) + u8(0) + bytes(19)
    yield 'bad.no_flags', varint(34) + u8(0) + bytes(33)
    yield 'bad.too_long', varint(1 + 32 + 1009) + u8(0) + bytes(32 + 1009)


# --- section: the filter

def mix(x):
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & M64
    x = (x ^ x >> 27) * 0x94d049bb133111eb & M64
    return x ^ x >> 31


def filter_positions(digest, hashes, salt, m):
    low, high = xxh3_128_of_16(digest, salt)
    out = []
    for pair in ([low, high], [mix(low + high & M64), mix(low - high & M64)]):
        for i in range(8):
            out.append(pair[i % 2] * m >> 64)
            pair[i % 2] = pair[i % 2] * m & M64
    return out[:hashes]


def filter_of(digests, hashes, salt, size):
    bits = bytearray(size)
    for digest in digests:
        for p in filter_positions(digest, hashes, salt, 8 * size):
            bits[p // 8] |= 1 << p % 8
    return bytes(bits)


def filter_vectors():
    """Digest i of a filter is the first half of BLAKE2b-256 of i as u64."""
    for name, count, hashes, salt, size in (
            ('none', 0, 7, 1, 8), ('one', 1, 7, 0, 8), ('three', 3, 1, 2**64 - 1, 16),
            ('hundred', 100, 7, 0x0123456789abcdef, 128),
            ('sixteen', 50, 16, 0xdeadbeefcafef00d, 256),
            ('largest', 900, 7, 0x8000000000000000, 1375)):
        digests = [blake2b(32, b'', u64(i))[:16] for i in range(count)]
        yield name + '.count', u64(count)
        yield name + '.hashes', u8(hashes)
        yield name + '.salt', u64(salt)
        yield name + '.bits', filter_of(digests, hashes, salt, size)


# --- files

def self_check():
    v = {}
    with open(os.path.join(HERE, 'crypto.hex'), encoding='ascii') as f:
        for line in f:
            if '=' in line and not line.startswith('#'):
                name, value = line.split('=')
                v[name.strip()] = bytes.fromhex(value.strip())
    for i in '123':
        e = 'ed25519.' + i
        assert ed25519_public(v[e + '.seed']) == v[e + '.key'], e
        assert ed25519_sign(v[e + '.seed'], v[e + '.message']) == v[e + '.signature'], e
    for i in '12':
        e = 'x25519.' + i
        assert x25519(v[e + '.scalar'], v[e + '.point']) == v[e + '.shared'], e
    assert x25519_public(v['x25519.alice.secret']) == v['x25519.alice.key']
    assert x25519(v['x25519.alice.secret'], v['x25519.bob.key']) == v['x25519.alice_bob']
    assert xchacha_seal(v['xchacha.key'], v['xchacha.nonce'], v['xchacha.header'],
                        v['xchacha.plain']) == v['xchacha.sealed']
    assert blake2b(64, b'', v['blake2b.message']) == v['blake2b.512']
    assert blake2b(64, v['blake2b.key'], v['blake2b.keyed.message']) == v['blake2b.keyed.512']


FILES = {
    'derive.hex': (derive_vectors, 'Keys, tags, tokens and the chain of chance'),
    'message.hex': (message_vectors, 'Messages: good, with extensions to be ignored, and bad'),
    'envelope.hex': (envelope_vectors, 'Datagrams; other.* have a version that is not ours'),
    'bundle.hex': (bundle_vectors, 'Bundles in the open overlay, ids, and a fingerprint'),
    'filter.hex': (filter_vectors, 'Bloom filters over the digests of the numbers 0 .. count - 1'),
    'pack.hex': (pack_vectors, 'Lists of bundles; *.bundles are u16 size and bundle each'),
}


def text_of(make, title):
    lines = ['# ' + title + '.', '# Made by make.py; do not edit.', '']
    return '\n'.join(lines + ['%s = %s' % (n, b.hex()) for n, b in make()]) + '\n'


def main():
    self_check()
    if sys.argv[1:2] == ['--corpus']:
        return corpus(sys.argv[2])
    differ = 0
    for name, (make, title) in FILES.items():
        path, text = os.path.join(HERE, name), text_of(make, title)
        if sys.argv[1:] == ['--check']:
            with open(path, encoding='ascii') as f:
                if f.read() != text:
                    print(name, 'differs')
                    differ = 1
        else:
            with open(path, 'w', encoding='ascii') as f:
                f.write(text)
    return differ


def corpus(folder):
    groups = {'message': message_vectors(), 'envelope': envelope_vectors(), 'pack': pack_vectors()}
    for group, vectors in groups.items():
        os.makedirs(os.path.join(folder, group), exist_ok=True)
        for name, value in vectors:
            if not name.endswith(('.key', '.message', '.bundles')):
                with open(os.path.join(folder, group, name.replace('.', '-')), 'wb') as f:
                    f.write(value)
    return 0


if __name__ == '__main__':
    sys.exit(main())
