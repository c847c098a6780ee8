/*
 * From what is known of a peer to a range, from a range to a filter.
 *
 * Tried by simulation, requests until two nodes of n bundles hold the same, d of them new: offsets
 * in turn instead of at random save a factor of 2 to 4 at any n and d; the newest every second time
 * makes 2 out of 3,229 where the d are all new, and costs a factor of 2 where they are spread.
 * Hence both, and the sweep alone when so much is missing that each slice fills an answer anyway.
 */
#include "src/sync/claim.h"

#include <string.h>

#include "bloom/bloom.h"
#include "src/sync/pivot.h"
#include "src/sync/range.h"

enum {
    ERROR_PPM = 10000,
    KIND_BYTES = 1,
    /* two times, slicing, modulo, offset, count, fingerprint, all at their largest */
    RANGE_BYTES = 8 + 8 + 1 + 4 + 4 + 8 + 8,
    SUM_BYTES = KIND_BYTES + RANGE_BYTES,
    FILTER_HEAD_BYTES = 1 + 8 + 2, /* hashes, salt, size */

    /* A peer that holds more than an eighth more than we do: then a slice of 900 lacks about 100,
     * and that fills half of an answer of 64 KiB, if bundles are of 300 bytes.  Where they are is
     * of no importance then, and every claim that is not of the sweep only delays the rest of it.
     */
    FAR_BEHIND_SHARE = 8,

    /* So few slices are swept alone: with two, what is newest comes as often either way, and what
     * is old twice as often; with three still 1.5 claims apart on average instead of 1. */
    SWEPT_ALONE_SLICES = 3,
};

void hsay_claims_init(struct hsay_claims *claims, uint8_t policy)
{
    *claims = (struct hsay_claims){.policy = policy};
}

uint64_t hsay_claim_fingerprint(const struct hsay_crypto *crypto, const struct hsay_sum *sum)
{
    uint8_t bytes[24], hash[16];
    struct hsay_writer w = hsay_writer(bytes, sizeof bytes);
    hsay_write_u64(&w, sum->count);
    hsay_write_u64(&w, sum->high);
    hsay_write_u64(&w, sum->low);

    const struct hsay_span part = {bytes, sizeof bytes};
    crypto->ops->hash(crypto->self, hash, sizeof hash, (struct hsay_span){NULL, 0}, &part, 1);
    struct hsay_reader r = hsay_reader((struct hsay_span){hash, sizeof hash});
    return hsay_read_u64(&r);
}

/* ---- which range --------------------------------------------------------------------------- */

static int choose_hearsay(struct hsay_claims *claims, const struct hsay_chooser *c, bool sweep_only,
                          struct hsay_choice *out)
{
    bool few = hsay_range_slices(c->held, c->capacity) <= SWEPT_ALONE_SLICES;
    if (!sweep_only && !few && claims->turn % 2 == 0)
        return hsay_range_newest(c, out);
    return hsay_range_sweep(c, &claims->sweep_point, out);
}

/* One rule, whatever is known of the peer. */
static int choose_alone(struct hsay_claims *claims, const struct hsay_chooser *c,
                        struct hsay_choice *out)
{
    if (claims->ranges == HSAY_RANGES_MODULO)
        return hsay_modulo_range(c, out);
    if (claims->ranges == HSAY_RANGES_PIVOT)
        return hsay_pivot_range(c, out);
    return hsay_range_sweep(c, &claims->sweep_point, out);
}

static int choose_by_policy(struct hsay_claims *claims, const struct hsay_chooser *c,
                            const struct hsay_claim_want *want, struct hsay_choice *out)
{
    bool far_behind = want->behind > c->held / FAR_BEHIND_SHARE;
    if (claims->ranges != HSAY_RANGES_POLICY)
        return choose_alone(claims, c, out);
    if (claims->policy == HSAY_POLICY_HEARSAY)
        return choose_hearsay(claims, c, far_behind || want->newest_same, out);
    if (claims->policy == HSAY_POLICY_PAPER && far_behind)
        return hsay_modulo_range(c, out);
    return hsay_pivot_range(c, out);
}

static int choose(struct hsay_claims *claims, const struct hsay_chooser *c,
                  const struct hsay_claim_want *want, struct hsay_choice *out)
{
    const struct hsay_range everything = hsay_range_everything();
    if (want->again != NULL)
        return hsay_range_fit(c, want->again, out);
    if (c->held <= c->capacity)
        return hsay_range_fit(c, &everything, out);

    if (claims->turn == 0) /* not all nodes shall begin at the same place */
        claims->sweep_point = hsay_rng_u64(c->rng, c->crypto);
    int rc = choose_by_policy(claims, c, want, out);
    if (rc == HSAY_ENOENT) /* too many at one time: digests tell them apart */
        rc = hsay_range_sweep(c, &claims->sweep_point, out);
    claims->turn++;
    return rc;
}

