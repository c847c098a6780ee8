#include "src/node/keeping.h"

#include <string.h>

#include "nat/addr_class.h"
#include "src/node/own_nat.h"
#include "src/node/send.h"

enum {
    SETTLED_MS = 3000, /* Linux takes what lasts for 2 s for a stream, and keeps it longer */
    GONE_TIMES = 2,    /* of what was to be kept within that time */
    LOSSES_MAX = 1,    /* requests in a row without an answer: then the walk finds out */
};

bool hsay_keeping_may(const struct hsay_call *call)
{
    const struct hsay_overlay_ways *ways = &call->overlay->config;
    return hsay_node_measure(call->node) != NULL && ways->policy == HSAY_POLICY_HEARSAY &&
           !ways->fixed_step && !ways->no_step;
}

bool hsay_keeping_is_behind(const struct hsay_call *call, uint8_t family)
{
    struct hsay_vote_result seen = hsay_own_nat_seen(call->node, call->now.mono, family);
    return seen.addr.kind != HSAY_ADDR_NONE && seen.kind != HSAY_NAT_PUBLIC &&
           hsay_addr_class(&seen.addr) != HSAY_ADDR_LOOPBACK;
}

/* --- which paths ----------------------------------------------------------------------------- */

static struct hsay_path *path_to(const struct hsay_call *call, const struct hsay_addr *to)
{
    struct hsay_measure *m = hsay_node_measure(call->node);
    for (size_t i = 0; i < HSAY_PATHS_MAX; i++) {
        struct hsay_path *p = &m->path[i];
        if (p->used && p->overlay == call->overlay_number && hsay_addr_equal(&p->to, to))
            return p;
    }
    return NULL;
}

/* A contact or visitor; or one that was, whose datagrams, such as ours, still keep it a candidate:
 * the walk is about to visit it, and should find the way open. */
static bool is_counted_on(const struct hsay_call *call, const struct hsay_candidate *c)
{
    const struct hsay_candidates *table = &call->overlay->candidates;
    hsay_time now = call->now.mono;
    hsay_tick heard = c->contacted_at > c->requested_at ? c->contacted_at : c->requested_at;
    if (hsay_candidate_is_contacted(table, c, now) || hsay_candidate_is_visitor(table, c, now))
        return true;
    return (c->marks & HSAY_MARK_HEARD) != 0 &&
           hsay_candidate_bucket(table, c, now) == HSAY_BUCKET_INTRODUCED &&
           hsay_candidate_age_ms(table, heard, now) < 2 * (uint64_t)table->times.contacted_ms;
}

/* Its peer, if that is one to count on. */
static struct hsay_candidate *peer_of(const struct hsay_call *call, const struct hsay_path *p)
{
    struct hsay_candidates *table = &call->overlay->candidates;
    const struct hsay_peer there = {.addr = p->to};
    struct hsay_candidate *c = hsay_candidate_find(table, &there);
    if (c == NULL || hsay_key_is_zero(&c->key) || c->timeouts > LOSSES_MAX ||
        !is_counted_on(call, c))
        return NULL;
    return c;
}

/* A public peer's way to us is of less worth: anybody can go to it. */
static struct hsay_path *make_room(struct hsay_call *call, bool for_public)
{
    struct hsay_measure *m = hsay_node_measure(call->node);
    struct hsay_path *least = NULL;
    for (size_t i = 0; i < HSAY_PATHS_MAX; i++) {
        struct hsay_path *p = &m->path[i];
        bool ours = p->used && p->overlay == call->overlay_number;
        const struct hsay_candidate *c = ours ? peer_of(call, p) : NULL;
        if (!p->used || (ours && c == NULL))
            return p;
        if (ours && !for_public && (c->nat & HSAY_NAT_IS_PUBLIC) != 0)
            least = p;
    }
    return least;
}

static void watch(struct hsay_call *call, const struct hsay_candidate *c)
{
    struct hsay_measure *m = hsay_node_measure(call->node);
    if (!hsay_keeping_may(call) || path_to(call, &c->addr) != NULL ||
        !hsay_keeping_is_behind(call, c->addr.kind))
        return;
    struct hsay_path *place = make_room(call, (c->nat & HSAY_NAT_IS_PUBLIC) != 0);
    if (place == NULL)
        return;
    *place = (struct hsay_path){.to = c->addr,
                                .overlay = (uint8_t)call->overlay_number,
                                .used = true,
                                .first = call->now.mono,
                                .sent = call->now.mono};
    hsay_lifetime_on_used(&m->lifetime, call->now.mono);
}

void hsay_keeping_on_asked(struct hsay_call *call, const struct hsay_candidate *c, bool token)
{
    if (token)
        watch(call, c);
}

