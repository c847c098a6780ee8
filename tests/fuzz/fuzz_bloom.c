/*
 * Any bytes as a filter from the wire: what the view accepts may be asked and explained, and is
 * within the bounds that the header promises.  Input: positions, salt (8), then the bits.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bloom/bloom.h"
#include "hearsay/params.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* What was added to a copy is in it, and everything else that was in still is. */
static void add_to_copy(const struct hsay_bloom *view, const struct hsay_digest *digest)
{
    static uint8_t bits[HSAY_FILTER_MAX_BYTES];
    struct hsay_bloom copy;
    uint32_t ones = hsay_bloom_ones(view);

    require(hsay_bloom_init(&copy, bits, view->bit_count / 8, view->hashes, view->salt) == 0);
    memcpy(bits, view->bits, view->bit_count / 8);

    bool before = hsay_bloom_has(&copy, digest);

    hsay_bloom_add(&copy, digest);
    require(hsay_bloom_has(&copy, digest));
    require(before == (hsay_bloom_ones(&copy) == ones));
    require(hsay_bloom_ones(&copy) <= ones + view->hashes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hsay_bloom bloom;
    struct hsay_bloom_facts facts;
    struct hsay_digest digest = {{0}};
    uint64_t salt;

    if (size < 1 + sizeof salt)
        return 0;
    memcpy(&salt, data + 1, sizeof salt);

    struct hsay_span bits = {data + 1 + sizeof salt, size - 1 - sizeof salt};

    if (hsay_bloom_view(&bloom, bits, data[0], salt) != 0)
        return 0;
    require(bits.size >= HSAY_FILTER_MIN_BYTES && bits.size <= HSAY_FILTER_MAX_BYTES);
    require(data[0] >= 1 && data[0] <= HSAY_FILTER_HASHES_MAX);

    hsay_bloom_explain(&bloom, &facts);
    require(facts.fill_permille <= HSAY_FILTER_FILL_MAX_PERMILLE);
    require(facts.error_ppm <= HSAY_FILTER_FILL_MAX_PERMILLE * 1000);
    require(facts.ones == hsay_bloom_ones(&bloom));

    memcpy(digest.byte, bits.data, bits.size < sizeof digest.byte ? bits.size : sizeof digest.byte);
    add_to_copy(&bloom, &digest);
    return 0;
}
