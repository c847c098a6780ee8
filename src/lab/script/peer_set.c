#include "src/lab/script/peer_set.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/names.h"
#include "src/lab/script/quantity.h"
#include "src/lab/script/heap.h"

/* --- ranges ---------------------------------------------------------------------------------- */

/* A growing list of ranges in any order. */
struct ranges {
    struct lab_peer_range *range;
    size_t count, room;
};

static void ranges_add(struct ranges *ranges, uint32_t first, uint32_t past)
{
    if (ranges->count == ranges->room) {
        ranges->room = ranges->room != 0 ? 2 * ranges->room : 8;
        ranges->range = lab_script_realloc(ranges->range, ranges->room * sizeof *ranges->range);
    }
    ranges->range[ranges->count++] = (struct lab_peer_range){first, past, 0};
}

static int range_compare(const void *a, const void *b)
{
    const struct lab_peer_range *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

/* Puts them in order, and makes one of those that meet. */
static void ranges_settle(struct ranges *ranges)
{
    size_t kept = 0;
    if (ranges->count > 1)
        qsort(ranges->range, ranges->count, sizeof *ranges->range, range_compare);
    for (size_t i = 0; i < ranges->count; i++) {
        struct lab_peer_range *last = kept > 0 ? &ranges->range[kept - 1] : NULL;
        if (last == NULL || ranges->range[i].first > last->past)
            ranges->range[kept++] = ranges->range[i];
        else if (ranges->range[i].past > last->past)
            last->past = ranges->range[i].past;
    }
    ranges->count = kept;
}

/* out = plus without minus, both settled. */
static void ranges_subtract(struct ranges *out, const struct ranges *plus,
                            const struct ranges *minus)
{
    size_t m = 0;
    for (size_t p = 0; p < plus->count; p++) {
        uint32_t first = plus->range[p].first, past = plus->range[p].past;
        while (m < minus->count && minus->range[m].past <= first)
            m++;
        /* The last one that begins in this range may reach into the next: m stays on it. */
        for (size_t i = m; i < minus->count && minus->range[i].first < past; i++) {
            if (minus->range[i].first > first)
                ranges_add(out, first, minus->range[i].first);
            first = minus->range[i].past;
            m = i;
        }
        if (first < past)
            ranges_add(out, first, past);
    }
}

static void set_fill(struct lab_peer_set *set, const struct ranges *ranges, struct lab_arena *arena)
{
    uint32_t before = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        ranges->range[i].before = before;
        before += ranges->range[i].past - ranges->range[i].first;
    }
    set->range = lab_arena_copy(arena, ranges->range, ranges->count * sizeof *ranges->range);
    set->range_count = (uint32_t)ranges->count;
    set->count = before;
    set->drawn = before;
}

/* --- reading --------------------------------------------------------------------------------- */

struct reading {
    const struct lab_peer_world *world;
    struct ranges plus, minus;
    enum lab_peer_draw draw;
    double share;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int bad(struct reading *reading, const char *format,
                                                     ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->why, reading->why_size, format, arguments);
    va_end(arguments);
    return HSAY_EINVAL;
}

enum { ALWAYS = 2 };

/* What a set may be called: what every scenario has, and then its own. */
static const char *name_at(const void *list, size_t i)
{
    static const char *const always[] = {"all", "any"};
    const struct lab_peer_world *world = list;
    return i < ALWAYS ? always[i] : world->name[i - ALWAYS].name;
}

static const struct lab_peer_set *named(const struct lab_peer_world *world, const char *name)
{
    for (size_t i = 0; i < world->name_count; i++) {
        if (strcmp(world->name[i].name, name) == 0)
            return &world->name[i].set;
    }
    return NULL;
}

static int read_name(struct reading *reading, const char *item, struct ranges *to)
{
    const struct lab_peer_world *world = reading->world;
    const struct lab_peer_set *set = named(world, item);
    if (set == NULL) {
        struct lab_names known = {world, world->name_count + ALWAYS, name_at};
        lab_names_unknown(reading->why, reading->why_size, "peer set", item, &known);
        return HSAY_EINVAL;
    }
    for (uint32_t r = 0; r < set->range_count; r++)
        ranges_add(to, set->range[r].first, set->range[r].past);
    return 0;
}

