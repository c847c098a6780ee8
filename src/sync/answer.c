/*
 * Drawing an answer from a claim.  Digests are looked at first and a body is read only for what
 * will be given: one more search per bundle given instead of a body per bundle looked at.
 */
#include "src/sync/answer.h"

#include <string.h>

#include "src/sync/claim.h"

enum {
    NEWEST_SHARE = 4,  /* one answer in four begins with the newest ... */
    NEWEST_COUNT = 64, /* ... so many: what two datagrams hold of small bundles */
};

/* The walk's first item.  Where only part of the time range's items belong to the slice, a walk
 * counts all of them, so chance has to reach over all that is held. */
static uint64_t start_of(const struct hsay_answer *answer, struct hsay_rng *rng,
                         const struct hsay_crypto *crypto, const struct hsay_range *range)
{
    uint64_t count = answer->sum.count;
    if (range->slicing == HSAY_SLICE_NONE) {
        if (hsay_rng_below(rng, crypto, NEWEST_SHARE) == 0)
            return count > NEWEST_COUNT ? count - NEWEST_COUNT : 0;
        return count == 0 ? 0 : hsay_rng_below(rng, crypto, count);
    }
    struct hsay_store_info info;
    answer->store->ops->info(answer->store->self, &info);
    return info.bundles == 0 ? 0 : hsay_rng_below(rng, crypto, info.bundles);
}

/* HSAY_EBUDGET: the range is so costly to add up that nobody will know. */
static int compare(struct hsay_answer *answer, const struct hsay_crypto *crypto,
                   const struct hsay_claim *claim)
{
    const struct hsay_store *store = answer->store;
    int rc = store->ops->sum(store->self, &claim->range, HSAY_ANSWER_WORK_MAX, &answer->sum);
    answer->summed = rc == HSAY_OK;
    if (rc == HSAY_EBUDGET) {
        answer->sum = (struct hsay_sum){0, 0, 0};
        return HSAY_OK;
    }
    if (rc != HSAY_OK)
        return rc;
    answer->fingerprint = hsay_claim_fingerprint(crypto, &answer->sum);
    answer->same = answer->sum.count == claim->count && answer->fingerprint == claim->fingerprint;
    return HSAY_OK;
}

int hsay_answer_begin(struct hsay_answer *answer, const struct hsay_store *store,
                      struct hsay_rng *rng, const struct hsay_crypto *crypto,
                      const struct hsay_claim *claim, uint64_t time_max, uint64_t wall_s)
{
    *answer = (struct hsay_answer){
        .store = store,
        .time_max = time_max,
        .wall_s = wall_s,
        .work = HSAY_ANSWER_WORK_MAX,
        .filtered = claim->kind == HSAY_CLAIM_BLOOM,
        .claimed = claim->count,
    };
    if (claim->kind == HSAY_CLAIM_NONE)
        return HSAY_OK;
    if (answer->filtered &&
        hsay_bloom_view(&answer->filter, claim->bits, claim->hashes, claim->salt) != HSAY_OK)
        return HSAY_EBAD;

    int rc = compare(answer, crypto, claim);
    if (rc != HSAY_OK)
        return rc;
    bool asks = claim->kind == HSAY_CLAIM_BLOOM || claim->kind == HSAY_CLAIM_EMPTY;
    answer->draws = asks && !answer->same && (!answer->summed || answer->sum.count != 0);
    if (!answer->draws)
        return HSAY_OK;
    uint64_t skip = start_of(answer, rng, crypto, &claim->range);
    return store->ops->walk(store->self, &claim->range, skip, &answer->cursor);
}

/* The next digest of the range that the claim lacks.  Everything looked at is paid for: the store
 * takes what is outside the range, we take the rest. */
static int next_lacking(struct hsay_answer *answer, struct hsay_position *at)
{
    const struct hsay_store *store = answer->store;
    while (answer->work > 0) {
        int rc = store->ops->next(store->self, &answer->cursor, false, &answer->work, at, NULL);
        if (rc != HSAY_OK)
            return rc;
        if (answer->work > 0)
            answer->work--;
        bool has = answer->filtered && hsay_bloom_has(&answer->filter, &at->digest);
        answer->looked++;
        answer->matched += has;
        if (!has && at->time <= answer->time_max)
            return HSAY_OK;
    }
    return HSAY_EBUDGET;
}

static bool is_expired(const struct hsay_answer *answer, const struct hsay_record *record)
{
    return record->expiry_s != 0 && answer->wall_s != 0 && record->expiry_s <= answer->wall_s;
}

int hsay_answer_next(struct hsay_answer *answer, struct hsay_record *out)
{
    if (answer->have_next) {
        *out = answer->next;
        answer->have_next = false;
        answer->more = false;
        return HSAY_OK;
    }
    int rc = answer->draws ? HSAY_OK : HSAY_ENOENT;
    while (rc == HSAY_OK) {
        struct hsay_position at;
        rc = next_lacking(answer, &at);
        if (rc != HSAY_OK)
            break;
        rc = answer->store->ops->get(answer->store->self, &at.digest, out);
        if (rc == HSAY_OK && !is_expired(answer, out))
            return HSAY_OK;
        if (rc == HSAY_ECORRUPT || rc == HSAY_ENOENT)
            rc = HSAY_OK;
    }
    answer->more = rc == HSAY_EBUDGET || answer->more;
    return rc == HSAY_EBUDGET ? HSAY_ENOENT : rc;
}

uint64_t hsay_answer_lacking(const struct hsay_answer *answer)
{
    uint64_t ours = answer->sum.count;
    if (answer->same || !answer->summed)
        return 0;
    uint64_t known = answer->claimed < ours ? answer->claimed : ours;
    if (answer->filtered && answer->looked != 0)
        known = answer->matched * ours / answer->looked;
    return answer->claimed > known ? answer->claimed - known : 0;
}

void hsay_answer_back(struct hsay_answer *answer, const struct hsay_record *record)
{
    answer->next = *record;
    answer->have_next = true;
    answer->more = true;
}
