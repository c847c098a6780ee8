/*
 * The bound on global time, moved by three rules:
 *
 *  - until three groups have spoken, what they say is taken at once, upwards and downwards: a
 * newcomer has no other way to reach a network that is years ahead, and a liar that spoke first is
 * forgotten when others speak;
 *  - the third group settles it: its median is the last one to be taken at once;
 *  - from then on, and for what we hold ourselves always, the bound moves up by HSAY_TIME_WINDOW
 * per HSAY_TIME_WINDOW_STEP_MS and never down.  The worst that any coalition of author and voices
 * can do in a day is 24 * 720 * 10,000 = 1.73e8, and at that rate 2^62 lasts 7e7 years.
 *
 * Dropped: letting the bound fall to a lower median later on.  A bound too high does no harm by
 * itself, while one that falls too low keeps a node from honest bundles.
 */
#include "src/sync/window.h"

#include <assert.h>
#include <string.h>

#include "hearsay/params.h"

static uint64_t add_window(uint64_t time)
{
    return time < HSAY_TIME_MAX - HSAY_TIME_WINDOW ? time + HSAY_TIME_WINDOW : HSAY_TIME_MAX;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void hsay_window_init(struct hsay_window *w, struct hsay_window_voice *voice, uint8_t voice_max,
                      hsay_time now, uint64_t own)
{
    assert(voice_max >= HSAY_WINDOW_SETTLES && voice_max <= HSAY_WINDOW_VOICES_MAX);
    memset(voice, 0, voice_max * sizeof *voice);
    *w = (struct hsay_window){.voice = voice,
                              .own = own,
                              .limit = add_window(own),
                              .moved_at = now,
                              .voice_max = voice_max};
}

/* All that was said, in ascending order.  Returns how many. */
static size_t sorted_voices(const struct hsay_window *w, uint64_t out[HSAY_WINDOW_VOICES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < w->voice_max; i++) {
        if (w->voice[i].group == 0)
            continue;
        size_t at = count++;
        for (; at > 0 && out[at - 1] > w->voice[i].time; at--)
            out[at] = out[at - 1];
        out[at] = w->voice[i].time;
    }
    return count;
}

/* The lower of the two in the middle, so that raising it takes more than half of the groups.  Of
 * two voices the higher: the other may be a newcomer like ourselves, and two are no vote anyway. */
static uint64_t median(const uint64_t *sorted, size_t count)
{
    if (count == 0)
        return 0;
    return count == 2 ? sorted[1] : sorted[(count - 1) / 2];
}

static struct hsay_window_voice *voice_of(struct hsay_window *w, uint64_t group)
{
    struct hsay_window_voice *empty = NULL;
    for (size_t i = 0; i < w->voice_max; i++) {
        if (w->voice[i].group == group)
            return &w->voice[i];
        if (w->voice[i].group == 0 && empty == NULL)
            empty = &w->voice[i];
    }
    if (empty != NULL)
        return empty;
    struct hsay_window_voice *oldest = &w->voice[w->voice_next];
    w->voice_next = (uint8_t)((w->voice_next + 1u) % w->voice_max);
    return oldest;
}

/* What we hold supports at most what it supported before: `own` moves the bound by steps alone. */
static void take_at_once(struct hsay_window *w, hsay_time now, uint64_t time)
{
    uint64_t kept = min_u64(w->limit, add_window(w->own));
    uint64_t limit = max_u64(add_window(time), kept);
    if (limit > w->limit)
        w->moved_at = now;
    w->limit = limit;
}

/* A time of 0 is the voice of somebody who holds nothing, which says nothing; one so large that the
 * window above it has no room is a lie. */
void hsay_window_on_claim(struct hsay_window *w, hsay_time now, uint64_t group, uint64_t time)
{
    if (group == 0 || time == 0 || time > HSAY_TIME_MAX - HSAY_TIME_WINDOW)
        return;
    *voice_of(w, group) = (struct hsay_window_voice){.group = group, .time = time};
    if (w->settled)
        return;

    uint64_t sorted[HSAY_WINDOW_VOICES_MAX];
    size_t count = sorted_voices(w, sorted);
    take_at_once(w, now, median(sorted, count));
    w->settled = count >= HSAY_WINDOW_SETTLES;
}

void hsay_window_on_stored(struct hsay_window *w, hsay_time now, uint64_t time)
{
    w->own = max_u64(w->own, time);
    hsay_window_limit(w, now);
}

uint64_t hsay_window_limit(struct hsay_window *w, hsay_time now)
{
    uint64_t sorted[HSAY_WINDOW_VOICES_MAX];
    uint64_t middle = median(sorted, sorted_voices(w, sorted));
    uint64_t target = add_window(max_u64(w->own, middle));
    bool due = hsay_time_ms_between(w->moved_at, now) >= HSAY_TIME_WINDOW_STEP_MS;
    if (target > w->limit && due) {
        w->limit = min_u64(target, add_window(w->limit));
        w->moved_at = now;
    }
    return w->limit;
}
