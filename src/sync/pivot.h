/*
 * The two range strategies of Dispersy, for the policies `paper` and `code2019`.  Private to
 * src/sync.
 */
#ifndef HEARSAY_SYNC_PIVOT_H
#define HEARSAY_SYNC_PIVOT_H

#include "src/sync/range.h"

/* -ln(u / 2^64) in fixed point, 32 bits behind the point, for u >= 1.  Off by less than 2^-27. */
uint64_t hsay_pivot_neg_ln_q32(uint64_t u);

/* A pivot among the global times 0 .. `time`: time - Exp(mean time / 2), or when that is below 1
 * (13.5 %) uniform. */
uint64_t hsay_pivot_draw(struct hsay_rng *rng, const struct hsay_crypto *crypto, uint64_t time);

/* One capacity to the right or to the left of a pivot, what spans more of global time. */
int hsay_pivot_range(const struct hsay_chooser *c, struct hsay_choice *out);

/* A random one of as many slices by global time as it takes. */
int hsay_modulo_range(const struct hsay_chooser *c, struct hsay_choice *out);

#endif
