#include "src/lab/sim/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "hearsay/error.h"
#include "src/lab/sim/home.h"
#include "src/lab/sim/memory.h"
#include "src/lab/sim/net.h"

struct hsay_now lab_host_now(const struct lab_sim *sim, const struct lab_host *host,
                             uint64_t now_ns)
{
    (void)sim;
    uint64_t own = now_ns + host->skew_ns;
    return (struct hsay_now){{own}, LAB_START_WALL_S + (own - LAB_START_NS) / LAB_NS_PER_S};
}

/* ---- the timer ---- */

/* One timer per host counts: the earliest that was asked for.  A later deadline is found out when
 * it fires, so that pushing the deadline on, as most calls do, costs nothing. */
static void set_timer(struct lab_shard *shard, uint32_t number)
{
    struct lab_host *host = &shard->sim->host[number];
    uint64_t due = hsay_node_deadline(host->node).ns;
    if (due == UINT64_MAX)
        return;
    due = due > host->skew_ns ? due - host->skew_ns : 0;
    if (due < shard->now_ns)
        due = shard->now_ns;
    if (due >= host->timer_ns)
        return;
    struct lab_event *e = lab_calloc(1, sizeof *e);
    *e = (struct lab_event){.at_ns = due,
                            .order = (uint64_t)number << 32 | host->serial++,
                            .host = number,
                            .number = ++host->timer,
                            .kind = LAB_EVENT_TIMER};
    host->timer_ns = due;
    lab_wheel_insert(&shard->wheel, e);
}

/* ---- a turn ---- */

static void tell(struct lab_shard *shard, uint32_t number, bool committed)
{
    const struct lab_sim *sim = shard->sim;
    for (size_t k = 0; k < shard->out.event_count; k++) {
        const struct hsay_event *e = &shard->out.event[k];
        if (!committed && e->kind == HSAY_EVENT_BUNDLE)
            continue;
        for (unsigned i = 0; i < sim->observer_count; i++)
            if (sim->observer[i].on_event != NULL)
                sim->observer[i].on_event(sim->observer[i].self, shard, number, e);
    }
}

static bool crashes_now(struct lab_shard *shard, uint32_t number)
{
    const struct lab_sim *sim = shard->sim;
    bool crash = false;
    for (unsigned i = 0; i < sim->observer_count; i++)
        if (sim->observer[i].crash != NULL)
            crash |= sim->observer[i].crash(sim->observer[i].self, shard, number);
    return crash;
}

static void boot(struct lab_shard *shard, uint32_t number);
static void save_book(struct lab_host *host);

static void tell_turn(struct lab_shard *shard, const struct lab_call *call, enum lab_turn_end end)
{
    const struct lab_sim *sim = shard->sim;
    for (unsigned i = 0; i < sim->observer_count; i++)
        if (sim->observer[i].on_turn != NULL)
            sim->observer[i].on_turn(sim->observer[i].self, shard, call, end);
}

/* As hsayd does: what could not be made durable is neither sent nor told.  True if it could. */
static bool finish(struct lab_shard *shard, const struct lab_call *call)
{
    struct lab_sim *sim = shard->sim;
    struct lab_host *host = &sim->host[call->host];
    for (unsigned i = 0; i < sim->observer_count; i++)
        if (sim->observer[i].on_call != NULL)
            sim->observer[i].on_call(sim->observer[i].self, shard, call);
    if (crashes_now(shard, call->host)) {
        lab_store_crash(&host->store);
        tell_turn(shard, call, LAB_TURN_CRASHED);
        hsay_outbox_clear(&shard->out);
        save_book(host);
        boot(shard, call->host);
        return false;
    }
    struct hsay_store store = lab_store_port(&host->store);
    bool committed = store.ops->commit(store.self) == 0;
    for (size_t k = 0; committed && k < shard->out.letter_count; k++)
        lab_net_send(shard, call->host, &shard->out.letter[k]);
    tell(shard, call->host, committed);
    tell_turn(shard, call, committed ? LAB_TURN_COMMITTED : LAB_TURN_REFUSED);
    hsay_outbox_clear(&shard->out);
    set_timer(shard, call->host);
    return committed;
}

