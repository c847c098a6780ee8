/*
 * What a claim costs, and the answer to one, out of a million bundles on LMDB: CPU time of this
 * thread, in microseconds a call.
 *
 * Claims are those of a node that is behind (a sweep's slice), of one nearly in sync (the newest),
 * and Dispersy's two.  Each is answered from the same store as if the counts differed: the whole
 * range is walked, every digest looked up in the filter, and nothing is found to give.  Claims are
 * made one after the other, so that they meet the store at all places.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "hearsay/crypto_sodium.h"
#include "hearsay/store_lmdb.h"
#include "src/sync/answer.h"
#include "src/sync/claim.h"

enum {
    BUNDLES = 1000000,
    AUTHORS = 1000,
    BODY_BYTES = 8, /* bodies are not read here */
    TURN = 50000,
    ROUNDS = 1001,
    ROOM_BYTES = 1120, /* a filter of 1,059 bytes */
};

static struct hsay_crypto crypto;
static struct hsay_store store;
static char folder[256];

/* Digests as even as real ones, and the same in every run: hashes of numbers. */
static void put_numbered(uint64_t number)
{
    static const uint8_t body[BODY_BYTES];
    uint8_t id[HSAY_ID_BYTES];
    const struct hsay_span part = {(const uint8_t *)&number, sizeof number};
    crypto.ops->hash(crypto.self, id, sizeof id, (struct hsay_span){NULL, 0}, &part, 1);
    struct hsay_record record = {
        .at = {.time = number + 1},
        .sequence = number / AUTHORS + 1,
        .bytes = {body, sizeof body},
    };
    uint64_t author = number % AUTHORS;
    memcpy(record.author.byte, &author, sizeof author);
    memcpy(record.at.digest.byte, id, sizeof record.at.digest.byte);
    if (store.ops->put(store.self, &record) != HSAY_OK)
        bench_fail("the store refuses bundle %d", (int)number);
}

static void fill(void)
{
    for (uint64_t i = 0; i < BUNDLES; i++) {
        put_numbered(i);
        if (i % TURN == TURN - 1 && store.ops->commit(store.self) != HSAY_OK)
            bench_fail("the store cannot commit");
    }
}

static double answer_us(struct hsay_rng *rng, struct hsay_claim *claim)
{
    struct hsay_answer answer;
    struct hsay_record record;
    claim->count++; /* not the same: look at everything */
    double start = bench_thread_seconds();
    int rc = hsay_answer_begin(&answer, &store, rng, &crypto, claim, HSAY_TIME_MAX, 0);
    if (rc != HSAY_OK || hsay_answer_next(&answer, &record) != HSAY_ENOENT || answer.more)
        bench_fail("a claim lacks bundles of its own range");
    return (bench_thread_seconds() - start) * 1e6;
}

/* What is measured, and under which names. */
struct plan {
    const char *claim_name;
    const char *items_name;
    const char *answer_name;
    uint8_t policy;
    uint64_t behind;
    bool newest_only;
};

static void measure(const struct plan *plan)
{
    static uint8_t bits[HSAY_FILTER_MAX_BYTES];
    static const uint8_t seed[32] = {1};
    static double claim_us[ROUNDS], answered_us[ROUNDS];
    struct hsay_rng rng;
    struct hsay_claims claims;
    struct hsay_claim claim;
    uint64_t items = 0;
    const struct hsay_claim_want want = {
        .kind = HSAY_CLAIM_BLOOM, .room_bytes = ROOM_BYTES, .behind = plan->behind};
    hsay_rng_init(&rng, seed);
    hsay_claims_init(&claims, plan->policy);
    for (int i = 0; i < ROUNDS; i++) {
        claims.turn += plan->newest_only ? claims.turn % 2 : 0;
        double start = bench_thread_seconds();
        if (hsay_claim_make(&claims, &store, &rng, &crypto, &want, bits, &claim) != HSAY_OK)
            bench_fail("no claim can be made");
        claim_us[i] = (bench_thread_seconds() - start) * 1e6;
        items += claim.count;
        answered_us[i] = answer_us(&rng, &claim);
    }
    bench_figure(plan->claim_name, bench_median(claim_us, ROUNDS), "us");
    bench_figure(plan->items_name, (double)items / ROUNDS, "bundles");
    bench_figure(plan->answer_name, bench_median(answered_us, ROUNDS), "us");
}

static void open_store(void)
{
    static const struct hsay_key overlay;
    static struct hsay_lmdb *env;
    char why[512];
    const struct hsay_lmdb_options options = {.path = folder, .any_file_system = true};
    if (hsay_lmdb_open(&env, &options, why, sizeof why) != HSAY_OK)
        bench_fail("%s", why);
    if (hsay_store_lmdb_open(env, &overlay, 0, &crypto, &store, NULL) != HSAY_OK)
        bench_fail("no store");
}

static void remove_folder(void)
{
    static const char *const name[] = {"data.mdb", "lock.mdb", "hearsay.lock"};
    char file[300];
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", folder, name[i]);
        unlink(file);
    }
    rmdir(folder);
}

int main(void)
{
    const char *base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    snprintf(folder, sizeof folder, "%s/hearsay-bench-XXXXXX", base);
    if (hsay_sodium_init() != 0 || mkdtemp(folder) == NULL)
        bench_fail("cannot make a folder below %s", base);
    atexit(remove_folder);
    hsay_crypto_sodium(&crypto);
    open_store();
    fill();

    measure(&(struct plan){"claim_us", "claim_items", "answer_modulo_us", HSAY_POLICY_HEARSAY,
                           BUNDLES, false});
    measure(&(struct plan){"claim_newest_us", "claim_newest_items", "answer_newest_us",
                           HSAY_POLICY_HEARSAY, 0, true});
    measure(&(struct plan){"claim_time_modulo_us", "claim_time_modulo_items",
                           "answer_time_modulo_us", HSAY_POLICY_PAPER, BUNDLES, false});
    measure(&(struct plan){"claim_pivot_us", "claim_pivot_items", "answer_pivot_us",
                           HSAY_POLICY_PAPER, 0, false});
    return 0;
}
