#include "src/common/base64.h"

#include <limits.h>
#include <string.h>

#include "hearsay/error.h"

static const char symbol[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_format(char *text, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i += 3) {
        size_t have = size - i < 3 ? size - i : 3;
        uint32_t group = (uint32_t)byte[i] << 16;

        group |= have > 1 ? (uint32_t)byte[i + 1] << 8 : 0;
        group |= have > 2 ? byte[i + 2] : 0;
        *text++ = symbol[group >> 18];
        *text++ = symbol[group >> 12 & 63];
        *text++ = have > 1 ? symbol[group >> 6 & 63] : '=';
        *text++ = have > 2 ? symbol[group & 63] : '=';
    }
    *text = 0;
}

static int symbol_value(char c)
{
    const char *at = c ? strchr(symbol, c) : NULL;

    return at ? (int)(at - symbol) : -1;
}

/* Four characters into up to three bytes; the number of bytes, or HSAY_EBAD. */
static int group_parse(uint8_t out[3], const char *text)
{
    uint32_t group = 0;
    int bytes = text[3] != '=' ? 3 : text[2] != '=' ? 2 : 1;

    for (int i = 0; i < 4; i++) {
        int value = i <= bytes ? symbol_value(text[i]) : 0;

        if (value < 0) {
            return HSAY_EBAD;
        }
        group = group << 6 | (uint32_t)value;
    }
    for (int i = 0; i < 3; i++) {
        out[i] = (uint8_t)(group >> (16 - 8 * i));
    }
    /* The bits that the padding leaves over must be zero, so that each value has one form. */
    return group & ((1u << (8 * (3 - bytes))) - 1) ? HSAY_EBAD : bytes;
}

int base64_parse(void *bytes, size_t size, const char *text)
{
    size_t length = strlen(text);
    size_t used = 0;

    if (length % 4 || length > INT_MAX) {
        return HSAY_EBAD;
    }
    for (size_t i = 0; i < length; i += 4) {
        uint8_t group[3];
        int count = group_parse(group, text + i);

        if (count < 0 || (count < 3 && i + 4 != length)) {
            return HSAY_EBAD;
        }
        if (used + (size_t)count > size) {
            return HSAY_ENOSPC;
        }
        memcpy((uint8_t *)bytes + used, group, (size_t)count);
        used += (size_t)count;
    }
    return (int)used;
}
