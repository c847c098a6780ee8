/* Goal: the simulated world does to hosts what a scenario says, and nothing else: who comes back is
 * who it was or somebody new, nothing crosses a partition, a home's hosts find each other, a crash
 * costs what was not committed, and deeds come in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "nat/addr_class.h"
#include "src/lab/sim/home.h"
#include "src/lab/sim/net.h"
#include "src/lab/sim/sim.h"

#define S LAB_NS_PER_S

/* ---- a world ------------------------------------------------------------------------------- */

static struct lab_sim_config config_of(uint32_t nodes)
{
    struct lab_sim_config config = {
        .seed = 42,
        .nodes = nodes,
        .shards = 2,
        .shared_stats = true,
        .networks = 1000,
        .trackers = 1,
        .node = {.overlays_max = 1},
        .tracker_node = {.overlays_max = 1},
    };
    char why[200];
    lab_link_init(&config.link, 20 * LAB_NS_PER_MS);
    assert_int_equal(lab_link_prepare(&config.link, why, sizeof why), 0);
    assert_int_equal(lab_population_parse(&config.population, "open", why, sizeof why), 0);
    return config;
}

static void set_link(struct lab_sim_config *config)
{
    char why[200];
    assert_int_equal(lab_link_prepare(&config->link, why, sizeof why), 0);
}

static void set_homes(struct lab_sim_config *config, const char *population, uint32_t lan_hosts)
{
    char why[200];
    assert_int_equal(lab_population_parse(&config->population, population, why, sizeof why), 0);
    config->lan_hosts = lan_hosts;
}

static void start_all(struct lab_sim *sim)
{
    for (uint32_t i = 0; i < sim->config.nodes; i++)
        lab_host_start(sim, i, &(struct lab_return){.keep_store = true, .keep_addr = true});
}

static struct lab_sim *started(const struct lab_sim_config *config)
{
    struct lab_sim *sim = lab_sim_new(config);
    start_all(sim);
    return sim;
}

static void run_for(struct lab_sim *sim, uint64_t seconds)
{
    lab_sim_run_until(sim, lab_sim_elapsed_ns(sim) + seconds * S);
}

static void publish(struct lab_sim *sim, uint32_t host, const char *text)
{
    struct hsay_span payload = {(const uint8_t *)text, strlen(text)};
    assert_int_equal(lab_host_publish(sim, host, payload, 1, NULL), 0);
}

static uint64_t count_of(const struct lab_sim *sim, uint32_t host)
{
    return lab_store_count(&sim->host[host].store);
}

static void all_hold(const struct lab_sim *sim, uint64_t bundles)
{
    for (uint32_t i = 0; i < sim->config.nodes; i++)
        assert_int_equal(count_of(sim, i), bundles);
}

static struct lab_totals totals_of(const struct lab_sim *sim)
{
    struct lab_totals totals;
    lab_sim_totals(sim, &totals);
    return totals;
}

/* ---- coming and going ---------------------------------------------------------------------- */

static void a_bundle_reaches_all(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(20);
    struct lab_sim *sim = started(&config);
    assert_int_equal(sim->online_count, 20);
    run_for(sim, 20);
    publish(sim, 7, "to all");
    run_for(sim, 60);
    all_hold(sim, 1);
    struct lab_totals totals = totals_of(sim);
    assert_int_equal(totals.stats.count[HSAY_COUNT_BUNDLES_NEW], 19);
    assert_int_equal(totals.datagrams, totals.stats.count[HSAY_COUNT_PACKETS_OUT]);
    assert_int_equal(totals.datagram_bytes, totals.stats.count[HSAY_COUNT_BYTES_OUT]);
    for (unsigned i = 0; i < LAB_LOST_COUNT; i++)
        assert_int_equal(totals.lost[i], 0);
    lab_sim_free(sim);
}

