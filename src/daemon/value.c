#include "src/daemon/value.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "hearsay/error.h"

struct unit {
    const char *name;
    uint64_t factor;
};

int value_bool(bool *out, const char *text)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (!strcasecmp(text, yes[i]) || !strcasecmp(text, no[i])) {
            *out = !strcasecmp(text, yes[i]);
            return 0;
        }
    }
    return HSAY_EBAD;
}

/* Digits up to the first other character, which *rest points to. */
static int digits_read(uint64_t *out, const char *text, const char **rest)
{
    uint64_t value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (value > (UINT64_MAX - digit) / 10) {
            return HSAY_EBAD;
        }
        value = value * 10 + digit;
    }
    *rest = at;
    *out = value;
    return at == text ? HSAY_EBAD : 0;
}

int value_number(uint64_t *out, const char *text)
{
    const char *rest;
    uint64_t value;

    if (digits_read(&value, text, &rest) || *rest) {
        return HSAY_EBAD;
    }
    *out = value;
    return 0;
}

/* "12.5kB": whole part and up to six decimals, times the unit. */
static int with_unit(uint64_t *out, const char *text, const struct unit *unit, size_t unit_count)
{
    const char *rest;
    uint64_t whole;
    uint64_t millionths = 0;

    if (digits_read(&whole, text, &rest)) {
        return HSAY_EBAD;
    }
    if (*rest == '.') {
        uint64_t scale = 100000;

        for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10) {
            millionths += (uint64_t)(*rest - '0') * scale;
        }
    }
    rest += strspn(rest, " \t");
    for (size_t i = 0; i < unit_count; i++) {
        if (strcasecmp(rest, unit[i].name)) {
            continue;
        }
        if (whole > UINT64_MAX / unit[i].factor / 2) {
            return HSAY_EBAD;
        }
        /* At most 10^6 * 2^40, which fits. */
        *out = whole * unit[i].factor + millionths * unit[i].factor / 1000000;
        return 0;
    }
    return HSAY_EBAD;
}

int value_bytes(uint64_t *out, const char *text)
{
    static const struct unit unit[] = {
        {"", 1},
        {"B", 1},
        {"kB", UINT64_C(1000)},
        {"MB", UINT64_C(1000000)},
        {"GB", UINT64_C(1000000000)},
        {"TB", UINT64_C(1000000000000)},
        {"k", UINT64_C(1000)},
        {"M", UINT64_C(1000000)},
        {"G", UINT64_C(1000000000)},
        {"T", UINT64_C(1000000000000)},
        {"KiB", UINT64_C(1) << 10},
        {"MiB", UINT64_C(1) << 20},
        {"GiB", UINT64_C(1) << 30},
        {"TiB", UINT64_C(1) << 40},
    };

    return with_unit(out, text, unit, sizeof unit / sizeof unit[0]);
}

int value_ms(uint64_t *out, const char *text)
{
    static const struct unit unit[] = {
        {"", 1000},   {"ms", 1},      {"s", 1000},    {"sec", 1000},
        {"m", 60000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000},
    };

    return with_unit(out, text, unit, sizeof unit / sizeof unit[0]);
}

/* The host in front of the port, "[...]" or numbers with points, into byte and kind. */
static int host_read(struct hsay_addr *addr, const char *text, size_t length)
{
    char host[INET6_ADDRSTRLEN];
    bool ip6 = length > 1 && text[0] == '[' && text[length - 1] == ']';

    if (ip6) {
        text++;
        length -= 2;
    }
    if (length >= sizeof host) {
        return HSAY_EBAD;
    }
    memcpy(host, text, length);
    host[length] = 0;
    addr->kind = ip6 ? HSAY_ADDR_IP6 : HSAY_ADDR_IP4;
    return inet_pton(ip6 ? AF_INET6 : AF_INET, host, addr->byte) == 1 ? 0 : HSAY_EBAD;
}

int value_listen(struct hsay_addr *out, const char *text)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP6};
    const char *colon = strrchr(text, ':');
    uint64_t port;

    if (value_number(&port, colon ? colon + 1 : text) || port > UINT16_MAX) {
        return HSAY_EBAD;
    }
    if (colon && host_read(&addr, text, (size_t)(colon - text))) {
        return HSAY_EBAD;
    }
    addr.port = (uint16_t)port;
    *out = addr;
    return 0;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's, one row at a time. */
unsigned value_distance(const char *a, const char *b)
{
    enum { LETTERS_MAX = 63 };
    unsigned row[LETTERS_MAX + 1];
    size_t a_length = strnlen(a, LETTERS_MAX);
    size_t b_length = strnlen(b, LETTERS_MAX);

    for (unsigned j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_length];
}
