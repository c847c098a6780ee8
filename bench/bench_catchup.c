/*
 * An empty node against one full peer: two hearsayd processes with LMDB stores over UDP on the
 * loopback, 100,000 bundles of 300 canonical bytes.
 *
 *   wire ratio  all UDP payload bytes that both sent / canonical bytes of the bundles
 *   CPU ratio   user and system time of the receiver, from its start until it holds all / CPU time
 *               of verifying the same signatures and nothing else, half of them before and half of
 *               them after the catch-up, since clocks of shared machines wander
 *   rss_mib     resident memory of the larger of the two processes, their mapped stores not counted
 *
 * One author writes all of them.  The second set of figures has a thousand authors: an author's key
 * goes over the wire once per datagram, so the more authors the more bytes.  The bundles are put
 * into the full peer's store through the library before it starts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "bench/crowd.h"
#include "bench/daemon.h"
#include "hearsay/crypto_sodium.h"
#include "hearsay/store_lmdb.h"
#include "src/common/join.h"
#include "src/sync/bundle.h"

enum {
    BUNDLES = 100000,
    CANONICAL_BYTES = 300,
    AUTHORS_MANY = 1000,
    LIMIT_SECONDS = 180,
    LOOK_MS = 100,
};

static struct hsay_crypto crypto;
static uint8_t (*bundles)[CANONICAL_BYTES];

static void fill(uint8_t *out, size_t size, uint64_t *chance)
{
    for (size_t i = 0; i < size; i++) {
        *chance = *chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (uint8_t)(*chance >> 56);
    }
}

static void make_bundles(const struct hsay_key *overlay, unsigned authors, uint64_t seed)
{
    uint64_t chance = seed;
    uint8_t(*secret)[HSAY_SECRET_BYTES] = malloc(authors * sizeof *secret);
    for (unsigned i = 0; i < authors; i++) {
        struct hsay_key key;
        uint8_t author_seed[32];
        fill(author_seed, sizeof author_seed, &chance);
        hsay_sodium_author_from_seed(&key, secret[i], author_seed);
    }
    for (unsigned i = 0; i < BUNDLES; i++) {
        uint8_t payload[HSAY_PAYLOAD_MAX_BYTES], bytes[HSAY_BUNDLE_MAX_BYTES];
        struct hsay_bundle made;
        struct hsay_bundle_plan plan = {.sequence = i / authors + 1, .time = i + 1};
        size_t size = crowd_payload(CANONICAL_BYTES, plan.sequence, plan.time);
        fill(payload, size, &chance);
        struct hsay_draft draft = {.author_secret = secret[i % authors],
                                   .payload = {payload, size}};
        plan.draft = &draft;
        if (hsay_bundle_make(bytes, &made, &crypto, overlay, &plan) != 0 ||
            made.bytes.size != CANONICAL_BYTES)
            bench_fail("a bundle of %zu bytes instead of %d", made.bytes.size, CANONICAL_BYTES);
        memcpy(bundles[i], bytes, CANONICAL_BYTES);
    }
    free(secret);
}

static void store_bundles(const char *state, const struct hsay_key *overlay)
{
    char path[PATH_MAX], why[1024];
    struct hsay_lmdb_options options = {.path = path};
    struct hsay_lmdb *env;
    struct hsay_store store;
    snprintf(path, sizeof path, "%.*s/store", PATH_MAX - 32, state);
    if (hsay_lmdb_open(&env, &options, why, sizeof why) != 0)
        bench_fail("%s", why);
    if (hsay_store_lmdb_open(env, overlay, 0, &crypto, &store, NULL) != 0)
        bench_fail("the overlay's store does not open");
    for (unsigned i = 0; i < BUNDLES; i++) {
        struct hsay_bundle b;
        struct hsay_record record;
        if (hsay_bundle_decode(&b, &crypto, (struct hsay_span){bundles[i], CANONICAL_BYTES}) != 0)
            bench_fail("a bundle does not decode");
        hsay_bundle_record(&b, &record);
        if (store.ops->put(store.self, &record) != 0)
            bench_fail("the store takes no more");
    }
    if (store.ops->commit(store.self) != 0)
        bench_fail("the store does not commit");
    hsay_store_lmdb_close(&store);
    hsay_lmdb_close(env);
}

static double verify_some(const struct hsay_key *overlay, unsigned from, unsigned to)
{
    double spent = 0;
    for (unsigned i = from; i < to; i++) {
        struct hsay_bundle b;
        hsay_bundle_decode(&b, &crypto, (struct hsay_span){bundles[i], CANONICAL_BYTES});
        double start = bench_thread_seconds();
        if (!hsay_bundle_verify(&b, &crypto, overlay))
            bench_fail("a signature is wrong");
        spent += bench_thread_seconds() - start;
    }
    return spent;
}

struct caught_up {
    double seconds, cpu_seconds;
    double bytes_sent, datagrams_sent;
    double rss_full_mib, rss_empty_mib;
};

static void await_all(struct daemon_process *d)
{
    while (daemon_held(d, NULL) < BUNDLES) {
        struct timespec pause = {0, LOOK_MS * 1000000L};
        if (bench_seconds() > d->started + LIMIT_SECONDS)
            bench_fail("only %llu of %d bundles after %d seconds",
                       (unsigned long long)daemon_held(d, NULL), BUNDLES, LIMIT_SECONDS);
        nanosleep(&pause, NULL);
    }
}

static void catch_up(const struct daemon_setup *full_setup, const char *name, const char *overlay,
                     struct caught_up *result)
{
    struct daemon_process full, empty;
    daemon_start(&full, full_setup);
    daemon_await(&full);
    if (daemon_held(&full, NULL) != BUNDLES)
        bench_fail("the full peer does not hold all");
    struct daemon_setup setup = {.name = name,
                                 .option = {"--overlay", overlay, "--peer", full.address}};
    daemon_start(&empty, &setup);
    daemon_await(&empty);
    await_all(&empty);
    *result = (struct caught_up){
        .seconds = bench_seconds() - empty.started,
        .cpu_seconds = daemon_cpu_seconds(&empty),
        .bytes_sent = daemon_number(&full, "status", "bytes_out") +
                      daemon_number(&empty, "status", "bytes_out"),
        .datagrams_sent = daemon_number(&full, "status", "datagrams_out") +
                          daemon_number(&empty, "status", "datagrams_out"),
        .rss_full_mib = daemon_rss_mib(&full),
        .rss_empty_mib = daemon_rss_mib(&empty),
    };
    daemon_stop(&empty);
    daemon_stop(&full);
}

/* Its state folder, and the overlay, before it holds anything. */
static char *found(const struct daemon_setup *setup, char state[PATH_MAX])
{
    struct daemon_process d;
    daemon_start(&d, setup);
    daemon_await(&d);
    memcpy(state, d.state, PATH_MAX);
    char *join = daemon_found(&d);
    daemon_stop(&d);
    return join;
}

