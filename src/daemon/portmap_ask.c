#include "src/daemon/portmap_ask.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "nat/addr_class.h"
#include "src/daemon/gateway.h"

const char *portmap_protocol_name(enum portmap_protocol protocol)
{
    static const char *const name[] = {"none", "pcp", "nat-pmp", "upnp"};

    return name[protocol];
}

static bool allowed(enum portmap_mode mode, enum portmap_protocol protocol)
{
    switch (mode) {
    case PORTMAP_AUTO:
        return true;
    case PORTMAP_PCP_ALONE:
        return protocol == PORTMAP_PCP;
    case PORTMAP_NATPMP_ALONE:
        return protocol == PORTMAP_NATPMP;
    case PORTMAP_UPNP_ALONE:
        return protocol == PORTMAP_UPNP;
    case PORTMAP_OFF:
        break;
    }
    return false;
}

static int fail(struct portmap_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int fail(struct portmap_answer *answer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(answer->error, sizeof answer->error, format, arguments);
    va_end(arguments);
    return HSAY_EINVAL;
}

/* ---- one protocol --------------------------------------------------------------------------- */

static int speak(struct portmap_asker *asker, enum portmap_protocol protocol,
                 const struct portmap_request *request, struct portmap_grant *grant)
{
    switch (protocol) {
    case PORTMAP_PCP:
        return portmap_pcp(request, grant);
    case PORTMAP_NATPMP:
        return portmap_natpmp(request, grant);
    case PORTMAP_UPNP:
        return portmap_upnp(&asker->igd, request, grant);
    case PORTMAP_NONE:
        break;
    }
    return HSAY_EINVAL;
}

static void give_back(struct portmap_asker *asker, size_t index, int stop_fd)
{
    struct portmap_held *held = &asker->held[index];
    struct portmap_request request = {.gateway = held->gateway,
                                      .internal = held->internal,
                                      .external = held->external,
                                      .stop_fd = stop_fd};
    struct portmap_grant grant;

    /* If the gateway does not hear it, the mapping ends with its lifetime. */
    memcpy(request.nonce, asker->nonce[index], sizeof request.nonce);
    speak(asker, held->protocol, &request, &grant);
    *held = (struct portmap_held){0};
}

/* ---- is there anything to ask for? ---------------------------------------------------------- */

static bool is_inside(const struct hsay_addr *addr)
{
    enum hsay_addr_class class = hsay_addr_class(addr);

    return class == HSAY_ADDR_PRIVATE || class == HSAY_ADDR_CARRIER;
}

static int way_find(struct portmap_request *request, const struct portmap_job *job,
                    struct portmap_answer *answer)
{
    char text[HSAY_ADDR_TEXT_BYTES];

    if (gateway_find(&request->gateway) || gateway_local(&request->internal, &request->gateway)) {
        return fail(answer, "no default gateway");
    }
    request->internal.port = job->bound.port;
    hsay_addr_format(text, sizeof text, &request->internal);
    if (!is_inside(&request->internal)) {
        return fail(answer, "nothing to map: %s is no private address", text);
    }
    if (hsay_addr_class(&job->bound) != HSAY_ADDR_UNSPECIFIED &&
        !hsay_addr_same_host(&job->bound, &request->internal)) {
        return fail(answer, "the gateway is reached from %s, which is not listened at", text);
    }
    return 0;
}

/* ---- the round ------------------------------------------------------------------------------ */

static bool try_one(struct portmap_asker *asker, enum portmap_protocol protocol,
                    const struct portmap_request *request, struct portmap_answer *answer)
{
    struct portmap_grant grant = {0};
    size_t used = strlen(answer->error);

    if (speak(asker, protocol, request, &grant)) {
        snprintf(answer->error + used, sizeof answer->error - used, "%s%s: %s", used ? "; " : "",
                 portmap_protocol_name(protocol), grant.why);
        return false;
    }
    answer->error[0] = 0;
    answer->mapped = true;
    answer->held = (struct portmap_held){.protocol = protocol,
                                         .gateway = request->gateway,
                                         .internal = request->internal,
                                         .external = grant.external,
                                         .lifetime_s = grant.lifetime_s};
    return true;
}

/* What was given by this gateway to this address; anything else is of another network. */
static bool still_holds(const struct portmap_held *held, const struct portmap_request *request)
{
    return hsay_addr_same_host(&held->gateway, &request->gateway) &&
           hsay_addr_equal(&held->internal, &request->internal);
}

static void try_all(struct portmap_asker *asker, const struct portmap_job *job,
                    const struct portmap_request *request, struct portmap_answer *answer)
{
    enum portmap_protocol first = answer->held.protocol;

    if (first && try_one(asker, first, request, answer)) {
        return;
    }
    for (enum portmap_protocol at = PORTMAP_PCP; at <= PORTMAP_UPNP; at++) {
        if (at != first && allowed(job->mode, at) && try_one(asker, at, request, answer)) {
            return;
        }
    }
}

void portmap_ask(struct portmap_asker *asker, const struct portmap_job *job,
                 struct portmap_answer *answer)
{
    struct portmap_held *held = &asker->held[job->index];
    struct portmap_request request = {.lifetime_s = job->lifetime_s, .stop_fd = asker->stop_fd};

    assert(job->index < PORTMAP_MAX);
    *answer = (struct portmap_answer){.index = job->index};
    if (held->protocol && !allowed(job->mode, held->protocol)) {
        give_back(asker, job->index, asker->stop_fd);
    }
    if (job->mode == PORTMAP_OFF) {
        return;
    }
    if (way_find(&request, job, answer)) {
        *held = (struct portmap_held){0};
        return;
    }
    if (held->protocol && still_holds(held, &request)) {
        answer->held = *held;
        request.external = held->external;
    }
    memcpy(request.nonce, asker->nonce[job->index], sizeof request.nonce);
    try_all(asker, job, &request, answer);
    *held = answer->held;
}

void portmap_ask_end(struct portmap_asker *asker)
{
    for (size_t i = 0; i < PORTMAP_MAX; i++) {
        if (asker->held[i].protocol) {
            give_back(asker, i, -1);
        }
    }
}
