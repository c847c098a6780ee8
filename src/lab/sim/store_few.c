/*
 * Ranges, slices and walks over sorted arrays.  See store_few.h.
 *
 * The walks follow src/port/store_index.c step by step, so that a host behaves the same on both
 * sides of the threshold; a test holds the two against each other.  Sums go over the items one by
 * one, or over those that are left out: who asks for the sum of a range mostly walks it, too.
 */
#include "src/lab/sim/store_few.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"

__extension__ typedef unsigned __int128 u128;

enum {
    SIZE_FIRST = 1,    /* most hosts of the largest simulations hold one bundle */
    SIZE_DOUBLES = 16, /* a larger list grows by a half only */
};

enum order { BY_TIME, BY_DIGEST, BY_AUTHOR, BY_EXPIRY };

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
    return few->list->number[(size_t)order * few->list->size + place];
}

static const struct hsay_record *item(const struct lab_few *few, enum order order, uint64_t place)
{
    return &lab_depot_at(few->depot, number_at(few, order, place))->record;
}

static const struct lab_depot_key *key_at(const struct lab_few *few, enum order order,
                                          uint64_t place)
{
    return lab_depot_key_at(few->depot, number_at(few, order, place));
}

static uint64_t load_be64(const uint8_t *byte)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | byte[i];
    return value;
}

static struct lab_depot_key key_of(uint64_t time, const struct hsay_digest *digest)
{
    return (struct lab_depot_key){time, load_be64(digest->byte), load_be64(digest->byte + 8)};
}

static bool key_before(enum order order, const struct lab_depot_key *a,
                       const struct lab_depot_key *b)
{
    if (order == BY_TIME && a->time != b->time)
        return a->time < b->time;
    return a->high != b->high ? a->high < b->high : a->low < b->low;
}