/* ---- what is said about it ------------------------------------------------------------------ */

static void state(struct hsay_claim *claim, const struct hsay_crypto *crypto, uint8_t kind,
                  const struct hsay_choice *choice)
{
    *claim = (struct hsay_claim){
        .kind = kind,
        .range = choice->range,
        .count = choice->sum.count,
        .fingerprint = hsay_claim_fingerprint(crypto, &choice->sum),
    };
}

/* The filter must have all that the count counts: a store that disagrees with itself is broken. */
static int add_all(struct hsay_bloom *filter, const struct hsay_store *store,
                   const struct hsay_choice *choice)
{
    struct hsay_cursor cursor;
    int rc = store->ops->walk(store->self, &choice->range, 0, &cursor);
    uint64_t added = 0;
    uint32_t work = UINT32_MAX;
    while (rc == HSAY_OK) {
        struct hsay_position at;
        rc = store->ops->next(store->self, &cursor, false, &work, &at, NULL);
        if (rc == HSAY_OK) {
            hsay_bloom_add(filter, &at.digest);
            added++;
        }
    }
    if (rc != HSAY_ENOENT)
        return rc;
    return added == choice->sum.count ? HSAY_OK : HSAY_ESTORE;
}

/* No larger than its content needs: the rest of the room would buy nothing but fewer errors. */
static int fill(struct hsay_claim *claim, const struct hsay_chooser *c,
                const struct hsay_choice *choice, uint8_t *bits)
{
    struct hsay_bloom_shape shape;
    struct hsay_bloom filter;
    uint64_t salt = hsay_rng_u64(c->rng, c->crypto);
    hsay_bloom_shape(&shape, hsay_bloom_bytes_for((uint32_t)choice->sum.count, ERROR_PPM),
                     ERROR_PPM);
    int rc = hsay_bloom_init(&filter, bits, shape.bytes, shape.hashes, salt);
    if (rc == HSAY_OK)
        rc = add_all(&filter, c->store, choice);
    if (rc != HSAY_OK)
        return rc;

    state(claim, c->crypto, HSAY_CLAIM_BLOOM, choice);
    claim->hashes = shape.hashes;
    claim->salt = salt;
    claim->bits = (struct hsay_span){bits, shape.bytes};
    return HSAY_OK;
}

static uint32_t capacity_of(size_t room_bytes)
{
    struct hsay_bloom_shape shape;
    size_t head = SUM_BYTES + FILTER_HEAD_BYTES;
    size_t room = room_bytes > head ? room_bytes - head : 0;
    if (room > HSAY_FILTER_MAX_BYTES)
        room = HSAY_FILTER_MAX_BYTES;
    hsay_bloom_shape(&shape, (uint32_t)room, ERROR_PPM);
    return shape.capacity;
}

static int make_filter(struct hsay_claims *claims, const struct hsay_chooser *c,
                       const struct hsay_claim_want *want, uint8_t *bits, struct hsay_claim *claim)
{
    struct hsay_choice choice;
    int rc = choose(claims, c, want, &choice);
    if (rc != HSAY_OK)
        return rc;
    if (choice.sum.count != 0)
        return fill(claim, c, &choice, bits);
    state(claim, c->crypto, HSAY_CLAIM_EMPTY, &choice);
    return HSAY_OK;
}

int hsay_claim_make(struct hsay_claims *claims, const struct hsay_store *store,
                    struct hsay_rng *rng, const struct hsay_crypto *crypto,
                    const struct hsay_claim_want *want, uint8_t *bits, struct hsay_claim *claim)
{
    *claim = (struct hsay_claim){.kind = HSAY_CLAIM_NONE};
    if (want->room_bytes < SUM_BYTES)
        return HSAY_OK;

    struct hsay_choice all = {.range = hsay_range_everything()};
    if (want->kind == HSAY_CLAIM_SUM && want->again != NULL)
        all.range = *want->again;
    int rc = store->ops->sum(store->self, &all.range, UINT64_MAX, &all.sum);
    if (rc != HSAY_OK)
        return rc;
    const struct hsay_chooser chooser = {
        .store = store,
        .rng = rng,
        .crypto = crypto,
        .held = all.sum.count,
        .capacity = capacity_of(want->room_bytes),
    };
    if (want->kind == HSAY_CLAIM_BLOOM && chooser.capacity != 0) {
        rc = make_filter(claims, &chooser, want, bits, claim);
        if (rc != HSAY_ENOENT)
            return rc;
    }
    state(claim, crypto, HSAY_CLAIM_SUM, &all);
    return HSAY_OK;
}
