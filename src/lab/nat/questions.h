/*
 * What a box really does, found out with nothing but datagrams between a host inside and two
 * outside, at two ports each: independent of how the box was made, and of who made it.  A kernel's
 * box and a simulated one are asked the same, in the same order, at the same times.
 */
#ifndef HEARSAY_LAB_NAT_QUESTIONS_H
#define HEARSAY_LAB_NAT_QUESTIONS_H

#include "hearsay/types.h"
#include "src/lab/nat/kind.h"

/* Each question has a socket of its own inside, for the answer to one would spoil the next: who was
 * sent to once is let in from then on. */
enum natlab_question {
    NATLAB_ASK_MAPPING,
    NATLAB_ASK_FILTERING,
    NATLAB_ASK_HAIRPIN,
    NATLAB_ASK_EARLY,
    NATLAB_ASK_LATE,
    NATLAB_ASK_PROLONGED,
    NATLAB_ASK_STRANGER,
    NATLAB_ASK_YOUNG,
    NATLAB_ASK_STREAM,
    NATLAB_ASK_STREAM_LATE,
    NATLAB_QUESTIONS,
};

/* Sockets by number: those inside by their question, then the two ports of the first host outside,
 * then those of the second. */
enum { NATLAB_SOCKETS_OUTSIDE = 4, NATLAB_SOCKETS = NATLAB_QUESTIONS + NATLAB_SOCKETS_OUTSIDE };

enum { NATLAB_SAYING_BYTES = 16 };

/* Who holds these sockets. */
struct natlab_asker {
    void *self;
    struct hsay_addr address[NATLAB_SOCKETS]; /* as each has it itself */
    unsigned wait_ms;                         /* for what must come */
    unsigned quiet_ms;                        /* for what should not come */
    void (*say)(void *self, unsigned socket, const struct hsay_addr *to, const char *text);
    /* True if a datagram with this text comes within so long; others that come before it are passed
     * over. */
    bool (*hear)(void *self, unsigned socket, const char *text, unsigned wait_ms,
                 struct hsay_addr *from);
    void (*sleep)(void *self, unsigned ms);
    uint64_t (*clock_ms)(void *self);
};

/* Which questions are asked besides mapping, filtering and ports. */
struct natlab_probe {
    bool hairpin;
    unsigned timer_s;  /* forgets after so long?  It waits for that; 0: not asked */
    unsigned stream_s; /* and after so long, once packets went both ways for a while?  Then also
                        * what prolongs a mapping, and who may begin; 0: not asked */
};

struct natlab_seen {
    struct lab_nat_kind box; /* open, blocked, mapping, filtering, ports; hairpin and hairpin_open,
                              * refresh_in and flows if asked */
    bool forgets;            /* after the time that was asked about, and not earlier */
    bool is_stream_young;    /* the longer time is there at once, */
    bool is_stream;          /* or when it was two seconds old, */
    bool forgets_stream;     /* and ends, as asked */
};

/* A probe of all that a kind like this can be asked, which takes no longer than `most_s` and the
 * two seconds around; short timers alone fit in. */
struct natlab_probe natlab_probe_thorough(const struct lab_nat_kind *kind, unsigned most_s);

void natlab_questions_ask(struct natlab_seen *seen, const struct natlab_asker *asker,
                          const struct natlab_probe *probe);

/* Is that what a kind like this should do?  As far as it was asked. */
bool natlab_questions_fit(const struct natlab_seen *seen, const struct lab_nat_kind *should,
                          const struct natlab_probe *probe);

/* "independent mapping, filter by address, ...; forgets after ..." as it was seen: ends with 0. */
enum { NATLAB_VERDICT_BYTES = 320 };
void natlab_questions_words(char text[NATLAB_VERDICT_BYTES], const struct natlab_seen *seen,
                            const struct natlab_probe *probe);

#endif
