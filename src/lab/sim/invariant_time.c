/* Invariants of time: what is due, what waits, what moves; and the sizes of tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/invariant_parts.h"
#include "src/lab/sim/memory.h"
#include "src/node/search.h"

enum {
    /* Timers in a second of the world: what a node does of its own accord (steps, mail every 50 ms,
     * requests that are overdue, some of each), and as often again for what it is told. */
    TIMERS_FREE = 64,
    TIMERS_PER_STEP = 8,
    TIMERS_PER_PACKET = 2,
    TIMERS_OF_SEARCH = 1000 / HSAY_SEARCH_GAP_MS,
    TIMERS_WITHOUT_END = 1000000, /* in a second: time stands still, the run would not end */
    TABLES_EVERY = 64,            /* turns */
    ASKED_FIRST = 4,
};

/* ---- deadlines ---- */

/* When a peer is forgotten, how long it was to be waited for may be over already: one more timer at
 * the same instant does what follows.  A second would be a loop. */
static void check_deadline(struct lab_turn *turn)
{
    hsay_time due = hsay_node_deadline(turn->host->node), now = turn->now.mono;
    bool again = turn->watched->overdue_ns == now.ns;
    turn->watched->overdue_ns = due.ns <= now.ns ? now.ns : 0;
    if (due.ns <= now.ns && again)
        lab_turn_broke(turn, LAB_INVARIANT_DEADLINE,
                       "after two timers at one instant the next was due %llu ns ago",
                       (unsigned long long)(now.ns - due.ns));
}

static void check_storm(struct lab_turn *turn)
{
    struct lab_watched *w = turn->watched;
    uint64_t second = turn->shard->now_ns / LAB_NS_PER_S;
    uint32_t step_ms = turn->all->sim->config.overlay.step_ms;
    if (second != w->storm_second) {
        w->storm_second = second;
        w->storm_timers = 0;
        w->storm_packets = 0;
    }
    w->storm_packets += turn->call->kind == LAB_CALL_PACKET;
    w->storm_timers += turn->call->kind == LAB_CALL_TIME;
    uint32_t most = TIMERS_FREE + TIMERS_PER_STEP * 1000 / (step_ms != 0 ? step_ms : HSAY_STEP_MS) +
                    TIMERS_PER_PACKET * w->storm_packets +
                    (hsay_node_search(turn->host->node) != NULL ? TIMERS_OF_SEARCH : 0);
    if (w->storm_timers == most + 1)
        lab_turn_broke(turn, LAB_INVARIANT_STORM, "more than %u timers within a second", most);
    if (w->storm_timers == TIMERS_WITHOUT_END) {
        fprintf(stderr, "hearsay-lab: storm: host %u after %.6f s: %u timers within a second\n",
                w->number + 1, (double)(turn->shard->now_ns - LAB_START_NS) / 1e9, w->storm_timers);
        abort();
    }
}

/* ---- requests ---- */

static void ask(struct lab_turn *turn, uint64_t id)
{
    struct lab_watched *w = turn->watched;
    if (w->asked_count >= lab_turn_config(turn)->pending_max)
        lab_turn_broke(turn, LAB_INVARIANT_PENDING, "more than %u requests wait for answers",
                       w->asked_count);
    if (w->asked_count == w->asked_max) {
        w->asked_max = w->asked_max != 0 ? 2 * w->asked_max : ASKED_FIRST;
        w->asked = lab_realloc(w->asked, w->asked_max * sizeof *w->asked);
    }
    w->asked[w->asked_count++] = (struct lab_asked){id, turn->now.mono.ns};
}

static void answered(struct lab_turn *turn, uint64_t id)
{
    struct lab_watched *w = turn->watched;
    for (uint32_t i = 0; i < w->asked_count; i++)
        if (w->asked[i].id == id) {
            w->asked[i] = w->asked[--w->asked_count];
            return;
        }
    lab_turn_broke(turn, LAB_INVARIANT_PENDING, "an answer to a request that nobody made");
}

static void check_overdue(struct lab_turn *turn)
{
    const struct lab_watched *w = turn->watched;
    for (uint32_t i = 0; i < w->asked_count; i++)
        if (turn->now.mono.ns - w->asked[i].sent_ns >=
            HSAY_REQUEST_LIFETIME_MS * (uint64_t)LAB_NS_PER_MS)
            lab_turn_broke(turn, LAB_INVARIANT_PENDING, "a request waits for %.3f s",
                           (double)(turn->now.mono.ns - w->asked[i].sent_ns) / 1e9);
}

static void check_requests(struct lab_turn *turn)
{
    const struct hsay_outbox *out = turn->call->out;
    for (size_t i = 0; i < out->event_count; i++) {
        if (out->event[i].kind == HSAY_EVENT_STEP)
            ask(turn, out->event[i].number[HSAY_STEP_REQUEST_ID]);
        else if (out->event[i].kind == HSAY_EVENT_ANSWER)
            answered(turn, out->event[i].number[HSAY_ANSWER_REQUEST_ID]);
    }
    if (turn->call->kind == LAB_CALL_TIME)
        check_overdue(turn);
}

/* ---- global time ---- */

/* From the third voice on the bound moves up alone, and by one window in five seconds. */
static void check_window(struct lab_turn *turn)
{
    const struct hsay_window *window = &turn->host->node->overlay[0].window;
    struct lab_watched *w = turn->watched;
    uint64_t now_ns = turn->now.mono.ns, before = w->window_limit;
    bool settled = w->settled, begins = before == 0;
    w->settled = window->settled;
    w->window_limit = window->limit;
    if (window->limit == before)
        return;
    uint64_t waited_ms = (now_ns - w->window_at_ns) / LAB_NS_PER_MS;
    uint64_t most = before + (waited_ms >= HSAY_TIME_WINDOW_STEP_MS ? HSAY_TIME_WINDOW : 0u);
    if (settled && (window->limit < before || window->limit > most))
        lab_turn_broke(turn, LAB_INVARIANT_WINDOW, "the bound went from %llu to %llu in %llu ms",
                       (unsigned long long)before, (unsigned long long)window->limit,
                       (unsigned long long)waited_ms);
    if (window->limit > before)
        w->window_at_ns = begins ? window->moved_at.ns : now_ns;
}

/* ---- tables ---- */

static void check_tables(struct lab_turn *turn)
{
    const struct hsay_node *node = turn->host->node;
    const struct hsay_node_config *config = lab_turn_config(turn);
    struct hsay_peer_status status;
    struct hsay_peer peer;
    size_t candidates = 0, book = 0;
    while (hsay_node_peer_at(node, turn->now, 0, candidates, &status) == 0)
        candidates++;
    while (hsay_node_book_at(node, 0, book, &peer) == 0)
        book++;
    if (candidates > config->candidates_max || book > config->book_max)
        lab_turn_broke(turn, LAB_INVARIANT_TABLES, "%zu candidates, %zu in the book", candidates,
                       book);
}

void lab_invariant_time(struct lab_turn *turn)
{
    check_storm(turn);
    check_requests(turn);
    if (turn->end == LAB_TURN_CRASHED)
        return;
    if (turn->call->kind == LAB_CALL_TIME)
        check_deadline(turn);
    check_window(turn);
    if (turn->watched->turns % TABLES_EVERY == 0)
        check_tables(turn);
}
