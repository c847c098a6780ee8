#include "src/walk/room.h"

#include <assert.h>

#include "src/walk/peer.h"

/* Eighths of the table.  Contacted ones are worth most, and eleven steps within their lifetime
 * leave room to spare in half of 64; what is introduced leads to new ones; the rest is a reserve.
 */
static const uint8_t share_eighths[HSAY_BUCKET_COUNT] = {
    [HSAY_BUCKET_CONTACTED] = 4,
    [HSAY_BUCKET_REQUESTED] = 1,
    [HSAY_BUCKET_INTRODUCED] = 2,
    [HSAY_BUCKET_BOOK] = 1,
};

/* The worst first: it gives way where two are equally over their share. */
static const uint8_t worst_first[] = {HSAY_BUCKET_BOOK, HSAY_BUCKET_INTRODUCED,
                                      HSAY_BUCKET_REQUESTED, HSAY_BUCKET_CONTACTED};

/* Chance without a generator at hand: events come from the network, whose timing and addresses go
 * into it, and an attacker knows neither all of them nor our clock. */
static uint64_t toss(struct hsay_candidates *table, hsay_time now, uint64_t what)
{
    table->coin = hsay_peer_mix(table->coin + UINT64_C(0x9e3779b97f4a7c15)) ^
                  hsay_peer_mix(now.ns ^ hsay_peer_mix(what));
    return hsay_peer_mix(table->coin);
}

/* A stranger: it asked us, and nothing shows that it can hear us. */
static bool is_stranger(const struct hsay_candidate *c, enum hsay_bucket bucket)
{
    return bucket == HSAY_BUCKET_REQUESTED && (c->marks & HSAY_MARK_HEARD) == 0;
}

struct victim {
    struct hsay_candidate *c;
    uint32_t crowd;
    uint64_t rank;
};

static void victim_offer(struct victim *v, struct hsay_candidate *c, uint32_t crowd, uint64_t rank)
{
    if (v->c == NULL || crowd > v->crowd || (crowd == v->crowd && rank < v->rank))
        *v = (struct victim){c, crowd, rank};
}

/* How many of a bucket are one voice with `of`, itself included if it is there.  Introduced ones
 * crowd by their introducer, too, as one may name peers in any number of networks. */
static uint32_t crowd_of(const struct hsay_candidates *table, hsay_time now,
                         enum hsay_bucket bucket, const struct hsay_candidate *of)
{
    uint32_t crowd = 0;

    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];

        if (hsay_candidate_bucket(table, c, now) != bucket)
            continue;
        crowd += c->group == of->group;
        crowd += bucket == HSAY_BUCKET_INTRODUCED && of->introducer != 0 &&
                 c->introducer == of->introducer;
    }
    return crowd;
}

/* Any member of the largest group of the bucket.  Quadratic: 64 * 64 short steps for the default
 * table, some microseconds, and only when it is full. */
static struct victim largest_of(struct hsay_candidates *table, hsay_time now,
                                enum hsay_bucket bucket, const struct hsay_candidate *keep,
                                uint64_t salt)
{
    struct victim v = {0};

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (c != keep && hsay_candidate_bucket(table, c, now) == bucket)
            victim_offer(&v, c, crowd_of(table, now, bucket, c), hsay_peer_mix(salt ^ i));
    }
    return v;
}

/* Any member of the newcomer's group in the bucket; of the whole bucket if it has none there. */
static struct hsay_candidate *fellow_of(struct hsay_candidates *table, hsay_time now,
                                        enum hsay_bucket bucket,
                                        const struct hsay_candidate *newcomer, uint64_t salt)
{
    struct victim v = {0};

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (hsay_candidate_bucket(table, c, now) == bucket)
            victim_offer(&v, c, c->group == newcomer->group, hsay_peer_mix(salt ^ i));
    }
    return v.c;
}