static void who_comes_back(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(6);
    struct lab_sim *sim = started(&config);
    run_for(sim, 10);
    publish(sim, 3, "mine");
    run_for(sim, 30);
    all_hold(sim, 1);
    struct hsay_key key = *hsay_node_key(sim->host[3].node);
    struct hsay_addr addr = lab_host_public(sim, 3);

    lab_host_stop(sim, 3);
    lab_host_stop(sim, 3); /* is off already */
    assert_false(lab_host_is_online(&sim->host[3]));
    assert_int_equal(sim->online_count, 5);
    lab_host_start(sim, 3, &(struct lab_return){.keep_store = true, .keep_addr = true});
    assert_int_equal(count_of(sim, 3), 1);
    assert_memory_equal(hsay_node_key(sim->host[3].node), &key, sizeof key);
    struct hsay_addr same = lab_host_public(sim, 3);
    assert_true(hsay_addr_equal(&same, &addr));

    lab_host_stop(sim, 3);
    lab_host_start(sim, 3, &(struct lab_return){.keep_store = true});
    assert_int_equal(count_of(sim, 3), 1);
    assert_memory_equal(hsay_node_key(sim->host[3].node), &key, sizeof key);
    struct hsay_addr moved = lab_host_public(sim, 3);
    assert_false(hsay_addr_equal(&moved, &addr));
    assert_int_equal(lab_address_owner(&sim->addresses, &addr), LAB_NOBODY);
    assert_int_equal(lab_address_owner(&sim->addresses, &moved), 3);

    lab_host_stop(sim, 3);
    lab_host_start(sim, 3, &(struct lab_return){.keep_addr = true});
    assert_int_equal(count_of(sim, 3), 0);
    assert_memory_not_equal(hsay_node_key(sim->host[3].node), &key, sizeof key);
    run_for(sim, 60); /* somebody new hears of what the old one said */
    all_hold(sim, 1);
    lab_sim_free(sim);
}

/* While it is off nothing reaches it; what it missed it gets when it is back. */
static void what_it_missed(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(8);
    struct lab_sim *sim = started(&config);
    run_for(sim, 20);
    lab_host_stop(sim, 5);
    for (unsigned i = 0; i < 20; i++)
        publish(sim, 2, "news");
    run_for(sim, 40);
    assert_int_equal(count_of(sim, 5), 0);
    assert_int_equal(count_of(sim, 6), 20);
    assert_true(totals_of(sim).lost[LAB_LOST_NOBODY] > 0);
    lab_host_start(sim, 5, &(struct lab_return){.keep_store = true, .keep_addr = true});
    run_for(sim, 60);
    all_hold(sim, 20);
    lab_sim_free(sim);
}

/* The address book that it had when it went offline leads it back, with the tracker gone. */
static void the_book_leads_back(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(6);
    struct lab_sim *sim = started(&config);
    run_for(sim, 60);
    lab_host_stop(sim, 0);
    lab_host_stop(sim, 4);
    run_for(sim, 120);
    publish(sim, 2, "without a tracker");
    lab_host_start(sim, 4, &(struct lab_return){.keep_store = true, .keep_addr = true});
    run_for(sim, 60);
    assert_int_equal(count_of(sim, 4), 1);
    lab_sim_free(sim);
}

/* ---- the net ------------------------------------------------------------------------------- */

static void partition(struct lab_sim *sim, uint32_t first, bool out, bool in)
{
    for (uint32_t i = 0; i < sim->config.nodes; i++)
        sim->host[i].side = i >= first;
    sim->partitioned[1][0] = out;
    sim->partitioned[0][1] = in;
}

static void nothing_crosses_a_partition(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(20);
    struct lab_sim *sim = started(&config);
    run_for(sim, 30);
    partition(sim, 10, true, true);
    publish(sim, 3, "here");
    publish(sim, 13, "there");
    run_for(sim, 120);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(count_of(sim, i), 1);
        assert_int_equal(sim->host[i].store.bundle_bytes,
                         sim->host[i < 10 ? 3 : 13].store.bundle_bytes);
    }
    assert_true(totals_of(sim).lost[LAB_LOST_PARTITION] > 0);
    memset(sim->partitioned, 0, sizeof sim->partitioned);
    run_for(sim, 120);
    all_hold(sim, 2);
    lab_sim_free(sim);
}

