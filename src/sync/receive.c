/*
 * Every judgement about a slot looks at four places of the author's log at most: the highest slot
 * held (only that one can be a proof), the slot itself, the one below and the one above.
 *
 * Removing what stands above a new proof has no bound per call, but each bundle removed was paid
 * for with a signature when it was stored.
 */
#include "src/sync/receive.h"

#include <string.h>

/* Nobody contradicted anything: no sequence reaches this. */
#define NO_SLOT UINT64_MAX

/* One slot of an author's log as it is held. */
struct slot {
    uint64_t sequence;
    uint64_t time;              /* of two: the larger */
    struct hsay_digest highest; /* the higher of its digests */
    uint8_t count;              /* 0, 1, or 2 */
};

/* What to do with a bundle whose signature is good. */
struct verdict {
    enum hsay_drop drop; /* HSAY_DROP_COUNT: store it */
    bool proof;          /* it contradicts something held */
    bool replaces;       /* `replaced` gives way: the slot has two */
    struct hsay_digest replaced;
    uint64_t keep_up_to; /* what has a higher sequence goes; NO_SLOT: nothing does */
};

static int compare_digests(const struct hsay_digest *a, const struct hsay_digest *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte);
}

/* The author's first slot held at or above `sequence`; count 0 if there is none. */
static int slot_from(const struct hsay_store *store, const struct hsay_key *author,
                     uint64_t sequence, struct slot *out)
{
    struct hsay_record first, second;
    *out = (struct slot){.count = 0};
    int rc = store->ops->author_next(store->self, author, sequence, NULL, &first);
    if (rc != HSAY_OK)
        return rc == HSAY_ENOENT ? HSAY_OK : rc;
    *out = (struct slot){first.sequence, first.at.time, first.at.digest, 1};

    const struct hsay_digest *after = &first.at.digest;
    rc = store->ops->author_next(store->self, author, first.sequence, after, &second);
    if (rc != HSAY_OK)
        return rc == HSAY_ENOENT ? HSAY_OK : rc;
    if (second.sequence != first.sequence)
        return HSAY_OK;
    out->count = 2;
    if (second.at.time > out->time)
        out->time = second.at.time;
    if (compare_digests(&second.at.digest, &out->highest) > 0)
        out->highest = second.at.digest;
    return HSAY_OK;
}

/* The largest time below a slot; 0 if nothing is held there.  Below the highest slot held times
 * rise with sequence, so the one just below has it. */
static int time_below(const struct hsay_store *store, const struct hsay_key *author,
                      uint64_t sequence, uint64_t *time)
{
    uint64_t before;
    int rc = store->ops->author_before(store->self, author, sequence, &before, time);
    if (rc == HSAY_ENOENT)
        *time = 0;
    return rc == HSAY_ENOENT ? HSAY_OK : rc;
}

/* The highest slot held (count 0: none), and whether it is a proof, and of what. */
struct top {
    struct slot slot;
    bool forked;
    bool disordered;
};

static int top_slot(const struct hsay_store *store, const struct hsay_key *author, struct top *out)
{
    uint64_t sequence, time, below;
    *out = (struct top){.forked = false};
    int rc = store->ops->author_before(store->self, author, UINT64_MAX, &sequence, &time);
    if (rc != HSAY_OK)
        return rc == HSAY_ENOENT ? HSAY_OK : rc;
    rc = slot_from(store, author, sequence, &out->slot);
    if (rc == HSAY_OK)
        rc = time_below(store, author, sequence, &below);
    if (rc != HSAY_OK)
        return rc;
    out->forked = out->slot.count == 2;
    out->disordered = !out->forked && out->slot.time <= below;
    return HSAY_OK;
}

static void judge_above(const struct top *top, const struct hsay_bundle *b, struct verdict *v)
{
    if (top->forked)
        v->drop = HSAY_DROP_FORK;
    else if (top->disordered)
        v->drop = HSAY_DROP_ORDER;
    else
        v->proof = top->slot.count != 0 && b->time <= top->slot.time;
}

/* Its slot is held already, by another bundle. */
static void judge_fork(const struct slot *held, const struct hsay_bundle *b, struct verdict *v)
{
    v->proof = true;
    v->keep_up_to = b->sequence;
    if (held->count < 2)
        return;
    if (compare_digests(&b->digest, &held->highest) > 0) {
        v->drop = HSAY_DROP_FORK;
        return;
    }
    v->replaces = true;
    v->replaced = held->highest;
}

/* Its slot is empty and `next` is the first above it.  A pair there is a proof already, whatever
 * its times; so is a single one that what stands below contradicts. */
static void judge_gap(const struct slot *next, uint64_t below, const struct hsay_bundle *b,
                      struct verdict *v)
{
    if (b->time <= below) {
        v->proof = true;
        v->keep_up_to = b->sequence;
    } else if (next->count == 1 && next->time > below && next->time <= b->time) {
        v->proof = true;
        v->keep_up_to = next->sequence;
    }
}

static int judge(const struct hsay_store *store, const struct hsay_bundle *b, struct verdict *v)
{
    *v = (struct verdict){.drop = HSAY_DROP_COUNT, .keep_up_to = NO_SLOT};
    struct top top;
    int rc = top_slot(store, &b->author, &top);
    if (rc != HSAY_OK)
        return rc;
    if (top.slot.count == 0 || b->sequence > top.slot.sequence) {
        judge_above(&top, b, v);
        return HSAY_OK;
    }

    struct slot at; /* the slot itself, or the one above: there is one */
    uint64_t below;
    rc = slot_from(store, &b->author, b->sequence, &at);
    if (rc == HSAY_OK)
        rc = time_below(store, &b->author, b->sequence, &below);
    if (rc != HSAY_OK)
        return rc;
    if (at.sequence == b->sequence)
        judge_fork(&at, b, v);
    else
        judge_gap(&at, below, b, v);
    return HSAY_OK;
}

