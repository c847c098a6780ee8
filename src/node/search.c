#include "src/node/search.h"

#include <string.h>

#include "nat/addr_class.h"
#include "src/node/own_nat.h"
#include "src/node/send.h"
#include "src/node/way.h"
#include "src/walk/peer.h"

enum {
    SOCKET_FIRST = HSAY_SOCKETS_LIFETIME + 1,
    VOUCHER_MS = 120000,
    GROUP_VOUCHERS = HSAY_SEARCH_VOUCHERS / HSAY_VOTE_AGREE_GROUPS,
    ENOUGH_CONTACTS = 2, /* as many as the walk keeps, whatever it hands on (walk.c) */
    /* So many packets tell the other that we were reached, for the case that some are lost. */
    TELLS = 4,
    TELL_GAP_MS = 250,
    /* After the last packet of both: the other may have begun later. */
    LINGER_MS = 5000,
    /* So late, what we know of the other is of before a sleep, and it has given up. */
    STALE_MS = 10000,
    /* Longer than any mapping was seen to live without traffic (200 s, Richter and others 2016). */
    DOOR_MS = 240000,
};

static bool is_searching(const struct hsay_search *s)
{
    return s->way.role != HSAY_SEARCH_NONE;
}

/* Nobody else comes before it any more. */
static bool is_under_way(const struct hsay_search *s)
{
    return is_searching(s) && (s->sent != 0 || s->met);
}

static void end(struct hsay_search *s)
{
    s->way.role = HSAY_SEARCH_NONE;
    s->account.packets = 0;
    s->due = HSAY_TIME_NEVER;
}

/* ---- whom to believe ---- */

static bool is_fresh(const struct hsay_voucher *v, hsay_time now)
{
    return v->peer != 0 && hsay_time_ms_between(v->at, now) <= VOUCHER_MS;
}

static bool is_same(const struct hsay_voucher *a, const struct hsay_voucher *b)
{
    return a->peer == b->peer && hsay_addr_same_host(&a->host, &b->host);
}

/* The place of this word, or that of the oldest; of the oldest of its own group if that has its
 * share of the places, or one liar could talk all others down. */
static struct hsay_voucher *voucher_place(struct hsay_search *s, const struct hsay_voucher *word)
{
    struct hsay_voucher *oldest = &s->voucher[0], *own = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < HSAY_SEARCH_VOUCHERS; i++) {
        struct hsay_voucher *v = &s->voucher[i];
        if (hsay_time_before(v->at, oldest->at))
            oldest = v;
        if (v->peer == 0 || v->group != word->group)
            continue;
        if (is_same(v, word))
            return v;
        if (own == NULL || hsay_time_before(v->at, own->at))
            own = v;
        count++;
    }
    return count < GROUP_VOUCHERS ? oldest : own;
}

/* One more word of the peer in hand.  Are there enough for where the other is? */
static bool vouch(struct hsay_call *call, const struct hsay_peer *peer)
{
    struct hsay_search *s = hsay_node_search(call->node);
    struct hsay_voucher word = {.peer = hsay_peer_name(&peer->key),
                                .host = peer->addr,
                                .group = call->group,
                                .at = call->now.mono};
    unsigned groups = 0;
    *voucher_place(s, &word) = word;
    for (unsigned i = 0; i < HSAY_SEARCH_VOUCHERS; i++)
        groups += is_fresh(&s->voucher[i], call->now.mono) && is_same(&s->voucher[i], &word);
    return groups >= call->node->votes.agree_groups;
}

/* Somebody in the network group of the peer in hand has answered us. */
static bool has_answered(const struct hsay_call *call)
{
    const struct hsay_vote_table *votes = &call->node->votes;
    const struct hsay_vote_entry *vote;
    for (size_t i = 0; (vote = hsay_vote_at(votes, call->now.mono, i)) != NULL; i++)
        if (vote->group == call->group)
            return true;
    return false;
}

/* Only of peers that we chose to ask, and that others led us to: who comes to us by itself may be
 * anybody, in any number of groups, and its visit is returned while we know few.  A peer that we
 * asked may have moved by its own will since, hence the group. */
