#include "src/common/peer_name.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/common/hex.h"

/* "6421"; not 0, which nobody can send to. */
static int port_parse(uint16_t *port, const char *text)
{
    size_t length = strlen(text);
    unsigned long value;

    if (length == 0 || length > 5 || strspn(text, "0123456789") != length) {
        return HSAY_EBAD;
    }
    value = strtoul(text, NULL, 10);
    if (value == 0 || value > UINT16_MAX) {
        return HSAY_EBAD;
    }
    *port = (uint16_t)value;
    return 0;
}

static bool host_ok(const char *host)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t length = strlen(host);

    return length > 0 && strspn(host, allowed) == length && host[0] != '-';
}

static void addr_fill(struct peer_name *name)
{
    struct in_addr ip4;
    struct in6_addr ip6;

    if (inet_pton(AF_INET, name->host, &ip4) == 1) {
        name->addr.kind = HSAY_ADDR_IP4;
        memcpy(name->addr.byte, &ip4, sizeof ip4);
    } else if (inet_pton(AF_INET6, name->host, &ip6) == 1) {
        name->addr.kind = HSAY_ADDR_IP6;
        memcpy(name->addr.byte, &ip6, sizeof ip6);
    } else {
        return;
    }
    name->addr.port = name->port;
}

/* Splits "[host]:port" or "host:port" in place; *port is NULL when there is none. */
static int host_split(char *text, char **host, char **port)
{
    char *end = text + strcspn(text, text[0] == '[' ? "]" : ":");

    *host = text;
    if (text[0] == '[') {
        if (!*end) {
            return HSAY_EBAD;
        }
        *end++ = 0;
        *host = text + 1;
    }
    *port = *end ? end + 1 : NULL;
    if (*end && *end != ':') {
        return HSAY_EBAD;
    }
    *end = 0;
    return 0;
}

int peer_name_parse(struct peer_name *out, const char *text)
{
    struct peer_name made = {.port = HSAY_PORT_DEFAULT};
    char copy[PEER_NAME_TEXT_BYTES];
    char *host, *port, *key;
    bool brackets = text[0] == '[';
    size_t length = strlen(text);

    if (length >= sizeof copy) {
        return HSAY_EBAD;
    }
    memcpy(copy, text, length + 1);
    key = strchr(copy, '#');
    if (key) {
        *key++ = 0;
        if (hex_parse(made.key.byte, sizeof made.key.byte, key)) {
            return HSAY_EBAD;
        }
    }
    if (host_split(copy, &host, &port) || (port && port_parse(&made.port, port))) {
        return HSAY_EBAD;
    }
    if (strlen(host) >= sizeof made.host) {
        return HSAY_EBAD;
    }
    strcpy(made.host, host);
    addr_fill(&made);
    if (brackets ? made.addr.kind != HSAY_ADDR_IP6 : !host_ok(made.host)) {
        return HSAY_EBAD;
    }
    *out = made;
    return 0;
}

void peer_name_format(char text[PEER_NAME_TEXT_BYTES], const struct peer_name *name)
{
    static const struct hsay_key none;
    bool brackets = name->addr.kind == HSAY_ADDR_IP6;
    char key[2 * HSAY_KEY_BYTES + 1] = "";

    if (memcmp(&name->key, &none, sizeof none)) {
        hex_format(key, name->key.byte, sizeof name->key.byte);
    }
    snprintf(text, PEER_NAME_TEXT_BYTES, "%s%s%s:%u%s%s", brackets ? "[" : "", name->host,
             brackets ? "]" : "", name->port, key[0] ? "#" : "", key);
}
