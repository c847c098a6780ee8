#include "src/lab/sim/sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "src/lab/sim/agenda.h"
#include "src/lab/sim/home.h"
#include "src/lab/sim/host.h"
#include "src/lab/sim/memory.h"
#include "src/lab/sim/net.h"
#include "src/lab/sim/threads.h"

const char *lab_loss_name(enum lab_loss loss)
{
    static const char *const name[LAB_LOST_COUNT] = {
        [LAB_LOST_LINK] = "link",       [LAB_LOST_QUEUE] = "queue",
        [LAB_LOST_MTU] = "mtu",         [LAB_LOST_PARTITION] = "partition",
        [LAB_LOST_NAT_OUT] = "nat_out", [LAB_LOST_NAT_IN] = "nat_in",
        [LAB_LOST_NOBODY] = "nobody",
    };
    return (unsigned)loss < LAB_LOST_COUNT ? name[loss] : "unknown";
}

/* ---- a shard's window ---- */

static void run_shard(struct lab_shard *shard, uint64_t end_ns)
{
    struct lab_event *e;
    while ((e = lab_wheel_pop(&shard->wheel, end_ns)) != NULL) {
        if (e->at_ns > shard->now_ns)
            shard->now_ns = e->at_ns;
        shard->events++;
        if (e->kind == LAB_EVENT_DATAGRAM) {
            lab_net_arrive(shard, (struct lab_datagram *)e);
        } else {
            lab_host_on_timer(shard, e);
            free(e);
        }
    }
    shard->now_ns = end_ns;
}

/* What a shard sent to hosts of another waits there until the window is over. */
static void exchange(struct lab_sim *sim)
{
    for (unsigned i = 0; i < sim->config.shards; i++)
        for (unsigned j = 0; j < sim->config.shards; j++) {
            struct lab_event *list = sim->shard[i].sent[j];
            sim->shard[i].sent[j] = NULL;
            for (struct lab_event *next; list != NULL; list = next) {
                next = list->next;
                lab_wheel_insert(&sim->shard[j].wheel, list);
            }
        }
}

/* ---- life ---- */

static void init_shard(struct lab_sim *sim, unsigned number)
{
    struct lab_shard *shard = &sim->shard[number];
    struct hsay_node_config config = sim->config.node;
    struct hsay_outbox_need need;
    if (config.pending_max < sim->config.tracker_node.pending_max) /* they share the outbox */
        config.pending_max = sim->config.tracker_node.pending_max;
    shard->sim = sim;
    shard->number = number;
    shard->now_ns = sim->now_ns;
    lab_wheel_init(&shard->wheel, sim->now_ns);
    lab_crypto_init(&shard->crypto, &sim->crypto);
    shard->crypto_port = lab_crypto_port(&shard->crypto);
    hsay_overlay_keys(&sim->keys, &shard->crypto_port, &sim->overlay, (struct hsay_span){NULL, 0});

    /* A node that is joined tells how large an outbox it wants. */
    uint8_t seed[32] = {1};
    struct hsay_node *node;
    struct hsay_overlay_config overlay = sim->config.overlay;
    struct lab_store store;
    uint16_t overlay_number;
    struct hsay_now now = {{LAB_START_NS}, LAB_START_WALL_S};
    void *memory = lab_calloc(1, hsay_node_size(&config));
    lab_store_init(&store, &sim->depot, 0);
    config.node_secret[0] = 1;
    overlay.overlay = sim->overlay;
    overlay.keys = &sim->keys;
    overlay.store = lab_store_port(&store);
    int rc = hsay_node_init(memory, &config, &shard->crypto_port, seed, now, &node);
    assert(rc == 0);
    rc = hsay_node_join(node, now, &overlay, &overlay_number);
    assert(rc == 0);
    (void)rc;
    hsay_node_outbox_need(node, &need);
    shard->out = (struct hsay_outbox){
        .bytes = lab_calloc(1, need.bytes),
        .bytes_size = need.bytes,
        .letter = lab_calloc(need.letters, sizeof(struct hsay_letter)),
        .letter_max = need.letters,
        .event = lab_calloc(need.events, sizeof(struct hsay_event)),
        .event_max = need.events,
    };
    lab_store_free(&store);
    free(memory);
}

static void init_hosts(struct lab_sim *sim)
{
    sim->host_count = sim->config.nodes + sim->config.extra;
    sim->host = lab_calloc(sim->host_count, sizeof *sim->host);
    sim->online = lab_calloc(sim->host_count, sizeof *sim->online);
    sim->online_at = lab_calloc(sim->host_count, sizeof *sim->online_at);
    for (uint32_t i = 0; i < sim->host_count; i++) {
        struct lab_host *host = &sim->host[i];
        host->chance = lab_chance_stream(sim->config.seed, LAB_CHANCE_LINK, i);
        host->timer_ns = UINT64_MAX;
        lab_store_init(&host->store, &sim->depot, sim->config.quota_bytes);
        if (i >= sim->config.nodes)
            host->flags |= LAB_HOST_EXTRA;
    }
}

