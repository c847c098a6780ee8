/*
 * Ranges, slices and walks over two ordered sets.
 *
 * A walk goes over a stretch of one of the sets: the time range of the time order, or the slice of
 * the digest order.  Every item of the stretch is counted off, whether it is in the range or not,
 * so a walk that starts in the middle knows when to turn to the beginning and when it has come
 * round.  The words of a cursor: see enum below.
 *
 * A slice by digest is a stretch of the digest order; only when the time range leaves something of
 * the store out do items have to be skipped one by one.  A slice by time has no such order: it is
 * walked in leaps, from one time that fits to the next that is held.
 */
#include "src/port/store_index.h"

#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"

__extension__ typedef unsigned __int128 u128;

enum {
    WORD_LEAF = 0, /* the place: leaf, index in it, rank of it */
    WORD_INDEX = 1,
    WORD_RANK = 2,
    WORD_FIRST = 3,  /* items of the stretch before its end */
    WORD_SECOND = 4, /* items from its beginning, after the turn */
    WORD_GENERATION = 5,
};

/* A stretch of one of the sets, and what must hold for an item in it. */
struct stretch {
    const struct hsay_ordset *set;
    struct hsay_ordset_key low;
    struct hsay_ordset_key high; /* open edge; unused when to_end */
    bool to_end;
    uint8_t filter; /* enum hsay_slicing that each item must still be held against; NONE: all fit */
};

static uint64_t load_be64(const uint8_t *byte)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | byte[i];
    return value;
}

static void store_be64(uint8_t *byte, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        byte[i] = (uint8_t)(value >> (56 - 8 * i));
}

static struct hsay_ordset_key time_key(const struct hsay_position *at)
{
    return (struct hsay_ordset_key){
        {at->time, load_be64(at->digest.byte), load_be64(at->digest.byte + 8)}};
}

static struct hsay_ordset_key digest_key(const struct hsay_position *at)
{
    return (struct hsay_ordset_key){
        {load_be64(at->digest.byte), load_be64(at->digest.byte + 8), at->time}};
}

static void position_of(const struct hsay_ordset *set, const struct hsay_ordset_key *key,
                        struct hsay_position *out)
{
    out->time = key->word[set->digest_word == 1 ? 0 : 2];
    store_be64(out->digest.byte, key->word[set->digest_word]);
    store_be64(out->digest.byte + 8, key->word[set->digest_word + 1]);
}

void hsay_store_index_init(struct hsay_store_index *index)
{
    hsay_ordset_init(&index->by_time, 1, false);
    hsay_ordset_init(&index->by_digest, 0, true);
    index->generation = 1;
}

void hsay_store_index_free(struct hsay_store_index *index)
{
    hsay_ordset_free(&index->by_time);
    hsay_ordset_free(&index->by_digest);
    index->generation++;
}

int hsay_store_index_add(struct hsay_store_index *index, const struct hsay_position *at,
                         uint64_t mark)
{
    struct hsay_ordset_key by_time = time_key(at), by_digest = digest_key(at);
    int rc = hsay_ordset_insert(&index->by_time, &by_time, 0);
    if (rc != 0)
        return rc;
    rc = hsay_ordset_insert(&index->by_digest, &by_digest, mark);
    index->generation++;
    if (rc != 0)
        hsay_ordset_delete(&index->by_time, &by_time);
    return rc;
}

int hsay_store_index_drop(struct hsay_store_index *index, const struct hsay_position *at)
{
    struct hsay_ordset_key by_time = time_key(at), by_digest = digest_key(at);
    int rc = hsay_ordset_delete(&index->by_time, &by_time);
    if (rc != 0)
        return rc;
    index->generation++;
    return hsay_ordset_delete(&index->by_digest, &by_digest);
}

uint64_t hsay_store_index_count(const struct hsay_store_index *index)
{
    return index->by_time.total.count;
}

/* The time of the item of that rank; the rank exists. */
static uint64_t time_at(const struct hsay_store_index *index, uint64_t rank)
{
    struct hsay_ordset_place place = hsay_ordset_select(&index->by_time, rank);
    return hsay_ordset_at(&place)->word[0];
}

uint64_t hsay_store_index_time_max(const struct hsay_store_index *index)
{
    uint64_t count = hsay_store_index_count(index);
    return count == 0 ? 0 : time_at(index, count - 1);
}