/* How many items stand before this one, in the order of time or of digests. */
static uint32_t seek(const struct lab_few *few, enum order order, const struct lab_depot_key *key)
{
    uint32_t low = 0, high = lab_few_count(few);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (key_before(order, key_at(few, order, middle), key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t seek_time(const struct lab_few *few, uint64_t time)
{
    return seek(few, BY_TIME, &(struct lab_depot_key){time, 0, 0});
}

/* Where an author's slot is; a NULL digest stands before all others. */
struct author_key {
    const struct hsay_key *author;
    uint64_t sequence;
    const struct hsay_digest *digest;
};

static int author_compare(const struct hsay_record *record, const struct author_key *key)
{
    int order = memcmp(&record->author, key->author, sizeof record->author);
    if (order != 0)
        return order;
    if (record->sequence != key->sequence)
        return record->sequence < key->sequence ? -1 : 1;
    if (key->digest == NULL)
        return 1;
    return memcmp(&record->at.digest, key->digest, sizeof *key->digest);
}

static uint32_t seek_author(const struct lab_few *few, const struct author_key *key)
{
    uint32_t low = 0, high = lab_few_count(few);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (author_compare(item(few, BY_AUTHOR, middle), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t seek_expiry(const struct lab_few *few, const struct hsay_record *key)
{
    uint32_t low = 0, high = few->list->expiring;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct hsay_record *held = item(few, BY_EXPIRY, middle);
        bool less = held->expiry_s != key->expiry_s
                        ? held->expiry_s < key->expiry_s
                        : memcmp(&held->at.digest, &key->at.digest, sizeof key->at.digest) < 0;
        if (less)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where this bundle is in that order, or belongs. */
static uint32_t place_of(const struct lab_few *few, enum order order, uint32_t number)
{
    const struct hsay_record *record = &lab_depot_at(few->depot, number)->record;
    if (order == BY_EXPIRY)
        return seek_expiry(few, record);
    if (order != BY_AUTHOR)
        return seek(few, order, lab_depot_key_at(few->depot, number));
    struct author_key key = {&record->author, record->sequence, &record->at.digest};
    return seek_author(few, &key);
}

static void sum_add(struct hsay_sum *sum, const struct lab_depot_key *key)
{
    sum->count++;
    sum->low += key->low;
    sum->high += key->high + (sum->low < key->low);
}

static void sum_take(struct hsay_sum *from, const struct hsay_sum *take)
{
    from->count -= take->count;
    from->high -= take->high + (from->low < take->low);
    from->low -= take->low;
}

static struct hsay_sum total(const struct lab_few *few)
{
    const struct lab_few_list *list = few->list;
    if (list == NULL)
        return (struct hsay_sum){0, 0, 0};
    return (struct hsay_sum){list->count, list->total_high, list->total_low};
}

static void set_total(struct lab_few_list *list, const struct hsay_sum *sum)
{
    list->count = (uint16_t)sum->count;
    list->total_high = sum->high;
    list->total_low = sum->low;
}

/* --- changes --------------------------------------------------------------------------------- */

static size_t list_bytes(size_t size, size_t orders)
{
    return sizeof(struct lab_few_list) + orders * size * sizeof(uint32_t);
}

static uint32_t *order_of(struct lab_few_list *list, enum order order)
{
    return list->number + (size_t)order * list->size;
}

/* In the order of expiry stand only those that expire. */
static bool is_in(const struct hsay_record *record, enum order order)
{
    return order != BY_EXPIRY || record->expiry_s != 0;
}

static uint32_t count_in(const struct lab_few_list *list, enum order order)
{
    return order == BY_EXPIRY ? list->expiring : list->count;
}

static uint32_t grown(uint32_t size)
{
    if (size == 0)
        return SIZE_FIRST;
    return size < SIZE_DOUBLES ? 2 * size : size + size / 2;
}

/* Room for one more in that many orders. */
static int reserve(struct lab_few *few, unsigned orders)
{
    static const struct lab_few_list empty = {.generation = 1};
    struct lab_few_list *old = few->list;
    uint32_t size = old == NULL ? 0 : old->size;
    if (old != NULL && old->orders > orders)
        orders = old->orders;
    if (lab_few_count(few) == size)
        size = grown(size);
    else if (old->orders == orders)
        return 0;
    assert(size <= UINT16_MAX);
    struct lab_few_list *list = malloc(list_bytes(size, orders));
    if (list == NULL)
        return HSAY_ENOMEM;
    *list = old == NULL ? empty : *old;
    list->size = (uint16_t)size;
    list->orders = orders;
    for (enum order order = 0; order < (old == NULL ? 0 : old->orders); order++)
        memcpy(order_of(list, order), order_of(old, order),
               count_in(old, order) * sizeof list->number[0]);
    free(old);
    few->list = list;
    return 0;
}

int lab_few_add(struct lab_few *few, uint32_t number)
{
    const struct hsay_record *record = &lab_depot_at(few->depot, number)->record;
    int rc = reserve(few, record->expiry_s != 0 ? BY_EXPIRY + 1 : BY_EXPIRY);
    if (rc != 0)
        return rc;
    struct lab_few_list *list = few->list;
    for (enum order order = 0; order < list->orders && is_in(record, order); order++) {
        uint32_t place = place_of(few, order, number);
        uint32_t *at = order_of(list, order) + place;
        memmove(at + 1, at, (count_in(list, order) - place) * sizeof *at);
        *at = number;
    }
    struct hsay_sum sum = total(few);
    sum_add(&sum, lab_depot_key_at(few->depot, number));
    set_total(list, &sum);
    list->expiring += record->expiry_s != 0;
    list->generation++;
    return 0;
}

void lab_few_drop(struct lab_few *few, uint32_t number)
{
    const struct hsay_record *record = &lab_depot_at(few->depot, number)->record;
    struct lab_few_list *list = few->list;
    for (enum order order = 0; order < list->orders && is_in(record, order); order++) {
        uint32_t place = place_of(few, order, number);
        uint32_t *at = order_of(list, order) + place;
        memmove(at, at + 1, (count_in(list, order) - place - 1) * sizeof *at);
    }
    struct hsay_sum sum = total(few), one = {0, 0, 0};
    sum_add(&one, lab_depot_key_at(few->depot, number));
    sum_take(&sum, &one);
    set_total(list, &sum);
    list->expiring -= record->expiry_s != 0;
    list->generation++;
}

size_t lab_few_memory(const struct lab_few *few)
{
    return few->list == NULL ? 0 : list_bytes(few->list->size, few->list->orders);
}

void lab_few_free(struct lab_few *few)
{
    free(few->list);
    few->list = NULL;
}

/* --- points ---------------------------------------------------------------------------------- */

int lab_few_find(const struct lab_few *few, const struct hsay_digest *digest, uint32_t *number)
{
    struct lab_depot_key key = key_of(0, digest);
    uint32_t place = seek(few, BY_DIGEST, &key);
    if (place == lab_few_count(few))
        return HSAY_ENOENT;
    const struct lab_depot_key *held = key_at(few, BY_DIGEST, place);
    if (held->high != key.high || held->low != key.low)
        return HSAY_ENOENT;
    *number = number_at(few, BY_DIGEST, place);
    return 0;
}

int lab_few_find_short(const struct lab_few *few, uint64_t short_digest, struct hsay_position *out)
{
    uint32_t place = seek(few, BY_DIGEST, &(struct lab_depot_key){0, short_digest, 0});
    if (place == lab_few_count(few) || key_at(few, BY_DIGEST, place)->high != short_digest)
        return HSAY_ENOENT;
    *out = item(few, BY_DIGEST, place)->at;
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
    struct lab_depot_key key = key_of(at->time, &at->digest);
    *rank = seek(few, BY_TIME, &key);
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
    return count == 0 || (range_has_time(range, key_at(few, BY_TIME, 0)->time) &&
                          range_has_time(range, key_at(few, BY_TIME, count - 1)->time));
}

static struct stretch time_stretch(const struct lab_few *few, const struct hsay_range *range)
{
    struct stretch stretch = {
        .order = BY_TIME,
        .filter = range->modulo == 1 ? HSAY_SLICE_NONE : range->slicing,
    };
    stretch.low = stretch.high = seek_time(few, range->time_low);
    if (range->time_low <= range->time_high)
        stretch.high = range->time_high == UINT64_MAX ? lab_few_count(few)
                                                      : seek_time(few, range->time_high + 1);
    return stretch;
}

/* Where the slice of that offset begins; offset may be the modulo: the end. */
static uint32_t seek_slice(const struct lab_few *few, uint32_t modulo, uint32_t offset)
{
    if (offset == modulo)
        return lab_few_count(few);
    uint64_t lowest = (uint64_t)((((u128)offset << 64) + modulo - 1) / modulo);
    return seek(few, BY_DIGEST, &(struct lab_depot_key){0, lowest, 0});
}

static struct stretch digest_stretch(const struct lab_few *few, const struct hsay_range *range)
{
    return (struct stretch){
        .order = BY_DIGEST,
        .low = seek_slice(few, range->modulo, range->offset),
        .high = seek_slice(few, range->modulo, range->offset + 1),
        .filter = range_is_all_time(few, range) ? HSAY_SLICE_NONE : HSAY_SLICE_DIGEST,
    };
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
    uint64_t time = key_at(few, BY_TIME, cursor->word[WORD_PLACE])->time;
    bool any = time_fitting(&cursor->range, time, &fitting);
    do {
        step(cursor);
    } while (cursor->word[WORD_FIRST] > 0 &&
             (!any || key_at(few, BY_TIME, cursor->word[WORD_PLACE])->time < fitting));
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
        if (cursor_takes(cursor, key_at(few, order, place)->time)) {
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

static struct hsay_sum sum_of(const struct lab_few *few, enum order order, uint32_t low,
                              uint32_t high)
{
    struct hsay_sum sum = {0, 0, 0};
    for (uint32_t i = low; i < high; i++)
        sum_add(&sum, key_at(few, order, i));
    return sum;
}

/* All of a stretch: what is in it, or everything less what is not, whichever is shorter. */
static struct hsay_sum stretch_sum(const struct lab_few *few, const struct stretch *stretch)
{
    uint32_t count = lab_few_count(few);
    if (stretch->high - stretch->low <= count / 2)
        return sum_of(few, stretch->order, stretch->low, stretch->high);
    struct hsay_sum sum = total(few);
    struct hsay_sum before = sum_of(few, stretch->order, 0, stretch->low);
    struct hsay_sum after = sum_of(few, stretch->order, stretch->high, count);
    sum_take(&sum, &before);
    sum_take(&sum, &after);
    return sum;
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
            sum_add(out, lab_depot_key_at(few->depot, number));
        if (out->count + (misses_max - work) > work_max)
            rc = HSAY_EBUDGET;
    }
    return rc == HSAY_ENOENT ? 0 : rc;
}

/* A slice by digest that the time range cuts: what is in both stretches. */
static struct hsay_sum sum_of_both(const struct lab_few *few, const struct stretch *by_time,
                                   const struct stretch *by_digest, const struct hsay_range *range)
{
    struct hsay_sum sum = {0, 0, 0};
    bool time_shorter = by_time->high - by_time->low < by_digest->high - by_digest->low;
    const struct stretch *shorter = time_shorter ? by_time : by_digest;
    for (uint32_t i = shorter->low; i < shorter->high; i++) {
        const struct lab_depot_key *key = key_at(few, shorter->order, i);
        bool in_slice = (uint32_t)((u128)key->high * range->modulo >> 64) == range->offset;
        if (in_slice && range_has_time(range, key->time))
            sum_add(&sum, key);
    }
    return sum;
}

int lab_few_sum(const struct lab_few *few, const struct hsay_range *range, uint64_t work_max,
                struct hsay_sum *out)
{
    if (!range_is_valid(range))
        return HSAY_EINVAL;
    *out = (struct hsay_sum){0, 0, 0};
    struct stretch by_time = time_stretch(few, range);
    if (by_time.filter == HSAY_SLICE_NONE) {
        *out = stretch_sum(few, &by_time);
        return 0;
    }
    if (by_time.filter == HSAY_SLICE_TIME)
        return sum_by_leaps(few, range, work_max, out);
    struct stretch by_digest = digest_stretch(few, range);
    if (by_digest.filter == HSAY_SLICE_NONE) {
        *out = stretch_sum(few, &by_digest);
        return 0;
    }
    /* as the index, which looks through the shorter of the two */
    if (by_time.high - by_time.low > work_max && by_digest.high - by_digest.low > work_max)
        return HSAY_EBUDGET;
    *out = sum_of_both(few, &by_time, &by_digest, range);
    return 0;
}

/* --- authors and expiry ---------------------------------------------------------------------- */

static bool is_of(const struct hsay_record *record, const struct hsay_key *author)
{
    return memcmp(&record->author, author, sizeof *author) == 0;
}

int lab_few_author_next(const struct lab_few *few, const struct hsay_key *author, uint64_t sequence,
                        const struct hsay_digest *after, struct hsay_record *out)
{
    struct author_key key = {author, sequence, after};
    uint32_t place = seek_author(few, &key);
    if (place < lab_few_count(few) && author_compare(item(few, BY_AUTHOR, place), &key) == 0)
        place++;
    if (place == lab_few_count(few) || !is_of(item(few, BY_AUTHOR, place), author))
        return HSAY_ENOENT;
    *out = *item(few, BY_AUTHOR, place);
    return 0;
}

int lab_few_author_before(const struct lab_few *few, const struct hsay_key *author, uint64_t below,
                          uint64_t *sequence, uint64_t *time)
{
    struct author_key key = {author, below, NULL};
    uint32_t place = seek_author(few, &key);
    bool found = false;
    while (place-- > 0) {
        const struct hsay_record *record = item(few, BY_AUTHOR, place);
        if (!is_of(record, author) || (found && record->sequence != *sequence))
            break;
        *time = found && *time > record->at.time ? *time : record->at.time;
        *sequence = record->sequence;
        found = true;
    }
    return found ? 0 : HSAY_ENOENT;
}

int lab_few_expired(const struct lab_few *few, uint64_t wall_s, struct hsay_record *out)
{
    if (few->list == NULL || few->list->expiring == 0)
        return HSAY_ENOENT;
    const struct hsay_record *first = item(few, BY_EXPIRY, 0);
    if (first->expiry_s > wall_s)
        return HSAY_ENOENT;
    *out = *first;
    out->bytes = (struct hsay_span){NULL, 0};
    return 0;
}