/* Also through the middle of a home. */
static void a_home_divided(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(13);
    set_homes(&config, "full_cone:1", 4);
    struct lab_sim *sim = started(&config);
    run_for(sim, 60);
    partition(sim, 7, true, true); /* 5, 6, 7 and 8 share a box */
    assert_int_equal(sim->host[6].box, sim->host[7].box);
    publish(sim, 5, "here");
    run_for(sim, 120);
    for (uint32_t i = 0; i < 13; i++)
        assert_int_equal(count_of(sim, i), i < 7);
    memset(sim->partitioned, 0, sizeof sim->partitioned);
    run_for(sim, 120);
    all_hold(sim, 1);
    lab_sim_free(sim);
}

static bool count_first_half(void *self, struct lab_shard *shard, uint32_t host,
                             const struct hsay_letter *letter)
{
    (void)shard, (void)letter;
    __atomic_fetch_add((uint64_t *)self + (host < 10), 1, __ATOMIC_RELAXED);
    return true;
}

/* One way is open: requests cross it, answers do not come back. */
static void a_one_way_cut(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(20);
    struct lab_sim *sim = lab_sim_new(&config);
    uint64_t sent[2] = {0};
    lab_sim_observe(sim, &(struct lab_observer){.self = sent, .on_send = count_first_half});
    start_all(sim);
    run_for(sim, 30);
    partition(sim, 10, true, false); /* nothing from the second half to the first */
    uint64_t lost = totals_of(sim).lost[LAB_LOST_PARTITION];
    publish(sim, 15, "unheard");
    run_for(sim, 60);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(count_of(sim, i), 0);
    for (uint32_t i = 10; i < 20; i++)
        assert_int_equal(count_of(sim, i), 1);
    assert_true(totals_of(sim).lost[LAB_LOST_PARTITION] > lost);
    assert_true(sent[0] > 0 && sent[1] > 0);
    lab_sim_free(sim);
}

/* Bad lines cost time, and nobody is taken in by what was changed on the way. */
static void bad_lines(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(15);
    config.link.loss = 0.2;
    config.link.duplicate = 0.3;
    config.link.reorder = 0.3;
    config.link.reorder_ns = 500 * (uint64_t)LAB_NS_PER_MS;
    config.link.corrupt = 0.1;
    set_link(&config);
    struct lab_sim *sim = started(&config);
    run_for(sim, 30);
    for (uint32_t i = 0; i < 15; i++)
        publish(sim, i, "through thick and thin");
    run_for(sim, 240);
    all_hold(sim, 15);
    struct lab_totals totals = totals_of(sim);
    assert_true(totals.lost[LAB_LOST_LINK] > totals.datagrams / 6);
    assert_true(totals.lost[LAB_LOST_LINK] < totals.datagrams / 4);
    assert_int_equal(totals.stats.count[HSAY_COUNT_BUNDLES_NEW], 15 * 14);
    assert_true(totals.stats.drop[HSAY_DROP_SEAL] > 0);
    lab_sim_free(sim);
}

static void links_change(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(10);
    struct lab_sim *sim = started(&config);
    run_for(sim, 20);
    struct lab_link_model link = config.link;
    char why[200];
    link.loss = 1;
    link.delay_ns = 50 * (uint64_t)LAB_NS_PER_MS;
    assert_int_equal(lab_link_prepare(&link, why, sizeof why), 0);
    lab_sim_relink(sim, &link);
    publish(sim, 4, "dark");
    run_for(sim, 60);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(count_of(sim, i), i == 4);
    lab_sim_relink(sim, &config.link);
    run_for(sim, 60);
    all_hold(sim, 1);
    lab_sim_free(sim);
}

/* ---- homes --------------------------------------------------------------------------------- */

static void hosts_of_one_home(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(13);
    set_homes(&config, "port_restricted:1", 4);
    struct lab_sim *sim = started(&config);
    for (uint32_t i = 1; i < 13; i++) {
        struct hsay_addr inside = sim->host[i].addr, outside = lab_host_public(sim, i);
        assert_int_equal(hsay_addr_class(&inside), HSAY_ADDR_PRIVATE);
        assert_int_equal(hsay_addr_class(&outside), HSAY_ADDR_GLOBAL);
        assert_int_equal(sim->host[i].box, sim->host[1 + (i - 1) / 4 * 4].box);
        assert_int_equal(sim->host[i].shard, sim->host[1 + (i - 1) / 4 * 4].shard);
    }
    assert_int_equal(sim->host[0].box, 0); /* trackers stand in the open */
    run_for(sim, 60);
    publish(sim, 2, "at home");
    run_for(sim, 120);
    all_hold(sim, 1);
    lab_sim_free(sim);
}

