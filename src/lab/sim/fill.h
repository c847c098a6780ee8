/*
 * Bundles that are there before anything happens: made once, put into the stores of some hosts, and
 * never sent.  A history of a million bundles takes seconds, where publishing and spreading it
 * would take hours.
 */
#ifndef HEARSAY_LAB_FILL_H
#define HEARSAY_LAB_FILL_H

#include "src/lab/sim/sim.h"

/* Which bundles of the fill some hosts lack. */
enum lab_fill_lack {
    LAB_FILL_NEWEST = 0, /* all but the first host: the last */
    LAB_FILL_OLDEST,     /* all but the first host: the first */
    LAB_FILL_SPREAD,     /* all but the first host: the same ones, drawn from all */
    LAB_FILL_EACH,       /* each host: its own, drawn from all; the first has what nobody has */
};

struct lab_fill {
    uint64_t count;
    uint64_t lack; /* so many of them */
    enum lab_fill_lack which;
    uint32_t authors; /* at least 1; new ones, who write in no order */
    size_t payload_bytes;
    bool memo; /* signatures of lab_crypto_memo_port, which cost a tenth */
    const uint32_t *host;
    uint32_t host_count; /* at least 1 */
    struct lab_chance *chance;
};

/* Each bundle has a global time of its own, above all that these hosts hold.  The hosts must be
 * off, for a node looks at its store when it joins: else HSAY_EINVAL, and nothing was done.  Or
 * what the store returned, which then has a part of them. */
int lab_sim_fill(struct lab_sim *sim, const struct lab_fill *fill);

#endif
