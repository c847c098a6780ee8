/*
 * Taking a bundle in: the checks in order of their cost, then the store.
 *
 *   size and form -> duplicate -> expired -> global time -> author's budget -> signature -> slot
 *
 * An author's bundles form a log: sequence from 1, and time rises with sequence.  Two rules keep what
 * all honest nodes hold the same, in whatever order bundles come:
 *  - order: a bundle whose time is not above that of every lower sequence is not data.  When the lower
 *    one comes later, the higher ones that it contradicts are removed.
 *  - fork: of several bundles in one slot the two with the lowest ids are kept, as proof, and no
 *    bundle of that author above the slot is held.
 */
#ifndef HEARSAY_SYNC_RECEIVE_H
#define HEARSAY_SYNC_RECEIVE_H

#include "src/sync/bundle.h"
#include "src/sync/window.h"

/* What is needed to judge; borrowed for the call. */
struct hsay_receiver {
    const struct hsay_store *store;
    const struct hsay_crypto *crypto;
    const struct hsay_key *overlay;
    struct hsay_window *window;
};

enum hsay_received {
    HSAY_RECEIVED_NEW = 0,  /* stored */
    HSAY_RECEIVED_FORK,     /* stored, and it proves a fork */
    HSAY_RECEIVED_DROPPED,  /* *drop says why */
    HSAY_RECEIVED_UNCHECKED,/* all but the signature is good (check only) */
    HSAY_RECEIVED_FAILED,   /* *error: HSAY_ENOSPC or HSAY_ESTORE */
};

/* All checks before the signature.  UNCHECKED or DROPPED or FAILED.  `b` is decoded here. */
enum hsay_received hsay_receive_check(const struct hsay_receiver *r, struct hsay_now now,
                                      struct hsay_span bytes, struct hsay_bundle *b,
                                      enum hsay_drop *drop, int *error);

/* After the signature was found good (b as check left it): slot rules, store, window.  Checks for a
 * duplicate again, since a verdict may come late. */
enum hsay_received hsay_receive_store(const struct hsay_receiver *r, struct hsay_now now,
                                      const struct hsay_bundle *b, enum hsay_drop *drop, int *error);

/* The next own bundle of this author: what sequence and global time it has. */
int hsay_receive_next_slot(const struct hsay_receiver *r, const struct hsay_key *author,
                           uint64_t *sequence, uint64_t *time);

#endif
