/* Any bytes are a list of bundles or a refusal, and whole bundles in front of an error encode to
 * the same bytes again. */
#include <assert.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/wire/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[1 << 16];
    struct hsay_packer unpacker = {0}, packer = {0};
    struct hsay_reader r = hsay_reader((struct hsay_span){data, size});
    struct hsay_writer w = hsay_writer(again, sizeof again);
    uint8_t out[HSAY_BUNDLE_MAX_BYTES];
    struct hsay_span bundle;
    int rc;

    if (size > sizeof again)
        return 0;
    while ((rc = hsay_pack_next(&unpacker, &r, out, &bundle)) == 0) {
        assert(bundle.data == out && bundle.size <= sizeof out);
        assert(hsay_pack_add(&packer, &w, bundle));
        assert(hsay_write_size(&w) == (size_t)(r.at - data));
    }
    assert(rc == HSAY_EBAD ? r.bad : rc == HSAY_ENOENT && hsay_read_done(&r));
    assert(memcmp(again, data, hsay_write_size(&w)) == 0);
    assert(rc == HSAY_EBAD || hsay_write_size(&w) == size);
    return 0;
}
