#include "src/daemon/pcp.h"

#include <assert.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/wire/cursor.h"

enum {
    VERSION = 2,
    VERSION_NATPMP = 0,
    OPCODE_MAP = 1,
    RESPONSE = 0x80,
    PROTOCOL_UDP = 17,
    HEADER_BYTES = 24,
    RESULT_UNSUPP_VERSION = 1,
};

static_assert((int)PCP_MAP_BYTES == (int)HEADER_BYTES + (int)PCP_NONCE_BYTES + 8 + 16,
              "header, nonce, protocol and ports, external address");

/* ---- addresses ------------------------------------------------------------------------------ */

/* All are sixteen bytes long, IPv4 as ::ffff:a.b.c.d; "any" is all zero in the family asked for. */
static void write_addr(struct hsay_writer *w, const struct hsay_addr *addr, uint8_t family)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t any[16];
    const uint8_t *bytes = addr->kind == family ? addr->byte : any;

    if (family == HSAY_ADDR_IP4) {
        hsay_write_bytes(w, mapped, sizeof mapped);
        hsay_write_bytes(w, bytes, 4);
    } else {
        hsay_write_bytes(w, bytes, 16);
    }
}

static struct hsay_addr read_addr(struct hsay_reader *r, uint16_t port)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP6, .port = port};

    hsay_read_bytes(r, addr.byte, 16);
    hsay_addr_normalise(&addr);
    return addr;
}

/* ---- the request ---------------------------------------------------------------------------- */

void pcp_encode(uint8_t out[PCP_MAP_BYTES], const struct pcp_map *asked)
{
    static const uint8_t reserved[3];
    struct hsay_writer w = hsay_writer(out, PCP_MAP_BYTES);
    uint8_t family = asked->client.kind;

    hsay_write_u8(&w, VERSION);
    hsay_write_u8(&w, OPCODE_MAP);
    hsay_write_u16(&w, 0);
    hsay_write_u32(&w, asked->lifetime_s);
    write_addr(&w, &asked->client, family);
    hsay_write_bytes(&w, asked->nonce, sizeof asked->nonce);
    hsay_write_u8(&w, PROTOCOL_UDP);
    hsay_write_bytes(&w, reserved, sizeof reserved);
    hsay_write_u16(&w, asked->client.port);
    /* RFC 6887, 15: what is removed is named without a wish for the outside. */
    if (asked->lifetime_s) {
        hsay_write_u16(&w,
                       asked->external.kind == family ? asked->external.port : asked->client.port);
        write_addr(&w, &asked->external, family);
    } else {
        hsay_write_u16(&w, 0);
        write_addr(&w, &(struct hsay_addr){0}, family);
    }
    assert(!w.bad && hsay_write_left(&w) == 0);
}

/* ---- the response --------------------------------------------------------------------------- */

/* A gateway without PCP answers with a version of its own: NAT-PMP's in eight bytes at least, or
 * another of PCP with the whole header.  Nothing of it is authentic but where it came from. */
static bool other_version(struct hsay_span bytes)
{
    if (bytes.size < 4 || bytes.size > PCP_MAX_BYTES || !(bytes.data[1] & RESPONSE)) {
        return false;
    }
    if (bytes.data[0] == VERSION_NATPMP) {
        return bytes.data[2] == 0 && bytes.data[3] == RESULT_UNSUPP_VERSION;
    }
    return bytes.size >= HEADER_BYTES && bytes.data[3] == RESULT_UNSUPP_VERSION;
}

static bool grants(const struct pcp_map *asked, const struct pcp_answer *answer)
{
    enum hsay_addr_class class = hsay_addr_class(&answer->external);

    if (!asked->lifetime_s) {
        return true;
    }
    return answer->lifetime_s && answer->external.port && class != HSAY_ADDR_UNSPECIFIED &&
           class != HSAY_ADDR_MULTICAST && class != HSAY_ADDR_BROADCAST &&
           answer->external.kind == asked->client.kind;
}

enum pcp_verdict pcp_decode(struct pcp_answer *out, const struct pcp_map *asked,
                            struct hsay_span bytes)
{
    struct hsay_reader r = hsay_reader(bytes);
    struct pcp_answer answer;
    uint8_t version, opcode, protocol, nonce[PCP_NONCE_BYTES];
    uint16_t port_internal, port_external;

    if (other_version(bytes)) {
        return PCP_NOT_SPOKEN;
    }
    version = hsay_read_u8(&r);
    opcode = hsay_read_u8(&r);
    hsay_read_span(&r, 1);
    answer.result = hsay_read_u8(&r);
    answer.lifetime_s = hsay_read_u32(&r);
    hsay_read_span(&r, 4 + 12); /* epoch, reserved */
    hsay_read_bytes(&r, nonce, sizeof nonce);
    protocol = hsay_read_u8(&r);
    hsay_read_span(&r, 3);
    port_internal = hsay_read_u16(&r);
    port_external = hsay_read_u16(&r);
    answer.external = read_addr(&r, port_external);
    if (!hsay_read_done(&r) || version != VERSION || opcode != (RESPONSE | OPCODE_MAP) ||
        memcmp(nonce, asked->nonce, sizeof nonce) || protocol != PROTOCOL_UDP ||
        port_internal != asked->client.port) {
        return PCP_OTHER;
    }
    if (!answer.result && !grants(asked, &answer)) {
        return PCP_OTHER;
    }
    *out = answer;
    return answer.result ? PCP_REFUSED : PCP_GRANTED;
}

const char *pcp_result_text(uint8_t result)
{
    static const char *const text[] = {
        "granted",
        "another version",
        "not authorized",
        "malformed request",
        "opcode not known",
        "option not known",
        "malformed option",
        "no network",
        "no resources",
        "protocol not known",
        "quota exceeded",
        "external address not available",
        "another NAT is on the way to it",
        "too many peers",
    };

    return result < sizeof text / sizeof text[0] ? text[result] : "unknown result";
}
