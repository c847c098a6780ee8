#include "src/lab/sim/invariant.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/invariant_parts.h"
#include "src/lab/sim/memory.h"
#include "src/node/state.h"

enum {
    ALL_HOSTS_MAX = 5000, /* watched of their own accord: 200 bytes and some contacts each */
    SAMPLED_HOSTS = 1000,
};

static const struct {
    const char *name, *rule;
} rules[LAB_INVARIANT_COUNT] = {
    [LAB_INVARIANT_LEDGER] = {"ledger", "a stranger's packet causes no more bytes than it has"},
    [LAB_INVARIANT_SILENCE] = {"silence",
                               "who never answered gets at most three datagrams in an hour"},
    [LAB_INVARIANT_SEARCH] = {"search",
                              "a host is searched for ports once an hour, with so many datagrams"},
    [LAB_INVARIANT_ADDRESS] = {"address", "nothing goes where nothing may be sent"},
    [LAB_INVARIANT_SIZE] = {"size", "no datagram is larger than its sender may send"},
    [LAB_INVARIANT_OUTBOX] = {"outbox", "a call finds room in the outbox that it asked for"},
    [LAB_INVARIANT_TABLES] = {"tables", "candidates and address book keep within their sizes"},
    [LAB_INVARIANT_PENDING] = {"pending", "requests are answered once, or given up in time"},
    [LAB_INVARIANT_STRANGER] = {"stranger", "nothing is stored that a stranger brought"},
    [LAB_INVARIANT_ALTERED] = {"altered", "bundles are what their authors published"},
    [LAB_INVARIANT_UNPUBLISHED] = {"unpublished", "nobody holds what nobody published"},
    [LAB_INVARIANT_LOST] = {"lost", "what was committed stays"},
    [LAB_INVARIANT_UNSYNCED] = {"unsynced", "what was not committed is gone after a crash"},
    [LAB_INVARIANT_CLAIM] = {"claim", "claims count nothing that is not held"},
    [LAB_INVARIANT_WINDOW] = {"window", "global time keeps below a bound that moves slowly"},
    [LAB_INVARIANT_FORK] = {"fork", "honest authors never fork"},
    [LAB_INVARIANT_DEADLINE] = {"deadline", "what was due has been done"},
    [LAB_INVARIANT_STORM] = {"storm", "timers fire a bounded number of times a second"},
    [LAB_INVARIANT_RESULT] = {"result", "calls succeed unless the disk fails"},
    [LAB_INVARIANT_AGREEMENT] = {"agreement", "when all is well, all come to hold the same"},
};

const char *lab_invariant_name(enum lab_invariant invariant)
{
    return (unsigned)invariant < LAB_INVARIANT_COUNT ? rules[invariant].name : "unknown";
}

const char *lab_invariant_rule(enum lab_invariant invariant)
{
    return (unsigned)invariant < LAB_INVARIANT_COUNT ? rules[invariant].rule : "unknown";
}

/* ---- violations ---- */

static bool is_before(const struct lab_violation *a, const struct lab_violation *b)
{
    if (b->text[0] == '\0' || a->text[0] == '\0')
        return a->text[0] != '\0';
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns;
    return a->host != b->host ? a->host < b->host : a->invariant < b->invariant;
}

static void note(struct lab_watch_part *part, const struct lab_violation *violation)
{
    part->count[violation->invariant]++;
    if (is_before(violation, &part->first))
        part->first = *violation;
}

void lab_turn_broke(struct lab_turn *turn, enum lab_invariant invariant, const char *format, ...)
{
    struct lab_violation v = {
        .at_ns = turn->shard->now_ns, .host = turn->call->host, .invariant = (uint8_t)invariant};
    va_list args;
    va_start(args, format);
    vsnprintf(v.text, sizeof v.text, format, args);
    va_end(args);
    note(turn->part, &v);
}

void lab_invariants_tell(struct lab_invariants *all, enum lab_invariant invariant, uint32_t host,
                         const char *what)
{
    struct lab_violation v = {
        .at_ns = all->sim->now_ns, .host = host, .invariant = (uint8_t)invariant};
    snprintf(v.text, sizeof v.text, "%s", what);
    note(&all->part[0], &v);
}

uint64_t lab_invariants_violations(const struct lab_invariants *all, enum lab_invariant invariant)
{
    uint64_t sum = 0;
    for (unsigned i = 0; all != NULL && i < LAB_SHARDS_MAX; i++)
        for (unsigned k = 0; k < LAB_INVARIANT_COUNT; k++)
            if (invariant == LAB_INVARIANT_COUNT || k == (unsigned)invariant)
                sum += all->part[i].count[k];
    return sum;
}

