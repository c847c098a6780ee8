/*
 * Trees over depot numbers.  See store_many.h.
 *
 * Two words of a set's key are not enough for an author of 32 bytes, a sequence and a digest.  So
 * the author is hashed, and the depot number stands for the digest: a slot holds one bundle, or two
 * when its author forked, and who reads a slot looks at all of it.  Authors who share a hash stand
 * mixed up in the set and are told apart by what the depot says.
 */
#include "src/lab/sim/store_many.h"

#include <assert.h>
#include <string.h>

#include <xxhash.h>

#include "hearsay/error.h"

static const struct hsay_record *record_of(const struct lab_many *many, uint64_t number)
{
    return &lab_depot_at(many->depot, (uint32_t)number)->record;
}

static struct hsay_ordset_key author_key(const struct lab_many *many, uint32_t number)
{
    const struct lab_depot_bundle *bundle = lab_depot_at(many->depot, number);
    return (struct hsay_ordset_key){{bundle->author_hash, bundle->record.sequence, number}};
}

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

static struct hsay_ordset_key expiry_key(const struct hsay_record *record)
{
    const uint8_t *digest = record->at.digest.byte;
    return (struct hsay_ordset_key){{record->expiry_s, load_be64(digest), load_be64(digest + 8)}};
}

void lab_many_init(struct lab_many *many, const struct lab_depot *depot)
{
    many->depot = depot;
    hsay_store_index_init(&many->index);
    hsay_ordset_init(&many->by_author, 1, false);
    hsay_ordset_init(&many->by_expiry, 1, false);
}

void lab_many_free(struct lab_many *many)
{
    hsay_store_index_free(&many->index);
    hsay_ordset_free(&many->by_author);
    hsay_ordset_free(&many->by_expiry);
}

size_t lab_many_memory(const struct lab_many *many)
{
    return sizeof *many + many->index.by_time.node_bytes + many->index.by_digest.node_bytes +
           many->by_author.node_bytes + many->by_expiry.node_bytes;
}

int lab_many_add(struct lab_many *many, uint32_t number)
{
    const struct hsay_record *record = record_of(many, number);
    struct hsay_ordset_key author = author_key(many, number), expiry = expiry_key(record);
    int rc = hsay_store_index_add(&many->index, &record->at, number);
    if (rc != 0)
        return rc;
    rc = hsay_ordset_insert(&many->by_author, &author, 0);
    if (rc != 0)
        goto err_index;
    if (record->expiry_s != 0)
        rc = hsay_ordset_insert(&many->by_expiry, &expiry, 0);
    if (rc != 0)
        goto err_author;
    return 0;

err_author:
    hsay_ordset_delete(&many->by_author, &author);
err_index:
    hsay_store_index_drop(&many->index, &record->at);
    return rc;
}

void lab_many_drop(struct lab_many *many, uint32_t number)
{
    const struct hsay_record *record = record_of(many, number);
    struct hsay_ordset_key author = author_key(many, number), expiry = expiry_key(record);
    hsay_store_index_drop(&many->index, &record->at);
    hsay_ordset_delete(&many->by_author, &author);
    if (record->expiry_s != 0)
        hsay_ordset_delete(&many->by_expiry, &expiry);
}

int lab_many_find(const struct lab_many *many, const struct hsay_digest *digest, uint32_t *number)
{
    uint64_t mark;
    if (hsay_store_index_find(&many->index, digest, NULL, &mark) != 0)
        return HSAY_ENOENT;
    *number = (uint32_t)mark;
    return 0;
}

/* --- authors --------------------------------------------------------------------------------- */

static bool is_of(const struct hsay_record *record, const struct hsay_key *author)
{
    return memcmp(&record->author, author, sizeof *author) == 0;
}

static int digest_compare(const struct hsay_record *record, const struct hsay_digest *digest)
{
    return memcmp(&record->at.digest, digest, sizeof *digest);
}

int lab_many_author_next(const struct lab_many *many, const struct hsay_key *author,
                         uint64_t sequence, const struct hsay_digest *after,
                         struct hsay_record *out)
{
    struct hsay_ordset_key low = {{XXH3_64bits(author, sizeof *author), sequence, 0}};
    struct hsay_ordset_place place = hsay_ordset_ceiling(&many->by_author, &low);
    const struct hsay_record *best = NULL;
    for (;; hsay_ordset_step(&place)) {
        const struct hsay_ordset_key *key = hsay_ordset_at(&place);
        if (key == NULL || key->word[0] != low.word[0])
            break;
        if (best != NULL && key->word[1] != best->sequence)
            break;
        const struct hsay_record *record = record_of(many, key->word[2]);
        if (!is_of(record, author))
            continue;
        if (record->sequence == sequence && after != NULL && digest_compare(record, after) <= 0)
            continue;
        if (best == NULL || digest_compare(record, &best->at.digest) < 0)
            best = record;
    }
    if (best == NULL)
        return HSAY_ENOENT;
    *out = *best;
    return 0;
}

/* Goes down from the first that is not below, to the end of the slot that it finds. */
int lab_many_author_before(const struct lab_many *many, const struct hsay_key *author,
                           uint64_t below, uint64_t *sequence, uint64_t *time)
{
    struct hsay_ordset_key high = {{XXH3_64bits(author, sizeof *author), below, 0}};
    uint64_t rank = hsay_ordset_seek(&many->by_author, &high).rank;
    bool found = false;
    while (rank-- > 0) {
        struct hsay_ordset_place place = hsay_ordset_select(&many->by_author, rank);
        const struct hsay_ordset_key *key = hsay_ordset_at(&place);
        if (key->word[0] != high.word[0] || (found && key->word[1] != *sequence))
            break;
        const struct hsay_record *record = record_of(many, key->word[2]);
        if (!is_of(record, author))
            continue;
        *time = found && *time > record->at.time ? *time : record->at.time;
        *sequence = record->sequence;
        found = true;
    }
    return found ? 0 : HSAY_ENOENT;
}

int lab_many_expired(const struct lab_many *many, uint64_t wall_s, struct hsay_record *out)
{
    struct hsay_ordset_place place = hsay_ordset_select(&many->by_expiry, 0);
    const struct hsay_ordset_key *key = hsay_ordset_at(&place);
    if (key == NULL || key->word[0] > wall_s)
        return HSAY_ENOENT;
    struct hsay_digest digest;
    store_be64(digest.byte, key->word[1]);
    store_be64(digest.byte + 8, key->word[2]);
    uint32_t number = 0;
    int rc = lab_many_find(many, &digest, &number);
    assert(rc == 0);
    *out = *record_of(many, number);
    out->bytes = (struct hsay_span){NULL, 0};
    return 0;
}
