/* Whatever claim a request carries: the answer costs no more than it may and gives only what is in
 * the range; and its range, if it were our own once more, gives a claim that others accept. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "src/port/store_mem.h"
#include "src/sync/answer.h"
#include "src/sync/claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ITEMS = 6000, /* more than one answer may look at */
    TIMES = 900,
    ROOM_BYTES = 1150,
};

static struct hsay_crypto crypto;
static struct hsay_store_mem mem;
static struct hsay_store inner;
static struct hsay_store_ops ops;
static struct hsay_store store;
static uint64_t looked;

static int counting_next(void *self, struct hsay_cursor *cursor, bool want_bytes, uint32_t *work,
                         struct hsay_position *at, struct hsay_record *out)
{
    uint32_t before = *work;
    int rc = inner.ops->next(self, cursor, want_bytes, work, at, out);
    looked += before - *work + (rc == HSAY_OK);
    return rc;
}

/* Half of the items share one time, the others have few each. */
static void fill_store(void)
{
    static const uint8_t body[8];
    for (uint64_t i = 0; i < ITEMS; i++) {
        uint8_t hash[HSAY_ID_BYTES];
        const struct hsay_span part = {(const uint8_t *)&i, sizeof i};
        struct hsay_record record = {.sequence = i + 1, .bytes = {body, sizeof body}};
        crypto.ops->hash(crypto.self, hash, sizeof hash, (struct hsay_span){NULL, 0}, &part, 1);
        record.at.time = i % 2 != 0 ? 77 : 1 + i % TIMES;
        memcpy(record.at.digest.byte, hash, sizeof record.at.digest.byte);
        assert(store.ops->put(store.self, &record) == HSAY_OK);
    }
}

static void set_up(void)
{
    assert(hsay_sodium_init() == 0);
    hsay_crypto_sodium(&crypto);
    hsay_store_mem_init(&mem, 0, NULL);
    inner = hsay_store_mem_port(&mem);
    ops = *inner.ops;
    ops.next = counting_next;
    store = (struct hsay_store){&ops, inner.self};
    fill_store();
}

static void answer_it(struct hsay_rng *rng, const struct hsay_claim *claim)
{
    struct hsay_answer answer;
    struct hsay_record record;
    uint64_t given = 0;
    looked = 0;
    int rc = hsay_answer_begin(&answer, &store, rng, &crypto, claim, HSAY_TIME_MAX, 0);
    assert(rc == HSAY_OK || (rc == HSAY_EBAD && claim->kind == HSAY_CLAIM_BLOOM));
    if (rc != HSAY_OK)
        return;
    while ((rc = hsay_answer_next(&answer, &record)) == HSAY_OK) {
        assert(record.at.time >= claim->range.time_low);
        assert(record.at.time <= claim->range.time_high);
        given++;
    }
    assert(rc == HSAY_ENOENT && looked <= HSAY_ANSWER_WORK_MAX && given <= looked);
    assert(given == 0 || answer.draws);
    assert(answer.more || !answer.draws || answer.filtered || given == answer.sum.count);
}

static void claim_it_again(struct hsay_rng *rng, const struct hsay_range *range)
{
    static uint8_t bits[HSAY_FILTER_MAX_BYTES];
    struct hsay_claims claims;
    struct hsay_claim claim;
    const struct hsay_claim_want want = {
        .kind = HSAY_CLAIM_BLOOM, .room_bytes = ROOM_BYTES, .again = range};
    hsay_claims_init(&claims, HSAY_POLICY_HEARSAY);
    assert(hsay_claim_make(&claims, &store, rng, &crypto, &want, bits, &claim) == HSAY_OK);
    assert(claim.range.time_low >= range->time_low);
    assert(claim.kind == HSAY_CLAIM_SUM || claim.range.time_high <= range->time_high);
    if (claim.kind == HSAY_CLAIM_BLOOM) {
        struct hsay_bloom filter;
        assert(hsay_bloom_view(&filter, claim.bits, claim.hashes, claim.salt) == HSAY_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32];
    struct hsay_message m;
    struct hsay_rng rng;

    if (crypto.ops == NULL)
        set_up();
    if (hsay_message_decode(&m, (struct hsay_span){data, size}) != HSAY_OK ||
        m.type != HSAY_MSG_INTRO_REQUEST)
        return 0;
    hsay_rng_init(&rng, seed);
    answer_it(&rng, &m.intro_request.claim);
    if (m.intro_request.claim.kind != HSAY_CLAIM_NONE)
        claim_it_again(&rng, &m.intro_request.claim.range);
    return 0;
}
