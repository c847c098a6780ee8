/*
 * Invariants of what leaves a host: to whom, how much, and what for.
 *
 * A datagram to the source of the packet in hand is an answer; any other is of the host's own will.
 * A packet is a stranger's if it was not the answer to a request and shows no token that is good.
 * To find that out costs a hash, so it is asked only where the difference matters.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "nat/addr_class.h"
#include "src/lab/sim/invariant_parts.h"
#include "src/lab/sim/memory.h"
#include "src/node/search.h"

enum {
    STRANGER_LETTERS_MAX = 2,
    /* That a puncture request makes somebody else send to the source. */
    PUNCTURE_BYTES = HSAY_SEAL_BYTES + HSAY_PUNCTURE_MESSAGE_BYTES,
    PROBE_BYTES =
        HSAY_SEAL_BYTES + 2 * HSAY_TOKEN_BYTES + 1 + 8 + 2 + 1, /* one token in the clear */
    CONTACTS_FIRST = 16,
    SEARCH_TELLS = 4,  /* once it was found, or is thought to be */
    SEARCH_GAP_S = 30, /* within one there is no longer pause */
    ANSWER_WAIT_MS = HSAY_REQUEST_LIFETIME_MS + 1,
};

/* ---- addresses that a host has to do with ---- */

/* Of IPv4 the address itself, else a hash; never 0. */
static uint64_t contact_name(const struct hsay_addr *addr)
{
    uint32_t ip;
    if (addr->kind != HSAY_ADDR_IP4)
        return XXH3_64bits(addr, sizeof *addr) | UINT64_C(1) << 63;
    memcpy(&ip, addr->byte, sizeof ip);
    return UINT64_C(1) << 56 | (uint64_t)addr->port << 32 | ip;
}

