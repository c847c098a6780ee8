/*
 * Ranges, slices and walks over two sorted arrays.  See store_few.h.
 *
 * The walks follow src/port/store_index.c step by step, so that a host behaves the same on both
 * sides of the threshold; a test holds the two against each other.  What has no order here, authors
 * and expiry, is looked for one by one.
 */
#include "src/lab/sim/store_few.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"

__extension__ typedef unsigned __int128 u128;

enum { SIZE_FIRST = 2 };

enum order { BY_TIME, BY_DIGEST };

enum {
    WORD_PLACE = 0,
    WORD_LOW = 1,        /* where the stretch begins */
    WORD_FIRST = 2,      /* items of the stretch before its end */
    WORD_SECOND = 3,     /* items from its beginning, after the turn */
    WORD_GENERATION = 5, /* where the index has it, too: a cursor does not outlive the threshold */
};

/* A stretch of one of the arrays, and what must hold for an item in it. */
struct stretch {
    enum order order;
    uint32_t low;
    uint32_t high;  /* open edge */
    uint8_t filter; /* enum hsay_slicing that each item must still be held against; NONE: all fit */
};

static uint32_t number_at(const struct lab_few *few, enum order order, uint64_t place)
{
    return few->list->number[(order == BY_DIGEST ? few->list->size : 0) + place];
}

static const struct hsay_record *item(const struct lab_few *few, enum order order, uint64_t place)
{
    return &lab_depot_at(few->depot, number_at(few, order, place))->record;
}

static uint64_t load_be64(const uint8_t *byte)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | byte[i];
    return value;
}