static bool is_believed(struct hsay_call *call, const struct hsay_peer *peer)
{
    struct hsay_candidates *table = &call->overlay->candidates;
    const struct hsay_candidate *introducer = hsay_candidate_find(table, &call->from);
    if (introducer == NULL || hsay_candidate_came_by_itself(introducer))
        return false;
    bool trusted = (introducer->marks & HSAY_MARK_TRUSTED) != 0;
    bool chosen = hsay_addr_equal(&introducer->addr, &call->from.addr) && has_answered(call) &&
                  hsay_candidate_age_ms(table, introducer->asked_at, call->now.mono) <= VOUCHER_MS;
    return (chosen && vouch(call, peer)) || trusted;
}

/* ---- planning ---- */

/* Contacts of its own choice: a trusted one is everybody's. */
static bool needs_contacts(const struct hsay_call *call)
{
    const struct hsay_candidates *table = &call->overlay->candidates;
    unsigned contacts = 0;
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];
        contacts += (c->marks & HSAY_MARK_TRUSTED) == 0 &&
                    hsay_candidate_is_contacted(table, c, call->now.mono);
    }
    return contacts < ENOUGH_CONTACTS;
}

bool hsay_search_offers(const struct hsay_call *call, bool symmetric)
{
    const struct hsay_search *s = hsay_node_search(call->node);
    return s != NULL && call->overlay->config.policy == HSAY_POLICY_HEARSAY && !is_under_way(s) &&
           (!symmetric || needs_contacts(call));
}

/* It has shown its place, and needs no search.  Its puncture, which tells who probes where it is,
 * tells who opens nothing: ours comes from another port than the one that let it in. */
static bool is_reached(struct hsay_call *call, const struct hsay_peer *peer,
                       enum hsay_search_role role)
{
    struct hsay_candidates *table = &call->overlay->candidates;
    struct hsay_peer anywhere = {.key = peer->key};
    const struct hsay_candidate *c = hsay_candidate_find(table, &anywhere);
    if (c == NULL)
        return false;
    if ((c->marks & HSAY_MARK_HEARD) == 0)
        return role == HSAY_SEARCH_PROBES && hsay_candidate_has_token(table, c, call->now.mono);
    return c->timeouts == 0 && (hsay_candidate_is_contacted(table, c, call->now.mono) ||
                                hsay_candidate_is_visitor(table, c, call->now.mono));
}

static bool may_send(struct hsay_call *call, const struct hsay_introduced *peer)
{
    struct hsay_addr_policy policy = hsay_way_policy(call, &call->from.addr);
    return !hsay_key_is_zero(&peer->key) && hsay_addr_sendable(&peer->addr, &policy);
}

/* The same number on both sides, and for liars as good as any other. */
static uint64_t rank(const struct hsay_node *node, const struct hsay_peer *peer)
{
    return hsay_peer_mix(hsay_peer_name(&node->key) ^ hsay_peer_name(&peer->key));
}

/* Of those that are named while nothing was sent yet, the pair of the lowest rank goes first: had
 * each side begun with whom it was told of first, the other would most often search elsewhere. */
static bool is_busy(const struct hsay_node *node, const struct hsay_peer *peer)
{
    const struct hsay_search *s = hsay_node_search(node);
    return is_under_way(s) || (is_searching(s) && rank(node, peer) >= rank(node, &s->peer));
}

void hsay_search_consider(struct hsay_call *call, const struct hsay_introduced *introduced,
                          uint64_t id, uint8_t mine)
{
    struct hsay_node *node = call->node;
    struct hsay_search *s = hsay_node_search(node);
    struct hsay_peer peer = {introduced->addr, introduced->key};
    if (s == NULL || call->overlay->config.policy != HSAY_POLICY_HEARSAY)
        return;
    bool lower = memcmp(&node->key, &peer.key, sizeof peer.key) < 0;
    enum hsay_search_role role = hsay_search_role(mine, introduced->nat, lower);
    if (role == HSAY_SEARCH_NONE || !may_send(call, introduced) || !is_believed(call, &peer) ||
        is_busy(node, &peer) || is_reached(call, &peer, role))
        return;
    hsay_search_begin(&s->way, role, mine, introduced->nat, peer.addr.port,
                      (uint32_t)hsay_rng_u64(&node->rng, &node->crypto));
    s->peer = peer;
    s->introducer = call->from.addr;
    s->nat = introduced->nat;
    s->id = id;
    s->overlay = call->overlay_number;
    s->sent = 0;
    s->met = false;
    s->due = hsay_time_add_ms(call->now.mono, HSAY_SEARCH_WAIT_MS);
}

