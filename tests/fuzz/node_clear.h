/*
 * A crypto port without secrets, so that a fuzzer reaches what lies behind the crypto: whoever sees
 * a datagram can read it, whoever knows a public key can seal for it, and one bit of a signature
 * says whether it is good.  What the core relies on still holds: another key, nonce, header or text
 * gives another tag, and other bytes give another hash (XXH3).
 */
#ifndef HEARSAY_TESTS_NODE_CLEAR_H
#define HEARSAY_TESTS_NODE_CLEAR_H

#include "hearsay/crypto.h"

/* A signature whose first byte has this bit is bad; sign never sets it. */
enum { NODE_CLEAR_BAD_SIGNATURE = 1 };

/* The port has no state.  A secret of a node is its public key; the public half of an author's
 * secret is its second half, as everywhere. */
struct hsay_crypto node_clear_crypto(void);

#endif
