#include "src/node/answers.h"

#include <string.h>

#include "nat/addr_class.h"
#include "src/node/attempt.h"
#include "src/node/catchup.h"
#include "src/node/mail.h"
#include "src/node/own_nat.h"
#include "src/node/puncturing.h"
#include "src/node/request.h"
#include "src/node/search.h"
#include "src/node/taking.h"
#include "src/node/trials.h"
#include "src/node/way.h"

enum {
    /* After the last datagram of an answer came, the missing ones are given so long: reordering on
     * real paths stays within a fraction of the round trip. */
    GRACE_MIN_MS = 30,
    GRACE_MAX_MS = 500,
    /* A request without any answer: somebody else is asked after four round trips. */
    SILENT_MIN_MS = 300,
    SILENT_MAX_MS = 3000,
    /* So many requests in a row in vain, and the address book forgets the peer. */
    BOOK_LOSSES_MAX = 3,
    /* For an answer from another address; few round trips are longer. */
    WAY_WAIT_MS = 1000,
};

static uint64_t between(uint64_t v, uint64_t low, uint64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static void finish(struct hsay_call *call, struct hsay_pending *p)
{
    unsigned lost = p->datagrams_told > p->datagrams_got ? p->datagrams_told - p->datagrams_got : 0;
    struct hsay_pending done = *p;
    hsay_attempt_end(call, p, true);
    hsay_pending_free(p);
    if (done.kind != HSAY_PENDING_INTRO)
        return;
    if (!done.answered || lost != 0)
        done.more = true; /* what was lost is there to be had */
    hsay_request_report(call, &done, false);
    hsay_catchup_on_answer(call, &done, lost + !done.answered);
}

/* Who is introduced is of our own family, or we could not reach it, or it would be of another. */
static bool may_introduce(const struct hsay_call *call, const struct hsay_addr *addr)
{
    struct hsay_addr_policy policy = hsay_way_policy(call, &call->from.addr);
    return addr->kind == call->from.addr.kind && hsay_addr_sendable(addr, &policy);
}

/* Besides where it was introduced, it may be in our LAN; or we know it elsewhere already, and this
 * is the other way to it.  Its puncture is under way, so now is the time to try. */
static void meet_elsewhere(struct hsay_call *call, const struct hsay_introduced *peer)
{
    struct hsay_candidates *table = &call->overlay->candidates;
    struct hsay_addr lan = hsay_way_told_lan(call, &peer->lan, &peer->addr);
    struct hsay_candidate *c =
        hsay_candidate_find(table, &(struct hsay_peer){peer->addr, peer->key});
    if (c == NULL)
        return;
    if (lan.kind != HSAY_ADDR_NONE)
        hsay_candidate_on_way(table, call->now.mono, c, &lan);
    hsay_way_try(call, c);
}

static void meet(struct hsay_call *call, const struct hsay_pending *p,
                 const struct hsay_intro_response *a)
{
    struct hsay_overlay *o = call->overlay;
    struct hsay_introduced peer = a->introduced;
    hsay_addr_normalise(&peer.addr);
    if (!may_introduce(call, &peer.addr) ||
        memcmp(&peer.key, &call->node->key, sizeof peer.key) == 0) {
        hsay_drop(call->node, HSAY_DROP_INTRO);
        return;
    }
    struct hsay_candidate *c =
        hsay_candidate_on_introduced(&o->candidates, call->now.mono, &peer, &call->from.addr);
    hsay_walk_on_met(&o->walk, c != NULL && c->contacted_at == 0 && c->asked_at == 0);
    meet_elsewhere(call, &peer);
    if (c != NULL && hsay_candidate_is_place_unknown(c)) /* let its puncture in */
        hsay_puncturing_towards(call, &(struct hsay_peer){c->addr, c->key}, a->id);
    hsay_search_consider(call, &peer, a->id, p->nat);
    hsay_count(call->node, HSAY_COUNT_INTRODUCED_IN, 1);
}

/* The peer answered from where we asked it: it is what it seemed to be.  If that is not where its
 * candidate stands, it is also there, and nothing said here is of that address. */
static void know(struct hsay_call *call, struct hsay_pending *p,
                 const struct hsay_intro_response *a)
{
    struct hsay_overlay *o = call->overlay;
    if (o->config.policy == HSAY_POLICY_PAPER && p->bucket == HSAY_BUCKET_TRUSTED)
        hsay_candidates_reset(&o->candidates); /* "teleport home": the paper's rule alone */
    struct hsay_candidate *c =
        hsay_candidate_on_answer(&o->candidates, call->now.mono, &call->from, &a->token);
    bool here = c == NULL || hsay_addr_equal(&c->addr, &call->from.addr);
    if (c != NULL && here) {
        c->rtt_us = (uint32_t)between((call->now.mono.ns - p->sent.ns) / 1000, 1, UINT32_MAX);
        hsay_candidate_on_nat(c, a->nat);
    }
    if (here)
        hsay_book_on_answer(&o->book, &call->from);
    hsay_ledger_heard(&call->node->ledger, &call->from.addr);
    hsay_puncture_on_packet(&call->node->punctures, &call->from.addr);
    hsay_window_on_claim(&o->window, call->now.mono, call->group, a->global_time);
    hsay_own_nat_on_vote(call, &a->to);
    o->contact_at = call->now.mono;
}

static void note(struct hsay_pending *p, const struct hsay_call *call,
                 const struct hsay_intro_response *a)
{
    p->answered = true;
    p->to.key = call->from.key;
    p->heard = call->now.mono;
    p->more = (a->flags & HSAY_RESPONSE_MORE) != 0;
    p->same = (a->flags & HSAY_RESPONSE_SAME) != 0;
    p->introduced = p->introduce && a->introduced.addr.kind != HSAY_ADDR_NONE;
    p->datagrams_told = a->datagrams;
    p->peer_count = hsay_pending_holds(a->count);
}

void hsay_answers_on_intro_response(struct hsay_call *call, const struct hsay_message *m)
{
    const struct hsay_intro_response *a = &m->intro_response;
    if (hsay_trials_on_answer(call, a))
        return;
    struct hsay_pending *p = hsay_pending_find(&call->overlay->pendings, a->id, &call->from);
    if (p == NULL || p->kind == HSAY_PENDING_FETCH || p->answered) {
        hsay_drop(call->node, HSAY_DROP_UNASKED);
        return;
    }
    hsay_attempt_on_answer(call, p, a->nat);
    know(call, p, a);
    if (p->kind == HSAY_PENDING_WAY) {
        hsay_count(call->node, HSAY_COUNT_WAYS_FOUND, 1);
        hsay_pending_free(p);
        return;
    }
    hsay_walk_on_outcome(&call->overlay->walk, true);
    hsay_count(call->node, HSAY_COUNT_ANSWERED, 1);
    note(p, call, a);
    if (p->introduced)
        meet(call, p, a);
    else if (a->introduced.addr.kind != HSAY_ADDR_NONE)
        hsay_drop(call->node, HSAY_DROP_INTRO);
    struct hsay_taken taken = hsay_take_list(call, a->bundles);
    p->bundles_got = (uint16_t)(p->bundles_got + taken.got);
    p->bundles_new = (uint16_t)(p->bundles_new + taken.fresh);
    if (p->same)
        hsay_count(call->node, HSAY_COUNT_SAME, 1);
    hsay_mail_wanted(call, p, a->want);
    if (p->datagrams_got >= p->datagrams_told)
        finish(call, p);
}

static void on_mail(struct hsay_call *call, const struct hsay_bundles *b)
{
    if (!call->account.validated) {
        hsay_drop(call->node, HSAY_DROP_TOKEN);
        return;
    }
    hsay_take_list(call, b->bundles);
}

void hsay_answers_on_bundles(struct hsay_call *call, const struct hsay_message *m)
{
    const struct hsay_bundles *b = &m->bundles;
    if ((b->flags & HSAY_BUNDLES_MAIL) != 0) {
        on_mail(call, b);
        return;
    }
    struct hsay_pending *p = hsay_pending_find(&call->overlay->pendings, b->id, &call->from);
    if (p == NULL) {
        hsay_drop(call->node, HSAY_DROP_UNASKED);
        return;
    }
    struct hsay_taken taken = hsay_take_list(call, b->bundles);
    p->heard = call->now.mono;
    if (p->datagrams_got < UINT8_MAX)
        p->datagrams_got++;
    p->bundles_got = (uint16_t)(p->bundles_got + taken.got);
    p->bundles_new = (uint16_t)(p->bundles_new + taken.fresh);
    bool fetched = p->kind == HSAY_PENDING_FETCH && (b->flags & HSAY_BUNDLES_LAST) != 0;
    if (fetched || (p->answered && p->datagrams_got >= p->datagrams_told))
        finish(call, p);
}

/* Then a request is over, whatever still comes: else an answer without an end would hold us. */
static hsay_time end_of_life(const struct hsay_overlay *o, const struct hsay_pending *p)
{
    bool is_way = p->kind == HSAY_PENDING_WAY && o->config.wait_ms > WAY_WAIT_MS;
    return hsay_time_add_ms(p->sent, is_way ? WAY_WAIT_MS : o->config.wait_ms);
}

/* When waiting any longer for this request has no use. */
static hsay_time patience(const struct hsay_overlay *o, const struct hsay_pending *p)
{
    hsay_time end = end_of_life(o, p);
    if (p->heard.ns == 0)
        return end;
    uint64_t rtt_ms = hsay_time_ms_between(p->sent, p->heard);
    uint64_t grace_ms = between(rtt_ms, GRACE_MIN_MS, GRACE_MAX_MS);
    return hsay_time_min(end, hsay_time_add_ms(p->heard, grace_ms));
}

/* The request of the catch-up has no response: ask somebody else already, though it may come. */
static hsay_time impatience(const struct hsay_overlay *o, const struct hsay_pending *p)
{
    if (p->answered || p->id != o->catchup.outstanding)
        return HSAY_TIME_NEVER;
    struct hsay_peer to = p->to;
    const struct hsay_candidate *c =
        hsay_candidate_find((struct hsay_candidates *)&o->candidates, &to);
    uint64_t rtt_ms = c != NULL ? c->rtt_us / 1000 : SILENT_MAX_MS;
    return hsay_time_add_ms(p->sent, between(4 * rtt_ms, SILENT_MIN_MS, SILENT_MAX_MS));
}

static void give_up(struct hsay_call *call, struct hsay_pending *p)
{
    struct hsay_candidate *c = hsay_candidate_find(&call->overlay->candidates, &p->to);
    bool met = c != NULL && hsay_candidate_answered_since(&call->overlay->candidates, c, p->sent);
    struct hsay_pending done = *p;
    hsay_attempt_end(call, p, met);
    hsay_pending_free(p);
    if (done.kind != HSAY_PENDING_INTRO)
        return;
    if (c != NULL && !met && hsay_addr_equal(&c->addr, &done.to.addr)) {
        hsay_candidate_on_timeout(c);
        hsay_way_try(call, c);
    }
    hsay_walk_on_outcome(&call->overlay->walk, false);
    /* Unless nobody answers: then it is our own network that is down. */
    bool alone = hsay_time_before(call->overlay->contact_at, done.sent);
    if (c != NULL && c->timeouts >= BOOK_LOSSES_MAX && !alone)
        hsay_book_remove(&call->overlay->book, &done.to);
    hsay_count(call->node, HSAY_COUNT_TIMEOUTS, 1);
    hsay_request_report(call, &done, true);
    hsay_catchup_on_timeout(call, &done);
}

void hsay_answers_overdue(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    for (unsigned i = 0; i < o->pendings.entry_max; i++) {
        struct hsay_pending *p = &o->pendings.entry[i];
        if (p->kind == HSAY_PENDING_FREE)
            continue;
        if (!hsay_time_before(call->now.mono, impatience(o, p)))
            hsay_catchup_on_timeout(call, p);
        if (hsay_time_before(call->now.mono, patience(o, p)))
            continue;
        bool in_time = hsay_time_before(call->now.mono, end_of_life(o, p));
        if (p->answered || (p->heard.ns != 0 && in_time))
            finish(call, p);
        else
            give_up(call, p);
    }
}

hsay_time hsay_answers_deadline(const struct hsay_overlay *o)
{
    hsay_time due = HSAY_TIME_NEVER;
    for (unsigned i = 0; i < o->pendings.entry_max; i++) {
        const struct hsay_pending *p = &o->pendings.entry[i];
        if (p->kind != HSAY_PENDING_FREE)
            due = hsay_time_min(due, hsay_time_min(patience(o, p), impatience(o, p)));
    }
    return due;
}
