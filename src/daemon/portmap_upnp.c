/*
 * UPnP's Internet Gateway Device, by miniupnpc.
 *
 * Whoever hears the search may answer it, with an address of a description, which names an address
 * to be controlled at.  Both are used only if they are the default gateway's: nobody else in the
 * network can make us ask a host of their choice.
 */
#include <arpa/inet.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/daemon/portmap_request.h"

enum {
    SEARCH_MS = 1000, /* devices answer within the second that the search names */
    TTL = 2,          /* as the UPnP Device Architecture says */
    IP_TEXT_BYTES = INET_ADDRSTRLEN,
    NUMBER_BYTES = 12,
    CONFLICTS_MAX = 4,
    PORT_FIRST = 20000, /* where others are looked for when ours is taken */
    PORT_COUNT = 40000,
};

enum igd_error {
    IGD_NOT_AUTHORIZED = 606,
    IGD_NO_SUCH_ENTRY = 714,
    IGD_CONFLICT = 718,
    IGD_ONLY_PERMANENT = 725,
};

static const char protocol[] = "UDP";
static const char description[] = "Hearsay";

/* ---- finding the gateway's device ----------------------------------------------------------- */

static void ip_format(char text[IP_TEXT_BYTES], const struct hsay_addr *addr)
{
    inet_ntop(AF_INET, addr->byte, text, IP_TEXT_BYTES);
}

/* "http://192.168.1.1:5000/..." and nothing else before the path. */
static bool url_is_of(const char *url, const struct hsay_addr *host)
{
    static const char scheme[] = "http://";
    char text[IP_TEXT_BYTES];
    size_t length;

    ip_format(text, host);
    length = strlen(text);
    if (!url || strncmp(url, scheme, sizeof scheme - 1) ||
        strncmp(url + sizeof scheme - 1, text, length)) {
        return false;
    }
    url += sizeof scheme - 1 + length;
    if (*url == ':') {
        url += 1 + strspn(url + 1, "0123456789");
    }
    return *url == '/';
}

static bool igd_keep(struct portmap_igd *igd, const struct portmap_request *request,
                     const struct UPNPUrls *urls, const struct IGDdatas *data)
{
    size_t control_size = urls->controlURL ? strlen(urls->controlURL) : 0;

    if (!url_is_of(urls->controlURL, &request->gateway) || !data->first.servicetype[0] ||
        control_size >= sizeof igd->control ||
        strlen(data->first.servicetype) >= sizeof igd->service) {
        return false;
    }
    igd->gateway = request->gateway;
    snprintf(igd->control, sizeof igd->control, "%s", urls->controlURL);
    snprintf(igd->service, sizeof igd->service, "%s", data->first.servicetype);
    return true;
}

/* Reads the description there; true if it is one of an IGD that the gateway itself controls. */
static bool igd_read(struct portmap_igd *igd, const struct portmap_request *request,
                     const char *url)
{
    struct UPNPUrls urls = {0};
    struct IGDdatas data = {0};
    char lan[64];
    bool kept = false;

    if (UPNP_GetIGDFromUrl(url, &urls, &data, lan, sizeof lan)) {
        kept = igd_keep(igd, request, &urls, &data);
        FreeUPNPUrls(&urls);
    }
    return kept;
}

static bool stopped(const struct portmap_request *request)
{
    struct pollfd stop = {.fd = request->stop_fd, .events = POLLIN};

    return poll(&stop, 1, 0) > 0;
}

static int igd_find(struct portmap_igd *igd, const struct portmap_request *request,
                    struct portmap_grant *grant)
{
    /* IGD 2 answers to searches for IGD 1. */
    static const char *const types[] = {"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
                                        NULL};
    char local[IP_TEXT_BYTES];
    struct UPNPDev *list;
    int error = 0;

    *igd = (struct portmap_igd){0};
    ip_format(local, &request->internal);
    list =
        upnpDiscoverDevices(types, SEARCH_MS, local, NULL, UPNP_LOCAL_PORT_ANY, 0, TTL, &error, 0);
    for (const struct UPNPDev *at = list; at && !igd->gateway.kind && !stopped(request);
         at = at->pNext) {
        if (url_is_of(at->descURL, &request->gateway)) {
            igd_read(igd, request, at->descURL);
        }
    }
    freeUPNPDevlist(list);
    return igd->gateway.kind ? 0 : portmap_fail(grant, "no such gateway");
}

/* ---- asking it ------------------------------------------------------------------------------ */

static int refused(struct portmap_grant *grant, int error)
{
    switch (error) {
    case IGD_NOT_AUTHORIZED:
        return portmap_fail(grant, "not authorized");
    case IGD_CONFLICT:
        return portmap_fail(grant, "the port is taken");
    default:
        return portmap_fail(grant, error > 0 ? "error %d" : "no answer", error);
    }
}