int hsay_store_index_find(const struct hsay_store_index *index, const struct hsay_digest *digest,
                          struct hsay_position *out, uint64_t *mark)
{
    struct hsay_position lowest = {0, *digest};
    struct hsay_ordset_key low = digest_key(&lowest);
    struct hsay_ordset_place place = hsay_ordset_ceiling(&index->by_digest, &low);
    const struct hsay_ordset_key *key = hsay_ordset_at(&place);
    if (key == NULL || key->word[0] != low.word[0] || key->word[1] != low.word[1])
        return HSAY_ENOENT;
    if (out != NULL)
        *out = (struct hsay_position){key->word[2], *digest};
    if (mark != NULL)
        *mark = hsay_ordset_value(&place);
    return 0;
}

int hsay_store_index_find_short(const struct hsay_store_index *index, uint64_t short_digest,
                                struct hsay_position *out)
{
    struct hsay_ordset_key low = {{short_digest, 0, 0}};
    struct hsay_ordset_place place = hsay_ordset_ceiling(&index->by_digest, &low);
    const struct hsay_ordset_key *key = hsay_ordset_at(&place);
    if (key == NULL || key->word[0] != short_digest)
        return HSAY_ENOENT;
    position_of(&index->by_digest, key, out);
    return 0;
}

int hsay_store_index_at_rank(const struct hsay_store_index *index, uint64_t rank,
                             struct hsay_position *out)
{
    struct hsay_ordset_place place = hsay_ordset_select(&index->by_time, rank);
    const struct hsay_ordset_key *key = hsay_ordset_at(&place);
    if (key == NULL)
        return HSAY_ENOENT;
    position_of(&index->by_time, key, out);
    return 0;
}

int hsay_store_index_rank_of(const struct hsay_store_index *index, const struct hsay_position *at,
                             uint64_t *rank)
{
    struct hsay_ordset_key key = time_key(at);
    *rank = hsay_ordset_seek(&index->by_time, &key).rank;
    return 0;
}

/* --- stretches ------------------------------------------------------------------------------- */

static bool range_is_valid(const struct hsay_range *range)
{
    if (range->slicing == HSAY_SLICE_NONE)
        return true;
    if (range->slicing != HSAY_SLICE_DIGEST && range->slicing != HSAY_SLICE_TIME)
        return false;
    return range->modulo >= 1 && range->modulo <= HSAY_MODULO_MAX && range->offset < range->modulo;
}

static bool range_has_time(const struct hsay_range *range, uint64_t time)
{
    return range->time_low <= time && time <= range->time_high;
}

static bool range_is_all_time(const struct hsay_store_index *index, const struct hsay_range *range)
{
    uint64_t count = hsay_store_index_count(index);
    return count == 0 || (range_has_time(range, time_at(index, 0)) &&
                          range_has_time(range, time_at(index, count - 1)));
}

static struct stretch time_stretch(const struct hsay_store_index *index,
                                   const struct hsay_range *range)
{
    bool empty = range->time_low > range->time_high;
    struct stretch stretch = {
        .set = &index->by_time,
        .low = {{range->time_low, 0, 0}},
        .high = {{empty ? range->time_low : range->time_high + 1, 0, 0}},
        .to_end = !empty && range->time_high == UINT64_MAX,
        .filter = range->modulo == 1 ? HSAY_SLICE_NONE : range->slicing,
    };
    return stretch;
}

/* Least 64-bit digest head d with floor(d * modulo / 2^64) == offset; offset < modulo. */
static uint64_t slice_low(uint32_t modulo, uint32_t offset)
{
    return (uint64_t)((((u128)offset << 64) + modulo - 1) / modulo);
}

static struct stretch digest_stretch(const struct hsay_store_index *index,
                                     const struct hsay_range *range)
{
    bool last = range->offset + 1 == range->modulo;
    bool all_time = range_is_all_time(index, range);
    struct stretch stretch = {
        .set = &index->by_digest,
        .low = {{slice_low(range->modulo, range->offset), 0, 0}},
        .high = {{last ? 0 : slice_low(range->modulo, range->offset + 1), 0, 0}},
        .to_end = last,
        .filter = all_time ? HSAY_SLICE_NONE : HSAY_SLICE_DIGEST,
    };
    return stretch;
}

static struct stretch walk_stretch(const struct hsay_store_index *index,
                                   const struct hsay_range *range)
{
    if (range->slicing == HSAY_SLICE_DIGEST)
        return digest_stretch(index, range);
    return time_stretch(index, range);
}

static struct hsay_sum stretch_sum(const struct stretch *stretch)
{
    return hsay_ordset_sum(stretch->set, &stretch->low, stretch->to_end ? NULL : &stretch->high);
}

/* --- walks ----------------------------------------------------------------------------------- */

