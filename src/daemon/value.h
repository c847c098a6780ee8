/*
 * Values as people write them: 2GB, 30d, 0.5s, yes.  Pure.  All return 0, or HSAY_EBAD and leave
 * *out alone.
 */
#ifndef HEARSAY_DAEMON_VALUE_H
#define HEARSAY_DAEMON_VALUE_H

#include "hearsay/types.h"

/* yes no true false on off 1 0 */
int value_bool(bool *out, const char *text);

int value_number(uint64_t *out, const char *text);

/* A number with B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (of 1024) or nothing. */
int value_bytes(uint64_t *out, const char *text);

/* Milliseconds of a number, if need be with a point, with ms, s, min, h, d, or nothing: seconds. */
int value_ms(uint64_t *out, const char *text);

/* An address to listen at: "192.0.2.1:6421", "[::]:0", or a port alone: every address. */
int value_listen(struct hsay_addr *out, const char *text);

/* How many letters must be changed, added or left out to make one of the other; both are looked at
 * up to 63 letters. */
unsigned value_distance(const char *a, const char *b);

#endif
