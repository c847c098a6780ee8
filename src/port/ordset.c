/*
 * B+-tree with counts and sums.  See ordset.h for what it promises.
 *
 * Why a B+-tree: a million keys take 25 to 31 MB (a balanced binary tree takes twice that) and a
 * walk runs through memory in order, which is what claims and answers do with a thousand keys at a
 * time.
 *
 * Growth goes in single steps: as long as the leaf that must take a key is full, one step makes
 * room (share with a sibling, or split the lowest node whose parent has room), and the search
 * starts again from the root.  Each step leaves a whole tree and takes at most one node, so running
 * out of memory in between changes nothing that a caller can see.  It costs a few more searches,
 * but only once per some forty inserts.
 *
 * Two habits keep the fill high.  A full leaf first shares with a sibling, so leaves split only
 * when both are full (about 82 % fill for keys in random order); and a key that comes after all
 * others starts a new leaf instead of halving the last (nearly 100 % for keys in rising order,
 * which is how time-ordered keys come).
 */
#include "src/port/ordset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"

enum {
    LEAF_MAX = 84,  /* a leaf is then 2,032 bytes, 2,048 with malloc's own word */
    LEAF_MIN = 28,  /* below a third, a leaf merges or shares */
    LEAF_FULL = 74, /* a sibling with more than this is not worth sharing with */
    INNER_MAX = 64,
    INNER_MIN = 16,
    INNER_TAIL = 8, /* children that go along when the last inner node splits at its end */
    DEPTH_MAX = 12, /* 28 * 16^11 keys */
};

struct hsay_ordset_leaf {
    struct hsay_ordset_leaf *next;
    uint64_t count;
    struct hsay_ordset_key key[LEAF_MAX];
    uint64_t value[]; /* LEAF_MAX, or none */
};

/* key[i] is <= all keys under child[i] and > all keys under child[i - 1]; key[0] is not used. */
struct inner {
    uint64_t count;
    struct hsay_ordset_key key[INNER_MAX];
    struct hsay_sum sum[INNER_MAX];
    void *child[INNER_MAX];
};

/* From the root down: inner[0] is the root.  levels is depth - 1. */
struct path {
    struct inner *inner[DEPTH_MAX];
    uint64_t slot[DEPTH_MAX];
    unsigned levels;
    struct hsay_ordset_leaf *leaf;
};

static _Thread_local unsigned fail_countdown;

void hsay_ordset_fail_alloc(unsigned countdown)
{
    fail_countdown = countdown;
}

static void *node_alloc(struct hsay_ordset *set, size_t size)
{
    if (fail_countdown != 0 && --fail_countdown == 0)
        return NULL;
    void *node = malloc(size);
    if (node != NULL)
        set->node_bytes += size;
    return node;
}

static void node_free(struct hsay_ordset *set, void *node, size_t size)
{
    set->node_bytes -= size;
    free(node);
}

static size_t leaf_size(const struct hsay_ordset *set)
{
    size_t values = set->has_values ? LEAF_MAX * sizeof(uint64_t) : 0;
    return sizeof(struct hsay_ordset_leaf) + values;
}

/* Copies keys, and values where there are any, also within one leaf. */
static void leaf_move(const struct hsay_ordset *set, struct hsay_ordset_leaf *to, uint64_t to_at,
                      const struct hsay_ordset_leaf *from, uint64_t from_at, uint64_t count)
{
    memmove(&to->key[to_at], &from->key[from_at], count * sizeof to->key[0]);
    if (set->has_values)
        memmove(&to->value[to_at], &from->value[from_at], count * sizeof to->value[0]);
}

static bool key_less(const struct hsay_ordset_key *a, const struct hsay_ordset_key *b)
{
    if (a->word[0] != b->word[0])
        return a->word[0] < b->word[0];
    if (a->word[1] != b->word[1])
        return a->word[1] < b->word[1];
    return a->word[2] < b->word[2];
}

static bool key_equal(const struct hsay_ordset_key *a, const struct hsay_ordset_key *b)
{
    return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2];
}

static void sum_add(struct hsay_sum *to, const struct hsay_sum *add)
{
    to->count += add->count;
    to->low += add->low;
    to->high += add->high + (to->low < add->low);
}

