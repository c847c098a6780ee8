#include "src/daemon/turn.h"

#include <stdlib.h>

#include "src/daemon/daemon.h"
#include "src/daemon/log.h"
#include "src/daemon/loop.h"

enum {
    /* Several times what one call can need (a bit over 400 kB at the largest answers), so that a
     * batch of datagrams is one turn; pages that are never used cost nothing. */
    OUTBOX_BYTES = 2 << 20,
    OUTBOX_LETTERS = 1536,
    OUTBOX_EVENTS = 1024,
    SHUT_MS = 2000,
    REOPEN_GAP_MS = 60000,
};

static void on_timer(void *arg);

int turn_open(struct daemon *d)
{
    d->turn.outbox = (struct hsay_outbox){
        .bytes = malloc(OUTBOX_BYTES),
        .bytes_size = OUTBOX_BYTES,
        .letter = calloc(OUTBOX_LETTERS, sizeof(struct hsay_letter)),
        .letter_max = OUTBOX_LETTERS,
        .event = calloc(OUTBOX_EVENTS, sizeof(struct hsay_event)),
        .event_max = OUTBOX_EVENTS,
    };
    d->turn.timer = loop_timer_new(d->loop, on_timer, d);
    d->turn.armed = HSAY_TIME_NEVER;
    if (!d->turn.outbox.bytes || !d->turn.outbox.letter || !d->turn.outbox.event ||
        !d->turn.timer) {
        return HSAY_ENOMEM;
    }
    return 0;
}

void turn_close(struct daemon *d)
{
    loop_timer_free(d->turn.timer);
    free(d->turn.outbox.bytes);
    free(d->turn.outbox.letter);
    free(d->turn.outbox.event);
    d->turn = (struct turn){0};
}

struct hsay_outbox *turn_room(struct daemon *d)
{
    struct hsay_outbox_need need;

    hsay_node_outbox_need(d->node, &need);
    if (!hsay_outbox_has_room(&d->turn.outbox, &need)) {
        turn_settle(d);
    }
    return &d->turn.outbox;
}

/* ---- when the store fails ------------------------------------------------------------------- */

/* One second chance: a store that breaks twice within a minute is for the service manager. */
static void reopen(struct daemon *d, hsay_time now)
{
    char why[512];
    bool again = d->turn.reopened.ns && hsay_time_ms_between(d->turn.reopened, now) < REOPEN_GAP_MS;

    d->turn.reopened = now;
    if (again) {
        log_errorx("store", "broken twice within a minute; giving up");
        daemon_stop(d, EXIT_STATUS_FAILED);
        return;
    }
    log_errorx("store", "broken; closing and opening it again");
    if (overlays_reopen(d, why, sizeof why)) {
        log_errorx("store", "%s", why);
        daemon_stop(d, EXIT_STATUS_FAILED);
        return;
    }
    daemon_overlays_reopened(d);
}

static void on_commit_failed(struct daemon *d, int rc)
{
    struct hsay_outbox *out = &d->turn.outbox;
    hsay_time now = clock_now(&d->clock).mono;
    size_t kept = 0;

    out->letter_count = 0;
    for (size_t i = 0; i < out->event_count; i++) {
        if (out->event[i].kind != HSAY_EVENT_BUNDLE) {
            out->event[kept++] = out->event[i];
        }
    }
    out->event_count = kept;
    if (!d->turn.failing) {
        log_errorx("store",
                   "cannot write: %s; walking and serving go on, new bundles are refused "
                   "until there is room at %s",
                   hsay_strerror(rc), d->state);
    }
    d->turn.failing = true;
    d->turn.commits_failed++;
    d->overlays.door = (struct guard_door){.shut = true};
    d->turn.shut_until = hsay_time_add_ms(now, SHUT_MS);
    if (rc == HSAY_ESTORE) {
        reopen(d, now);
    }
}

static void on_commit_done(struct daemon *d)
{
    if (d->overlays.door.wrote && d->turn.failing) {
        d->turn.failing = false;
        log_notice("store", "can write again");
    }
    d->overlays.door.wrote = false;
}

/* ---- the turn ------------------------------------------------------------------------------- */

struct hsay_now turn_now(struct daemon *d)
{
    struct hsay_now now = clock_now(&d->clock);

    if (d->overlays.door.shut && !hsay_time_before(now.mono, d->turn.shut_until)) {
        d->overlays.door.shut = false;
    }
    return now;
}

int turn_settle(struct daemon *d)
{
    struct hsay_outbox *out = &d->turn.outbox;
    /* No store is left when it could not be opened again; the loop is about to end then. */
    int rc = d->overlays.lmdb ? hsay_lmdb_commit(d->overlays.lmdb) : HSAY_ESTORE;

    d->turn.turns++;
    if (!d->overlays.lmdb) {
        hsay_outbox_clear(out);
    } else if (rc) {
        on_commit_failed(d, rc);
    } else {
        on_commit_done(d);
        udp_send(&d->udp, out->letter, out->letter_count);
    }
    daemon_events(d, out->event, out->event_count);
    ctl_settled(d, rc);
    hsay_outbox_clear(out);
    turn_rearm(d);
    return rc;
}

void turn_rearm(struct daemon *d)
{
    hsay_time deadline = hsay_node_deadline(d->node);
    hsay_time now;

    if (deadline.ns == d->turn.armed.ns) {
        return;
    }
    d->turn.armed = deadline;
    if (deadline.ns == UINT64_MAX) {
        loop_timer_stop(d->turn.timer);
        return;
    }
    /* Rounded up: a timer that fires a moment early would only fire again. */
    now = clock_now(&d->clock).mono;
    loop_timer_set(d->turn.timer,
                   hsay_time_before(now, deadline) ? hsay_time_ms_between(now, deadline) + 1 : 0);
}

static void run_due(struct daemon *d, struct hsay_now now)
{
    int rc;

    if (hsay_time_before(now.mono, hsay_node_deadline(d->node))) {
        return;
    }
    rc = hsay_node_on_time(d->node, now, turn_room(d));
    if (rc && rc != HSAY_ENOSPC) {
        log_warnx("node", "a step failed: %s", hsay_strerror(rc));
    }
}

static void on_timer(void *arg)
{
    struct daemon *d = arg;
    struct hsay_now now = turn_now(d);

    d->turn.armed = HSAY_TIME_NEVER;
    if (clock_slept(&d->clock)) {
        log_info("node", "the machine has slept; walking at once");
        hsay_node_wake(d->node, now);
        portmap_restart(d); /* the gateway has counted the lifetime on */
    }
    run_due(d, now);
    turn_settle(d);
}

/* `count` of them stand in d->udp.packet. */
static void take_datagrams(struct daemon *d, size_t count)
{
    struct hsay_now now = turn_now(d);

    for (size_t i = 0; i < count; i++) {
        int rc = hsay_node_on_packet(d->node, now, &d->udp.packet[i], turn_room(d));

        if (rc && rc != HSAY_ENOSPC) {
            log_warnx("node", "a packet could not be handled: %s", hsay_strerror(rc));
        }
    }
    run_due(d, now);
    turn_settle(d);
}

void turn_on_datagrams(struct daemon *d, size_t socket_index)
{
    take_datagrams(d, udp_receive(&d->udp, socket_index));
}

void turn_on_more_datagrams(struct daemon *d)
{
    take_datagrams(d, udp_receive_more(&d->udp));
}
