/*
 * Encoding and decoding of bundles, and what is signed in them.
 *
 * Only one encoding exists for a bundle: varints in shortest form (the cursor refuses others),
 * parents in ascending order, flags and version of this release alone.  A bundle from a later
 * release is refused as a whole: nobody could say what its unknown fields mean for its place in the
 * store.
 */
#include "src/sync/bundle.h"

#include <assert.h>
#include <string.h>

#include "src/wire/cursor.h"
#include "src/wire/pack.h"

enum {
    VERSION_AND_FLAGS_BYTES = 2,
    VARINT_MAX_BYTES = 8,
    PAYLOAD_SIZE_BYTES = 2, /* a varint of up to 16,383 */
    /* version, flags, author, four varints, parent count, payload size, signature: 133 bytes */
    OVERHEAD_MAX_BYTES = VERSION_AND_FLAGS_BYTES + HSAY_KEY_BYTES + 4 * VARINT_MAX_BYTES + 1 +
                         PAYLOAD_SIZE_BYTES + HSAY_SIGNATURE_BYTES,
    SIGNED_BYTES = 32,
};

static_assert(VERSION_AND_FLAGS_BYTES == (int)HSAY_BUNDLE_AUTHOR_AT,
              "pack.h cuts the author out of the encoding");
static_assert(OVERHEAD_MAX_BYTES + HSAY_PAYLOAD_MAX_BYTES <= HSAY_BUNDLE_MAX_BYTES,
              "the largest payload fits a bundle without parents");
static_assert(OVERHEAD_MAX_BYTES + HSAY_PARENTS_MAX * HSAY_ID_BYTES < HSAY_BUNDLE_MAX_BYTES,
              "a bundle with all parents has room for a payload");
static_assert(HSAY_PAYLOAD_MAX_BYTES < 16384, "the payload's size is a varint of two bytes");

static const char SIGN_DOMAIN[] = "hearsay bundle 1";

static bool flags_known(uint8_t flags)
{
    uint8_t distribution = flags & HSAY_BUNDLE_DISTRIBUTION;
    return (flags & ~(HSAY_BUNDLE_DISTRIBUTION | HSAY_BUNDLE_CAUSAL)) == 0 &&
           (distribution == HSAY_BUNDLE_FULL || distribution == HSAY_BUNDLE_LAST);
}

static bool parents_ascend(struct hsay_span parents)
{
    for (size_t at = HSAY_ID_BYTES; at < parents.size; at += HSAY_ID_BYTES) {
        if (memcmp(parents.data + at - HSAY_ID_BYTES, parents.data + at, HSAY_ID_BYTES) >= 0)
            return false;
    }
    return true;
}

static bool in_bounds(const struct hsay_bundle *b)
{
    return flags_known(b->flags) && b->sequence >= 1 && b->time >= 1 &&
           b->parent_count <= HSAY_PARENTS_MAX && parents_ascend(b->parents) &&
           b->payload.size <= HSAY_PAYLOAD_MAX_BYTES;
}

static void read_id(struct hsay_bundle *b, const struct hsay_crypto *crypto)
{
    struct hsay_span no_key = {NULL, 0};
    crypto->ops->hash(crypto->self, b->id.byte, sizeof b->id.byte, no_key, &b->bytes, 1);
    memcpy(b->digest.byte, b->id.byte, sizeof b->digest.byte);
}

int hsay_bundle_decode(struct hsay_bundle *out, const struct hsay_crypto *crypto,
                       struct hsay_span bytes)
{
    if (bytes.size == 0 || bytes.size > HSAY_BUNDLE_MAX_BYTES)
        return HSAY_EBAD;
    struct hsay_reader r = hsay_reader(bytes);
    if (hsay_read_u8(&r) != HSAY_BUNDLE_VERSION)
        return HSAY_EVERSION;

    struct hsay_bundle b = {.bytes = bytes};
    b.flags = hsay_read_u8(&r);
    hsay_read_bytes(&r, b.author.byte, sizeof b.author.byte);
    b.type = hsay_read_varint(&r);
    b.sequence = hsay_read_varint(&r);
    b.time = hsay_read_varint(&r);
    b.expiry_s = hsay_read_varint(&r);
    b.parent_count = hsay_read_u8(&r);
    b.parents = hsay_read_span(&r, (size_t)b.parent_count * HSAY_ID_BYTES);
    b.payload = hsay_read_span(&r, hsay_read_varint(&r));
    b.signature = hsay_read_span(&r, HSAY_SIGNATURE_BYTES);
    if (!hsay_read_done(&r) || !in_bounds(&b))
        return HSAY_EBAD;

    read_id(&b, crypto);
    *out = b;
    return HSAY_OK;
}

/* What the author signs: a hash, so that a verifier's work does not grow with the payload, and with
 * the overlay in it, so that nobody can carry a bundle over to another one. */