struct letters {
    struct lab_sim *sim;
    uint64_t to_private;
};

static bool look_at_letter(void *self, struct lab_shard *shard, uint32_t host,
                           const struct hsay_letter *letter)
{
    struct letters *letters = self;
    (void)shard, (void)host;
    if (hsay_addr_class(&letter->to) == HSAY_ADDR_PRIVATE)
        __atomic_fetch_add(&letters->to_private, 1, __ATOMIC_RELAXED);
    return true;
}

/* Two hosts of one home and a tracker, which then goes: do the two still hear each other? */
static bool home_stays_together(const char *kind, bool hairpin, struct letters *letters)
{
    struct lab_sim_config config = config_of(3);
    set_homes(&config, kind, 2);
    config.population.hairpin_share = hairpin;
    struct lab_sim *sim = lab_sim_new(&config);
    *letters = (struct letters){.sim = sim};
    lab_sim_observe(sim, &(struct lab_observer){.self = letters, .on_send = look_at_letter});
    start_all(sim);
    run_for(sim, 90);
    lab_host_stop(sim, 0);
    publish(sim, 1, "next door");
    run_for(sim, 120);
    bool together = count_of(sim, 2) == 1;
    lab_sim_free(sim);
    return together;
}

static void neighbours_at_home(void **state)
{
    (void)state;
    struct letters letters;
    assert_true(home_stays_together("full_cone:1", false, &letters));
    assert_true(letters.to_private > 0); /* they have met by their beacons */
    assert_true(home_stays_together("full_cone:1", true, &letters));
    assert_true(home_stays_together("symmetric:1", false, &letters));
    assert_true(letters.to_private > 0);
}

static void send_to_itself(struct lab_sim *sim, void *self, uint64_t number)
{
    (void)self;
    struct hsay_letter letter = {.to = lab_host_public(sim, (uint32_t)number),
                                 .datagram = {(const uint8_t *)"rubbish", 7}};
    struct lab_shard *shard = &sim->shard[sim->host[number].shard];
    shard->now_ns = sim->now_ns;
    lab_net_send(shard, (uint32_t)number, &letter);
}

/* What a home's host sends to its own outside address comes back, if the box hairpins. */
static void hairpin(void **state)
{
    (void)state;
    for (unsigned can = 0; can <= 1; can++) {
        struct lab_sim_config config = config_of(2);
        set_homes(&config, "full_cone:1", 1);
        config.population.hairpin_share = can;
        struct lab_sim *sim = started(&config);
        run_for(sim, 10); /* the tracker was asked: there is a mapping */
        assert_int_equal(totals_of(sim).lost[LAB_LOST_NOBODY], 0);
        lab_sim_at(sim, lab_sim_elapsed_ns(sim), send_to_itself, NULL, 1);
        run_for(sim, 1);
        assert_int_equal(totals_of(sim).stats.drop[HSAY_DROP_VERSION], can);
        assert_int_equal(totals_of(sim).lost[LAB_LOST_NOBODY], !can);
        lab_sim_free(sim);
    }
}

/* Behind a carrier's box as well; and whoever moves has all mappings to make anew. */
static void carriers(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(12);
    set_homes(&config, "full_cone:1", 1);
    config.population.carrier = config.population.home;
    config.population.carrier_share = 1;
    struct lab_sim *sim = started(&config);
    struct hsay_addr first = lab_host_public(sim, 1);
    for (uint32_t i = 1; i < 12; i++) {
        struct hsay_addr outside = lab_host_public(sim, i);
        const struct lab_site *home = &sim->site[sim->host[i].box - 1];
        assert_true(hsay_addr_same_host(&outside, &first)); /* one carrier takes 256 homes */
        assert_int_equal(hsay_addr_class(&home->outside), HSAY_ADDR_CARRIER);
        assert_int_equal(sim->host[i].shard, sim->host[1].shard);
    }
    run_for(sim, 60);
    for (uint32_t i = 1; i < 12; i++)
        lab_home_flush(sim, i);
    publish(sim, 5, "through two boxes");
    run_for(sim, 180);
    all_hold(sim, 1);
    lab_sim_free(sim);
}

