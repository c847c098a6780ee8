/* NAT-PMP (RFC 6886), by libnatpmp, whose own patience of 64 seconds is cut short. */
#include <natpmp.h>
#include <string.h>
#include <sys/time.h>

#include "hearsay/error.h"
#include "src/daemon/clock.h"
#include "src/daemon/portmap_request.h"

static const char *error_text(int error)
{
    switch (error) {
    case NATPMP_ERR_NOGATEWAYSUPPORT:
    case NATPMP_ERR_UNSUPPORTEDVERSION:
    case NATPMP_ERR_UNSUPPORTEDOPCODE:
        return "not spoken";
    case NATPMP_ERR_NOTAUTHORIZED:
        return "not authorized";
    case NATPMP_ERR_NETWORKFAILURE:
        return "no network";
    case NATPMP_ERR_OUTOFRESOURCES:
        return "no resources";
    case NATPMP_TRYAGAIN:
        return "no answer";
    default:
        return "failed";
    }
}

/* How long the library wants to wait before it sends again, within what is left. */
static uint64_t patience_ms(natpmp_t *natpmp, uint64_t left_ms)
{
    struct timeval wait = {0};
    uint64_t ms = 0;

    getnatpmprequesttimeout(natpmp, &wait);
    if (wait.tv_sec >= 0 && wait.tv_usec >= 0) {
        ms = (uint64_t)wait.tv_sec * 1000 + (uint64_t)wait.tv_usec / 1000 + 1;
    }
    return ms < left_ms ? ms : left_ms;
}

/* The answer to what was sent; 0 or one of the library's errors.  The library passes over what
 * others send, and sends again by itself. */
static int answer_wait(const struct portmap_request *request, natpmp_t *natpmp,
                       natpmpresp_t *answer)
{
    struct clock clock;
    hsay_time now, end;
    int rc = NATPMP_TRYAGAIN;

    clock_init(&clock);
    now = clock_now(&clock).mono;
    end = hsay_time_add_ms(now, PORTMAP_WAIT_ALL_MS);
    while (hsay_time_before(now, end)) {
        uint64_t ms = patience_ms(natpmp, hsay_time_ms_between(now, end) + 1);

        if (portmap_wait(request, natpmp->s, ms) < 0) {
            return NATPMP_TRYAGAIN;
        }
        rc = readnatpmpresponseorretry(natpmp, answer);
        if (rc != NATPMP_TRYAGAIN && rc != NATPMP_ERR_WRONGPACKETSOURCE) {
            return rc;
        }
        now = clock_now(&clock).mono;
    }
    return NATPMP_TRYAGAIN;
}

/* One question from a socket of its own, where no late answer to another one can come. */
static int ask(const struct portmap_request *request, uint16_t type, natpmpresp_t *answer)
{
    uint16_t port = request->internal.port;
    uint16_t wish = request->external.kind ? request->external.port : port;
    natpmp_t natpmp;
    in_addr_t gateway;
    int rc;

    memcpy(&gateway, request->gateway.byte, 4);
    rc = initnatpmp(&natpmp, 1, gateway);
    if (!rc) {
        rc = type == NATPMP_RESPTYPE_PUBLICADDRESS
                 ? sendpublicaddressrequest(&natpmp)
                 : sendnewportmappingrequest(&natpmp, NATPMP_PROTOCOL_UDP, port,
                                             request->lifetime_s ? wish : 0, request->lifetime_s);
    }
    rc = rc < 0 ? rc : answer_wait(request, &natpmp, answer);
    closenatpmp(&natpmp);
    return !rc && answer->type != type ? NATPMP_ERR_UNDEFINEDERROR : rc;
}

static int ask_address(const struct portmap_request *request, struct portmap_grant *grant)
{
    natpmpresp_t answer;
    int rc = ask(request, NATPMP_RESPTYPE_PUBLICADDRESS, &answer);

    if (!rc) {
        grant->external = (struct hsay_addr){.kind = HSAY_ADDR_IP4};
        memcpy(grant->external.byte, &answer.pnu.publicaddress.addr, 4);
    }
    return rc;
}

static int ask_port(const struct portmap_request *request, struct portmap_grant *grant)
{
    natpmpresp_t answer;
    int rc = ask(request, NATPMP_RESPTYPE_UDPPORTMAPPING, &answer);

    if (rc) {
        return rc;
    }
    grant->external.port = answer.pnu.newportmapping.mappedpublicport;
    grant->lifetime_s = answer.pnu.newportmapping.lifetime;
    if (answer.pnu.newportmapping.privateport != request->internal.port ||
        (request->lifetime_s && (!grant->external.port || !grant->lifetime_s))) {
        return NATPMP_ERR_UNDEFINEDERROR;
    }
    return 0;
}

int portmap_natpmp(const struct portmap_request *request, struct portmap_grant *grant)
{
    int rc = request->lifetime_s ? ask_address(request, grant) : 0;

    if (!rc) {
        rc = ask_port(request, grant);
    }
    return rc ? portmap_fail(grant, "%s", error_text(rc)) : 0;
}
