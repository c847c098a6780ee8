#include "src/daemon/json_value.h"

#include <assert.h>

#include "hearsay/params.h"
#include "nat/addr_class.h"
#include "src/common/hex.h"

static_assert((int)HSAY_FILTER_MAX_BYTES <= (int)JSON_HEX_BYTES_MAX, "filters are shown");
static_assert((int)HSAY_BUNDLE_MAX_BYTES <= (int)JSON_HEX_BYTES_MAX, "bundles are shown");

json_t *json_hex(const void *bytes, size_t size)
{
    char text[2 * JSON_HEX_BYTES_MAX + 1];

    assert(size <= JSON_HEX_BYTES_MAX);
    hex_format(text, bytes, size);
    return json_string(text);
}

json_t *json_addr(const struct hsay_addr *addr)
{
    char text[HSAY_ADDR_TEXT_BYTES];

    if (addr->kind == HSAY_ADDR_NONE) {
        return json_null();
    }
    hsay_addr_format(text, sizeof text, addr);
    return json_string(text);
}

json_t *json_number(uint64_t number)
{
    return json_integer((json_int_t)number);
}
