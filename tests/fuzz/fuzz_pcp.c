/* Any bytes as a gateway's answer: granted is only what the request asked for. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The daemon is no library, so its pure parts are taken in as they are. */
#include "src/daemon/pcp.c"

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pcp_map asked = {
        .nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
        .client = {.kind = HSAY_ADDR_IP4, .port = 6421, .byte = {192, 168, 7, 2}},
        .lifetime_s = 7200,
    };
    struct pcp_answer answer = {0};

    switch (pcp_decode(&answer, &asked, (struct hsay_span){data, size})) {
    case PCP_GRANTED:
        require(size == PCP_MAP_BYTES && answer.result == 0 && answer.lifetime_s > 0);
        require(answer.external.kind == HSAY_ADDR_IP4 && answer.external.port != 0);
        break;
    case PCP_REFUSED:
        require(size == PCP_MAP_BYTES && answer.result != 0);
        break;
    case PCP_NOT_SPOKEN:
        require(size >= 4 && size <= PCP_MAX_BYTES);
        break;
    case PCP_OTHER:
        break;
    }
    return 0;
}
