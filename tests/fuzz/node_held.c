#include "tests/fuzz/node_held.h"

#include <assert.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/sync/bundle.h"

static const struct hsay_range everything = {.time_high = HSAY_TIME_MAX, .modulo = 1};

static struct node_held_bundle *find(struct node_held *h, const struct hsay_digest *digest)
{
    for (unsigned i = 0; i < h->count; i++)
        if (memcmp(&h->bundle[i].digest, digest, sizeof *digest) == 0)
            return &h->bundle[i];
    return NULL;
}

static struct node_held_bundle *add(struct node_held *h, const struct hsay_digest *digest)
{
    if (h->count == NODE_HELD_MAX) {
        h->full = true;
        return &h->bundle[NODE_HELD_MAX - 1];
    }
    struct node_held_bundle *b = &h->bundle[h->count++];
    *b = (struct node_held_bundle){.digest = *digest, .held = true};
    return b;
}

static bool is_stored(const struct node_held *h, const struct hsay_digest *digest)
{
    struct hsay_position at;
    return h->store.ops->find(h->store.self, digest, &at) == 0;
}

static struct hsay_sum sum_of(const struct node_held *h)
{
    struct hsay_sum sum;
    int rc = h->store.ops->sum(h->store.self, &everything, UINT64_MAX, &sum);
    assert(rc == 0);
    return sum;
}

static uint64_t load_u64(const uint8_t *byte)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | byte[i];
    return v;
}

static void sum_add(struct hsay_sum *sum, const struct hsay_digest *digest)
{
    uint64_t low = load_u64(digest->byte + 8);
    sum->count++;
    sum->low += low;
    sum->high += load_u64(digest->byte) + (sum->low < low);
}

/* What is stored becomes what is held. */
static void adopt(struct node_held *h)
{
    const struct hsay_store *s = &h->store;
    struct hsay_cursor cursor;
    struct hsay_record record;
    uint32_t work = UINT32_MAX;
    int rc = s->ops->walk(s->self, &everything, 0, &cursor);
    while (rc == 0 && (rc = s->ops->next(s->self, &cursor, true, &work, NULL, &record)) == 0) {
        struct node_held_bundle *b = find(h, &record.at.digest);
        if (b == NULL)
            b = add(h, &record.at.digest);
        b->held = true;
        b->author = record.author;
        b->expiry_s = record.expiry_s;
    }
    assert(rc == HSAY_ENOENT);
    h->sum = sum_of(h);
}

void node_held_init(struct node_held *h, const struct hsay_store *store)
{
    h->store = *store;
    h->count = 0;
    h->full = false;
    adopt(h);
}

void node_held_on_bundle(struct node_held *h, const struct hsay_event *e,
                         const struct hsay_crypto *crypto, const struct hsay_key *overlay)
{
    struct node_held_bundle *known = find(h, &e->position.digest);
    struct hsay_bundle b;
    assert(known == NULL || (!known->held && known->may_return) || h->full);
    if (known == NULL)
        known = add(h, &e->position.digest);
    sum_add(&h->sum, &known->digest);
    known->held = true;
    known->may_return = false;
    known->author = e->author;
    if (e->bytes.size == 0) { /* no room for the copy: the store knows the rest */
        struct hsay_record record;
        if (h->store.ops->get(h->store.self, &known->digest, &record) == 0)
            known->expiry_s = record.expiry_s;
        return;
    }
    assert(hsay_bundle_decode(&b, crypto, e->bytes) == 0);
    assert(hsay_bundle_verify(&b, crypto, overlay));
    assert(memcmp(&b.digest, &e->position.digest, sizeof b.digest) == 0);
    assert(memcmp(&b.author, &e->author, sizeof b.author) == 0 && b.time == e->position.time);
    known->expiry_s = b.expiry_s;
}

static bool has_forked(const struct node_held_excuse *excuse, const struct hsay_key *author)
{
    for (size_t i = 0; i < excuse->out->event_count; i++) {
        const struct hsay_event *e = &excuse->out->event[i];
        if (e->kind == HSAY_EVENT_FORK && e->overlay == excuse->overlay &&
            memcmp(&e->author, author, sizeof *author) == 0)
            return true;
    }
    return false;
}

static bool is_same(struct node_held *h)
{
    struct hsay_store_info info;
    unsigned held = 0;
    h->store.ops->info(h->store.self, &info);
    for (unsigned i = 0; i < h->count; i++) {
        held += h->bundle[i].held;
        if (h->bundle[i].held && !is_stored(h, &h->bundle[i].digest))
            return false;
    }
    return held == info.bundles;
}

/* What left: by a fork of its author, or because its time was over.  What is expired may have been
 * the proof against others, which may come again then. */
static void check_removed(struct node_held *h, const struct node_held_excuse *excuse)
{
    bool expired = false;
    for (unsigned i = 0; i < h->count; i++) {
        struct node_held_bundle *b = &h->bundle[i];
        if (!b->held || is_stored(h, &b->digest))
            continue;
        bool over = excuse->time && b->expiry_s != 0 && b->expiry_s <= excuse->wall_s;
        assert(over || excuse->deaf || has_forked(excuse, &b->author));
        b->held = false;
        expired = expired || over;
    }
    for (unsigned i = 0; expired && i < h->count; i++)
        h->bundle[i].may_return = true;
}

void node_held_check(struct node_held *h, const struct node_held_excuse *excuse)
{
    struct hsay_sum sum = sum_of(h);
    if (memcmp(&sum, &h->sum, sizeof sum) == 0)
        return;
    check_removed(h, excuse);
    if (!is_same(h))
        assert(excuse->deaf || h->full);
    adopt(h);
}

void node_held_on_rollback(struct node_held *h)
{
    for (unsigned i = 0; i < h->count; i++) {
        h->bundle[i].held = is_stored(h, &h->bundle[i].digest);
        h->bundle[i].may_return = true;
    }
    adopt(h);
}

void node_held_verify(const struct node_held *h, const struct hsay_crypto *crypto,
                      const struct hsay_key *overlay)
{
    const struct hsay_store *s = &h->store;
    struct hsay_cursor cursor;
    struct hsay_record record;
    struct hsay_bundle b;
    uint32_t work = UINT32_MAX;
    int rc = s->ops->walk(s->self, &everything, 0, &cursor);
    while (rc == 0 && (rc = s->ops->next(s->self, &cursor, true, &work, NULL, &record)) == 0) {
        assert(hsay_bundle_decode(&b, crypto, record.bytes) == 0);
        assert(hsay_bundle_verify(&b, crypto, overlay));
    }
    assert(rc == HSAY_ENOENT);
}