/* "7", counted from 1, as it comes out of ${nodes/2} too. */
static int read_peer(struct reading *reading, const char *text, double *peer, const char **rest)
{
    if (*text < '0' || *text > '9' || lab_quantity_decimal(text, peer, rest) != 0)
        return bad(reading, "'%.40s' is no peer, range of peers, or name of a set", text);
    *peer = floor(*peer);
    if (*peer < 1)
        return bad(reading, "peers count from 1, not from 0");
    if (*peer > reading->world->nodes)
        return bad(reading, "peer %.0f is beyond the %u nodes of this run", *peer,
                   (unsigned)reading->world->nodes);
    return 0;
}

static int read_range(struct reading *reading, const char *item, struct ranges *to)
{
    const char *rest;
    double first, last;
    int rc = read_peer(reading, item, &first, &rest);
    if (rc != 0)
        return rc;
    last = first;
    if (*rest == '-') {
        rc = read_peer(reading, rest + 1, &last, &rest);
        if (rc != 0)
            return rc;
    }
    if (*rest != '\0')
        return bad(reading, "'%.40s' is no peer or range of peers", item);
    if (last < first)
        return bad(reading, "the range %.40s ends before it begins", item);
    ranges_add(to, (uint32_t)first - 1, (uint32_t)last);
    return 0;
}

static int read_draw(struct reading *reading, const char *item)
{
    double share = 0;
    if (reading->draw != LAB_PEER_DRAW_NONE)
        return bad(reading, "a set draws once: one `any` or one share");
    if (strcmp(item, "any") == 0) {
        reading->draw = LAB_PEER_DRAW_ONE;
        return 0;
    }
    if (lab_quantity_read(LAB_KIND_SHARE, item, &share) != 0 || !(share > 0 && share <= 1))
        return bad(reading, "'%.40s' is no share over 0%% and up to 100%%", item);
    reading->draw = LAB_PEER_DRAW_SHARE;
    reading->share = share;
    return 0;
}

static int read_item(struct reading *reading, const char *item)
{
    bool not = *item == '!';
    struct ranges *to = not ? &reading->minus : &reading->plus;
    if (not )
        item += 1 + strspn(item + 1, " \t");
    if (*item == '\0')
        return bad(reading, "a comma has no peer beside it, or the set is empty");
    if (strcmp(item, "any") == 0 || strchr(item, '%') != NULL)
        return not ? bad(reading, "'!%.40s': a draw can not be left out", item)
                   : read_draw(reading, item);
    if (strcmp(item, "all") == 0) {
        ranges_add(to, 0, reading->world->nodes);
        return 0;
    }
    return lab_name_ok(item) ? read_name(reading, item, to) : read_range(reading, item, to);
}

enum { ITEM_BYTES = 128 };