/* ---- faults -------------------------------------------------------------------------------- */

struct crash {
    uint32_t host;
    unsigned left;
};

static bool crash(void *self, struct lab_shard *shard, uint32_t host)
{
    struct crash *c = self;
    if (host != c->host || c->left == 0 || shard->out.event_count == 0 ||
        shard->out.event[0].kind != HSAY_EVENT_BUNDLE)
        return false;
    c->left--;
    return true;
}

static void heard(void *self, struct lab_shard *shard, uint32_t host,
                  const struct hsay_event *event)
{
    const struct crash *c = self;
    (void)shard;
    if (host == c->host && event->kind == HSAY_EVENT_BUNDLE)
        assert_int_equal(c->left, 0);
}

/* It dies three times at the moment when it took a bundle in: that one is gone, nobody was told of
 * it, and it comes again. */
static void a_crash_costs_what_was_not_committed(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(6);
    struct crash c = {.host = 4, .left = 3};
    struct lab_sim *sim = lab_sim_new(&config);
    lab_sim_observe(sim, &(struct lab_observer){.self = &c, .crash = crash, .on_event = heard});
    start_all(sim);
    run_for(sim, 20);
    struct hsay_key key = *hsay_node_key(sim->host[4].node);
    uint32_t lives = sim->host[4].lives;
    publish(sim, 2, "again and again");
    run_for(sim, 120);
    all_hold(sim, 1);
    assert_int_equal(c.left, 0);
    assert_int_equal(sim->host[4].lives, lives + 3);
    assert_memory_equal(hsay_node_key(sim->host[4].node), &key, sizeof key);
    assert_int_equal(sim->online_count, 6);
    lab_sim_free(sim);
}

/* A bundle of its own that it had not committed is as if it had never been said. */
static void a_crash_while_publishing(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(4);
    struct crash c = {.host = 1, .left = 1};
    struct lab_sim *sim = lab_sim_new(&config);
    lab_sim_observe(sim, &(struct lab_observer){.self = &c, .crash = crash});
    start_all(sim);
    run_for(sim, 20);
    struct hsay_span lost = {(const uint8_t *)"lost", 4};
    assert_int_equal(lab_host_publish(sim, 1, lost, 1, NULL), HSAY_ESTORE);
    assert_int_equal(count_of(sim, 1), 0);
    publish(sim, 1, "said");
    run_for(sim, 60);
    all_hold(sim, 1);
    lab_sim_free(sim);
}

static void a_clock_that_jumps(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(8);
    struct lab_sim *sim = started(&config);
    run_for(sim, 20);
    uint64_t steps = totals_of(sim).stats.count[HSAY_COUNT_STEPS];
    lab_host_skew(sim, 3, 3600 * S);
    struct hsay_now own = lab_host_now(sim, &sim->host[3], sim->now_ns);
    struct hsay_now others = lab_host_now(sim, &sim->host[2], sim->now_ns);
    assert_int_equal(own.mono.ns - others.mono.ns, 3600 * S);
    assert_int_equal(own.wall_s - others.wall_s, 3600);
    publish(sim, 3, "from the future");
    run_for(sim, 60);
    all_hold(sim, 1);
    assert_true(totals_of(sim).stats.count[HSAY_COUNT_STEPS] < steps + 8 * 60);
    lab_sim_free(sim);
}

static void a_store_with_a_bound(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(5);
    struct lab_sim *sim = started(&config);
    sim->host[4].store.quota_bytes = 1000;
    run_for(sim, 20);
    for (unsigned i = 0; i < 30; i++)
        publish(sim, 1, "some of what there is to say, of a hundred bytes or so with all about it");
    run_for(sim, 60);
    assert_int_equal(count_of(sim, 3), 30);
    assert_in_range(sim->host[4].store.bundle_bytes, 500, 1000);
    sim->host[4].store.quota_bytes = 0;
    run_for(sim, 120);
    all_hold(sim, 30);
    lab_sim_free(sim);
}