static struct hsay_ordset_place place_load(const struct hsay_cursor *cursor)
{
    return (struct hsay_ordset_place){
        .leaf = (const struct hsay_ordset_leaf *)(uintptr_t)cursor->word[WORD_LEAF],
        .index = cursor->word[WORD_INDEX],
        .rank = cursor->word[WORD_RANK],
    };
}

static void place_save(struct hsay_cursor *cursor, const struct hsay_ordset_place *place)
{
    cursor->word[WORD_LEAF] = (uintptr_t)place->leaf;
    cursor->word[WORD_INDEX] = place->index;
    cursor->word[WORD_RANK] = place->rank;
}

int hsay_store_index_walk(const struct hsay_store_index *index, const struct hsay_range *range,
                          uint64_t skip, struct hsay_cursor *out)
{
    if (!range_is_valid(range))
        return HSAY_EINVAL;
    struct stretch stretch = walk_stretch(index, range);
    uint64_t count = stretch_sum(&stretch).count;
    uint64_t second = count == 0 ? 0 : skip % count;
    uint64_t low = hsay_ordset_seek(stretch.set, &stretch.low).rank;
    struct hsay_ordset_place place = hsay_ordset_select(stretch.set, low + second);

    memset(out, 0, sizeof *out);
    out->range = *range;
    out->left = stretch.filter == HSAY_SLICE_NONE ? count : UINT64_MAX;
    place_save(out, &place);
    out->word[WORD_FIRST] = count - second;
    out->word[WORD_SECOND] = second;
    out->word[WORD_GENERATION] = index->generation;
    return 0;
}

/* The least time >= `time` with (time + offset) mod modulo == 0; false if there is none. */
static bool time_fitting(const struct hsay_range *range, uint64_t time, uint64_t *fitting)
{
    uint64_t over = (time % range->modulo + range->offset) % range->modulo;
    uint64_t more = over == 0 ? 0 : range->modulo - over;
    *fitting = time + more;
    return *fitting >= time;
}

/* From an item whose time does not fit to the first that may fit; counts off what lies between. */
static void leap(const struct hsay_store_index *index, struct hsay_cursor *cursor,
                 struct hsay_ordset_place *place)
{
    uint64_t fitting, passed = cursor->word[WORD_FIRST];
    if (time_fitting(&cursor->range, hsay_ordset_at(place)->word[0], &fitting)) {
        struct hsay_ordset_key key = {{fitting, 0, 0}};
        uint64_t from = place->rank;
        hsay_ordset_step(place); /* mostly the next item is the one, and then no search is needed */
        const struct hsay_ordset_key *next = hsay_ordset_at(place);
        if (next != NULL && next->word[0] < fitting)
            *place = hsay_ordset_seek(&index->by_time, &key);
        if (place->rank - from < passed)
            passed = place->rank - from;
    }
    cursor->word[WORD_FIRST] -= passed;
}

/* Turns to the beginning of the stretch when its end is reached; false when all came round. */
static bool turn(const struct hsay_store_index *index, struct hsay_cursor *cursor,
                 struct hsay_ordset_place *place)
{
    if (cursor->word[WORD_FIRST] > 0)
        return true;
    if (cursor->word[WORD_SECOND] == 0)
        return false;
    struct stretch stretch = walk_stretch(index, &cursor->range);
    *place = hsay_ordset_seek(stretch.set, &stretch.low);
    cursor->word[WORD_FIRST] = cursor->word[WORD_SECOND];
    cursor->word[WORD_SECOND] = 0;
    return true;
}

static bool cursor_takes(const struct hsay_cursor *cursor, const struct hsay_ordset_key *key)
{
    const struct hsay_range *range = &cursor->range;
    uint64_t fitting;
    if (cursor->left != UINT64_MAX)
        return true; /* the whole stretch is in the range */
    if (range->slicing == HSAY_SLICE_DIGEST)
        return range_has_time(range, key->word[2]);
    return time_fitting(range, key->word[0], &fitting) && fitting == key->word[0];
}

static int cursor_next(const struct hsay_store_index *index, struct hsay_cursor *cursor,
                       struct hsay_ordset_place *place, uint32_t *work,
                       const struct hsay_ordset_key **key)
{
    while (turn(index, cursor, place)) {
        *key = hsay_ordset_at(place);
        if (cursor_takes(cursor, *key)) {
            hsay_ordset_step(place);
            cursor->word[WORD_FIRST]--;
            cursor->left -= cursor->left != UINT64_MAX;
            return 0;
        }
        if (*work == 0)
            return HSAY_EBUDGET;
        --*work;
        if (cursor->range.slicing == HSAY_SLICE_TIME) {
            leap(index, cursor, place);
        } else {
            hsay_ordset_step(place);
            cursor->word[WORD_FIRST]--;
        }
    }
    cursor->left = 0;
    return HSAY_ENOENT;
}