/* Copies an item without the blanks around it. */
static int item_take(struct reading *reading, char item[ITEM_BYTES], const char *text,
                     size_t length)
{
    size_t lead = strspn(text, " \t");
    if (lead > length)
        lead = length;
    while (length > lead && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    if (length - lead >= ITEM_BYTES)
        return bad(reading, "'%.40s...' is too long for a peer or a name", text + lead);
    memcpy(item, text + lead, length - lead);
    item[length - lead] = '\0';
    return 0;
}

static int read_items(struct reading *reading, const char *text)
{
    for (;;) {
        char item[ITEM_BYTES];
        size_t length = strcspn(text, ",");
        int rc = item_take(reading, item, text, length);
        if (rc == 0)
            rc = read_item(reading, item);
        if (rc != 0 || text[length] == '\0')
            return rc;
        text += length + 1;
    }
}

static void draw_fill(struct lab_peer_set *set, enum lab_peer_draw draw, double share)
{
    set->draw = draw;
    if (draw == LAB_PEER_DRAW_ONE)
        set->drawn = 1;
    if (draw == LAB_PEER_DRAW_SHARE) {
        double wanted = nearbyint(share * set->count);
        set->drawn = wanted < 1 ? 1 : (uint32_t)wanted;
    }
}

static int set_make(struct reading *reading, struct lab_peer_set *set, struct lab_arena *arena)
{
    struct ranges rest = {0};
    if (reading->plus.count == 0)
        ranges_add(&reading->plus, 0, reading->world->nodes);
    ranges_settle(&reading->plus);
    ranges_settle(&reading->minus);
    ranges_subtract(&rest, &reading->plus, &reading->minus);
    set_fill(set, &rest, arena);
    free(rest.range);
    if (set->count == 0)
        return bad(reading, "no peer is in this set");
    draw_fill(set, reading->draw, reading->share);
    return 0;
}

int lab_peer_set_read(struct lab_peer_set *set, const char *text,
                      const struct lab_peer_world *world, struct lab_arena *arena, char *why,
                      size_t why_size)
{
    struct reading reading = {.world = world, .why = why, .why_size = why_size};
    const struct lab_peer_set *same = named(world, text);
    struct lab_peer_set made = {0};
    assert(world->nodes > 0);
    if (same != NULL) { /* the many lines that use a large set share its ranges */
        *set = *same;
        return 0;
    }
    int rc = read_items(&reading, text);
    if (rc == 0)
        rc = set_make(&reading, &made, arena);
    free(reading.plus.range);
    free(reading.minus.range);
    if (rc == 0)
        *set = made;
    return rc;
}

/* --- asking ---------------------------------------------------------------------------------- */

struct lab_peer_set lab_peer_set_all(struct lab_peer_range *range, uint32_t nodes)
{
    *range = (struct lab_peer_range){0, nodes, 0};
    return (struct lab_peer_set){.range = range, .range_count = 1, .count = nodes, .drawn = nodes};
}

struct lab_peer_set lab_peer_set_drawn(const struct lab_peer_set *set, const struct lab_draw *draw,
                                       struct lab_arena *arena)
{
    struct lab_peer_set made = {0};
    struct lab_peer_walk walk;
    struct ranges ranges = {0};
    uint32_t index;
    if (set->draw == LAB_PEER_DRAW_NONE)
        return *set;
    lab_peer_walk_start(&walk, set, draw);
    while (lab_peer_walk_next(&walk, &index))
        ranges_add(&ranges, index, index + 1);
    ranges_settle(&ranges);
    set_fill(&made, &ranges, arena);
    free(ranges.range);
    return made;
}

/* The last range that begins at or before the index; NULL if all begin behind it. */
static const struct lab_peer_range *range_find(const struct lab_peer_set *set, uint32_t index)
{
    uint32_t low = 0, high = set->range_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->range[middle].first <= index)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &set->range[low - 1] : NULL;
}

bool lab_peer_set_contains(const struct lab_peer_set *set, uint32_t index)
{
    const struct lab_peer_range *range = range_find(set, index);
    return range != NULL && index < range->past;
}

uint32_t lab_peer_set_at(const struct lab_peer_set *set, uint32_t k)
{
    uint32_t low = 0, high = set->range_count;
    assert(k < set->count);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (set->range[middle].before <= k)
            low = middle;
        else
            high = middle;
    }
    return set->range[low].first + (k - set->range[low].before);
}

void lab_peer_walk_start(struct lab_peer_walk *walk, const struct lab_peer_set *set,
                         const struct lab_draw *draw)
{
    assert(draw != NULL || set->draw == LAB_PEER_DRAW_NONE);
    *walk = (struct lab_peer_walk){.set = set, .draw = draw, .wanted = set->drawn};
    walk->left = set->count;
    walk->index = set->range_count > 0 ? set->range[0].first : 0;
}

/* Takes each peer with the chance (still wanted) / (still to come): exactly as many as wanted come
 * out, each choice as likely as any other (Fan, Muller and Rezucha 1962). */
static bool taken(struct lab_peer_walk *walk)
{
    if (walk->set->draw != LAB_PEER_DRAW_SHARE)
        return true;
    return walk->draw->below(walk->draw->of, walk->left) < walk->wanted;
}

bool lab_peer_walk_next(struct lab_peer_walk *walk, uint32_t *index)
{
    const struct lab_peer_set *set = walk->set;
    if (walk->wanted > 0 && set->draw == LAB_PEER_DRAW_ONE) {
        walk->wanted = 0;
        *index = lab_peer_set_at(set, (uint32_t)walk->draw->below(walk->draw->of, set->count));
        return true;
    }
    while (walk->wanted > 0) {
        if (walk->index == set->range[walk->range].past)
            walk->index = set->range[++walk->range].first;
        bool take = taken(walk);
        *index = walk->index++;
        walk->left--;
        if (take) {
            walk->wanted--;
            return true;
        }
    }
    return false;
}