static int ask_address(const struct portmap_igd *igd, struct portmap_grant *grant)
{
    char text[64] = "";
    int error = UPNP_GetExternalIPAddress(igd->control, igd->service, text);

    if (error) {
        return refused(grant, error);
    }
    grant->external = (struct hsay_addr){.kind = HSAY_ADDR_IP4};
    text[sizeof text - 1] = 0;
    if (inet_pton(AF_INET, text, grant->external.byte) != 1 || !grant->external.byte[0]) {
        return portmap_fail(grant, "the gateway has no address outside");
    }
    return 0;
}

/* One of many, the same for the same host and port: after a crash we find our own again. */
static uint16_t other_port(const struct portmap_request *request, unsigned turn)
{
    uint32_t mixed = request->internal.port + 7919u * turn;

    for (size_t i = 0; i < 4; i++) {
        mixed = mixed * 31 + request->internal.byte[i];
    }
    return (uint16_t)(PORT_FIRST + mixed % PORT_COUNT);
}

static int add(const struct portmap_igd *igd, const struct portmap_request *request,
               uint16_t port_external, uint32_t lifetime_s)
{
    char external[NUMBER_BYTES], internal[NUMBER_BYTES], lifetime[NUMBER_BYTES];
    char local[IP_TEXT_BYTES];

    snprintf(external, sizeof external, "%u", port_external);
    snprintf(internal, sizeof internal, "%u", request->internal.port);
    snprintf(lifetime, sizeof lifetime, "%u", lifetime_s);
    ip_format(local, &request->internal);
    return UPNP_AddPortMapping(igd->control, igd->service, external, internal, local, description,
                               protocol, NULL, lifetime);
}

/* The lifetime is not in the answer; the gateway may have made it another one. */
static uint32_t lifetime_granted(const struct portmap_igd *igd, uint16_t port, uint32_t wanted_s)
{
    char external[NUMBER_BYTES], client[64] = "", internal[64] = "", text[128] = "";
    char enabled[64] = "", left[64] = "";
    unsigned long left_s;

    snprintf(external, sizeof external, "%u", port);
    if (UPNP_GetSpecificPortMappingEntry(igd->control, igd->service, external, protocol, NULL,
                                         client, internal, text, enabled, left)) {
        return wanted_s;
    }
    left_s = strtoul(left, NULL, 10);
    return left_s && left_s < wanted_s ? (uint32_t)left_s : wanted_s;
}

static int ask_port(const struct portmap_igd *igd, const struct portmap_request *request,
                    struct portmap_grant *grant)
{
    uint16_t port = request->external.kind ? request->external.port : request->internal.port;
    uint32_t lifetime_s = request->lifetime_s;
    int error = add(igd, request, port, lifetime_s);

    if (error == IGD_ONLY_PERMANENT) {
        lifetime_s = 0;
        error = add(igd, request, port, lifetime_s);
    }
    for (unsigned i = 0; error == IGD_CONFLICT && i < CONFLICTS_MAX && !stopped(request); i++) {
        port = other_port(request, i);
        error = add(igd, request, port, lifetime_s);
    }
    if (error) {
        return refused(grant, error);
    }
    grant->external.port = port;
    grant->lifetime_s = lifetime_s ? lifetime_granted(igd, port, lifetime_s) : 0;
    return 0;
}

static int take_away(const struct portmap_igd *igd, const struct portmap_request *request,
                     struct portmap_grant *grant)
{
    char external[NUMBER_BYTES];
    int error;

    snprintf(external, sizeof external, "%u", request->external.port);
    error = UPNP_DeletePortMapping(igd->control, igd->service, external, protocol, NULL);
    return error && error != IGD_NO_SUCH_ENTRY ? refused(grant, error) : 0;
}

static int ask(const struct portmap_igd *igd, const struct portmap_request *request,
               struct portmap_grant *grant)
{
    int rc;

    if (!request->lifetime_s) {
        return take_away(igd, request, grant);
    }
    rc = ask_address(igd, grant);
    return rc ? rc : ask_port(igd, request, grant);
}

int portmap_upnp(struct portmap_igd *igd, const struct portmap_request *request,
                 struct portmap_grant *grant)
{
    int rc = HSAY_EIO;

    if (igd->gateway.kind && !memcmp(igd->gateway.byte, request->gateway.byte, 4)) {
        rc = ask(igd, request, grant);
    }
    /* A gateway that was started again may be controlled somewhere else now.  What is to be
     * removed is not searched for: it is gone with the start, or its time runs out. */
    if (rc && request->lifetime_s && !stopped(request)) {
        rc = igd_find(igd, request, grant);
        rc = rc ? rc : ask(igd, request, grant);
    }
    return rc;
}