/* ---- hosts without a node ------------------------------------------------------------------ */

struct mute {
    uint32_t host, got;
    struct hsay_addr last;
};

static void take_note(void *self, struct lab_shard *shard, uint32_t host,
                      const struct lab_datagram *d)
{
    struct mute *mute = self;
    (void)shard;
    assert_int_equal(host, mute->host);
    mute->got++;
    mute->last = d->from;
}

static void forge(struct lab_sim *sim, void *self, uint64_t number)
{
    const struct mute *mute = self;
    struct lab_shard *shard = &sim->shard[sim->host[mute->host].shard];
    struct hsay_addr to = lab_host_public(sim, (uint32_t)number), from, nobody;
    struct hsay_span rubbish = {(const uint8_t *)"rubbish", 7};
    assert_int_equal(hsay_addr_parse(&from, "9.9.9.9:9"), 0);
    assert_int_equal(hsay_addr_parse(&nobody, "203.0.113.9:9"), 0);
    lab_net_forge(shard, mute->host, &from, &to, rubbish);
    lab_net_forge(shard, mute->host, &from, &nobody, rubbish);
}

static void strangers(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(4);
    config.extra = 1;
    struct lab_sim *sim = lab_sim_new(&config);
    struct mute mute = {.host = 4};
    lab_sim_observe(sim, &(struct lab_observer){.self = &mute, .on_extra = take_note});
    start_all(sim);
    lab_host_start(sim, 4, &(struct lab_return){.keep_addr = true}); /* has no node to start */
    assert_int_equal(sim->online_count, 4);
    assert_int_equal(lab_host_name(sim, 2, 4, HSAY_BUCKET_TRUSTED), 0);
    run_for(sim, 60);
    struct hsay_addr from = lab_host_public(sim, 2);
    assert_true(mute.got > 0);
    assert_true(hsay_addr_equal(&mute.last, &from));

    /* A forged one reaches who has the address, whatever its sender claims to be. */
    uint32_t in = sim->host[1].datagrams_in;
    uint64_t lost = totals_of(sim).lost[LAB_LOST_NOBODY];
    lab_sim_at(sim, lab_sim_elapsed_ns(sim) + 1, forge, &mute, 1);
    run_for(sim, 1);
    assert_true(sim->host[1].datagrams_in > in);
    assert_int_equal(totals_of(sim).stats.drop[HSAY_DROP_VERSION], 1);
    assert_int_equal(totals_of(sim).lost[LAB_LOST_NOBODY], lost + 1);
    lab_sim_free(sim);
}

static bool refuse(void *self, struct lab_shard *shard, uint32_t host,
                   const struct hsay_letter *letter)
{
    (void)shard, (void)letter;
    return host != *(uint32_t *)self;
}

/* An observer that lets nothing of a host through. */
static void a_gag(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(6);
    uint32_t gagged = 3;
    struct lab_sim *sim = lab_sim_new(&config);
    lab_sim_observe(sim, &(struct lab_observer){.self = &gagged, .on_send = refuse});
    start_all(sim);
    run_for(sim, 20);
    publish(sim, 3, "mmh");
    publish(sim, 2, "what?");
    run_for(sim, 60);
    assert_int_equal(sim->host[3].datagrams_in, 0); /* nobody has heard of it */
    assert_int_equal(count_of(sim, 3), 1);
    assert_int_equal(count_of(sim, 1), 1);
    lab_sim_free(sim);
}

/* ---- deeds --------------------------------------------------------------------------------- */

struct diary {
    uint64_t number[16], at_ns[16];
    unsigned count;
};

static void note(struct lab_sim *sim, void *self, uint64_t number)
{
    struct diary *diary = self;
    diary->at_ns[diary->count] = lab_sim_elapsed_ns(sim);
    diary->number[diary->count++] = number;
    if (number == 2) { /* while it happens: at once, and behind those that wait for this moment */
        lab_sim_at(sim, 0, note, self, 20);
        lab_sim_at(sim, 5 * S, note, self, 21);
    }
    if (number == 9)
        lab_sim_stop(sim);
}

