/*
 * Invariants: what must hold of every host at every event of every run, whatever the network, the
 * disk and the others do.
 *
 * They are held against hosts from outside: what goes in, what comes out, what the store has then.
 * Of a node's inside only that is looked at which nobody could tell otherwise: its token secret and
 * its time window.  Every check keeps tables of its own and changes nothing: a run has the same
 * digest with and without.
 *
 * What a strange or broken check would let pass is tried in tests/lab/test_lab_invariant.c: each
 * invariant has a violation planted there that it must notice.
 */
#ifndef HEARSAY_LAB_INVARIANT_H
#define HEARSAY_LAB_INVARIANT_H

#include "src/lab/sim/sim.h"

enum lab_invariant {
    LAB_INVARIANT_LEDGER,      /* no more for a stranger's packet than it brought */
    LAB_INVARIANT_SILENCE,     /* three datagrams an hour to who never answered */
    LAB_INVARIANT_SEARCH,      /* one search for ports an hour to a host, of so many packets */
    LAB_INVARIANT_ADDRESS,     /* none to an address that is nobody's, or one's own */
    LAB_INVARIANT_SIZE,        /* none larger than the host may send */
    LAB_INVARIANT_OUTBOX,      /* a call finds room in the outbox that it asked for */
    LAB_INVARIANT_TABLES,      /* candidates and address book within their sizes */
    LAB_INVARIANT_PENDING,     /* requests: so many at once, one answer to each, each in time */
    LAB_INVARIANT_STRANGER,    /* nothing is stored that a stranger brought */
    LAB_INVARIANT_ALTERED,     /* a bundle's bytes are those that its author published */
    LAB_INVARIANT_UNPUBLISHED, /* nobody holds what nobody published, or took back */
    LAB_INVARIANT_LOST,        /* what was committed is there until it is removed */
    LAB_INVARIANT_UNSYNCED,    /* what was not committed is gone after a crash */
    LAB_INVARIANT_CLAIM,       /* no claim counts what the store does not hold */
    LAB_INVARIANT_WINDOW,      /* global time is below its bound, which moves at its pace */
    LAB_INVARIANT_FORK,        /* honest authors never fork */
    LAB_INVARIANT_DEADLINE,    /* what was due has been done */
    LAB_INVARIANT_STORM,       /* timers fire a bounded number of times a second */
    LAB_INVARIANT_RESULT,      /* calls succeed unless the disk failed */
    LAB_INVARIANT_AGREEMENT,   /* once all is well again, everybody comes to hold the same */
    LAB_INVARIANT_COUNT,
};

const char *lab_invariant_name(enum lab_invariant invariant); /* "ledger" */
const char *lab_invariant_rule(enum lab_invariant invariant); /* what it says, as a sentence */

enum lab_check {
    LAB_CHECK_AUTO,    /* all of up to some thousand hosts, else sampled */
    LAB_CHECK_ALL,     /* every host */
    LAB_CHECK_SAMPLED, /* a thousand of them */
    LAB_CHECK_OFF,
};

struct lab_invariants;

/* Called before the first host is on; observers that meddle come before it.  NULL with OFF. */
struct lab_invariants *lab_invariants_new(struct lab_sim *sim, enum lab_check check);
void lab_invariants_free(struct lab_invariants *all);

/* What can be said only of the end of a run. */
void lab_invariants_finish(struct lab_invariants *all);

/* Something else found one broken.  No thread is running. */
void lab_invariants_tell(struct lab_invariants *all, enum lab_invariant invariant, uint32_t host,
                         const char *what);

/* Violations so far, of one invariant or with LAB_INVARIANT_COUNT of all; 0 for NULL. */
uint64_t lab_invariants_violations(const struct lab_invariants *all, enum lab_invariant invariant);

/* The first of them as a sentence with host and time, the same for any number of threads; NULL if
 * there was none. */
const char *lab_invariants_first(struct lab_invariants *all);

/* Turns that were looked at. */
uint64_t lab_invariants_turns(const struct lab_invariants *all);

/* Hosts that are looked at; 0 for NULL. */
uint32_t lab_invariants_hosts(const struct lab_invariants *all);

/* Whether this bundle was published by a host and committed there. */
bool lab_invariants_published(const struct lab_invariants *all, const struct hsay_digest *digest);

#endif