static struct lab_contact *place_of(const struct lab_contacts *all, uint64_t name)
{
    uint64_t at = (name * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
    for (;; at++) {
        struct lab_contact *place = &all->place[at & (all->max - 1)];
        if (place->name == name || place->name == 0)
            return place;
    }
}

static void grow(struct lab_contacts *all)
{
    struct lab_contacts larger = {.count = all->count,
                                  .max = all->max != 0 ? 2 * all->max : CONTACTS_FIRST};
    larger.place = lab_calloc(larger.max, sizeof *larger.place);
    for (uint32_t i = 0; i < all->max; i++)
        if (all->place[i].name != 0)
            *place_of(&larger, all->place[i].name) = all->place[i];
    free(all->place);
    *all = larger;
}

static struct lab_contact *contact_find(const struct lab_contacts *all,
                                        const struct hsay_addr *addr)
{
    struct lab_contact *place = all->max != 0 ? place_of(all, contact_name(addr)) : NULL;
    return place != NULL && place->name != 0 ? place : NULL;
}

static struct lab_contact *contact_get(struct lab_contacts *all, const struct hsay_addr *addr)
{
    if (2 * all->count >= all->max)
        grow(all);
    struct lab_contact *place = place_of(all, contact_name(addr));
    if (place->name == 0) {
        place->name = contact_name(addr);
        all->count++;
    }
    return place;
}

/* A new node's account is empty; whom it heard of stands in its address book. */
void lab_invariant_forget_contacts(struct lab_watched *watched)
{
    for (uint32_t i = 0; i < watched->contacts.max; i++) {
        struct lab_contact *c = &watched->contacts.place[i];
        c->asked_ns = 0;
        c->search_s = 0;
        memset(c->silent_s, 0, sizeof c->silent_s);
    }
}

bool lab_invariant_awaited(const struct lab_turn *turn, const struct hsay_addr *from)
{
    const struct lab_contact *c = contact_find(&turn->watched->contacts, from);
    return c != NULL && c->asked_ns != 0 &&
           turn->shard->now_ns - c->asked_ns <= ANSWER_WAIT_MS * UINT64_C(1000000);
}

/* ---- who may get something ---- */

/* The operator named it: as a tracker, or in some way of which the node alone knows. */
static bool is_named(const struct lab_turn *turn, const struct hsay_addr *to)
{
    const struct lab_sim *sim = turn->all->sim;
    for (uint32_t i = 0; lab_host_is_tracker(sim, i); i++) {
        struct hsay_addr tracker = lab_host_public(sim, i);
        if (hsay_addr_equal(&tracker, to))
            return true;
    }
    const struct hsay_candidates *table = &turn->host->node->overlay[0].candidates;
    for (unsigned i = 0; i < table->entry_max; i++)
        if ((table->entry[i].marks & (HSAY_MARK_TRUSTED | HSAY_MARK_BOOK)) != 0 &&
            hsay_addr_equal(&table->entry[i].addr, to))
            return true;
    return false;
}

static uint32_t host_second(const struct lab_turn *turn)
{
    return (uint32_t)(turn->now.mono.ns / LAB_NS_PER_S);
}

/* The third last datagram to it, if it is of less than an hour ago, was the last one allowed. */
static void count_silent(struct lab_turn *turn, struct lab_contact *c, const struct hsay_addr *to)
{
    uint32_t now_s = host_second(turn), third = c->silent_s[0];
    char text[HSAY_ADDR_TEXT_BYTES];
    if (is_named(turn, to))
        return; /* who is named is not bound, then or later, by what he got under his name */
    if (third != 0 && now_s - third < HSAY_SILENT_PERIOD_MS / 1000) {
        hsay_addr_format(text, sizeof text, to);
        lab_turn_broke(turn, LAB_INVARIANT_SILENCE, "a fourth datagram to %s within %u s", text,
                       now_s - third);
    }
    memmove(c->silent_s, c->silent_s + 1, sizeof c->silent_s - sizeof c->silent_s[0]);
    c->silent_s[LAB_INVARIANT_SILENT_MAX - 1] = now_s;
}

/* What a node holds for one is not asked of those that met it; here it is held against an account
 * that is not its own. */
static bool is_search(const struct lab_turn *turn, const struct hsay_letter *letter)
{
    const struct hsay_search *search = hsay_node_search(turn->host->node);
    return search != NULL && search->way.role != HSAY_SEARCH_NONE && /* else it keeps a path open */
           turn->call->kind == LAB_CALL_TIME &&
           letter->datagram.size <= HSAY_LEDGER_SEARCH_BYTES_MAX &&
           hsay_addr_same_host(&letter->to, &search->account.host);
}

static void count_search(struct lab_turn *turn, const struct hsay_addr *to)
{
    struct hsay_addr host = *to;
    uint32_t now_s = host_second(turn);
    char text[HSAY_ADDR_TEXT_BYTES];
    host.port = 0;
    struct lab_contact *c = contact_get(&turn->watched->contacts, &host);
    hsay_addr_format(text, sizeof text, &host);
    if (c->search_s == 0 || now_s - c->search_s >= HSAY_SILENT_PERIOD_MS / 1000) {
        c->search_s = now_s;
        c->search_count = 0;
    } else if (now_s - c->search_last_s > SEARCH_GAP_S) {
        lab_turn_broke(turn, LAB_INVARIANT_SEARCH, "a second search at %s within %u s", text,
                       now_s - c->search_s);
    }
    c->search_last_s = now_s;
    if (++c->search_count == HSAY_SEARCH_PROBED + SEARCH_TELLS + 1)
        lab_turn_broke(turn, LAB_INVARIANT_SEARCH, "a search at %s with more than %u datagrams",
                       text, c->search_count - 1);
}

/* Private and carrier's addresses are for who stands behind such a box itself. */
static bool is_sendable(const struct lab_turn *turn, const struct hsay_addr *to)
{
    const struct lab_sim *sim = turn->all->sim;
    uint32_t box = turn->host->box;
    switch (hsay_addr_class(to)) {
    case HSAY_ADDR_GLOBAL:
        return true;
    case HSAY_ADDR_PRIVATE:
        return box != 0 && sim->site[box - 1].inside_count > 1;
    case HSAY_ADDR_CARRIER:
        return box != 0 && sim->site[box - 1].parent != 0;
    default:
        return false;
    }
}

static void check_address(struct lab_turn *turn, const struct hsay_addr *to, bool answer)
{
    const char *why = NULL;
    char text[HSAY_ADDR_TEXT_BYTES];
    if (to->port == 0 || (to->port < HSAY_ADDR_PORT_HEARD_MIN && !answer))
        why = "a port that is not for peers";
    else if (hsay_addr_equal(to, &turn->host->addr))
        why = "its own address";
    else if (!is_sendable(turn, to))
        why = "an address that is not for it";
    if (why == NULL)
        return;
    hsay_addr_format(text, sizeof text, to);
    lab_turn_broke(turn, LAB_INVARIANT_ADDRESS, "a datagram to %s: %s", text, why);
}

static void check_size(struct lab_turn *turn, size_t bytes)
{
    size_t most = lab_turn_config(turn)->datagram_bytes;
    if (bytes <= HSAY_SEAL_BYTES || bytes > most)
        lab_turn_broke(turn, LAB_INVARIANT_SIZE, "a datagram of %zu bytes; at most %zu", bytes,
                       most);
}

/* ---- a packet's account ---- */

static void check_account(struct lab_turn *turn)
{
    const struct hsay_packet *packet = turn->call->packet;
    const struct hsay_outbox *out = turn->call->out;
    size_t bytes = 0;
    for (size_t i = 0; i < out->letter_count; i++)
        bytes += hsay_addr_equal(&out->letter[i].to, &packet->from) ? out->letter[i].datagram.size
                                                                    : PUNCTURE_BYTES;
    if (turn->answer ||
        (bytes <= packet->bytes.size && out->letter_count <= STRANGER_LETTERS_MAX) ||
        lab_turn_has_token(turn))
        return;
    lab_turn_broke(turn, LAB_INVARIANT_LEDGER,
                   "a stranger's %zu bytes caused %zu datagrams, %zu bytes for itself",
                   packet->bytes.size, out->letter_count, bytes);
}

/* Whoever answered, or showed a token, has shown that it hears. */
static void hear(struct lab_turn *turn)
{
    const struct hsay_packet *packet = turn->call->packet;
    bool token = packet->bytes.size > 1 && (packet->bytes.data[1] & HSAY_ENVELOPE_TOKEN) != 0;
    if (!turn->answer && !token)
        return;
    struct lab_contact *c = contact_get(&turn->watched->contacts, &packet->from);
    if (!c->heard)
        c->heard = turn->answer || lab_turn_has_token(turn);
}

/* What a probe asks for: a puncture to another port of its sender, whose token for that port shows
 * that it hears there. */
static bool is_probed(struct lab_turn *turn, const struct hsay_letter *letter)
{
    const struct hsay_packet *packet = turn->call->packet;
    return packet != NULL && packet->bytes.size == PROBE_BYTES &&
           letter->datagram.size == PUNCTURE_BYTES &&
           hsay_addr_same_host(&letter->to, &packet->from) && lab_turn_has_token(turn);
}

static void check_letter(struct lab_turn *turn, const struct hsay_letter *letter)
{
    const struct hsay_packet *packet = turn->call->packet;
    bool answer = packet != NULL && hsay_addr_equal(&letter->to, &packet->from);
    check_size(turn, letter->datagram.size);
    check_address(turn, &letter->to, answer);
    if (answer || is_probed(turn, letter))
        return;
    if (is_search(turn, letter)) {
        count_search(turn, &letter->to);
        return;
    }
    struct lab_contact *c = contact_get(&turn->watched->contacts, &letter->to);
    if (!c->heard)
        count_silent(turn, c, &letter->to);
}

static void note_requests(struct lab_turn *turn)
{
    const struct hsay_outbox *out = turn->call->out;
    for (size_t i = 0; i < out->event_count; i++)
        if (out->event[i].kind == HSAY_EVENT_STEP)
            contact_get(&turn->watched->contacts, &out->event[i].peer.addr)->asked_ns =
                turn->shard->now_ns;
}

void lab_invariant_letters(struct lab_turn *turn)
{
    const struct hsay_outbox *out = turn->call->out;
    if (turn->call->kind == LAB_CALL_PACKET)
        hear(turn);
    if (turn->end != LAB_TURN_COMMITTED)
        return;
    if (turn->call->kind == LAB_CALL_PACKET && out->letter_count != 0)
        check_account(turn);
    for (size_t i = 0; i < out->letter_count; i++)
        check_letter(turn, &out->letter[i]);
    note_requests(turn);
}