uint64_t lab_invariants_turns(const struct lab_invariants *all)
{
    uint64_t sum = 0;
    for (unsigned i = 0; all != NULL && i < LAB_SHARDS_MAX; i++)
        sum += all->part[i].turns;
    return sum;
}

const char *lab_invariants_first(struct lab_invariants *all)
{
    const struct lab_violation *first = NULL;
    for (unsigned i = 0; all != NULL && i < LAB_SHARDS_MAX; i++)
        if (all->part[i].first.text[0] != '\0' &&
            (first == NULL || is_before(&all->part[i].first, first)))
            first = &all->part[i].first;
    if (first == NULL)
        return NULL;
    snprintf(all->first, sizeof all->first, "%s: host %u after %.6f s: %s",
             lab_invariant_name((enum lab_invariant)first->invariant), first->host + 1,
             (double)(first->at_ns - LAB_START_NS) / 1e9, first->text);
    return all->first;
}

/* ---- turns ---- */

/* A new life has a new node; what it knew of others is in its address book, if it kept its store.
 */
static void begin_life(struct lab_invariants *all, struct lab_watched *w,
                       const struct lab_host *host)
{
    bool wiped = w->wipes != host->wipes;
    w->lives = host->lives;
    w->wipes = host->wipes;
    w->asked_count = 0;
    w->answered = 0;
    w->outbox_drops = 0;
    w->settled = false;
    w->window_limit = 0;
    lab_invariant_forget_contacts(w);
    if (wiped) {
        w->durable = 0;
        w->own = 0;
        free(w->contacts.place);
        w->contacts = (struct lab_contacts){0};
    } else {
        lab_invariant_own(all, w, "after a restart");
    }
}

/* What the core counted since the last turn. */
static uint64_t count_since(uint64_t *before, uint64_t now)
{
    uint64_t grown = now - *before;
    *before = now;
    return grown;
}

/* Of requests, and of those to the second address of a peer. */
static uint64_t answers_of(const struct hsay_node_stats *stats)
{
    return stats->count[HSAY_COUNT_ANSWERED] + stats->count[HSAY_COUNT_WAYS_FOUND];
}

static void read_counters(struct lab_turn *turn)
{
    const struct hsay_node_stats *stats = hsay_node_stats(turn->host->node);
    bool shared = turn->all->sim->config.shared_stats;
    uint64_t *answered = shared ? &turn->part->answered : &turn->watched->answered;
    uint64_t *drops = shared ? &turn->part->outbox_drops : &turn->watched->outbox_drops;
    turn->answer = count_since(answered, answers_of(stats)) != 0;
    if (count_since(drops, stats->drop[HSAY_DROP_OUTBOX]) != 0)
        lab_turn_broke(turn, LAB_INVARIANT_OUTBOX, "something found no room in the outbox");
}

/* Hosts that share their counters with others are told apart by the turn, so all are counted. */
static void skip_counters(struct lab_invariants *all, struct lab_shard *shard,
                          const struct lab_call *call)
{
    const struct hsay_node *node = all->sim->host[call->host].node;
    struct lab_watch_part *part = &all->part[shard->number];
    if (!all->sim->config.shared_stats)
        return;
    part->answered = answers_of(hsay_node_stats(node));
    part->outbox_drops = hsay_node_stats(node)->drop[HSAY_DROP_OUTBOX];
}

static struct lab_watched *watched_of(struct lab_invariants *all, uint32_t host)
{
    return host % all->stride == 0 && host / all->stride < all->watched_count
               ? &all->watched[host / all->stride]
               : NULL;
}

static struct lab_turn turn_of(struct lab_invariants *all, struct lab_shard *shard,
                               const struct lab_call *call, enum lab_turn_end end)
{
    const struct lab_host *host = &all->sim->host[call->host];
    return (struct lab_turn){
        .all = all,
        .shard = shard,
        .part = &all->part[shard->number],
        .watched = watched_of(all, call->host),
        .host = host,
        .call = call,
        .end = end,
        .now = lab_host_now(all->sim, host, shard->now_ns),
    };
}

bool lab_turn_has_token(struct lab_turn *turn)
{
    const struct hsay_packet *packet = turn->call->packet;
    const struct hsay_node *node = turn->host->node;
    struct hsay_envelope e;
    if (turn->token_asked || packet == NULL)
        return turn->token;
    turn->token_asked = true;
    if (hsay_envelope_parse(&e, packet->bytes) != 0 || (e.flags & HSAY_ENVELOPE_TOKEN) == 0)
        return false;
    struct hsay_token_scope scope = {.addr = packet->from, .node = e.sender};
    memcpy(scope.tag, e.tag, sizeof scope.tag);
    turn->token = hsay_token_good(&e.token, &turn->all->sim->crypto.sodium, node->token_secret,
                                  turn->now.mono, &scope);
    return turn->token;
}

