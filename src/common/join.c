#include "src/common/join.h"

#include <string.h>

#include "hearsay/error.h"
#include "src/common/hex.h"

static const char prefix[] = "hsay1:";

enum {
    PREFIX_BYTES = sizeof prefix - 1,
    HEX_BYTES = 2 * HSAY_KEY_BYTES,
    OPEN_BYTES = PREFIX_BYTES + HEX_BYTES,
    CLOSED_BYTES = OPEN_BYTES + 1 + HEX_BYTES,
};

int join_parse(struct join *join, const char *text)
{
    struct join made = {0};
    char key[HEX_BYTES + 1] = {0};
    size_t length = strlen(text);

    if ((length != OPEN_BYTES && length != CLOSED_BYTES) || memcmp(text, prefix, PREFIX_BYTES)) {
        return HSAY_EBAD;
    }
    memcpy(key, text + PREFIX_BYTES, HEX_BYTES);
    if (hex_parse(made.overlay.byte, sizeof made.overlay.byte, key)) {
        return HSAY_EBAD;
    }
    if (length == CLOSED_BYTES) {
        made.has_secret = true;
        if (text[OPEN_BYTES] != ':' ||
            hex_parse(made.secret, sizeof made.secret, text + OPEN_BYTES + 1)) {
            return HSAY_EBAD;
        }
    }
    *join = made;
    return 0;
}

void join_format(char text[JOIN_TEXT_BYTES], const struct join *join)
{
    memcpy(text, prefix, PREFIX_BYTES);
    hex_format(text + PREFIX_BYTES, join->overlay.byte, sizeof join->overlay.byte);
    if (join->has_secret) {
        text[OPEN_BYTES] = ':';
        hex_format(text + OPEN_BYTES + 1, join->secret, sizeof join->secret);
    }
}

bool join_name_ok(const char *name)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);

    if (length == 0 || length >= JOIN_NAME_BYTES || name[0] == '-') {
        return false;
    }
    if (strspn(name, allowed) != length) {
        return false;
    }
    return length < 8 || strspn(name, hex) != length;
}