struct lab_sim *lab_sim_new(const struct lab_sim_config *config)
{
    struct lab_sim *sim = lab_calloc(1, sizeof *sim);
    sim->config = *config;
    sim->now_ns = LAB_START_NS;
    sim->window_ns = lab_link_delay_min(&config->link);
    hsay_sodium_init();
    lab_crypto_world_init(&sim->crypto, config->seed, config->crypto_real);
    lab_crypto_world_reserve(&sim->crypto, config->nodes + config->shards);
    lab_depot_init(&sim->depot, NULL);
    struct lab_chance chance = lab_chance_stream(config->seed, LAB_CHANCE_SCENARIO, 0);
    lab_chance_bytes(&chance, sim->overlay.byte, sizeof sim->overlay.byte);
    sim->agenda = lab_agenda_new();
    sim->shard = lab_calloc(config->shards, sizeof *sim->shard);
    for (unsigned i = 0; i < config->shards; i++)
        init_shard(sim, i);
    init_hosts(sim);
    lab_addresses_init(&sim->addresses, config->networks);
    lab_homes_settle(sim);
    sim->threads = lab_threads_new(sim, run_shard);
    return sim;
}

static void drop_event(struct lab_event *event)
{
    free(event);
}

static void free_shard(struct lab_shard *shard)
{
    lab_wheel_free(&shard->wheel, drop_event);
    free(shard->out.bytes);
    free(shard->out.letter);
    free(shard->out.event);
}

void lab_sim_free(struct lab_sim *sim)
{
    lab_threads_free(sim->threads);
    for (uint32_t i = 0; i < sim->host_count; i++) {
        free(sim->host[i].memory);
        free(sim->host[i].book);
        lab_store_free(&sim->host[i].store);
    }
    for (unsigned i = 0; i < sim->config.shards; i++)
        free_shard(&sim->shard[i]);
    lab_homes_free(sim);
    lab_agenda_free(sim->agenda);
    lab_addresses_free(&sim->addresses);
    lab_depot_free(&sim->depot);
    lab_crypto_world_free(&sim->crypto);
    free(sim->host);
    free(sim->online);
    free(sim->online_at);
    free(sim->shard);
    free(sim);
}

/* ---- time ---- */

void lab_sim_at(struct lab_sim *sim, uint64_t elapsed_ns, lab_deed deed, void *self,
                uint64_t number)
{
    struct lab_agenda_entry entry = {
        .at_ns = LAB_START_NS + elapsed_ns, .deed = deed, .self = self, .number = number};
    if (entry.at_ns < sim->now_ns)
        entry.at_ns = sim->now_ns;
    lab_agenda_add(sim->agenda, &entry);
}

void lab_sim_observe(struct lab_sim *sim, const struct lab_observer *observer)
{
    assert(sim->observer_count < LAB_OBSERVERS_MAX);
    sim->observer[sim->observer_count++] = *observer;
}

void lab_sim_stop(struct lab_sim *sim)
{
    sim->stopped = true;
}

void lab_sim_relink(struct lab_sim *sim, const struct lab_link_model *link)
{
    sim->config.link = *link;
    sim->window_ns = lab_link_delay_min(link);
}

static uint64_t next_event_ns(const struct lab_sim *sim)
{
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < sim->config.shards; i++) {
        uint64_t own = lab_wheel_next_ns(&sim->shard[i].wheel);
        next = own < next ? own : next;
    }
    return next;
}

/* One shard alone may run up to the next deed.  Several meet after each window, in which no
 * datagram sent can arrive; windows in which nothing happens are passed over. */
static uint64_t window_end(const struct lab_sim *sim, uint64_t limit_ns)
{
    if (sim->config.shards == 1)
        return limit_ns;
    uint64_t next = next_event_ns(sim);
    uint64_t begin = next > sim->now_ns ? next : sim->now_ns;
    return begin >= limit_ns || limit_ns - begin < sim->window_ns ? limit_ns
                                                                  : begin + sim->window_ns;
}

static void run_windows(struct lab_sim *sim, uint64_t limit_ns)
{
    while (sim->now_ns < limit_ns) {
        uint64_t end = window_end(sim, limit_ns);
        lab_threads_run(sim->threads, end);
        sim->now_ns = end;
        exchange(sim);
        sim->windows++;
    }
}

void lab_sim_run_until(struct lab_sim *sim, uint64_t elapsed_ns)
{
    uint64_t end = LAB_START_NS + elapsed_ns;
    while (!sim->stopped) {
        uint64_t deed_ns = lab_agenda_next_ns(sim->agenda);
        run_windows(sim, deed_ns < end ? deed_ns : end);
        if (deed_ns > end)
            return;
        struct lab_agenda_entry entry = lab_agenda_take(sim->agenda);
        entry.deed(sim, entry.self, entry.number);
        exchange(sim);
    }
}

uint32_t lab_sim_any(const struct lab_sim *sim, struct lab_chance *chance)
{
    return sim->online_count != 0 ? sim->online[lab_chance_below(chance, sim->online_count)]
                                  : LAB_NOBODY;
}
