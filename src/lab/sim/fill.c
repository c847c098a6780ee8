#include "src/lab/sim/fill.h"

#include <stdlib.h>

#include "hearsay/crypto_sodium.h"
#include "src/lab/sim/memory.h"
#include "src/sync/bundle.h"

struct author {
    uint8_t secret[HSAY_SECRET_BYTES];
    uint64_t sequence;
};

struct work {
    struct lab_sim *sim;
    const struct lab_fill *fill;
    struct hsay_crypto crypto;
    struct author *author;
    uint64_t base;      /* global time below the first */
    uint64_t *lack;     /* LAB_FILL_EACH: per host, how many of those to come */
    uint64_t lack_left; /* LAB_FILL_SPREAD: the same for all */
};

static bool is_sound(const struct lab_sim *sim, const struct lab_fill *fill)
{
    for (uint32_t i = 0; i < fill->host_count; i++)
        if (lab_host_is_online(&sim->host[fill->host[i]]))
            return false;
    return fill->host_count != 0 && fill->authors != 0 && fill->lack <= fill->count &&
           fill->payload_bytes <= HSAY_PAYLOAD_MAX_BYTES;
}

static uint64_t highest_time(struct lab_sim *sim, const struct lab_fill *fill)
{
    uint64_t highest = 0;
    for (uint32_t i = 0; i < fill->host_count; i++) {
        struct hsay_store store = lab_store_port(&sim->host[fill->host[i]].store);
        struct hsay_store_info info;
        store.ops->info(store.self, &info);
        highest = info.time_max > highest ? info.time_max : highest;
    }
    return highest;
}

static struct author *new_authors(const struct lab_fill *fill)
{
    struct author *author = lab_calloc(fill->authors, sizeof *author);
    for (uint32_t i = 0; i < fill->authors; i++) {
        struct hsay_key key;
        uint8_t seed[32];
        lab_chance_bytes(fill->chance, seed, sizeof seed);
        hsay_sodium_author_from_seed(&key, author[i].secret, seed);
    }
    return author;
}

/* ---- who lacks what ---- */

/* Of `of` bundles that are still to come, `*left` are wanted; is this one of them?  Each choice of
 * them is as likely as any other (Knuth's algorithm S). */
static bool draw_one(struct lab_chance *chance, uint64_t of, uint64_t *left)
{
    bool drawn = *left != 0 && lab_chance_below(chance, of) < *left;
    *left -= drawn;
    return drawn;
}

/* Whether this is one of those that all but the first lack. */
static bool is_for_first(struct work *work, uint64_t i)
{
    const struct lab_fill *fill = work->fill;
    switch (fill->which) {
    case LAB_FILL_NEWEST:
        return i >= fill->count - fill->lack;
    case LAB_FILL_OLDEST:
        return i < fill->lack;
    case LAB_FILL_SPREAD:
        return draw_one(fill->chance, fill->count - i, &work->lack_left);
    case LAB_FILL_EACH:
        break;
    }
    return false;
}

/* ---- one bundle ---- */

static int put(struct work *work, uint32_t nth, const struct hsay_record *record)
{
    struct hsay_store store = lab_store_port(&work->sim->host[work->fill->host[nth]].store);
    return store.ops->put(store.self, record);
}

static int put_each(struct work *work, uint64_t i, const struct hsay_record *record)
{
    const struct lab_fill *fill = work->fill;
    uint32_t holders = 0;
    bool first = !draw_one(fill->chance, fill->count - i, &work->lack[0]);
    int rc = 0;
    for (uint32_t k = 1; k < fill->host_count && rc == 0; k++)
        if (!draw_one(fill->chance, fill->count - i, &work->lack[k])) {
            rc = put(work, k, record);
            holders++;
        }
    return rc == 0 && (first || holders == 0) ? put(work, 0, record) : rc;
}

static int put_all(struct work *work, uint64_t i, const struct hsay_record *record)
{
    uint32_t hosts = is_for_first(work, i) ? 1 : work->fill->host_count;
    int rc = 0;
    for (uint32_t k = 0; k < hosts && rc == 0; k++)
        rc = put(work, k, record);
    return rc;
}

static int make_one(struct work *work, uint64_t i)
{
    const struct lab_fill *fill = work->fill;
    uint8_t payload[HSAY_PAYLOAD_MAX_BYTES], bytes[HSAY_BUNDLE_MAX_BYTES];
    struct author *author = &work->author[lab_chance_below(fill->chance, fill->authors)];
    struct hsay_bundle made;
    struct hsay_record record;
    lab_chance_bytes(fill->chance, payload, fill->payload_bytes);
    struct hsay_draft draft = {
        .type = 1, .author_secret = author->secret, .payload = {payload, fill->payload_bytes}};
    struct hsay_bundle_plan plan = {&draft, ++author->sequence, work->base + i + 1};
    int rc = hsay_bundle_make(bytes, &made, &work->crypto, &work->sim->overlay, &plan);
    if (rc != 0)
        return rc;
    hsay_bundle_record(&made, &record);
    return fill->which == LAB_FILL_EACH ? put_each(work, i, &record) : put_all(work, i, &record);
}

static int commit(struct work *work)
{
    int rc = 0;
    for (uint32_t k = 0; k < work->fill->host_count && rc == 0; k++) {
        struct hsay_store store = lab_store_port(&work->sim->host[work->fill->host[k]].store);
        rc = store.ops->commit(store.self);
    }
    return rc;
}

int lab_sim_fill(struct lab_sim *sim, const struct lab_fill *fill)
{
    if (!is_sound(sim, fill))
        return HSAY_EINVAL;
    struct lab_crypto *crypto = &sim->shard[0].crypto;
    struct work work = {
        .sim = sim,
        .fill = fill,
        .crypto = fill->memo ? lab_crypto_memo_port(crypto) : lab_crypto_port(crypto),
        .author = new_authors(fill),
        .base = highest_time(sim, fill),
        .lack = lab_calloc(fill->host_count, sizeof(uint64_t)),
        .lack_left = fill->lack,
    };
    int rc = 0;
    for (uint32_t k = 0; k < fill->host_count; k++)
        work.lack[k] = fill->lack;
    for (uint64_t i = 0; i < fill->count && rc == 0; i++)
        rc = make_one(&work, i);
    if (rc == 0)
        rc = commit(&work);
    free(work.author);
    free(work.lack);
    return rc;
}