void lab_host_on_timer(struct lab_shard *shard, const struct lab_event *event)
{
    struct lab_host *host = &shard->sim->host[event->host];
    if (host->node == NULL || event->number != host->timer)
        return;
    host->timer_ns = UINT64_MAX;
    struct hsay_now now = lab_host_now(shard->sim, host, shard->now_ns);
    if (hsay_time_before(now.mono, hsay_node_deadline(host->node))) {
        set_timer(shard, event->host);
        return;
    }
    struct lab_call call = {LAB_CALL_TIME, event->host, NULL, 0, &shard->out};
    call.result = hsay_node_on_time(host->node, now, &shard->out);
    finish(shard, &call);
}

/* A host's sockets have the ports from its own on. */
static uint16_t socket_at(const struct lab_host *host, uint16_t port)
{
    return (uint16_t)(port - host->addr.port);
}

bool lab_host_has_socket(const struct lab_sim *sim, uint32_t number, uint16_t port)
{
    const struct lab_host *host = &sim->host[number];
    return host->node != NULL && socket_at(host, port) <= lab_host_config(sim, number)->sockets_max;
}

void lab_host_on_datagram(struct lab_shard *shard, uint32_t number, const struct lab_datagram *d)
{
    struct lab_sim *sim = shard->sim;
    struct lab_host *host = &sim->host[number];
    if ((host->flags & LAB_HOST_EXTRA) != 0) {
        for (unsigned i = 0; i < sim->observer_count; i++)
            if (sim->observer[i].on_extra != NULL)
                sim->observer[i].on_extra(sim->observer[i].self, shard, number, d);
        return;
    }
    if (!lab_host_has_socket(sim, number, d->to.port)) {
        shard->lost[LAB_LOST_NOBODY]++;
        return;
    }
    host->bytes_in += d->size;
    host->datagrams_in++;
    struct hsay_packet packet = {d->from, {d->bytes, d->size}, socket_at(host, d->to.port)};
    struct lab_call call = {LAB_CALL_PACKET, number, &packet, 0, &shard->out};
    struct hsay_now now = lab_host_now(sim, host, shard->now_ns);
    call.result = hsay_node_on_packet(host->node, now, &packet, &shard->out);
    finish(shard, &call);
}

/* ---- life ---- */

struct lab_saved_book {
    uint32_t count;
    struct hsay_peer peer[];
};

/* As hsayd, which keeps its address book in a file. */
static void save_book(struct lab_host *host)
{
    struct hsay_peer peer;
    uint32_t count = 0;
    free(host->book);
    while (hsay_node_book_at(host->node, 0, count, &peer) == 0)
        count++;
    host->book = lab_calloc(1, sizeof *host->book + count * sizeof(struct hsay_peer));
    for (; host->book->count < count; host->book->count++)
        hsay_node_book_at(host->node, 0, host->book->count, &host->book->peer[host->book->count]);
}

static void name_saved(struct lab_shard *shard, struct lab_host *host, struct hsay_now now)
{
    (void)shard;
    for (uint32_t i = 0; host->book != NULL && i < host->book->count; i++)
        hsay_node_add_peer(host->node, now, 0, &host->book->peer[i], HSAY_BUCKET_BOOK);
    free(host->book);
    host->book = NULL;
}

static void bootstrap(struct lab_shard *shard, uint32_t number, struct hsay_now now)
{
    struct lab_sim *sim = shard->sim;
    struct lab_host *host = &sim->host[number];
    struct lab_chance chance =
        lab_chance_stream(sim->config.seed ^ host->lives, LAB_CHANCE_SCENARIO, number);
    name_saved(shard, host, now);
    bool random = sim->config.bootstrap == LAB_BOOTSTRAP_RANDOM;
    bool told = sim->config.bootstrap == LAB_BOOTSTRAP_NONE;
    for (uint32_t i = 0; !told && i < sim->config.trackers; i++) {
        uint32_t other = random ? (uint32_t)lab_chance_below(&chance, sim->config.nodes) : i;
        struct hsay_peer peer = {.addr = lab_host_public(sim, other)};
        if (other != number)
            hsay_node_add_peer(host->node, now, 0, &peer,
                               random ? HSAY_BUCKET_BOOK : HSAY_BUCKET_TRUSTED);
    }
}

