/* One PCP request and its response, over a socket that hears the gateway alone. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hearsay/error.h"
#include "src/daemon/clock.h"
#include "src/daemon/portmap_request.h"

static struct sockaddr_in name_of(const struct hsay_addr *addr, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

    memcpy(&name.sin_addr, addr->byte, 4);
    return name;
}

/* Connected, the kernel lets through what comes from the gateway's address and port, no more, and
 * says at once if nobody is there. */
static int socket_open(const struct portmap_request *request)
{
    struct sockaddr_in local = name_of(&request->internal, 0);
    struct sockaddr_in gateway =
        name_of(&request->gateway, request->gateway.port ? request->gateway.port : PCP_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && (bind(fd, (const struct sockaddr *)&local, sizeof local) ||
                    connect(fd, (const struct sockaddr *)&gateway, sizeof gateway))) {
        close(fd);
        return -1;
    }
    return fd;
}

static enum pcp_verdict receive(int fd, const struct pcp_map *asked, struct pcp_answer *answer)
{
    uint8_t bytes[PCP_MAX_BYTES + 1];
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);

    if (got < 0) {
        return errno == ECONNREFUSED ? PCP_NOT_SPOKEN : PCP_OTHER;
    }
    return pcp_decode(answer, asked, (struct hsay_span){bytes, (size_t)got});
}

/* Sends once and waits for so long; PCP_OTHER if no answer has come, HSAY_EIO if told to stop. */
static int exchange(const struct portmap_request *request, int fd, uint64_t wait_ms,
                    const struct pcp_map *asked, struct pcp_answer *answer)
{
    uint8_t bytes[PCP_MAP_BYTES];
    struct clock clock;
    hsay_time end;
    enum pcp_verdict verdict = PCP_OTHER;

    clock_init(&clock);
    end = hsay_time_add_ms(clock_now(&clock).mono, wait_ms);
    pcp_encode(bytes, asked);
    if (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED) {
        return PCP_NOT_SPOKEN;
    }
    while (verdict == PCP_OTHER) {
        hsay_time now = clock_now(&clock).mono;
        int ready;

        if (!hsay_time_before(now, end)) {
            break;
        }
        ready = portmap_wait(request, fd, hsay_time_ms_between(now, end) + 1);
        if (ready < 0) {
            return ready;
        }
        if (ready) {
            verdict = receive(fd, asked, answer);
        }
    }
    return (int)verdict;
}

int portmap_pcp(const struct portmap_request *request, struct portmap_grant *grant)
{
    struct pcp_map asked = {.client = request->internal,
                            .external = request->external,
                            .lifetime_s = request->lifetime_s};
    struct pcp_answer answer = {0};
    int verdict = PCP_OTHER;
    int fd = socket_open(request);

    if (fd < 0) {
        return portmap_fail(grant, "%s", strerror(errno));
    }
    memcpy(asked.nonce, request->nonce, sizeof asked.nonce);
    for (unsigned i = 0; i < PORTMAP_TRIES && verdict == PCP_OTHER; i++) {
        verdict = exchange(request, fd, (uint64_t)PORTMAP_WAIT_FIRST_MS << i, &asked, &answer);
    }
    close(fd);
    switch (verdict) {
    case PCP_GRANTED:
        grant->external = answer.external;
        grant->lifetime_s = answer.lifetime_s;
        return 0;
    case PCP_REFUSED:
        return portmap_fail(grant, "%s", pcp_result_text(answer.result));
    case PCP_NOT_SPOKEN:
        return portmap_fail(grant, "not spoken");
    default:
        return portmap_fail(grant, "no answer");
    }
}