static bool is_expired(const struct hsay_bundle *b, struct hsay_now now)
{
    return b->expiry_s != 0 && now.wall_s != 0 && b->expiry_s <= now.wall_s;
}

/* The store says that it is full when it has refused something.  From then on what the quota has no
 * room for is refused before a signature is paid for; of a full disk only `put` knows. */
static bool is_over_quota(const struct hsay_store *store, const struct hsay_bundle *b)
{
    struct hsay_store_info info;
    store->ops->info(store->self, &info);
    return info.full && info.quota_bytes != 0 &&
           info.bundle_bytes + b->bytes.size > info.quota_bytes;
}

static enum hsay_received dropped(enum hsay_drop why, enum hsay_drop *drop)
{
    *drop = why;
    return HSAY_RECEIVED_DROPPED;
}

static enum hsay_received failed(int rc, enum hsay_drop *drop, int *error)
{
    *drop = HSAY_DROP_FULL;
    *error = rc;
    return HSAY_RECEIVED_FAILED;
}

/* What can change between check and store: a verdict on a signature may come late. */
static enum hsay_received check_held(const struct hsay_receiver *r, struct hsay_now now,
                                     const struct hsay_bundle *b, struct verdict *v,
                                     enum hsay_drop *drop, int *error)
{
    struct hsay_position held;
    int rc = r->store->ops->find(r->store->self, &b->digest, &held);
    if (rc == HSAY_OK)
        return dropped(HSAY_DROP_DUPLICATE, drop);
    if (rc != HSAY_ENOENT)
        return failed(rc, drop, error);
    if (is_expired(b, now))
        return dropped(HSAY_DROP_EXPIRED, drop);
    if (b->time > hsay_window_limit(r->window, now.mono))
        return dropped(HSAY_DROP_WINDOW, drop);
    if (is_over_quota(r->store, b))
        return failed(HSAY_ENOSPC, drop, error);
    rc = judge(r->store, b, v);
    if (rc != HSAY_OK)
        return failed(rc, drop, error);
    if (v->drop != HSAY_DROP_COUNT)
        return dropped(v->drop, drop);
    return HSAY_RECEIVED_UNCHECKED;
}

enum hsay_received hsay_receive_check(const struct hsay_receiver *r, struct hsay_now now,
                                      struct hsay_span bytes, struct hsay_bundle *b,
                                      enum hsay_drop *drop, int *error)
{
    int rc = hsay_bundle_decode(b, r->crypto, bytes);
    if (rc != HSAY_OK)
        return dropped(rc == HSAY_EVERSION ? HSAY_DROP_VERSION : HSAY_DROP_BUNDLE, drop);
    struct verdict v;
    return check_held(r, now, b, &v, drop, error);
}

static int remove_above(const struct hsay_store *store, const struct hsay_key *author,
                        uint64_t sequence)
{
    struct hsay_record record;
    int rc;
    while ((rc = store->ops->author_next(store->self, author, sequence + 1, NULL, &record)) ==
           HSAY_OK) {
        struct hsay_digest digest = record.at.digest;
        rc = store->ops->remove(store->self, &digest);
        if (rc != HSAY_OK)
            return rc;
    }
    return rc == HSAY_ENOENT ? HSAY_OK : rc;
}

/* Put first: a full store refuses that and has lost nothing. */
static int apply(const struct hsay_store *store, const struct hsay_bundle *b,
                 const struct verdict *v)
{
    struct hsay_record record;
    hsay_bundle_record(b, &record);
    int rc = store->ops->put(store->self, &record);
    if (rc == HSAY_OK && v->replaces)
        rc = store->ops->remove(store->self, &v->replaced);
    if (rc == HSAY_OK && v->keep_up_to != NO_SLOT)
        rc = remove_above(store, &b->author, v->keep_up_to);
    return rc;
}

enum hsay_received hsay_receive_store(const struct hsay_receiver *r, struct hsay_now now,
                                      const struct hsay_bundle *b, enum hsay_drop *drop, int *error)
{
    struct verdict v;
    enum hsay_received checked = check_held(r, now, b, &v, drop, error);
    if (checked != HSAY_RECEIVED_UNCHECKED)
        return checked;
    int rc = apply(r->store, b, &v);
    if (rc != HSAY_OK)
        return failed(rc, drop, error);
    hsay_window_on_stored(r->window, now.mono, b->time);
    return v.proof ? HSAY_RECEIVED_FORK : HSAY_RECEIVED_NEW;
}

int hsay_receive_next_slot(const struct hsay_receiver *r, const struct hsay_key *author,
                           uint64_t *sequence, uint64_t *time)
{
    struct top top;
    int rc = top_slot(r->store, author, &top);
    if (rc != HSAY_OK)
        return rc;
    if (top.forked || top.disordered)
        return HSAY_EINVAL;

    struct hsay_store_info info;
    r->store->ops->info(r->store->self, &info);
    if (info.time_max >= r->window->limit)
        return HSAY_EBUDGET;
    *sequence = top.slot.sequence + 1;
    *time = info.time_max + 1;
    return HSAY_OK;
}
