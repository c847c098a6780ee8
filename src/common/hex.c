#include "src/common/hex.h"

#include <string.h>

#include "hearsay/error.h"

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

void hex_format(char *text, const void *bytes, size_t size)
{
    static const char digit[] = "0123456789abcdef";
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digit[byte[i] >> 4];
        text[2 * i + 1] = digit[byte[i] & 15];
    }
    text[2 * size] = 0;
}

int hex_parse(void *bytes, size_t size, const char *text)
{
    uint8_t *byte = bytes;

    if (strlen(text) != 2 * size) {
        return HSAY_EBAD;
    }
    for (size_t i = 0; i < 2 * size; i++) {
        if (digit_value(text[i]) < 0) {
            return HSAY_EBAD;
        }
    }
    for (size_t i = 0; i < size; i++) {
        byte[i] = (uint8_t)(digit_value(text[2 * i]) * 16 + digit_value(text[2 * i + 1]));
    }
    return 0;
}