/* ---- sending ---- */

static void send_puncture(struct hsay_call *call, const struct hsay_search *s,
                          const struct hsay_send_to *to)
{
    if (hsay_send_puncture(call, to, s->id))
        hsay_count(call->node, HSAY_COUNT_PUNCTURES_OUT, 1);
}

/* Until the other has sent all, too. */
static uint64_t linger_ms(const struct hsay_search_way *way)
{
    uint64_t more = way->theirs > way->packets ? (uint64_t)way->theirs - way->packets : 0;
    return more * HSAY_SEARCH_GAP_MS + LINGER_MS;
}

static void send_next(struct hsay_call *call, struct hsay_search *s)
{
    struct hsay_send_to to = {.peer = s->peer, .class = HSAY_SEND_SEARCH};
    to.peer.addr.port = hsay_search_port(&s->way, s->sent);
    if (s->way.role == HSAY_SEARCH_OPENS)
        to.socket = (uint16_t)(SOCKET_FIRST + hsay_search_socket(s->sent));
    s->sent++;
    send_puncture(call, s, &to);
    s->due = hsay_time_add_ms(s->due, HSAY_SEARCH_GAP_MS);
    if (s->sent == s->way.packets)
        s->due = hsay_time_add_ms(call->now.mono, linger_ms(&s->way));
}

static void tell(struct hsay_call *call, struct hsay_search *s)
{
    struct hsay_send_to to = {.peer = s->peer, .class = HSAY_SEND_SEARCH};
    s->sent++;
    send_puncture(call, s, &to);
    s->due = hsay_time_add_ms(call->now.mono, TELL_GAP_MS);
}

/* The first packet: nothing has gone out yet but the puncture that the introducer asked for. */
static bool begin(struct hsay_call *call, const struct hsay_search *s)
{
    if (is_reached(call, &s->peer, (enum hsay_search_role)s->way.role) ||
        !hsay_ledger_search(&call->node->ledger, call->now.mono, &s->peer.addr,
                            s->way.packets + (unsigned)TELLS))
        return false;
    hsay_count(call->node, HSAY_COUNT_SEARCHES, 1);
    return true;
}

void hsay_search_run(struct hsay_node *node, struct hsay_now now, struct hsay_outbox *out)
{
    enum { PACKETS_MAX = 8 }; /* in one call, of those that a late caller owes */
    struct hsay_search *s = hsay_node_search(node);
    struct hsay_call call;
    if (s == NULL || !is_searching(s) || hsay_time_before(now.mono, s->due))
        return;
    if (hsay_time_ms_between(s->due, now.mono) > STALE_MS ||
        !hsay_call_begin(&call, node, now, s->overlay, out) ||
        (s->sent == 0 && !s->met && !begin(&call, s)) ||
        s->sent >= (s->met ? TELLS : s->way.packets)) {
        end(s);
        return;
    }
    if (s->met) {
        tell(&call, s);
        return;
    }
    for (unsigned i = 0; i < PACKETS_MAX && !hsay_time_before(now.mono, s->due); i++)
        send_next(&call, s);
    if (!hsay_time_before(now.mono, s->due)) /* owed no longer: the pace is a bound */
        s->due = hsay_time_add_ms(now.mono, HSAY_SEARCH_GAP_MS);
}

hsay_time hsay_search_deadline(const struct hsay_node *node)
{
    const struct hsay_search *s = hsay_node_search(node);
    return s != NULL && is_searching(s) ? s->due : HSAY_TIME_NEVER;
}

void hsay_search_leave(struct hsay_node *node, uint16_t overlay)
{
    struct hsay_search *s = hsay_node_search(node);
    if (s != NULL && is_searching(s) && s->overlay == overlay)
        end(s);
}