/* How many items stand before this position. */
static uint32_t seek_time(const struct lab_few *few, const struct hsay_position *at)
{
    uint32_t low = 0, high = lab_few_count(few);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct hsay_position *held = &item(few, BY_TIME, middle)->at;
        bool less = held->time != at->time
                        ? held->time < at->time
                        : memcmp(&held->digest, &at->digest, sizeof at->digest) < 0;
        if (less)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many digests are below this one. */
static uint32_t seek_digest(const struct lab_few *few, const struct hsay_digest *digest)
{
    uint32_t low = 0, high = lab_few_count(few);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct hsay_digest *held = &item(few, BY_DIGEST, middle)->at.digest;
        if (memcmp(held, digest, sizeof *digest) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- changes --------------------------------------------------------------------------------- */

static size_t list_bytes(uint32_t size)
{
    return sizeof(struct lab_few_list) + 2 * (size_t)size * sizeof(uint32_t);
}

static int reserve(struct lab_few *few)
{
    struct lab_few_list *old = few->list;
    if (old != NULL && old->count < old->size)
        return 0;
    uint32_t size = old == NULL ? SIZE_FIRST : 2 * (uint32_t)old->size;
    assert(size <= UINT16_MAX);
    struct lab_few_list *list = malloc(list_bytes(size));
    if (list == NULL)
        return HSAY_ENOMEM;
    *list = (struct lab_few_list){.generation = 1, .size = (uint16_t)size};
    if (old != NULL) {
        size_t bytes = old->count * sizeof list->number[0];
        list->generation = old->generation;
        list->count = old->count;
        memcpy(list->number, old->number, bytes);
        memcpy(list->number + size, old->number + old->size, bytes);
    }
    free(old);
    few->list = list;
    return 0;
}

static void open_gap(uint32_t *number, uint32_t place, uint32_t count)
{
    memmove(number + place + 1, number + place, (count - place) * sizeof *number);
}

static void close_gap(uint32_t *number, uint32_t place, uint32_t count)
{
    memmove(number + place, number + place + 1, (count - place - 1) * sizeof *number);
}

int lab_few_add(struct lab_few *few, uint32_t number)
{
    int rc = reserve(few);
    if (rc != 0)
        return rc;
    struct lab_few_list *list = few->list;
    const struct hsay_position *at = &lab_depot_at(few->depot, number)->record.at;
    uint32_t place = seek_time(few, at), by_digest = seek_digest(few, &at->digest);
    open_gap(list->number, place, list->count);
    open_gap(list->number + list->size, by_digest, list->count);
    list->number[place] = number;
    list->number[list->size + by_digest] = number;
    list->count++;
    list->generation++;
    return 0;
}

void lab_few_drop(struct lab_few *few, uint32_t number)
{
    struct lab_few_list *list = few->list;
    const struct hsay_position *at = &lab_depot_at(few->depot, number)->record.at;
    uint32_t place = seek_time(few, at), by_digest = seek_digest(few, &at->digest);
    close_gap(list->number, place, list->count);
    close_gap(list->number + list->size, by_digest, list->count);
    list->count--;
    list->generation++;
}

size_t lab_few_memory(const struct lab_few *few)
{
    return few->list == NULL ? 0 : list_bytes(few->list->size);
}

void lab_few_free(struct lab_few *few)
{
    free(few->list);
    few->list = NULL;
}

/* --- points ---------------------------------------------------------------------------------- */

int lab_few_find(const struct lab_few *few, const struct hsay_digest *digest, uint32_t *number)
{
    uint32_t place = seek_digest(few, digest);
    if (place == lab_few_count(few) ||
        memcmp(&item(few, BY_DIGEST, place)->at.digest, digest, sizeof *digest) != 0)
        return HSAY_ENOENT;
    *number = number_at(few, BY_DIGEST, place);
    return 0;
}

int lab_few_find_short(const struct lab_few *few, uint64_t short_digest, struct hsay_position *out)
{
    struct hsay_digest lowest = {{0}};
    for (int i = 0; i < 8; i++)
        lowest.byte[i] = (uint8_t)(short_digest >> (56 - 8 * i));
    uint32_t place = seek_digest(few, &lowest);
    if (place == lab_few_count(few))
        return HSAY_ENOENT;
    const struct hsay_position *at = &item(few, BY_DIGEST, place)->at;
    if (memcmp(&at->digest, &lowest, 8) != 0)
        return HSAY_ENOENT;
    *out = *at;
    return 0;
}

int lab_few_at_rank(const struct lab_few *few, uint64_t rank, struct hsay_position *out)
{
    if (rank >= lab_few_count(few))
        return HSAY_ENOENT;
    *out = item(few, BY_TIME, rank)->at;
    return 0;
}

int lab_few_rank_of(const struct lab_few *few, const struct hsay_position *at, uint64_t *rank)
{
    *rank = seek_time(few, at);
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

static bool range_is_all_time(const struct lab_few *few, const struct hsay_range *range)
{
    uint32_t count = lab_few_count(few);
    return count == 0 || (range_has_time(range, item(few, BY_TIME, 0)->at.time) &&
                          range_has_time(range, item(few, BY_TIME, count - 1)->at.time));
}

static uint32_t slice_of(const struct hsay_range *range, const struct hsay_record *record)
{
    return (uint32_t)((u128)load_be64(record->at.digest.byte) * range->modulo >> 64);
}

static struct stretch time_stretch(const struct lab_few *few, const struct hsay_range *range)
{
    struct stretch stretch = {
        .order = BY_TIME,
        .filter = range->modulo == 1 ? HSAY_SLICE_NONE : range->slicing,
    };
    struct hsay_position low = {range->time_low, {{0}}}, high = {range->time_high + 1, {{0}}};
    stretch.low = stretch.high = seek_time(few, &low);
    if (range->time_low <= range->time_high)
        stretch.high = range->time_high == UINT64_MAX ? lab_few_count(few) : seek_time(few, &high);
    return stretch;
}

static struct stretch digest_stretch(const struct lab_few *few, const struct hsay_range *range)
{
    struct stretch stretch = {
        .order = BY_DIGEST,
        .filter = range_is_all_time(few, range) ? HSAY_SLICE_NONE : HSAY_SLICE_DIGEST,
    };
    for (uint32_t i = 0; i < lab_few_count(few); i++) {
        uint32_t slice = slice_of(range, item(few, BY_DIGEST, i));
        stretch.low += slice < range->offset;
        stretch.high += slice <= range->offset;
    }
    return stretch;
}

static struct stretch walk_stretch(const struct lab_few *few, const struct hsay_range *range)
{
    if (range->slicing == HSAY_SLICE_DIGEST)
        return digest_stretch(few, range);
    return time_stretch(few, range);
}

/* --- walks ----------------------------------------------------------------------------------- */

int lab_few_walk(const struct lab_few *few, const struct hsay_range *range, uint64_t skip,
                 struct hsay_cursor *out)
{
    if (!range_is_valid(range))
        return HSAY_EINVAL;
    struct stretch stretch = walk_stretch(few, range);
    uint32_t count = stretch.high - stretch.low;
    uint64_t second = count == 0 ? 0 : skip % count;

    memset(out, 0, sizeof *out);
    out->range = *range;
    out->left = stretch.filter == HSAY_SLICE_NONE ? count : UINT64_MAX;
    out->word[WORD_PLACE] = stretch.low + second;
    out->word[WORD_LOW] = stretch.low;
    out->word[WORD_FIRST] = count - second;
    out->word[WORD_SECOND] = second;
    out->word[WORD_GENERATION] = few->list == NULL ? 0 : few->list->generation;
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

static void step(struct hsay_cursor *cursor)
{
    cursor->word[WORD_PLACE]++;
    cursor->word[WORD_FIRST]--;
}

/* From an item whose time does not fit to the first that may fit. */
static void leap(const struct lab_few *few, struct hsay_cursor *cursor)
{
    uint64_t fitting;
    uint64_t time = item(few, BY_TIME, cursor->word[WORD_PLACE])->at.time;
    bool any = time_fitting(&cursor->range, time, &fitting);
    do {
        step(cursor);
    } while (cursor->word[WORD_FIRST] > 0 &&
             (!any || item(few, BY_TIME, cursor->word[WORD_PLACE])->at.time < fitting));
}

/* Turns to the beginning of the stretch when its end is reached; false when all came round. */
static bool turn(struct hsay_cursor *cursor)
{
    if (cursor->word[WORD_FIRST] > 0)
        return true;
    if (cursor->word[WORD_SECOND] == 0)
        return false;
    cursor->word[WORD_PLACE] = cursor->word[WORD_LOW];
    cursor->word[WORD_FIRST] = cursor->word[WORD_SECOND];
    cursor->word[WORD_SECOND] = 0;
    return true;
}

static bool cursor_takes(const struct hsay_cursor *cursor, uint64_t time)
{
    const struct hsay_range *range = &cursor->range;
    uint64_t fitting;
    if (cursor->left != UINT64_MAX)
        return true; /* the whole stretch is in the range */
    if (range->slicing == HSAY_SLICE_DIGEST)
        return range_has_time(range, time);
    return time_fitting(range, time, &fitting) && fitting == time;
}

int lab_few_next(const struct lab_few *few, struct hsay_cursor *cursor, uint32_t *work,
                 uint32_t *number)
{
    if (cursor->word[WORD_GENERATION] != (few->list == NULL ? 0 : few->list->generation))
        return HSAY_EINVAL;
    enum order order = cursor->range.slicing == HSAY_SLICE_DIGEST ? BY_DIGEST : BY_TIME;
    while (turn(cursor)) {
        uint64_t place = cursor->word[WORD_PLACE];
        if (cursor_takes(cursor, item(few, order, place)->at.time)) {
            *number = number_at(few, order, place);
            step(cursor);
            cursor->left -= cursor->left != UINT64_MAX;
            return 0;
        }
        if (*work == 0)
            return HSAY_EBUDGET;
        --*work;
        if (cursor->range.slicing == HSAY_SLICE_TIME)
            leap(few, cursor);
        else
            step(cursor);
    }
    cursor->left = 0;
    return HSAY_ENOENT;
}

/* --- sums ------------------------------------------------------------------------------------ */

static void sum_add(struct hsay_sum *sum, const struct hsay_digest *digest)
{
    uint64_t low = load_be64(digest->byte + 8);
    sum->count++;
    sum->low += low;
    sum->high += load_be64(digest->byte) + (sum->low < low);
}

static int sum_by_leaps(const struct lab_few *few, const struct hsay_range *range,
                        uint64_t work_max, struct hsay_sum *out)
{
    struct hsay_cursor cursor;
    int rc = lab_few_walk(few, range, 0, &cursor);
    uint32_t work = work_max < UINT32_MAX ? (uint32_t)work_max : UINT32_MAX;
    uint64_t misses_max = work;
    while (rc == 0) {
        uint32_t number;
        rc = lab_few_next(few, &cursor, &work, &number);
        if (rc == 0)
            sum_add(out, &lab_depot_at(few->depot, number)->record.at.digest);
        if (out->count + (misses_max - work) > work_max)
            rc = HSAY_EBUDGET;
    }
    return rc == HSAY_ENOENT ? 0 : rc;
}

/* A stretch whose items are all held against the whole range; the stretch may be of any order. */
static void sum_by_items(const struct lab_few *few, const struct stretch *stretch,
                         const struct hsay_range *range, struct hsay_sum *out)
{
    for (uint32_t i = stretch->low; i < stretch->high; i++) {
        const struct hsay_record *record = item(few, stretch->order, i);
        bool fits =
            stretch->filter == HSAY_SLICE_NONE ||
            (slice_of(range, record) == range->offset && range_has_time(range, record->at.time));
        if (fits)
            sum_add(out, &record->at.digest);
    }
}

int lab_few_sum(const struct lab_few *few, const struct hsay_range *range, uint64_t work_max,
                struct hsay_sum *out)
{
    if (!range_is_valid(range))
        return HSAY_EINVAL;
    *out = (struct hsay_sum){0, 0, 0};
    struct stretch by_time = time_stretch(few, range);
    if (by_time.filter == HSAY_SLICE_NONE) {
        sum_by_items(few, &by_time, range, out);
        return 0;
    }
    if (by_time.filter == HSAY_SLICE_TIME)
        return sum_by_leaps(few, range, work_max, out);

    /* The work that the index would have, which looks through the shorter of the two stretches. */
    struct stretch by_digest = digest_stretch(few, range);
    bool time_shorter = by_time.high - by_time.low < by_digest.high - by_digest.low;
    const struct stretch *shorter = time_shorter ? &by_time : &by_digest;
    if (by_digest.filter != HSAY_SLICE_NONE && shorter->high - shorter->low > work_max)
        return HSAY_EBUDGET;
    sum_by_items(few, by_digest.filter == HSAY_SLICE_NONE ? &by_digest : shorter, range, out);
    return 0;
}

/* --- authors and expiry ---------------------------------------------------------------------- */

static bool is_of(const struct hsay_record *record, const struct hsay_key *author)
{
    return memcmp(&record->author, author, sizeof *author) == 0;
}

/* Seen in the order of digests, the first of the least sequence is the lowest of its slot. */
int lab_few_author_next(const struct lab_few *few, const struct hsay_key *author, uint64_t sequence,
                        const struct hsay_digest *after, struct hsay_record *out)
{
    const struct hsay_record *best = NULL;
    for (uint32_t i = 0; i < lab_few_count(few); i++) {
        const struct hsay_record *record = item(few, BY_DIGEST, i);
        if (record->sequence < sequence || !is_of(record, author))
            continue;
        if (record->sequence == sequence && after != NULL &&
            memcmp(&record->at.digest, after, sizeof *after) <= 0)
            continue;
        if (best == NULL || record->sequence < best->sequence)
            best = record;
    }
    if (best == NULL)
        return HSAY_ENOENT;
    *out = *best;
    return 0;
}

/* Seen in the order of time, the last of the greatest sequence has the largest time of its slot. */
int lab_few_author_before(const struct lab_few *few, const struct hsay_key *author, uint64_t below,
                          uint64_t *sequence, uint64_t *time)
{
    const struct hsay_record *best = NULL;
    for (uint32_t i = 0; i < lab_few_count(few); i++) {
        const struct hsay_record *record = item(few, BY_TIME, i);
        if (record->sequence < below && is_of(record, author) &&
            (best == NULL || record->sequence >= best->sequence))
            best = record;
    }
    if (best == NULL)
        return HSAY_ENOENT;
    *sequence = best->sequence;
    *time = best->at.time;
    return 0;
}

int lab_few_expired(const struct lab_few *few, uint64_t wall_s, struct hsay_record *out)
{
    const struct hsay_record *best = NULL;
    for (uint32_t i = 0; i < lab_few_count(few); i++) {
        const struct hsay_record *record = item(few, BY_DIGEST, i);
        if (record->expiry_s != 0 && record->expiry_s <= wall_s &&
            (best == NULL || record->expiry_s < best->expiry_s))
            best = record;
    }
    if (best == NULL)
        return HSAY_ENOENT;
    *out = *best;
    out->bytes = (struct hsay_span){NULL, 0};
    return 0;
}