static void sum_take(struct hsay_sum *from, const struct hsay_sum *take)
{
    from->count -= take->count;
    from->high -= take->high + (from->low < take->low);
    from->low -= take->low;
}

static bool sum_equal(const struct hsay_sum *a, const struct hsay_sum *b)
{
    return a->count == b->count && a->high == b->high && a->low == b->low;
}

static struct hsay_sum key_sum(const struct hsay_ordset *set, const struct hsay_ordset_key *key)
{
    return (struct hsay_sum){1, key->word[set->digest_word], key->word[set->digest_word + 1]};
}

static struct hsay_sum keys_sum(const struct hsay_ordset *set, const struct hsay_ordset_key *key,
                                uint64_t count)
{
    struct hsay_sum sum = {0, 0, 0};
    for (uint64_t i = 0; i < count; i++) {
        struct hsay_sum one = key_sum(set, &key[i]);
        sum_add(&sum, &one);
    }
    return sum;
}

static struct hsay_sum sums_sum(const struct hsay_sum *sum, uint64_t count)
{
    struct hsay_sum all = {0, 0, 0};
    for (uint64_t i = 0; i < count; i++)
        sum_add(&all, &sum[i]);
    return all;
}

/* How many of the sorted keys are < key. */
static uint64_t lower_bound(const struct hsay_ordset_key *keys, uint64_t count,
                            const struct hsay_ordset_key *key)
{
    uint64_t low = 0;
    while (count > 0) {
        uint64_t half = count / 2;
        if (key_less(&keys[low + half], key)) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* The child that must hold the key if any does: the last one whose separator is <= key. */
static uint64_t child_slot(const struct inner *node, const struct hsay_ordset_key *key)
{
    uint64_t at = lower_bound(node->key + 1, node->count - 1, key) + 1;
    if (at < node->count && key_equal(&node->key[at], key))
        return at;
    return at - 1;
}

static void descend(const struct hsay_ordset *set, const struct hsay_ordset_key *key,
                    struct path *path)
{
    void *node = set->root;
    path->levels = set->depth - 1;
    for (unsigned level = 0; level < path->levels; level++) {
        path->inner[level] = node;
        path->slot[level] = child_slot(node, key);
        node = path->inner[level]->child[path->slot[level]];
    }
    path->leaf = node;
}

/* --- moving things between neighbours ------------------------------------------------------- */

/* Opens or closes a gap in an inner node; the caller fills what it opened. */
static void inner_shift(struct inner *node, uint64_t from, uint64_t to)
{
    uint64_t moved = node->count - from;
    memmove(&node->key[to], &node->key[from], moved * sizeof node->key[0]);
    memmove(&node->sum[to], &node->sum[from], moved * sizeof node->sum[0]);
    memmove(&node->child[to], &node->child[from], moved * sizeof node->child[0]);
    node->count = node->count + to - from;
}

static void inner_copy(struct inner *to, uint64_t to_slot, const struct inner *from,
                       uint64_t from_slot, uint64_t count)
{
    memcpy(&to->key[to_slot], &from->key[from_slot], count * sizeof to->key[0]);
    memcpy(&to->sum[to_slot], &from->sum[from_slot], count * sizeof to->sum[0]);
    memcpy(&to->child[to_slot], &from->child[from_slot], count * sizeof to->child[0]);
}

/* Sets what the parent knows of its children `slot` and `slot + 1` after keys moved between them:
 * only one of them is added up afresh, the other is what remains. */
static void pair_sums(struct inner *parent, uint64_t slot, struct hsay_sum left)
{
    struct hsay_sum both = parent->sum[slot];
    sum_add(&both, &parent->sum[slot + 1]);
    sum_take(&both, &left);
    parent->sum[slot] = left;
    parent->sum[slot + 1] = both;
}

/* Moves keys between two neighbouring leaves until the left one holds left_count. */
static void leaf_share(const struct hsay_ordset *set, struct inner *parent, uint64_t slot,
                       uint64_t left_count)
{
    struct hsay_ordset_leaf *left = parent->child[slot];
    struct hsay_ordset_leaf *right = parent->child[slot + 1];

    if (left->count > left_count) {
        uint64_t moved = left->count - left_count;
        leaf_move(set, right, moved, right, 0, right->count);
        leaf_move(set, right, 0, left, left_count, moved);
        right->count += moved;
    } else {
        uint64_t moved = left_count - left->count;
        leaf_move(set, left, left->count, right, 0, moved);
        right->count -= moved;
        leaf_move(set, right, 0, right, moved, right->count);
    }
    left->count = left_count;
    if (right->count > 0)
        parent->key[slot + 1] = right->key[0];
    pair_sums(parent, slot, keys_sum(set, left->key, left->count));
}

/* The same for inner nodes.  The separator between them goes along with the children. */
static void inner_share(struct inner *parent, uint64_t slot, uint64_t left_count)
{
    struct inner *left = parent->child[slot];
    struct inner *right = parent->child[slot + 1];

    right->key[0] = parent->key[slot + 1];
    if (left->count > left_count) {
        uint64_t moved = left->count - left_count;
        inner_shift(right, 0, moved);
        inner_copy(right, 0, left, left_count, moved);
    } else {
        uint64_t moved = left_count - left->count;
        inner_copy(left, left->count, right, 0, moved);
        inner_shift(right, moved, 0);
    }
    left->count = left_count;
    if (right->count > 0)
        parent->key[slot + 1] = right->key[0];
    pair_sums(parent, slot, sums_sum(left->sum, left->count));
}

/* --- insert ---------------------------------------------------------------------------------- */

/* Puts an empty right neighbour after child `slot`; the parent has room. */
static void parent_add(struct inner *parent, uint64_t slot, void *child)
{
    inner_shift(parent, slot + 1, slot + 2);
    parent->child[slot + 1] = child;
    parent->sum[slot + 1] = (struct hsay_sum){0, 0, 0};
}

static int leaf_split(struct hsay_ordset *set, struct inner *parent, uint64_t slot,
                      const struct hsay_ordset_key *key)
{
    struct hsay_ordset_leaf *left = parent->child[slot];
    struct hsay_ordset_leaf *right = node_alloc(set, leaf_size(set));
    if (right == NULL)
        return HSAY_ENOMEM;

    bool append = left->next == NULL && key_less(&left->key[left->count - 1], key);
    right->count = 0;
    right->next = left->next;
    left->next = right;
    parent_add(parent, slot, right);
    parent->key[slot + 1] = *key; /* stays only when the new leaf is left empty for the key */
    if (!append)
        leaf_share(set, parent, slot, left->count / 2);
    return 0;
}

/* `at_end`: the path goes through the last child here and all the way down. */
static int inner_split(struct hsay_ordset *set, struct inner *parent, uint64_t slot, bool at_end)
{
    struct inner *left = parent->child[slot];
    struct inner *right = node_alloc(set, sizeof *right);
    if (right == NULL)
        return HSAY_ENOMEM;

    uint64_t left_count = at_end ? left->count - INNER_TAIL : left->count / 2;
    right->count = 0;
    parent_add(parent, slot, right);
    parent->key[slot + 1] = left->key[left_count];
    inner_share(parent, slot, left_count);
    return 0;
}

static int root_add(struct hsay_ordset *set)
{
    struct inner *root = node_alloc(set, sizeof *root);
    if (root == NULL)
        return HSAY_ENOMEM;
    assert(set->depth < DEPTH_MAX);
    root->count = 1;
    root->child[0] = set->root;
    root->sum[0] = set->total;
    set->root = root;
    set->depth++;
    return 0;
}

/* True if the full leaf of the path gave keys to, or took part of, a neighbour with room. */
static bool leaf_relieve(struct hsay_ordset *set, struct path *path,
                         const struct hsay_ordset_key *key)
{
    struct inner *parent = path->inner[path->levels - 1];
    uint64_t slot = path->slot[path->levels - 1];
    const struct hsay_ordset_leaf *leaf = path->leaf;

    if (leaf->next == NULL && key_less(&leaf->key[leaf->count - 1], key))
        return false; /* rising keys: a new leaf leaves this one full */
    if (slot > 0) {
        const struct hsay_ordset_leaf *left = parent->child[slot - 1];
        if (left->count <= LEAF_FULL) {
            leaf_share(set, parent, slot - 1, (left->count + LEAF_MAX) / 2);
            return true;
        }
    }
    if (slot + 1 < parent->count) {
        const struct hsay_ordset_leaf *right = parent->child[slot + 1];
        if (right->count <= LEAF_FULL) {
            leaf_share(set, parent, slot, (right->count + LEAF_MAX + 1) / 2);
            return true;
        }
    }
    return false;
}

/* One step towards room for the key in the leaf of the path; the path is stale afterwards. */
static int make_room(struct hsay_ordset *set, struct path *path, const struct hsay_ordset_key *key)
{
    if (path->levels == 0)
        return root_add(set);
    if (leaf_relieve(set, path, key))
        return 0;

    unsigned level = path->levels - 1;
    if (path->inner[level]->count < INNER_MAX)
        return leaf_split(set, path->inner[level], path->slot[level], key);
    while (level > 0 && path->inner[level - 1]->count == INNER_MAX)
        level--;
    if (level == 0)
        return root_add(set);
    bool at_end = path->leaf->next == NULL;
    return inner_split(set, path->inner[level - 1], path->slot[level - 1], at_end);
}

static int leaf_first(struct hsay_ordset *set)
{
    struct hsay_ordset_leaf *leaf = node_alloc(set, leaf_size(set));
    if (leaf == NULL)
        return HSAY_ENOMEM;
    leaf->next = NULL;
    leaf->count = 0;
    set->root = leaf;
    set->depth = 1;
    return 0;
}

int hsay_ordset_insert(struct hsay_ordset *set, const struct hsay_ordset_key *key, uint64_t value)
{
    if (set->depth == 0 && leaf_first(set) != 0)
        return HSAY_ENOMEM;

    struct path path;
    uint64_t at;
    for (;;) {
        descend(set, key, &path);
        at = lower_bound(path.leaf->key, path.leaf->count, key);
        if (at < path.leaf->count && key_equal(&path.leaf->key[at], key))
            return HSAY_EEXIST;
        if (path.leaf->count < LEAF_MAX)
            break;
        int rc = make_room(set, &path, key);
        if (rc != 0)
            return rc;
    }
    struct hsay_ordset_leaf *leaf = path.leaf;
    leaf_move(set, leaf, at + 1, leaf, at, leaf->count - at);
    leaf->key[at] = *key;
    if (set->has_values)
        leaf->value[at] = value;
    leaf->count++;

    struct hsay_sum one = key_sum(set, key);
    for (unsigned level = 0; level < path.levels; level++)
        sum_add(&path.inner[level]->sum[path.slot[level]], &one);
    sum_add(&set->total, &one);
    return 0;
}

/* --- delete ---------------------------------------------------------------------------------- */

static void leaf_mend(struct hsay_ordset *set, struct inner *parent, uint64_t slot)
{
    const struct hsay_ordset_leaf *leaf = parent->child[slot];
    if (leaf->count >= LEAF_MIN || parent->count < 2)
        return;
    if (slot + 1 == parent->count)
        slot--;

    struct hsay_ordset_leaf *left = parent->child[slot];
    struct hsay_ordset_leaf *right = parent->child[slot + 1];
    uint64_t both = left->count + right->count;
    if (both > LEAF_FULL) {
        leaf_share(set, parent, slot, both / 2);
        return;
    }
    leaf_share(set, parent, slot, both);
    left->next = right->next;
    node_free(set, right, leaf_size(set));
    inner_shift(parent, slot + 2, slot + 1);
}

static void inner_mend(struct hsay_ordset *set, struct inner *parent, uint64_t slot)
{
    const struct inner *node = parent->child[slot];
    if (node->count >= INNER_MIN || parent->count < 2)
        return;
    if (slot + 1 == parent->count)
        slot--;

    struct inner *left = parent->child[slot];
    struct inner *right = parent->child[slot + 1];
    uint64_t both = left->count + right->count;
    if (both > INNER_MAX - INNER_TAIL) {
        inner_share(parent, slot, both / 2);
        return;
    }
    inner_share(parent, slot, both);
    node_free(set, right, sizeof *right);
    inner_shift(parent, slot + 2, slot + 1);
}

/* A root with one child, or an empty root leaf, goes. */
static void root_mend(struct hsay_ordset *set)
{
    while (set->depth > 1) {
        struct inner *root = set->root;
        if (root->count > 1)
            return;
        set->root = root->child[0];
        set->depth--;
        node_free(set, root, sizeof *root);
    }
    if (set->total.count == 0) {
        node_free(set, set->root, leaf_size(set));
        set->root = NULL;
        set->depth = 0;
    }
}

int hsay_ordset_delete(struct hsay_ordset *set, const struct hsay_ordset_key *key)
{
    if (set->depth == 0)
        return HSAY_ENOENT;
    struct path path;
    descend(set, key, &path);
    struct hsay_ordset_leaf *leaf = path.leaf;
    uint64_t at = lower_bound(leaf->key, leaf->count, key);
    if (at == leaf->count || !key_equal(&leaf->key[at], key))
        return HSAY_ENOENT;

    struct hsay_sum one = key_sum(set, key);
    leaf->count--;
    leaf_move(set, leaf, at, leaf, at + 1, leaf->count - at);
    for (unsigned level = 0; level < path.levels; level++)
        sum_take(&path.inner[level]->sum[path.slot[level]], &one);
    sum_take(&set->total, &one);

    if (path.levels > 0)
        leaf_mend(set, path.inner[path.levels - 1], path.slot[path.levels - 1]);
    for (unsigned level = path.levels; level > 1; level--)
        inner_mend(set, path.inner[level - 2], path.slot[level - 2]);
    root_mend(set);
    return 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* An empty leaf or the end of one is not a place of its own: it is the start of the next. */
static struct hsay_ordset_place place_settle(struct hsay_ordset_place place)
{
    while (place.leaf != NULL && place.index == place.leaf->count) {
        place.leaf = place.leaf->next;
        place.index = 0;
    }
    return place;
}

struct hsay_ordset_place hsay_ordset_seek(const struct hsay_ordset *set,
                                          const struct hsay_ordset_key *key)
{
    if (set->depth == 0)
        return (struct hsay_ordset_place){NULL, 0, 0};
    struct path path;
    descend(set, key, &path);
    uint64_t rank = 0;
    for (unsigned level = 0; level < path.levels; level++) {
        for (uint64_t i = 0; i < path.slot[level]; i++)
            rank += path.inner[level]->sum[i].count;
    }
    uint64_t at = lower_bound(path.leaf->key, path.leaf->count, key);
    return place_settle((struct hsay_ordset_place){path.leaf, at, rank + at});
}

struct hsay_ordset_place hsay_ordset_ceiling(const struct hsay_ordset *set,
                                             const struct hsay_ordset_key *key)
{
    if (set->depth == 0)
        return (struct hsay_ordset_place){NULL, 0, 0};
    struct path path;
    descend(set, key, &path);
    uint64_t at = lower_bound(path.leaf->key, path.leaf->count, key);
    return place_settle((struct hsay_ordset_place){path.leaf, at, 0});
}

struct hsay_ordset_place hsay_ordset_select(const struct hsay_ordset *set, uint64_t rank)
{
    if (rank >= set->total.count)
        return (struct hsay_ordset_place){NULL, 0, set->total.count};
    uint64_t below = rank;
    const void *node = set->root;
    for (unsigned level = 1; level < set->depth; level++) {
        const struct inner *inner = node;
        uint64_t slot = 0;
        while (below >= inner->sum[slot].count)
            below -= inner->sum[slot++].count;
        node = inner->child[slot];
    }
    return (struct hsay_ordset_place){node, below, rank};
}

const struct hsay_ordset_key *hsay_ordset_at(const struct hsay_ordset_place *place)
{
    return place->leaf == NULL ? NULL : &place->leaf->key[place->index];
}

uint64_t hsay_ordset_value(const struct hsay_ordset_place *place)
{
    return place->leaf->value[place->index];
}

void hsay_ordset_step(struct hsay_ordset_place *place)
{
    if (place->leaf == NULL)
        return;
    place->index++;
    place->rank++;
    if (place->index == place->leaf->count)
        *place = place_settle(*place);
}

bool hsay_ordset_contains(const struct hsay_ordset *set, const struct hsay_ordset_key *key)
{
    if (set->depth == 0)
        return false;
    struct path path;
    descend(set, key, &path);
    uint64_t at = lower_bound(path.leaf->key, path.leaf->count, key);
    return at < path.leaf->count && key_equal(&path.leaf->key[at], key);
}

static struct hsay_sum sum_below(const struct hsay_ordset *set, const struct hsay_ordset_key *key)
{
    struct hsay_sum sum = {0, 0, 0};
    if (set->depth == 0)
        return sum;
    struct path path;
    descend(set, key, &path);
    for (unsigned level = 0; level < path.levels; level++) {
        struct hsay_sum part = sums_sum(path.inner[level]->sum, path.slot[level]);
        sum_add(&sum, &part);
    }
    uint64_t at = lower_bound(path.leaf->key, path.leaf->count, key);
    struct hsay_sum part = keys_sum(set, path.leaf->key, at);
    sum_add(&sum, &part);
    return sum;
}

struct hsay_sum hsay_ordset_sum(const struct hsay_ordset *set, const struct hsay_ordset_key *low,
                                const struct hsay_ordset_key *high)
{
    if (high != NULL && !key_less(low, high))
        return (struct hsay_sum){0, 0, 0};
    struct hsay_sum sum = high == NULL ? set->total : sum_below(set, high);
    struct hsay_sum below = sum_below(set, low);
    sum_take(&sum, &below);
    return sum;
}

/* --- life ------------------------------------------------------------------------------------ */

void hsay_ordset_init(struct hsay_ordset *set, unsigned digest_word, bool has_values)
{
    assert(digest_word <= 1);
    memset(set, 0, sizeof *set);
    set->digest_word = digest_word;
    set->has_values = has_values;
}

/* Goes down the last child and takes it off its parent, until nothing is left: the tree itself is
 * the stack. */
void hsay_ordset_free(struct hsay_ordset *set)
{
    while (set->depth > 0) {
        struct inner *parent = NULL;
        void *node = set->root;
        unsigned level = 1;
        for (; level < set->depth; level++) {
            struct inner *inner = node;
            if (inner->count == 0)
                break;
            parent = inner;
            node = inner->child[inner->count - 1];
        }
        node_free(set, node, level < set->depth ? sizeof(struct inner) : leaf_size(set));
        if (parent == NULL)
            set->depth = 0;
        else
            parent->count--;
    }
    hsay_ordset_init(set, set->digest_word, set->has_values);
}

/* Checks one leaf against what its parent says, and that the leaves are linked in order. */
static bool leaf_is_sound(const struct hsay_ordset *set, const struct hsay_ordset_leaf *leaf,
                          const struct hsay_sum *known, const struct hsay_ordset_key **last)
{
    if (leaf->count == 0 || leaf->count > LEAF_MAX)
        return false;
    for (uint64_t i = 0; i < leaf->count; i++) {
        if (*last != NULL && !key_less(*last, &leaf->key[i]))
            return false;
        *last = &leaf->key[i];
    }
    struct hsay_sum sum = keys_sum(set, leaf->key, leaf->count);
    return sum_equal(&sum, known);
}

bool hsay_ordset_is_sound(const struct hsay_ordset *set)
{
    if (set->depth == 0)
        return set->root == NULL && set->total.count == 0 && set->node_bytes == 0;

    const struct hsay_ordset_key *last = NULL;
    const struct hsay_ordset_leaf *linked = NULL;
    uint64_t rank = 0;
    while (rank < set->total.count) {
        const void *node = set->root;
        struct hsay_sum known = set->total;
        uint64_t below = rank;
        for (unsigned level = 1; level < set->depth; level++) {
            const struct inner *inner = node;
            struct hsay_sum sum = sums_sum(inner->sum, inner->count);
            if (inner->count == 0 || inner->count > INNER_MAX || !sum_equal(&sum, &known))
                return false;
            uint64_t slot = 0;
            while (below >= inner->sum[slot].count)
                below -= inner->sum[slot++].count;
            bool begins = slot > 0 && below == 0;
            if (begins && !key_less(last, &inner->key[slot]))
                return false;
            known = inner->sum[slot];
            node = inner->child[slot];
        }
        const struct hsay_ordset_leaf *leaf = node;
        if (below != 0 || (linked != NULL && linked->next != leaf))
            return false;
        if (!leaf_is_sound(set, leaf, &known, &last))
            return false;
        linked = leaf;
        rank += leaf->count;
    }
    return linked->next == NULL && rank == set->total.count;
}
