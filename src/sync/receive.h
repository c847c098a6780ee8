/*
 * Taking a bundle in: the checks in order of their cost, then the store.
 *
 *   size and form -> duplicate -> expired -> global time -> slot -> signature -> slot again, store
 *
 * (The caller's budget for signatures stands before the signature.)
 *
 * An author's bundles form a log: sequence from 1, gaps may fill later, and time rises with
 * sequence. What an author says is held up to the first slot at which it contradicts itself:
 *  - fork: there are several bundles in that slot.  The two with the lowest digests are kept;
 *  - order: its time is not above that of every lower sequence.  It is kept as well.
 * That slot is the proof, not data, and nothing of this author above it is held; what is held when
 * the proof becomes complete is removed then.
 *
 * So the held set follows from the set of bundles that ever arrived and not from their order: a
 * bundle once refused stays refused whatever else arrives, and what refuses it is held itself.
 * (Dropping a backdated bundle, instead of keeping the first as proof, lacks the second half:
 * whoever saw it before its predecessor knows of a fork or an order that others have no trace of.)
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
    HSAY_RECEIVED_NEW = 0,   /* stored */
    HSAY_RECEIVED_FORK,      /* stored, and it makes complete, or better, the proof that its author
                              * contradicts itself */
    HSAY_RECEIVED_DROPPED,   /* *drop says why */
    HSAY_RECEIVED_UNCHECKED, /* all but the signature is good (check only) */
    HSAY_RECEIVED_FAILED,    /* *error: HSAY_ENOSPC, HSAY_ESTORE or what else the store returned */
};

/* All checks before the signature.  UNCHECKED or DROPPED or FAILED.  `b` is decoded here; after
 * HSAY_DROP_BUNDLE and HSAY_DROP_VERSION it is not filled in. */
enum hsay_received hsay_receive_check(const struct hsay_receiver *r, struct hsay_now now,
                                      struct hsay_span bytes, struct hsay_bundle *b,
                                      enum hsay_drop *drop, int *error);

/* After the signature was found good (b as check left it): slot rules, store, window.  Checks for a
 * duplicate again, since a verdict may come late. */
enum hsay_received hsay_receive_store(const struct hsay_receiver *r, struct hsay_now now,
                                      const struct hsay_bundle *b, enum hsay_drop *drop,
                                      int *error);

/* The next own bundle of this author: what sequence and global time it has.  HSAY_EBUDGET: more was
 * published than the window allows, others would refuse it; try again HSAY_TIME_WINDOW_STEP_MS
 * later.  HSAY_EINVAL: this author has contradicted itself (its key is in use twice) and can
 * publish no more.  Else what the store returns. */
int hsay_receive_next_slot(const struct hsay_receiver *r, const struct hsay_key *author,
                           uint64_t *sequence, uint64_t *time);

#endif