static void check_outbox(struct lab_turn *turn)
{
    const struct hsay_outbox *out = turn->call->out;
    if (out->letter_count > out->letter_max || out->event_count > out->event_max ||
        out->bytes_used > out->bytes_size)
        lab_turn_broke(turn, LAB_INVARIANT_OUTBOX, "%zu letters, %zu events, %zu bytes of one call",
                       out->letter_count, out->event_count, out->bytes_used);
}

static bool is_allowed(const struct lab_turn *turn, int result)
{
    const struct lab_store *store = &turn->host->store;
    bool disk = store->fault != NULL || store->quota_bytes != 0 || store->full;
    switch (result) {
    case 0:
        return true;
    case HSAY_ENOSPC:
    case HSAY_ENOMEM:
    case HSAY_ESTORE:
        return disk;
    case HSAY_EBUDGET: /* more was published than global time has room for */
        return turn->call->kind == LAB_CALL_PUBLISH;
    default:
        return false;
    }
}

static void check_result(struct lab_turn *turn)
{
    if (!is_allowed(turn, turn->call->result))
        lab_turn_broke(turn, LAB_INVARIANT_RESULT, "a call returned %s",
                       hsay_strerror(turn->call->result));
}

static void on_call(void *self, struct lab_shard *shard, const struct lab_call *call)
{
    struct lab_invariants *all = self;
    struct lab_turn turn = turn_of(all, shard, call, LAB_TURN_COMMITTED);
    if (turn.watched == NULL)
        return;
    if (turn.watched->lives != turn.host->lives)
        begin_life(all, turn.watched, turn.host);
    lab_invariant_before_commit(&turn);
}

static void on_turn(void *self, struct lab_shard *shard, const struct lab_call *call,
                    enum lab_turn_end end)
{
    struct lab_invariants *all = self;
    struct lab_turn turn = turn_of(all, shard, call, end);
    if (call->kind == LAB_CALL_PUBLISH)
        lab_invariant_publication(all, &turn);
    if (turn.watched == NULL) {
        skip_counters(all, shard, call);
        return;
    }
    turn.part->turns++;
    turn.watched->turns++;
    read_counters(&turn);
    check_outbox(&turn);
    check_result(&turn);
    lab_invariant_letters(&turn);
    lab_invariant_store(&turn);
    lab_invariant_time(&turn);
}

/* ---- life ---- */

static uint32_t stride_of(const struct lab_sim *sim, enum lab_check check)
{
    bool every =
        check == LAB_CHECK_ALL || (check == LAB_CHECK_AUTO && sim->config.nodes <= ALL_HOSTS_MAX);
    return every ? 1 : (sim->config.nodes + SAMPLED_HOSTS - 1) / SAMPLED_HOSTS;
}

struct lab_invariants *lab_invariants_new(struct lab_sim *sim, enum lab_check check)
{
    if (check == LAB_CHECK_OFF)
        return NULL;
    struct lab_invariants *all = lab_calloc(1, sizeof *all);
    all->sim = sim;
    all->config = sim->config.node;
    all->tracker_config = sim->config.tracker_node;
    hsay_node_config_default(&all->config);
    hsay_node_config_default(&all->tracker_config);
    all->stride = stride_of(sim, check);
    all->watched_count = (sim->config.nodes + all->stride - 1) / all->stride;
    all->watched = lab_calloc(all->watched_count, sizeof *all->watched);
    for (uint32_t i = 0; i < all->watched_count; i++)
        all->watched[i].number = i * all->stride;
    lab_sim_observe(sim,
                    &(struct lab_observer){.self = all, .on_call = on_call, .on_turn = on_turn});
    return all;
}

uint32_t lab_invariants_hosts(const struct lab_invariants *all)
{
    return all != NULL ? all->watched_count : 0;
}

void lab_invariants_finish(struct lab_invariants *all)
{
    for (uint32_t i = 0; all != NULL && i < all->watched_count; i++)
        lab_invariant_own(all, &all->watched[i], "at the end");
}

void lab_invariants_free(struct lab_invariants *all)
{
    if (all == NULL)
        return;
    for (uint32_t i = 0; i < all->watched_count; i++) {
        free(all->watched[i].contacts.place);
        free(all->watched[i].asked);
    }
    free(all->watched);
    free(all->registry.entry);
    free(all->registry.fate);
    free(all);
}