void hsay_keeping_on_visit(struct hsay_call *call, const struct hsay_candidate *c)
{
    watch(call, c);
}

void hsay_keeping_on_sent(struct hsay_call *call, const struct hsay_addr *to)
{
    struct hsay_measure *m = hsay_node_measure(call->node);
    struct hsay_path *p = m != NULL ? path_to(call, to) : NULL;
    if (m != NULL)
        m->sent = call->now.mono;
    if (p == NULL)
        return;
    p->sent = call->now.mono;
    p->settled = p->settled || hsay_time_ms_between(p->first, p->sent) >= SETTLED_MS;
}

/* It has introduced us, and does not again before we ask it: whether it still counts on us, its own
 * requests show. */
void hsay_keeping_on_introduced(struct hsay_call *call)
{
    struct hsay_path *p =
        hsay_node_measure(call->node) != NULL ? path_to(call, &call->from.addr) : NULL;
    const struct hsay_candidate *c = p != NULL ? peer_of(call, p) : NULL;
    if (p != NULL &&
        (c == NULL || !hsay_candidate_is_visitor(&call->overlay->candidates, c, call->now.mono)))
        p->used = false;
}

bool hsay_keeping_pays_for(const struct hsay_call *call, const struct hsay_candidate *c)
{
    const struct hsay_measure *m = hsay_node_measure(call->node);
    return m != NULL && (c->nat & HSAY_NAT_IS_PUBLIC) == 0 &&
           hsay_lifetime_keep_ms(&m->lifetime, call->now.mono) != 0 &&
           path_to(call, &c->addr) != NULL;
}

/* --- what is due ----------------------------------------------------------------------------- */

/* From when something was sent last; 0: for ever.  By what was assumed then. */
static uint32_t within_ms(const struct hsay_measure *m, const struct hsay_path *p)
{
    return p->settled ? hsay_lifetime_keep_ms(&m->lifetime, p->sent)
                      : hsay_lifetime_keep_new_ms(&m->lifetime, p->sent);
}

static bool send(struct hsay_call *call, const struct hsay_candidate *c)
{
    struct hsay_send_to to = {.peer = {c->addr, c->key}, .class = HSAY_SEND_KNOWN};
    if (!hsay_send_puncture(call, &to, 0))
        return false;
    hsay_count(call->node, HSAY_COUNT_KEEPALIVES_OUT, 1);
    return true;
}

static void keep(struct hsay_call *call, struct hsay_path *p)
{
    const struct hsay_measure *m = hsay_node_measure(call->node);
    uint32_t ms = within_ms(m, p);
    if (hsay_time_before(p->sent, m->sent) && hsay_own_nat_lets_all_in(call, p->to.kind))
        p->sent = m->sent; /* whatever we send keeps the one mapping that lets all in */
    uint64_t silent_ms = hsay_time_ms_between(p->sent, call->now.mono);
    if (ms == 0 || silent_ms < ms)
        return;
    const struct hsay_candidate *c = peer_of(call, p);
    if (c == NULL || silent_ms >= (uint64_t)GONE_TIMES * ms || !send(call, c))
        p->used = false;
}

void hsay_keeping_run(struct hsay_call *call)
{
    struct hsay_measure *m = hsay_node_measure(call->node);
    if (!hsay_keeping_may(call))
        return;
    for (size_t i = 0; i < HSAY_PATHS_MAX; i++)
        if (m->path[i].used && m->path[i].overlay == call->overlay_number)
            keep(call, &m->path[i]);
}

hsay_time hsay_keeping_deadline(const struct hsay_node *node, uint16_t overlay)
{
    const struct hsay_measure *m = hsay_node_measure(node);
    hsay_time due = HSAY_TIME_NEVER;
    for (size_t i = 0; m != NULL && i < HSAY_PATHS_MAX; i++) {
        const struct hsay_path *p = &m->path[i];
        uint32_t ms = p->used && p->overlay == overlay ? within_ms(m, p) : 0;
        if (ms != 0)
            due = hsay_time_min(due, hsay_time_add_ms(p->sent, ms));
    }
    return due;
}

void hsay_keeping_drop(struct hsay_node *node, uint16_t overlay)
{
    struct hsay_measure *m = hsay_node_measure(node);
    for (size_t i = 0; m != NULL && i < HSAY_PATHS_MAX; i++)
        if (m->path[i].overlay == overlay)
            m->path[i].used = false;
}

void hsay_keeping_on_wake(struct hsay_node *node)
{
    struct hsay_measure *m = hsay_node_measure(node);
    if (m == NULL)
        return;
    memset(m, 0, sizeof *m);
    hsay_lifetime_init(&m->lifetime);
}