int hsay_store_index_next(const struct hsay_store_index *index, struct hsay_cursor *cursor,
                          uint32_t *work, struct hsay_position *at)
{
    if (cursor->word[WORD_GENERATION] != index->generation)
        return HSAY_EINVAL;
    struct hsay_ordset_place place = place_load(cursor);
    const struct hsay_ordset_key *key;
    int rc = cursor_next(index, cursor, &place, work, &key);
    place_save(cursor, &place);
    if (rc == 0 && at != NULL)
        position_of(cursor->range.slicing == HSAY_SLICE_DIGEST ? &index->by_digest
                                                               : &index->by_time,
                    key, at);
    return rc;
}

/* --- sums ------------------------------------------------------------------------------------ */

static void sum_add_key(struct hsay_sum *sum, const struct hsay_ordset *set,
                        const struct hsay_ordset_key *key)
{
    uint64_t low = key->word[set->digest_word + 1];
    sum->count++;
    sum->low += low;
    sum->high += key->word[set->digest_word] + (sum->low < low);
}

/* Every item of the stretch is held against the whole range; modulo is at least 2. */
static void sum_by_items(const struct stretch *stretch, uint64_t count,
                         const struct hsay_range *range, struct hsay_sum *out)
{
    const struct hsay_ordset *set = stretch->set;
    unsigned time_word = set->digest_word == 1 ? 0 : 2;
    uint64_t low = slice_low(range->modulo, range->offset);
    uint64_t more =
        range->offset + 1 == range->modulo ? 0 : slice_low(range->modulo, range->offset + 1);
    struct hsay_ordset_place place = hsay_ordset_seek(set, &stretch->low);
    for (; count > 0; count--, hsay_ordset_step(&place)) {
        const struct hsay_ordset_key *key = hsay_ordset_at(&place);
        /* wraps as it should for the last slice, whose open edge is 2^64 */
        bool in_slice = key->word[set->digest_word] - low < more - low;
        if (in_slice && range_has_time(range, key->word[time_word]))
            sum_add_key(out, set, key);
    }
}

static int sum_by_leaps(const struct hsay_store_index *index, const struct hsay_range *range,
                        uint64_t work_max, struct hsay_sum *out)
{
    struct hsay_cursor cursor;
    int rc = hsay_store_index_walk(index, range, 0, &cursor);
    struct hsay_ordset_place place = place_load(&cursor);
    uint32_t work = work_max < UINT32_MAX ? (uint32_t)work_max : UINT32_MAX;
    uint64_t misses_max = work;
    while (rc == 0) {
        const struct hsay_ordset_key *key;
        rc = cursor_next(index, &cursor, &place, &work, &key);
        if (rc == 0)
            sum_add_key(out, &index->by_time, key);
        if (out->count + (misses_max - work) > work_max)
            rc = HSAY_EBUDGET;
    }
    return rc == HSAY_ENOENT ? 0 : rc;
}

int hsay_store_index_sum(const struct hsay_store_index *index, const struct hsay_range *range,
                         uint64_t work_max, struct hsay_sum *out)
{
    if (!range_is_valid(range))
        return HSAY_EINVAL;
    *out = (struct hsay_sum){0, 0, 0};
    struct stretch by_time = time_stretch(index, range);
    struct stretch by_walk = walk_stretch(index, range);
    if (range->slicing == HSAY_SLICE_DIGEST && range->modulo == 1)
        by_walk = by_time; /* no order is asked for here */
    if (by_walk.filter == HSAY_SLICE_NONE || range->modulo == 1) {
        *out = stretch_sum(&by_walk);
        return 0;
    }
    if (by_walk.filter == HSAY_SLICE_TIME)
        return sum_by_leaps(index, range, work_max, out);

    /* A slice cut by a time range: the shorter of the two stretches is looked through. */
    uint64_t count_time = stretch_sum(&by_time).count;
    uint64_t count_walk = stretch_sum(&by_walk).count;
    bool time_shorter = count_time < count_walk;
    if ((time_shorter ? count_time : count_walk) > work_max)
        return HSAY_EBUDGET;
    sum_by_items(time_shorter ? &by_time : &by_walk, time_shorter ? count_time : count_walk, range,
                 out);
    return 0;
}
