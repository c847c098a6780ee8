/* The table of verbs, and the way from the bytes of a request to its verb's function. */
#include <string.h>

#include "src/daemon/ctl_conn.h"
#include "src/daemon/loop.h"

enum { LATER_MS = 50 };

struct ctl_verb {
    const char *name;
    unsigned char words_min, words_max; /* behind the name */
    bool changes;
    bool body; /* the last word is its size */
    const char *usage;
    enum ctl_result (*run)(struct ctl_conn *conn, const struct request *request);
};

static const struct ctl_verb verbs[] = {
    {"version", 0, 0, false, false, "", ctl_on_version},
    {"status", 0, 0, false, false, "", ctl_on_status},
    {"overlays", 0, 0, false, false, "", ctl_on_overlays},
    {"overlay-new", 1, 2, true, false, "NAME [secret]", ctl_on_overlay_new},
    {"overlay-join", 2, 2, true, false, "NAME JOIN", ctl_on_overlay_join},
    {"overlay-leave", 1, 1, true, false, "NAME", ctl_on_overlay_leave},
    {"overlay-show", 1, 1, false, false, "NAME", ctl_on_overlay_show},
    {"peer-add", 2, 2, true, false, "OVERLAY HOST:PORT[#KEY]", ctl_on_peer_add},
    {"peers", 1, 1, false, false, "OVERLAY", ctl_on_peers},
    {"pub", 4, 4, true, true, "OVERLAY TYPE EXPIRY_S SIZE", ctl_on_pub},
    {"sub", 4, 4, false, false, "OVERLAY HISTORY FOLLOW TYPE", ctl_on_sub},
    {"show", 2, 2, false, false, "OVERLAY ID", ctl_on_show},
    {"digests", 1, 1, false, false, "OVERLAY", ctl_on_digests},
    {"nat", 0, 0, false, false, "", ctl_on_nat},
    {"sum", 1, 1, false, false, "OVERLAY", ctl_on_sum},
    {"stats", 0, 0, false, false, "", ctl_on_stats},
    {"trace", 1, 1, false, false, "OVERLAY", ctl_on_trace},
    {"log", 1, 1, false, false, "LEVEL", ctl_on_log},
    {"claim", 1, 1, false, false, "OVERLAY", ctl_on_claim},
    {"wait", 2, 2, false, false, "OVERLAY SECONDS", ctl_on_wait},
    {"reload", 0, 0, true, false, "", ctl_on_reload},
    {"stop", 0, 0, true, false, "", ctl_on_stop},
    {0},
};

static const struct ctl_verb *verb_find(const char *name)
{
    for (const struct ctl_verb *verb = verbs; verb->name; verb++) {
        if (!strcmp(verb->name, name)) {
            return verb;
        }
    }
    return NULL;
}

/* False: the request is to be tried again later. */
static bool verb_run(struct ctl_conn *conn, const struct ctl_verb *verb,
                     const struct request *request)
{
    enum ctl_result result;
    size_t words = request->word_count - 1;

    if (conn->held_count && !verb->body) {
        turn_settle(conn->d);
    }
    if (words < verb->words_min || words > verb->words_max) {
        result = ctl_refuse(conn, CTL_USAGE, "usage: %s%s%s", verb->name, verb->usage[0] ? " " : "",
                            verb->usage);
    } else if (verb->changes && !conn->may_change) {
        result = ctl_refuse(conn, CTL_DENIED,
                            "only the user that hearsayd runs as, and root, "
                            "may %s",
                            verb->name);
    } else {
        result = verb->run(conn, request);
    }
    if (result == CTL_DONE) {
        ctl_put_ok(conn);
    }
    return result != CTL_LATER;
}

/* The size of the body behind a request; *bad: no telling where the next one begins. */
static uint64_t body_size(const struct request *request, const struct ctl_verb *verb, bool *bad)
{
    uint64_t size = 0;

    *bad = verb && verb->body &&
           request_number(request->word[request->word_count - 1], UINT32_MAX, &size);
    return size;
}

/* The body of the request whose line ends at *used, which moves behind it; false: not all here yet.
 * One that is too large is thrown away as it comes, and the verb says so. */
static bool body_take(struct ctl_conn *conn, uint64_t size, struct hsay_span *body, size_t *used)
{
    size_t here = conn->in_used - *used;

    if (here < size && size <= HSAY_PAYLOAD_MAX_BYTES) {
        return false;
    }
    if (here < size) {
        conn->skip = size - here;
    }
    *body = (struct hsay_span){(const uint8_t *)conn->in + *used, (size_t)size};
    *used += here < size ? here : (size_t)size;
    return true;
}

static bool hang_up(struct ctl_conn *conn, const char *usage)
{
    ctl_refuse(conn, CTL_USAGE, "%s; closing, because it is not clear where the next one begins",
               usage);
    conn->ending = true;
    return false;
}

/* Takes one request off the input; false if there is none that is complete. */
bool ctl_request_take(struct ctl_conn *conn)
{
    struct request request;
    const struct ctl_verb *verb;
    const char *line = conn->in + conn->in_start;
    const char *end = memchr(line, '\n', conn->in_used - conn->in_start);
    size_t size = end ? (size_t)(end - line) : conn->in_used - conn->in_start;
    size_t used = conn->in_start + size + 1;
    uint64_t body;
    bool bad;

    if (size >= REQUEST_LINE_MAX_BYTES) {
        return hang_up(conn, "a request is a line of at most 4,096 bytes");
    }
    if (!end) {
        return false;
    }
    if (request_parse(&request, line, size)) {
        return hang_up(conn, "a request is words of printable ASCII with single blanks between");
    }
    verb = verb_find(request.word[0]);
    body = body_size(&request, verb, &bad);
    if (bad) {
        return hang_up(conn, "the last word is the size of what follows");
    }
    if (!body_take(conn, body, &request.body, &used)) {
        return false;
    }
    if (verb && !verb_run(conn, verb, &request)) {
        conn->later = true;
        loop_timer_set(conn->timer, LATER_MS);
        return false;
    }
    if (!verb) {
        ctl_refuse(conn, CTL_USAGE, "there is no request '%.40s'", request.word[0]);
    }
    conn->in_start = used;
    return true;
}
