/*
 * An ordered set of 24-byte keys that can count and add up any stretch of itself in O(log n).
 *
 * A B+-tree: leaves hold keys, inner nodes hold for each child how many keys are below it and the
 * sum of their digests.  Two of the three words of a key are a digest; `digest_word` says which is
 * the first of them (0 or 1).  Where the set was made with values, 8 bytes of the caller's go along
 * with each key.
 *
 * Memory is malloc'd node by node: 25 to 31 bytes a key, a third more with values.  A call that
 * fails for memory has changed nothing.  One thread.  A place is valid until the next insert or
 * delete.
 */
#ifndef HEARSAY_ORDSET_H
#define HEARSAY_ORDSET_H

#include "hearsay/types.h"

struct hsay_ordset_leaf;

/* Compared word by word, the first word first. */
struct hsay_ordset_key {
    uint64_t word[3];
};

struct hsay_ordset {
    void *root; /* a leaf when depth is 1; NULL when depth is 0 */
    unsigned depth;
    unsigned digest_word;
    bool has_values;
    struct hsay_sum total;
    uint64_t node_bytes; /* heap taken */
};

/* Between two keys: the next one is key `index` of `leaf`.  leaf is NULL at the end. */
struct hsay_ordset_place {
    const struct hsay_ordset_leaf *leaf;
    uint64_t index;
    uint64_t rank; /* how many keys stand before */
};

void hsay_ordset_init(struct hsay_ordset *set, unsigned digest_word, bool has_values);

/* Gives all memory back; the set is empty and usable afterwards. */
void hsay_ordset_free(struct hsay_ordset *set);

/* HSAY_EEXIST, HSAY_ENOMEM.  Without values, `value` is of no effect. */
int hsay_ordset_insert(struct hsay_ordset *set, const struct hsay_ordset_key *key, uint64_t value);

/* HSAY_ENOENT; takes no memory. */
int hsay_ordset_delete(struct hsay_ordset *set, const struct hsay_ordset_key *key);

bool hsay_ordset_contains(const struct hsay_ordset *set, const struct hsay_ordset_key *key);

/* The place before the first key >= `key`; place.rank is the rank of `key`. */
struct hsay_ordset_place hsay_ordset_seek(const struct hsay_ordset *set,
                                          const struct hsay_ordset_key *key);

/* As seek, for half the price where the rank is of no interest: place.rank is 0. */
struct hsay_ordset_place hsay_ordset_ceiling(const struct hsay_ordset *set,
                                             const struct hsay_ordset_key *key);

/* The place before the key of that rank; the end if there are not so many. */
struct hsay_ordset_place hsay_ordset_select(const struct hsay_ordset *set, uint64_t rank);

/* The key after the place, or NULL at the end.  Valid until the set changes. */
const struct hsay_ordset_key *hsay_ordset_at(const struct hsay_ordset_place *place);

/* The value of that key; there must be one, and the set must have values. */
uint64_t hsay_ordset_value(const struct hsay_ordset_place *place);

/* Past the key after the place; stays where it is at the end. */
void hsay_ordset_step(struct hsay_ordset_place *place);

/* What the keys with low <= key < high add up to.  high NULL: to the end. */
struct hsay_sum hsay_ordset_sum(const struct hsay_ordset *set, const struct hsay_ordset_key *low,
                                const struct hsay_ordset_key *high);

/* For tests: true if every count, sum, order and link of the tree is as it should be. */
bool hsay_ordset_is_sound(const struct hsay_ordset *set);

/* For tests: the n-th next allocation of a node fails (1 = the next one, 0 = none). */
void hsay_ordset_fail_alloc(unsigned countdown);

#endif
