/*
 * A ring of what is new: the next entry overwrites the oldest.  With 64 entries of a minute each
 * that loses something only above one new bundle a second, and then nothing but speed: claims find
 * what rumors and mail missed.
 */
#include "src/sync/rumor.h"

#include <assert.h>
#include <string.h>

void hsay_rumors_init(struct hsay_rumors *rumors, struct hsay_rumor *entry, uint16_t entry_max,
                      struct hsay_want *want, uint16_t want_max)
{
    assert(want_max >= 1);
    *rumors = (struct hsay_rumors){
        .entry = entry, .want = want, .entry_max = entry_max, .want_max = want_max};
    for (uint16_t i = 0; i < entry_max; i++)
        entry[i] = (struct hsay_rumor){.used = false};
    for (uint16_t i = 0; i < want_max; i++)
        want[i] = (struct hsay_want){.at = HSAY_TIME_NEVER};
}

/* The entry that is `back` places older than the youngest (0: the youngest itself). */
static struct hsay_rumor *rumor_at(const struct hsay_rumors *rumors, uint16_t back)
{
    uint32_t place = (uint32_t)rumors->next + rumors->entry_max - 1u - back;
    return &rumors->entry[place % rumors->entry_max];
}

static uint32_t milliseconds(hsay_time t)
{
    return (uint32_t)(t.ns / 1000000u);
}

void hsay_rumor_add(struct hsay_rumors *rumors, hsay_time now, const struct hsay_digest *digest,
                    bool own)
{
    if (rumors->entry_max == 0)
        return;
    rumors->entry[rumors->next] = (struct hsay_rumor){
        .digest = *digest,
        .since_ms = milliseconds(now),
        .hot = true,
        .mail = own,
        .used = true,
    };
    rumors->next = (uint16_t)((rumors->next + 1u) % rumors->entry_max);
}

static bool is_hot(const struct hsay_rumor *rumor, hsay_time now)
{
    return rumor->used && rumor->hot &&
           milliseconds(now) - rumor->since_ms < HSAY_RUMOR_LIFETIME_MS;
}

size_t hsay_rumor_hot(const struct hsay_rumors *rumors, hsay_time now, struct hsay_digest *out,
                      size_t max)
{
    size_t count = 0;
    for (uint16_t back = 0; back < rumors->entry_max && count < max; back++) {
        const struct hsay_rumor *rumor = rumor_at(rumors, back);
        if (is_hot(rumor, now))
            out[count++] = rumor->digest;
    }
    return count;
}

void hsay_rumor_on_told(struct hsay_rumors *rumors, uint64_t short_digest, bool wanted)
{
    for (uint16_t back = 0; back < rumors->entry_max; back++) {
        struct hsay_rumor *rumor = rumor_at(rumors, back);
        if (!rumor->used || hsay_digest_short(&rumor->digest) != short_digest)
            continue;
        if (wanted)
            rumor->stale = 0;
        else if (rumor->stale < HSAY_RUMOR_STALE_MAX)
            rumor->stale++;
        rumor->hot = rumor->stale < HSAY_RUMOR_STALE_MAX && rumor->hot;
    }
}

bool hsay_rumor_want(struct hsay_rumors *rumors, hsay_time now, uint64_t short_digest)
{
    for (uint16_t i = 0; i < rumors->want_max; i++) {
        const struct hsay_want *want = &rumors->want[i];
        bool asked_for = want->short_digest == short_digest && !hsay_time_before(now, want->at);
        if (asked_for && hsay_time_ms_between(want->at, now) < HSAY_RUMOR_WANT_MS)
            return false;
    }
    rumors->want[rumors->want_next] = (struct hsay_want){short_digest, now};
    rumors->want_next = (uint16_t)((rumors->want_next + 1u) % rumors->want_max);
    return true;
}

static struct hsay_rumor *oldest_mail(const struct hsay_rumors *rumors)
{
    for (uint16_t back = rumors->entry_max; back > 0; back--) {
        struct hsay_rumor *rumor = rumor_at(rumors, (uint16_t)(back - 1));
        if (rumor->used && rumor->mail)
            return rumor;
    }
    return NULL;
}

bool hsay_rumor_take_mail(struct hsay_rumors *rumors, struct hsay_digest *out)
{
    struct hsay_rumor *rumor = oldest_mail(rumors);
    if (rumor == NULL)
        return false;
    *out = rumor->digest;
    rumor->mail = false;
    return true;
}

bool hsay_rumor_has_mail(const struct hsay_rumors *rumors)
{
    return oldest_mail(rumors) != NULL;
}