/* As hsayd's beacons do, which go out some seconds after its start: who is at home hears of it, and
 * it of them, by their addresses inside. */
static void meet_neighbours(struct lab_shard *shard, uint32_t number)
{
    struct lab_sim *sim = shard->sim;
    struct lab_host *host = &sim->host[number];
    const struct lab_site *home = host->box != 0 ? &sim->site[host->box - 1] : NULL;
    for (uint32_t i = 0; home != NULL && !sim->config.no_beacons && i < home->inside_count; i++) {
        struct lab_host *other = &sim->host[home->first_host + i];
        if (other == host || other->node == NULL)
            continue;
        struct hsay_peer peer = {.addr = other->addr}, self = {.addr = host->addr};
        hsay_node_add_peer(host->node, lab_host_now(sim, host, shard->now_ns), 0, &peer,
                           HSAY_BUCKET_INTRODUCED);
        hsay_node_add_peer(other->node, lab_host_now(sim, other, shard->now_ns), 0, &self,
                           HSAY_BUCKET_INTRODUCED);
        set_timer(shard, home->first_host + i);
    }
}

const struct hsay_node_config *lab_host_config(const struct lab_sim *sim, uint32_t number)
{
    return lab_host_is_tracker(sim, number) ? &sim->config.tracker_node : &sim->config.node;
}

/* A node in fresh memory.  The secret changes with the store only: who lost it is somebody else. */
static void boot(struct lab_shard *shard, uint32_t number)
{
    struct lab_sim *sim = shard->sim;
    struct lab_host *host = &sim->host[number];
    struct hsay_node_config config = *lab_host_config(sim, number);
    struct hsay_overlay_config overlay = sim->config.overlay;
    struct hsay_now now = lab_host_now(sim, host, shard->now_ns);
    struct lab_chance identity =
        lab_chance_stream(sim->config.seed ^ (uint64_t)host->wipes << 40, LAB_CHANCE_HOST, number);
    struct lab_chance fresh = lab_chance_stream(
        sim->config.seed + 1 + ((uint64_t)host->lives << 40), LAB_CHANCE_HOST, number);
    uint8_t seed[32];
    uint16_t overlay_number;
    config.stats = sim->config.shared_stats ? &shard->stats : NULL;
    lab_chance_bytes(&identity, config.node_secret, sizeof config.node_secret);
    lab_chance_bytes(&fresh, seed, sizeof seed);
    host->lives++;
    host->timer++;
    host->timer_ns = UINT64_MAX;
    if (host->node == NULL)
        host->memory = lab_realloc(NULL, hsay_node_size(&config));
    int rc = hsay_node_init(host->memory, &config, &shard->crypto_port, seed, now, &host->node);
    assert(rc == 0);
    overlay.overlay = sim->overlay;
    overlay.keys = &sim->keys;
    overlay.store = lab_store_port(&host->store);
    rc = hsay_node_join(host->node, now, &overlay, &overlay_number);
    assert(rc == 0 && overlay_number == 0);
    (void)rc;
    hsay_node_set_local(host->node, &host->addr);
    bootstrap(shard, number, now);
    meet_neighbours(shard, number);
    set_timer(shard, number);
}

static void keep_stats(struct lab_shard *shard, const struct lab_host *host)
{
    if (!shard->sim->config.shared_stats)
        lab_stats_add(&shard->stats, hsay_node_stats(host->node));
}

static void tell_life(struct lab_sim *sim, uint32_t number, bool online)
{
    for (unsigned i = 0; i < sim->observer_count; i++)
        if (sim->observer[i].on_life != NULL)
            sim->observer[i].on_life(sim->observer[i].self, sim, number, online);
}

