/*
 * Addresses as people write them.  No printf and no inet_pton: the core calls no C library but for
 * memory, and must read the same text the same way everywhere.
 */
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/types.h"
#include "nat/addr_class.h"

static const char handle_word[] = "handle:";

/* --- writing --------------------------------------------------------------------------------- */

struct text {
    char byte[HSAY_ADDR_TEXT_BYTES];
    size_t size;
};

static void put(struct text *text, char c)
{
    text->byte[text->size++] = c;
}

static void put_word(struct text *text, const char *word)
{
    while (*word)
        put(text, *word++);
}

static void put_number(struct text *text, uint32_t number, uint32_t base)
{
    char digit[8];
    uint32_t count = 0;

    do {
        digit[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    while (count > 0)
        put(text, digit[--count]);
}

static void put_ip4(struct text *text, const uint8_t *byte)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            put(text, '.');
        put_number(text, byte[i], 10);
    }
}

static uint32_t group_at(const uint8_t *byte, int index)
{
    return (uint32_t)byte[2 * index] << 8 | byte[2 * index + 1];
}

/* The zeroes that "::" stands for: the longest run, the first of equals, never a single one. */
struct run {
    int start, length;
};

static struct run longest_run(const uint8_t *byte)
{
    struct run best = {8, 1};

    for (int i = 0; i < 8; i++) {
        int end = i;
        while (end < 8 && group_at(byte, end) == 0)
            end++;
        if (end - i > best.length)
            best = (struct run){i, end - i};
    }
    return best;
}

static void put_ip6(struct text *text, const uint8_t *byte)
{
    struct run run = longest_run(byte);

    for (int i = 0; i < 8; i++) {
        if (i == run.start) {
            put_word(text, "::");
            i += run.length - 1;
            continue;
        }
        if (i > 0 && i != run.start + run.length)
            put(text, ':');
        put_number(text, group_at(byte, i), 16);
    }
}

static void put_handle(struct text *text, const uint8_t *byte)
{
    put_word(text, handle_word);
    for (int i = 0; i < 16; i++) {
        put_number(text, byte[i] >> 4, 16);
        put_number(text, byte[i] & 15, 16);
    }
}

static void put_addr(struct text *text, const struct hsay_addr *addr)
{
    switch (addr->kind) {
    case HSAY_ADDR_IP4:
        put_ip4(text, addr->byte);
        break;
    case HSAY_ADDR_IP6:
        put(text, '[');
        put_ip6(text, addr->byte);
        put(text, ']');
        break;
    case HSAY_ADDR_HANDLE:
        put_handle(text, addr->byte);
        if (addr->port == 0)
            return;
        break;
    default:
        put_word(text, "none");
        return;
    }
    put(text, ':');
    put_number(text, addr->port, 10);
}

int hsay_addr_format(char *out, size_t size, const struct hsay_addr *addr)
{
    struct text text = {.size = 0};

    put_addr(&text, addr);
    put(&text, '\0');
    if (text.size > size) {
        if (size > 0)
            out[0] = '\0';
        return HSAY_ENOSPC;
    }
    memcpy(out, text.byte, text.size);
    return (int)text.size - 1;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Each reader moves the pointer past what it took, and takes nothing when it fails. */

static bool read_char(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

static bool read_word(const char **at, const char *word)
{
    const char *p = *at;

    while (*word) {
        if (*p++ != *word++)
            return false;
    }
    *at = p;
    return true;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

/* No leading zeros: "010" is eight to some and ten to others. */
static bool read_decimal(const char **at, uint32_t max, uint32_t *out)
{
    const char *p = *at;
    uint32_t number = 0;

    if (p[0] == '0' && digit_value(p[1]) < 10)
        return false;
    while (digit_value(*p) < 10) {
        number = number * 10 + (uint32_t)digit_value(*p++);
        if (number > max)
            return false;
    }
    if (p == *at)
        return false;
    *at = p;
    *out = number;
    return true;
}

static bool read_ip4(const char **at, uint8_t *byte)
{
    const char *p = *at;

    for (int i = 0; i < 4; i++) {
        uint32_t number;
        if ((i > 0 && !read_char(&p, '.')) || !read_decimal(&p, 255, &number))
            return false;
        byte[i] = (uint8_t)number;
    }
    *at = p;
    return true;
}

static bool read_hex_group(const char **at, uint8_t *byte)
{
    uint32_t number = 0;
    int count = 0;

    while (count < 4 && digit_value((*at)[count]) < 16)
        number = number << 4 | (uint32_t)digit_value((*at)[count++]);
    if (count == 0)
        return false;
    *at += count;
    byte[0] = (uint8_t)(number >> 8);
    byte[1] = (uint8_t)number;
    return true;
}

/* Groups up to `room` bytes, divided by single colons, an IPv4 address as the last two perhaps.
 * Returns the bytes read; stops in front of what is no group. */
static int read_groups(const char **at, uint8_t *byte, int room)
{
    int size = 0;

    while (size + 2 <= room) {
        const char *p = *at;
        if (size > 0 && (!read_char(&p, ':') || *p == ':'))
            break;
        if (size + 4 <= room && read_ip4(&p, byte + size)) {
            if (*p != ']')
                break;
            *at = p;
            return size + 4;
        }
        if (!read_hex_group(&p, byte + size))
            break;
        *at = p;
        size += 2;
    }
    return size;
}

static bool read_ip6(const char **at, uint8_t *byte)
{
    uint8_t tail[16];
    int size = read_groups(at, byte, 16);

    if (size == 16)
        return true;
    if (!read_word(at, "::"))
        return false;

    int tail_size = read_groups(at, tail, 14 - size); /* "::" is for one group at least */

    memset(byte + size, 0, (size_t)(16 - size - tail_size));
    memcpy(byte + 16 - tail_size, tail, (size_t)tail_size);
    return true;
}

static bool read_handle(const char **at, uint8_t *byte)
{
    for (int i = 0; i < 16; i++) {
        int high = digit_value(**at);
        int low = high < 16 ? digit_value((*at)[1]) : 16;
        if (low == 16)
            return false;
        byte[i] = (uint8_t)(high << 4 | low);
        *at += 2;
    }
    return true;
}

static bool read_host(const char **at, struct hsay_addr *addr)
{
    if (read_word(at, handle_word)) {
        addr->kind = HSAY_ADDR_HANDLE;
        return read_handle(at, addr->byte);
    }
    if (read_char(at, '[')) {
        addr->kind = HSAY_ADDR_IP6;
        return read_ip6(at, addr->byte) && read_char(at, ']');
    }
    addr->kind = HSAY_ADDR_IP4;
    return read_ip4(at, addr->byte);
}

int hsay_addr_parse(struct hsay_addr *addr, const char *text)
{
    struct hsay_addr found = {0};
    uint32_t port = 0;

    if (!read_host(&text, &found))
        return HSAY_EBAD;
    if (found.kind != HSAY_ADDR_HANDLE || *text) {
        if (!read_char(&text, ':') || !read_decimal(&text, UINT16_MAX, &port) || *text)
            return HSAY_EBAD;
    }
    found.port = (uint16_t)port;
    hsay_addr_normalise(&found);
    *addr = found;
    return 0;
}