static void hash_signed(uint8_t out[SIGNED_BYTES], const struct hsay_crypto *crypto,
                        const struct hsay_key *overlay, struct hsay_span head)
{
    const struct hsay_span parts[] = {
        {(const uint8_t *)SIGN_DOMAIN, sizeof SIGN_DOMAIN - 1},
        {overlay->byte, sizeof overlay->byte},
        head,
    };
    struct hsay_span no_key = {NULL, 0};
    crypto->ops->hash(crypto->self, out, SIGNED_BYTES, no_key, parts,
                      sizeof parts / sizeof parts[0]);
}

bool hsay_bundle_verify(const struct hsay_bundle *b, const struct hsay_crypto *crypto,
                        const struct hsay_key *overlay)
{
    uint8_t hash[SIGNED_BYTES];
    struct hsay_span head = {b->bytes.data, b->bytes.size - HSAY_SIGNATURE_BYTES};
    hash_signed(hash, crypto, overlay, head);
    return crypto->ops->verify(crypto->self, b->signature.data, &b->author,
                               (struct hsay_span){hash, sizeof hash});
}

static bool plan_in_bounds(const struct hsay_bundle_plan *plan)
{
    const struct hsay_draft *draft = plan->draft;
    return flags_known(draft->flags) && draft->parent_count <= HSAY_PARENTS_MAX &&
           draft->payload.size <= HSAY_PAYLOAD_MAX_BYTES && draft->type <= HSAY_TIME_MAX &&
           draft->expiry_s <= HSAY_TIME_MAX && plan->sequence >= 1 &&
           plan->sequence <= HSAY_TIME_MAX && plan->time >= 1 && plan->time <= HSAY_TIME_MAX;
}

/* Insertion sort of at most four ids; two equal ones are for the decoder to refuse. */
static void sort_parents(struct hsay_id out[HSAY_PARENTS_MAX], const struct hsay_draft *draft)
{
    for (size_t i = 0; i < draft->parent_count; i++) {
        size_t at = i;
        for (; at > 0 && memcmp(&out[at - 1], &draft->parent[i], sizeof out[0]) > 0; at--)
            out[at] = out[at - 1];
        out[at] = draft->parent[i];
    }
}

static void write_head(struct hsay_writer *w, const struct hsay_bundle_plan *plan)
{
    const struct hsay_draft *draft = plan->draft;
    struct hsay_id parent[HSAY_PARENTS_MAX];
    sort_parents(parent, draft);

    hsay_write_u8(w, HSAY_BUNDLE_VERSION);
    hsay_write_u8(w, draft->flags);
    hsay_write_bytes(w, draft->author_secret + HSAY_SECRET_BYTES - HSAY_KEY_BYTES, HSAY_KEY_BYTES);
    hsay_write_varint(w, draft->type);
    hsay_write_varint(w, plan->sequence);
    hsay_write_varint(w, plan->time);
    hsay_write_varint(w, draft->expiry_s);
    hsay_write_u8(w, draft->parent_count);
    hsay_write_bytes(w, parent, draft->parent_count * sizeof parent[0]);
    hsay_write_varint(w, draft->payload.size);
    hsay_write_bytes(w, draft->payload.data, draft->payload.size);
}

int hsay_bundle_make(uint8_t *out, struct hsay_bundle *made, const struct hsay_crypto *crypto,
                     const struct hsay_key *overlay, const struct hsay_bundle_plan *plan)
{
    if (!plan_in_bounds(plan))
        return HSAY_EINVAL;
    struct hsay_writer w = hsay_writer(out, HSAY_BUNDLE_MAX_BYTES);
    write_head(&w, plan);
    if (w.bad || hsay_write_left(&w) < HSAY_SIGNATURE_BYTES)
        return HSAY_EINVAL;

    uint8_t hash[SIGNED_BYTES];
    uint8_t signature[HSAY_SIGNATURE_BYTES];
    hash_signed(hash, crypto, overlay, (struct hsay_span){out, hsay_write_size(&w)});
    crypto->ops->sign(crypto->self, signature, plan->draft->author_secret,
                      (struct hsay_span){hash, sizeof hash});
    hsay_write_bytes(&w, signature, sizeof signature);

    int rc = hsay_bundle_decode(made, crypto, (struct hsay_span){out, hsay_write_size(&w)});
    return rc == HSAY_OK ? HSAY_OK : HSAY_EINVAL; /* two equal parents */
}

void hsay_bundle_record(const struct hsay_bundle *b, struct hsay_record *out)
{
    *out = (struct hsay_record){
        .at = {.time = b->time, .digest = b->digest},
        .author = b->author,
        .sequence = b->sequence,
        .expiry_s = b->expiry_s,
        .flags = b->flags,
        .bytes = b->bytes,
    };
}
