/*
 * How far ahead of what we know a bundle's global time may be.
 *
 * limit = max(own highest, median of what contacted peers claim, one voice per network group)
 *         + HSAY_TIME_WINDOW; and the limit itself moves by at most HSAY_TIME_WINDOW per
 * HSAY_TIME_WINDOW_STEP_MS, whatever was accepted: "own + window" alone is a ratchet that one
 * author can push by a window per bundle.  The first median after a start is taken at once (a
 * newcomer, or a node that slept for a week), and again while there are fewer voices than three.
 *
 * One attacker's claims move nothing once three groups speak; 2^63 and the like never count.
 */
#ifndef HEARSAY_SYNC_WINDOW_H
#define HEARSAY_SYNC_WINDOW_H

#include "hearsay/types.h"

enum {
    HSAY_WINDOW_VOICES_MAX = 8,
    HSAY_WINDOW_SETTLES = 3, /* voices from which on one alone moves nothing */
};

struct hsay_window_voice {
    uint64_t group; /* network group; 0 = empty */
    uint64_t time;
};

struct hsay_window {
    struct hsay_window_voice *voice; /* the caller's; must live as long as the window */
    uint64_t own;                    /* highest global time held */
    uint64_t limit;                  /* highest acceptable */
    hsay_time moved_at;
    uint8_t voice_max;
    uint8_t voice_next;
    bool settled; /* three groups have spoken since the start */
};

/* voice_max: HSAY_WINDOW_SETTLES .. HSAY_WINDOW_VOICES_MAX. */
void hsay_window_init(struct hsay_window *w, struct hsay_window_voice *voice, uint8_t voice_max,
                      hsay_time now, uint64_t own);

/* A peer that answered a request of ours says how far it is. */
void hsay_window_on_claim(struct hsay_window *w, hsay_time now, uint64_t group, uint64_t time);

/* A bundle of this time was stored. */
void hsay_window_on_stored(struct hsay_window *w, hsay_time now, uint64_t time);

/* The highest acceptable global time now (moves the bound if its time has come). */
uint64_t hsay_window_limit(struct hsay_window *w, hsay_time now);

#endif
