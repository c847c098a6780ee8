/*
 * What JSON has no form of its own for: bytes, addresses, and 64-bit numbers without a sign.
 */
#ifndef HEARSAY_DAEMON_JSON_VALUE_H
#define HEARSAY_DAEMON_JSON_VALUE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* As hex; `size` is at most JSON_HEX_BYTES_MAX.  The caller owns the value; NULL without memory. */
enum { JSON_HEX_BYTES_MAX = 2048 };
json_t *json_hex(const void *bytes, size_t size);

struct hsay_addr;
json_t *json_addr(const struct hsay_addr *addr); /* as hsay_addr_format has it; NONE is null */

/* As an integer; ours stay below 2^63. */
json_t *json_number(uint64_t number);

#endif