static struct hsay_candidate *other_stranger(struct hsay_candidates *table, hsay_time now,
                                             uint64_t salt)
{
    struct victim v = {0};

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (is_stranger(c, hsay_candidate_bucket(table, c, now)))
            victim_offer(&v, c, 0, hsay_peer_mix(salt ^ i));
    }
    return salt & 1 ? v.c : NULL;
}

/* The bucket most over its share once the newcomer is in.  NONE: all are of better ones. */
static enum hsay_bucket fullest(const struct hsay_candidates *table,
                                const uint16_t count[HSAY_BUCKET_COUNT], enum hsay_bucket newcomer)
{
    bool outranks_contacted = newcomer == HSAY_BUCKET_CONTACTED || newcomer == HSAY_BUCKET_TRUSTED;
    size_t buckets = sizeof worst_first - !outranks_contacted;
    enum hsay_bucket fullest = HSAY_BUCKET_NONE;
    int32_t most = 0;

    for (size_t i = 0; i < buckets; i++) {
        enum hsay_bucket b = worst_first[i];
        int32_t over = 8 * (count[b] + (b == newcomer)) - share_eighths[b] * table->entry_max;

        if (count[b] > 0 && (fullest == HSAY_BUCKET_NONE || over > most)) {
            fullest = b;
            most = over;
        }
    }
    return fullest;
}

static struct hsay_candidate *free_place(struct hsay_candidates *table, hsay_time now)
{
    for (size_t i = 0; i < table->entry_max; i++) {
        if (hsay_candidate_bucket(table, &table->entry[i], now) == HSAY_BUCKET_NONE)
            return &table->entry[i];
    }
    return NULL;
}

/* Entries by bucket, each once. */
static void count_each(const struct hsay_candidates *table, hsay_time now,
                       uint16_t count[HSAY_BUCKET_COUNT])
{
    memset(count, 0, HSAY_BUCKET_COUNT * sizeof *count);
    for (size_t i = 0; i < table->entry_max; i++)
        count[hsay_candidate_bucket(table, &table->entry[i], now)]++;
}

static struct hsay_candidate *place_in_full(struct hsay_candidates *table, hsay_time now,
                                            const struct hsay_candidate *newcomer,
                                            enum hsay_bucket bucket)
{
    uint64_t salt = toss(table, now, newcomer->group ^ newcomer->addr.port);
    uint16_t count[HSAY_BUCKET_COUNT];

    if (is_stranger(newcomer, bucket))
        return other_stranger(table, now, salt);

    count_each(table, now, count);
    enum hsay_bucket from = fullest(table, count, bucket);
    if (from == HSAY_BUCKET_NONE)
        return NULL;

    struct victim v = largest_of(table, now, from, NULL, salt);
    assert(v.c != NULL);
    if (from != bucket || crowd_of(table, now, bucket, newcomer) + 1 < v.crowd)
        return v.c;
    return salt & 1 ? fellow_of(table, now, bucket, newcomer, salt) : NULL;
}

struct hsay_candidate *hsay_room_take(struct hsay_candidates *table, hsay_time now,
                                      const struct hsay_candidate *newcomer)
{
    enum hsay_bucket bucket = hsay_candidate_bucket(table, newcomer, now);
    struct hsay_candidate *place = free_place(table, now);

    assert(bucket != HSAY_BUCKET_NONE);
    if (place == NULL)
        place = place_in_full(table, now, newcomer, bucket);
    if (place != NULL)
        *place = *newcomer;
    return place;
}

void hsay_room_trim(struct hsay_candidates *table, hsay_time now, const struct hsay_candidate *keep)
{
    uint16_t count[HSAY_BUCKET_COUNT];

    count_each(table, now, count);
    if (4 * count[HSAY_BUCKET_CONTACTED] <= 3 * table->entry_max)
        return;

    uint64_t salt = toss(table, now, keep->group);
    struct victim v = largest_of(table, now, HSAY_BUCKET_CONTACTED, keep, salt);
    if (v.c != NULL)
        memset(v.c, 0, sizeof *v.c);
}