static void figure(const char *prefix, const char *name, double value, const char *unit)
{
    char full[96];
    snprintf(full, sizeof full, "%s_%s", prefix, name);
    bench_figure(full, value, unit);
}

/* Returns the larger resident memory. */
static double measure(const char *prefix, unsigned authors)
{
    char state[PATH_MAX], full_name[64], empty_name[64], option[JOIN_TEXT_BYTES + 16];
    struct join overlay;
    struct caught_up result;
    snprintf(full_name, sizeof full_name, "full%u", authors);
    snprintf(empty_name, sizeof empty_name, "empty%u", authors);
    struct daemon_setup full = {.name = full_name};
    char *join = found(&full, state);
    snprintf(option, sizeof option, "%s=bench", join);
    if (join_parse(&overlay, join) != 0)
        bench_fail("%s is no join text", join);
    make_bundles(&overlay.overlay, authors, authors);
    store_bundles(state, &overlay.overlay);
    double floor_seconds = verify_some(&overlay.overlay, 0, BUNDLES / 2);
    catch_up(&full, empty_name, option, &result);
    floor_seconds += verify_some(&overlay.overlay, BUNDLES / 2, BUNDLES);
    free(join);

    figure(prefix, "wire_ratio", result.bytes_sent / ((double)BUNDLES * CANONICAL_BYTES), "x");
    figure(prefix, "cpu_ratio", result.cpu_seconds / floor_seconds, "x");
    figure(prefix, "seconds", result.seconds, "s");
    figure(prefix, "cpu_us_per_bundle", result.cpu_seconds * 1e6 / BUNDLES, "us");
    figure(prefix, "verify_us", floor_seconds * 1e6 / BUNDLES, "us");
    figure(prefix, "bundles_per_datagram", BUNDLES / result.datagrams_sent, "1");
    bench_note("%u authors: resident %.1f MiB in the full node, %.1f in the other", authors,
               result.rss_full_mib, result.rss_empty_mib);
    return result.rss_full_mib > result.rss_empty_mib ? result.rss_full_mib : result.rss_empty_mib;
}

int main(void)
{
    if (hsay_sodium_init() != 0)
        bench_fail("no source of chance");
    hsay_crypto_sodium(&crypto);
    bundles = malloc(BUNDLES * sizeof *bundles);
    double one = measure("catchup", 1);
    double many = measure("catchup_many_authors", AUTHORS_MANY);
    bench_figure("rss_mib", one > many ? one : many, "MiB");
    free(bundles);
    return 0;
}
