/*
 * Rumor mongering (Demers et al. 1987) without duplicates: a request names the short digests of
 * bundles that are new to us; the answer says which of them the peer wants; those are sent.  A
 * rumor that several peers in a row knew already has lost its interest.
 *
 * The same ring holds our own new bundles until they have been mailed.
 */
#ifndef HEARSAY_SYNC_RUMOR_H
#define HEARSAY_SYNC_RUMOR_H

#include "hearsay/node.h"

enum {
    HSAY_RUMOR_STALE_MAX = 2, /* contacts in a row that knew it: Demers' "counter" variant, k = 2 */
    HSAY_RUMOR_LIFETIME_MS = 60000,
    HSAY_RUMOR_WANT_MS = 2000, /* do not want from a second peer what the first was asked for */
};

struct hsay_rumor {
    struct hsay_digest digest;
    uint32_t since_ms; /* comes round after 49 days: then, at worst, an old one is named again */
    uint8_t stale;     /* contacts in a row that knew it */
    bool hot;          /* to be named in requests */
    bool mail;         /* own, not yet mailed */
    bool used;
};

struct hsay_want {
    uint64_t short_digest;
    hsay_time at;
};

/* Two rings in the caller's memory, which must live as long. */
struct hsay_rumors {
    struct hsay_rumor *entry;
    struct hsay_want *want;
    uint16_t entry_max;
    uint16_t next;
    uint16_t want_max;
    uint16_t want_next;
};

/* want_max: at least 1. */
void hsay_rumors_init(struct hsay_rumors *rumors, struct hsay_rumor *entry, uint16_t entry_max,
                      struct hsay_want *want, uint16_t want_max);

static inline uint64_t hsay_digest_short(const struct hsay_digest *d)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | d->byte[i];
    return v;
}

/* A bundle is new to us.  own: mail it, too. */
void hsay_rumor_add(struct hsay_rumors *rumors, hsay_time now, const struct hsay_digest *digest,
                    bool own);

/* The youngest hot rumors' digests, at most `max`.  Returns how many. */
size_t hsay_rumor_hot(const struct hsay_rumors *rumors, hsay_time now, struct hsay_digest *out,
                      size_t max);

/* What a peer said to a rumor that a request named. */
void hsay_rumor_on_told(struct hsay_rumors *rumors, uint64_t short_digest, bool wanted);

/* May we want this one (nobody was asked for it just now)?  Remembers it if so. */
bool hsay_rumor_want(struct hsay_rumors *rumors, hsay_time now, uint64_t short_digest);

/* The next digest to be mailed, oldest first, which is then no longer to be mailed; false: none. */
bool hsay_rumor_take_mail(struct hsay_rumors *rumors, struct hsay_digest *out);
bool hsay_rumor_has_mail(const struct hsay_rumors *rumors);

#endif
