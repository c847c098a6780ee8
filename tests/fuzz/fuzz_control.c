/* Any bytes as a line of the control socket, as a number in it, as a peer and as a join text: taken
 * or refused, and what is taken says the same when it is written out and read again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/common/base64.h"
#include "src/common/join.h"
#include "src/common/peer_name.h"

/* The daemon is no library, so its pure parts are taken in as they are. */
#include "src/daemon/request.c"
#include "src/daemon/value.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_peer(const char *word)
{
    char text[PEER_NAME_TEXT_BYTES];
    struct peer_name name, again;

    if (!peer_name_parse(&name, word)) {
        peer_name_format(text, &name);
        assert(!peer_name_parse(&again, text));
        assert(!memcmp(&name, &again, sizeof name));
    }
}

static void check_join(const char *word)
{
    char text[JOIN_TEXT_BYTES];
    struct join join, again;

    if (!join_parse(&join, word)) {
        join_format(text, &join);
        assert(!join_parse(&again, text));
        assert(!memcmp(&join, &again, sizeof join));
    }
}

static void check_base64(const char *word)
{
    char text[BASE64_TEXT_BYTES(REQUEST_LINE_MAX_BYTES)];
    uint8_t bytes[REQUEST_LINE_MAX_BYTES];
    int used = base64_parse(bytes, sizeof bytes, word);

    if (used >= 0) {
        base64_format(text, bytes, (size_t)used);
        assert(!strcmp(text, word));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request;
    struct hsay_addr addr;
    uint64_t number;
    bool yes;

    if (request_parse(&request, (const char *)data, size)) {
        return 0;
    }
    assert(request.word_count >= 1 && request.word_count <= REQUEST_WORDS_MAX);
    for (size_t i = 0; i < request.word_count; i++) {
        const char *word = request.word[i];

        assert(word[0] && word >= request.line && word + strlen(word) <= request.line + size);
        assert(request_number(word, 1000, &number) || number <= 1000);
        value_bytes(&number, word);
        value_ms(&number, word);
        value_bool(&yes, word);
        value_listen(&addr, word);
        join_name_ok(word);
        check_peer(word);
        check_join(word);
        check_base64(word);
    }
    return 0;
}