static void deeds_in_order(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(3);
    struct lab_sim *sim = started(&config);
    struct diary diary = {.count = 0};
    static const uint64_t when[] = {7, 3, 5, 5, 3, 40};
    for (uint64_t i = 0; i < 6; i++)
        lab_sim_at(sim, when[i] * S, note, &diary, i);
    lab_sim_run_until(sim, 5 * S);
    lab_sim_run_until(sim, 10 * S);
    static const uint64_t number[] = {1, 4, 2, 3, 20, 21, 0}, at[] = {3, 3, 5, 5, 5, 5, 7};
    assert_int_equal(diary.count, 7);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(diary.number[i], number[i]);
        assert_int_equal(diary.at_ns[i], at[i] * S);
    }
    assert_int_equal(lab_sim_elapsed_ns(sim), 10 * S);
    lab_sim_at(sim, 12 * S, note, &diary, 9);
    lab_sim_run_until(sim, 30 * S);
    assert_int_equal(lab_sim_elapsed_ns(sim), 12 * S);
    lab_sim_run_until(sim, 30 * S); /* is over */
    assert_int_equal(lab_sim_elapsed_ns(sim), 12 * S);
    lab_sim_free(sim);
}

/* Each for itself: a stop on the way changes nothing for who goes on from there. */
static void stops_on_the_way(void **state)
{
    (void)state;
    uint64_t digest[2];
    for (unsigned k = 0; k < 2; k++) {
        struct lab_sim_config config = config_of(10);
        struct lab_sim *sim = started(&config);
        for (uint64_t ms = 37; k == 1 && ms < 40000; ms += 37)
            lab_sim_run_until(sim, ms * LAB_NS_PER_MS);
        lab_sim_run_until(sim, 40 * S);
        digest[k] = lab_sim_digest(sim);
        lab_sim_free(sim);
    }
    assert_int_equal(digest[0], digest[1]);
}

/* ---- who is there -------------------------------------------------------------------------- */

struct lives {
    unsigned on[8], off[8];
};

static void count_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct lives *lives = self;
    assert_true(lab_host_is_online(&sim->host[host])); /* after it came, before it goes */
    (online ? lives->on : lives->off)[host]++;
}

static void anybody(void **state)
{
    (void)state;
    struct lab_sim_config config = config_of(8);
    struct lives lives = {.on = {0}};
    struct lab_sim *sim = lab_sim_new(&config);
    struct lab_chance chance = lab_chance_stream(1, LAB_CHANCE_SCENARIO, 1);
    lab_sim_observe(sim, &(struct lab_observer){.self = &lives, .on_life = count_life});
    assert_int_equal(lab_sim_any(sim, &chance), LAB_NOBODY);
    start_all(sim);
    for (uint32_t i = 0; i < 8; i += 2)
        lab_host_stop(sim, i);
    unsigned seen[8] = {0};
    for (unsigned i = 0; i < 400; i++)
        seen[lab_sim_any(sim, &chance)]++;
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(lives.on[i], 1);
        assert_int_equal(lives.off[i], i % 2 == 0);
        assert_true(i % 2 == 0 ? seen[i] == 0 : seen[i] > 60);
    }
    lab_sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_reaches_all),
        cmocka_unit_test(who_comes_back),
        cmocka_unit_test(what_it_missed),
        cmocka_unit_test(the_book_leads_back),
        cmocka_unit_test(nothing_crosses_a_partition),
        cmocka_unit_test(a_home_divided),
        cmocka_unit_test(a_one_way_cut),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(links_change),
        cmocka_unit_test(hosts_of_one_home),
        cmocka_unit_test(neighbours_at_home),
        cmocka_unit_test(hairpin),
        cmocka_unit_test(carriers),
        cmocka_unit_test(a_crash_costs_what_was_not_committed),
        cmocka_unit_test(a_crash_while_publishing),
        cmocka_unit_test(a_clock_that_jumps),
        cmocka_unit_test(a_store_with_a_bound),
        cmocka_unit_test(strangers),
        cmocka_unit_test(a_gag),
        cmocka_unit_test(deeds_in_order),
        cmocka_unit_test(stops_on_the_way),
        cmocka_unit_test(anybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