static struct lab_shard *shard_of(struct lab_sim *sim, uint32_t number)
{
    struct lab_shard *shard = &sim->shard[sim->host[number].shard];
    shard->now_ns = sim->now_ns;
    return shard;
}

void lab_host_start(struct lab_sim *sim, uint32_t number, const struct lab_return *how)
{
    struct lab_host *host = &sim->host[number];
    if (lab_host_is_online(host) || (host->flags & LAB_HOST_EXTRA) != 0)
        return;
    if (host->lives != 0 && !how->keep_store) {
        lab_store_free(&host->store);
        lab_store_init(&host->store, &sim->depot, sim->config.quota_bytes);
        free(host->book);
        host->book = NULL;
        host->wipes++;
        host->published = 0;
    }
    if (host->lives != 0 && !how->keep_addr && !lab_host_is_tracker(sim, number))
        lab_home_move(sim, number);
    host->flags |= LAB_HOST_ONLINE;
    host->online_ns = sim->now_ns;
    sim->online_at[number] = sim->online_count;
    sim->online[sim->online_count++] = number;
    boot(shard_of(sim, number), number);
    tell_life(sim, number, true);
}

void lab_host_stop(struct lab_sim *sim, uint32_t number)
{
    struct lab_host *host = &sim->host[number];
    if (!lab_host_is_online(host))
        return;
    tell_life(sim, number, false);
    keep_stats(shard_of(sim, number), host);
    save_book(host);
    free(host->memory);
    host->memory = NULL;
    host->node = NULL;
    host->flags &= (uint8_t)~LAB_HOST_ONLINE;
    uint32_t last = sim->online[--sim->online_count];
    sim->online[sim->online_at[number]] = last;
    sim->online_at[last] = sim->online_at[number];
}

void lab_host_skew(struct lab_sim *sim, uint32_t number, uint64_t ahead_ns)
{
    struct lab_host *host = &sim->host[number];
    host->skew_ns += ahead_ns;
    if (host->node == NULL)
        return;
    host->timer_ns = UINT64_MAX;
    set_timer(shard_of(sim, number), number);
}

/* ---- the user of a host ---- */

static void author_secret(const struct lab_sim *sim, uint32_t number,
                          uint8_t secret[HSAY_SECRET_BYTES])
{
    struct lab_chance chance =
        lab_chance_stream(sim->config.seed ^ (uint64_t)sim->host[number].wipes << 40,
                          LAB_CHANCE_HOST, UINT64_C(1) << 32 | number);
    struct hsay_key author;
    uint8_t seed[32];
    lab_chance_bytes(&chance, seed, sizeof seed);
    hsay_sodium_author_from_seed(&author, secret, seed);
}

int lab_host_publish(struct lab_sim *sim, uint32_t number, struct hsay_span payload, uint64_t type,
                     struct hsay_id *id)
{
    struct lab_host *host = &sim->host[number];
    struct lab_shard *shard = shard_of(sim, number);
    uint8_t secret[HSAY_SECRET_BYTES];
    struct hsay_id unused;
    assert(host->node != NULL);
    author_secret(sim, number, secret);
    struct hsay_draft draft = {.type = type, .author_secret = secret, .payload = payload};
    struct lab_call call = {LAB_CALL_PUBLISH, number, NULL, 0, &shard->out};
    call.result = hsay_node_on_publish(host->node, lab_host_now(sim, host, sim->now_ns), &draft,
                                       id != NULL ? id : &unused, &shard->out);
    if (!finish(shard, &call) && call.result == 0)
        return HSAY_ESTORE;
    host->published += call.result == 0;
    return call.result;
}

int lab_host_name(struct lab_sim *sim, uint32_t i, uint32_t j, enum hsay_bucket bucket)
{
    struct lab_host *host = &sim->host[i];
    struct hsay_peer peer = {.addr = lab_host_public(sim, j)};
    struct hsay_now now = lab_host_now(sim, host, sim->now_ns);
    int rc = hsay_node_add_peer(host->node, now, 0, &peer, bucket);
    set_timer(shard_of(sim, i), i);
    return rc;
}
