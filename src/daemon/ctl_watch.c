/* Verbs that watch: trace, log, wait. */
#include <stdio.h>
#include <time.h>

#include "nat/addr_class.h"
#include "src/common/hex.h"
#include "src/daemon/ctl_conn.h"
#include "src/daemon/loop.h"
#include "src/daemon/log.h"

/* ---- trace ---------------------------------------------------------------------------------- */

enum ctl_result ctl_on_trace(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);

    if (!overlay) {
        return CTL_REFUSED;
    }
    conn->overlay = overlay->join.overlay;
    conn->follow = FOLLOW_TRACE;
    return CTL_GOES_ON;
}

static json_int_t number(const struct hsay_event *event, int index)
{
    return (json_int_t)event->number[index];
}

static void trace_step(json_t *object, const struct hsay_event *event)
{
    static const char *const kind[] = {"none", "sum", "bloom", "empty"};
    uint64_t claim = event->number[HSAY_STEP_CLAIM_KIND];

    json_object_set_new(
        object, "claim",
        json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "kind", claim < 4 ? kind[claim] : "unknown",
            "time_low", number(event, HSAY_STEP_TIME_LOW), "time_high",
            number(event, HSAY_STEP_TIME_HIGH), "modulo", number(event, HSAY_STEP_MODULO), "offset",
            number(event, HSAY_STEP_OFFSET), "count", number(event, HSAY_STEP_CLAIM_COUNT),
            "filter_bytes", number(event, HSAY_STEP_FILTER_BYTES)));
    json_object_set_new(object, "answer_bytes",
                        json_integer(number(event, HSAY_STEP_ANSWER_BYTES)));
}

static void trace_answer(json_t *object, const struct hsay_event *event)
{
    static const struct {
        const char *name;
        int index;
        bool yes_or_no;
    } field[] = {
        {"rtt_us", HSAY_ANSWER_RTT_US, false},
        {"bundles", HSAY_ANSWER_BUNDLES, false},
        {"new", HSAY_ANSWER_NEW, false},
        {"more", HSAY_ANSWER_MORE, true},
        {"same", HSAY_ANSWER_SAME, true},
        {"peer_count", HSAY_ANSWER_PEER_COUNT, false},
        {"introduced", HSAY_ANSWER_INTRODUCED, true},
    };

    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++) {
        json_int_t value = number(event, field[i].index);

        json_object_set_new(object, field[i].name,
                            field[i].yes_or_no ? json_boolean(value) : json_integer(value));
    }
}

void ctl_follow_trace(struct ctl_conn *conn, const struct hsay_event *event)
{
    bool step = event->kind == HSAY_EVENT_STEP;
    bool late = !step && event->number[HSAY_ANSWER_RESULT];
    uint64_t id = event->number[step ? HSAY_STEP_REQUEST_ID : HSAY_ANSWER_REQUEST_ID];
    double at_s =
        (double)hsay_time_ms_between(conn->d->started, clock_now(&conn->d->clock).mono) / 1000;
    char addr[HSAY_ADDR_TEXT_BYTES], key[2 * HSAY_KEY_BYTES + 1], hex[17];
    json_t *object;

    hsay_addr_format(addr, sizeof addr, &event->peer.addr);
    hex_format(key, event->peer.key.byte, HSAY_KEY_BYTES);
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)id);
    object = json_pack("{s:s, s:f, s:s, s:s, s:s, s:s}", "event",
                       step   ? "step"
                       : late ? "timeout"
                              : "answer",
                       "at_seconds", at_s, "peer", addr, "key", key, "bucket",
                       hsay_bucket_name((enum hsay_bucket)event->bucket), "request", hex);
    if (object && step) {
        trace_step(object, event);
    } else if (object && !late) {
        trace_answer(object, event);
    }
    ctl_put(conn, object);
}

/* ---- log ------------------------------------------------------------------------------------ */

enum ctl_result ctl_on_log(struct ctl_conn *conn, const struct request *request)
{
    if (log_level_parse(&conn->level, request->word[1])) {
        return ctl_refuse(conn, CTL_USAGE,
                          "there are the levels error, warning, notice, info, "
                          "debug and trace");
    }
    conn->follow = FOLLOW_LOG;
    ctl_log_listen(conn->d);
    return CTL_GOES_ON;
}

void ctl_follow_log(struct ctl_conn *conn, const struct log_line *line)
{
    char time[LOG_TIME_BYTES];

    log_time(time, line->wall_ms);
    ctl_put(conn,
            json_pack("{s:s, s:s, s:s, s:s}", "time", time, "level", log_level_name(line->level),
                      "topic", line->topic, "message", line->message));
}

/* ---- wait ----------------------------------------------------------------------------------- */

void ctl_wait_over(struct ctl_conn *conn)
{
    ctl_finish(conn);
    ctl_refuse(conn, CTL_TIMEOUT, "not in sync yet; `hearsay status` says why");
}

static void put_synced(struct ctl_conn *conn)
{
    ctl_put(conn, json_pack("{s:b}", "synced", 1));
}

enum ctl_result ctl_on_wait(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    struct hsay_overlay_status status;
    uint64_t seconds;

    if (!overlay) {
        return CTL_REFUSED;
    }
    if (request_number(request->word[2], UINT32_MAX, &seconds)) {
        return ctl_refuse(conn, CTL_USAGE, "usage: wait OVERLAY SECONDS");
    }
    if (!hsay_node_overlay_status(conn->d->node, clock_now(&conn->d->clock), overlay->number,
                                  &status) &&
        status.synced) {
        put_synced(conn);
        return CTL_DONE;
    }
    loop_timer_set(conn->timer, seconds * 1000);
    conn->overlay = overlay->join.overlay;
    conn->follow = FOLLOW_WAIT;
    return CTL_GOES_ON;
}

void ctl_follow_synced(struct ctl_conn *conn, const struct hsay_event *event)
{
    if (event->number[0]) {
        ctl_finish(conn);
        put_synced(conn);
        ctl_put_ok(conn);
    }
}