void hsay_search_wake(struct hsay_node *node)
{
    struct hsay_search *s = hsay_node_search(node);
    if (s == NULL)
        return;
    end(s);
    memset(s->voucher, 0, sizeof s->voucher);
}

/* ---- meeting ---- */

static struct hsay_door *find_door(struct hsay_search *s, const struct hsay_addr *to)
{
    for (unsigned i = 0; i < HSAY_SEARCH_DOORS; i++)
        if (s->door[i].socket != 0 && hsay_addr_equal(&s->door[i].to, to))
            return &s->door[i];
    return NULL;
}

static bool is_open(const struct hsay_door *door, hsay_time now)
{
    return door->socket != 0 && hsay_time_ms_between(door->used, now) <= DOOR_MS;
}

static void open_door(struct hsay_search *s, hsay_time now, const struct hsay_addr *to,
                      uint16_t socket)
{
    struct hsay_door *same = find_door(s, to), *oldest = &s->door[0];
    for (unsigned i = 0; i < HSAY_SEARCH_DOORS; i++)
        if (hsay_time_before(s->door[i].used, oldest->used))
            oldest = &s->door[i];
    *(same != NULL ? same : oldest) = (struct hsay_door){*to, socket, now};
}

/* It is where the packet in hand came from, and can be visited there. */
static void meet(struct hsay_call *call, struct hsay_search *s)
{
    struct hsay_introduced peer = {.addr = call->from.addr, .key = call->from.key, .nat = s->nat};
    hsay_count(call->node, HSAY_COUNT_SEARCHES_MET, 1);
    s->met = true;
    s->sent = 0;
    s->peer = call->from;
    s->due = call->now.mono;
    if (call->socket >= SOCKET_FIRST)
        open_door(s, call->now.mono, &call->from.addr, call->socket);
    hsay_candidate_on_introduced(&call->overlay->candidates, call->now.mono, &peer, &s->introducer);
}

/* The peer that is searched for, at its host; at a port of a service somebody else wrote its name.
 */
static bool is_sought(const struct hsay_call *call, const struct hsay_search *s)
{
    const struct hsay_addr_policy policy = {.introducer = call->from.addr};
    return is_searching(s) && s->overlay == call->overlay_number &&
           hsay_peer_key_equal(&s->peer.key, &call->from.key) &&
           hsay_addr_same_host(&s->peer.addr, &call->from.addr) &&
           hsay_addr_sendable(&call->from.addr, &policy);
}

/* A puncture may have found us by chance, and its sender does not know it yet; who shows a token or
 * answers does.  Before our first packet all goes its usual way. */
void hsay_search_on_packet(struct hsay_call *call, bool answers)
{
    struct hsay_search *s = hsay_node_search(call->node);
    if (s == NULL)
        return;
    struct hsay_door *door = find_door(s, &call->from.addr);
    if (door != NULL && door->socket == call->socket)
        door->used = call->now.mono;
    bool hears = call->account.validated || answers;
    bool tells = s->way.role == HSAY_SEARCH_PROBES || call->socket >= SOCKET_FIRST;
    if (!is_sought(call, s) || !(hears || tells))
        return;
    if (!s->met && s->sent != 0)
        meet(call, s);
    if (!s->met || hears)
        end(s);
}

uint16_t hsay_search_door(const struct hsay_node *node, hsay_time now, const struct hsay_addr *to)
{
    struct hsay_search *s = hsay_node_search(node);
    const struct hsay_door *door = s != NULL ? find_door(s, to) : NULL;
    return door != NULL && is_open(door, now) ? door->socket : 0;
}

bool hsay_search_uses(const struct hsay_node *node, hsay_time now, uint16_t socket)
{
    const struct hsay_search *s = hsay_node_search(node);
    if (s == NULL || socket < SOCKET_FIRST)
        return false;
    if (is_searching(s) && s->way.role == HSAY_SEARCH_OPENS && (!s->met || s->sent < TELLS))
        return true;
    for (unsigned i = 0; i < HSAY_SEARCH_DOORS; i++)
        if (s->door[i].socket == socket && is_open(&s->door[i], now))
            return true;
    return false;
}
