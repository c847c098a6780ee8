/*
 * Goal: a flood from few networks gets few of our visits, whatever its pace and the number of its
 * addresses; where all honest peers are in one network, nothing is lost by counting networks; and
 * what many networks can do is known.
 *
 * One node against a world of 1,000 honest peers in 850 groups, of whom one asks us every five
 * seconds.  They answer to 70 % (the rest is churn and NATs) and introduce each other; the attacker
 * always answers, introduces his own alone, and asks as often as he likes, always with a good
 * token.
 */
#include "tests/unit/walk_fixture.h"

enum {
    HONEST = 1000,
    HONEST_GROUPS = 850,
    EVIL = 10000,
    EVIL_BASE = 10000, /* his first group and key */
    WARM_STEPS = 60,   /* five minutes, in which nothing is counted */
    STEPS = WARM_STEPS + 720,
    SEEDS = 4,
};

struct attack {
    const char *name;
    uint8_t policy;
    bool one_host;
    bool honest_in_one_group;
    bool trusted_down;
    uint32_t groups;
    uint32_t flood; /* requests per step */
    uint32_t answers_percent;
};

struct outcome {
    uint32_t visits;
    uint32_t evil;
    uint32_t first; /* steps until an honest one answered */
    uint32_t gap;   /* most steps between two honest answers */
    uint32_t met;   /* different honest ones that answered */
};

struct siege {
    struct world w;
    const struct attack *attack;
    struct outcome outcome;
    uint32_t step;
    uint32_t honest_step;
    bool met[HONEST];
};
static struct siege s;

static struct hsay_peer honest(uint32_t number)
{
    return peer_in(s.attack->honest_in_one_group ? 1 : number % HONEST_GROUPS, number + 1);
}

static struct hsay_peer evil(void)
{
    uint32_t number = (uint32_t)world_below(&s.w, EVIL);
    struct hsay_peer p = peer_in(EVIL_BASE + number % s.attack->groups, EVIL_BASE + number);

    if (s.attack->one_host) {
        p.addr = ip4(0x32000001, 0);
        p.addr.port = (uint16_t)(1024 + number);
    }
    return p;
}

static struct hsay_peer any_honest(void)
{
    return honest((uint32_t)world_below(&s.w, HONEST));
}

/* Both kinds have their networks; the attacker's lie higher. */
static bool is_evil(const struct hsay_addr *addr)
{
    return addr->byte[0] >= 50;
}

/* Who answers at an honest address, also to a question that did not name a key. */
static uint32_t honest_at(const struct hsay_addr *addr)
{
    return (uint32_t)(addr->byte[2] << 8 | addr->byte[3]) - 1;
}

static void begin(const struct attack *attack, uint64_t seed)
{
    memset(&s, 0, sizeof s);
    world_init(&s.w, seed);
    s.w.walk.policy = attack->policy;
    s.attack = attack;

    struct hsay_peer tracker = honest(0);
    hsay_candidate_on_named(&s.w.table, s.w.now, &tracker, HSAY_BUCKET_TRUSTED);
    for (uint32_t i = 1; i < TABLE_MAX; i++) {
        struct hsay_peer p = honest(100 + i);
        hsay_candidate_on_named(&s.w.table, s.w.now, &p, HSAY_BUCKET_BOOK);
    }
}

static void note_honest(uint32_t number)
{
    struct outcome *o = &s.outcome;

    o->met += !s.met[number];
    s.met[number] = true;
    if (s.honest_step == 0)
        o->first = s.step;
    if (s.step - s.honest_step > o->gap)
        o->gap = s.step - s.honest_step;
    s.honest_step = s.step;
}

static void visit(struct hsay_candidate *c)
{
    struct hsay_peer peer = {c->addr, c->key};
    bool evil_one = is_evil(&c->addr);
    bool is_up = !s.attack->trusted_down || (c->marks & HSAY_MARK_TRUSTED) == 0;

    if (s.step >= WARM_STEPS) {
        s.outcome.visits++;
        s.outcome.evil += evil_one;
    }
    hsay_candidate_on_asked(&s.w.table, c, s.w.now);
    if (!evil_one && (!is_up || world_below(&s.w, 100) >= s.attack->answers_percent)) {
        hsay_candidate_on_timeout(c);
        return;
    }
    if (!evil_one)
        peer = honest(honest_at(&c->addr));
    answer(&s.w, &peer);
    struct hsay_peer third = evil_one ? evil() : any_honest();
    introduce(&s.w, &third, &peer);
    if (!evil_one)
        note_honest(honest_at(&peer.addr));
}

static struct outcome run(const struct attack *attack, uint64_t seed)
{
    begin(attack, seed);
    for (s.step = 1; s.step <= STEPS; s.step++) {
        enum hsay_bucket bucket;

        for (uint32_t i = 0; i < attack->flood; i++) {
            struct hsay_peer p = evil();
            request(&s.w, &p);
        }
        struct hsay_peer p = any_honest();
        request(&s.w, &p);

        struct hsay_candidate *c =
            hsay_walk_visit(&s.w.walk, &s.w.table, s.w.now, &s.w.chance, &bucket);
        if (c != NULL)
            visit(c);
        world_pass(&s.w, HSAY_STEP_MS);
    }
    return s.outcome;
}

/* All seeds together; the first and the gap are the worst of them. */
static struct outcome run_all(const struct attack *attack)
{
    struct outcome all = {0};

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct outcome o = run(attack, seed);

        all.visits += o.visits;
        all.evil += o.evil;
        all.met += o.met;
        all.first = o.first > all.first ? o.first : all.first;
        all.gap = o.gap > all.gap ? o.gap : all.gap;
    }
    print_message("%s: %.1f %% of %u visits, honest first after %u s, then at most %u s apart\n",
                  attack->name, 100.0 * all.evil / all.visits, all.visits, all.first * 5,
                  all.gap * 5);
    return all;
}

static void four_networks_get_a_tenth_at_most(void **state)
{
    static const struct attack attacks[] = {
        {.name = "4 groups, in a hurry", .groups = 4, .flood = 10, .answers_percent = 70},
        {.name = "4 groups, at leisure", .groups = 4, .flood = 2, .answers_percent = 70},
        {.name = "4 groups, honest are up", .groups = 4, .flood = 2, .answers_percent = 95},
        {.name = "4 groups, tracker down",
         .groups = 4,
         .flood = 2,
         .answers_percent = 70,
         .trusted_down = true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        struct outcome o = run_all(&attacks[i]);

        assert_true(o.evil * 100 <= o.visits * 10);
        assert_true(o.gap <= 60);  /* an honest contact in any five minutes */
        assert_true(o.first <= 6); /* and in the first half minute after a start under siege */
    }
}

static void one_host_gets_a_fiftieth_at_most(void **state)
{
    static const struct attack attacks[] = {
        {.name = "1 host, in a hurry",
         .one_host = true,
         .groups = 1,
         .flood = 10,
         .answers_percent = 70},
        {.name = "1 host, at leisure",
         .one_host = true,
         .groups = 1,
         .flood = 2,
         .answers_percent = 70},
    };

    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        struct outcome o = run_all(&attacks[i]);

        assert_true(o.evil * 100 <= o.visits * 2);
    }
}

/* The other policies know no groups: the same attack succeeds, so the simulation can tell. */
static void the_old_policies_fall(void **state)
{
    static const struct attack attacks[] = {
        {.name = "4 groups against code2019",
         .policy = HSAY_POLICY_CODE2019,
         .groups = 4,
         .flood = 2,
         .answers_percent = 70},
        {.name = "4 groups against paper",
         .policy = HSAY_POLICY_PAPER,
         .groups = 4,
         .flood = 2,
         .answers_percent = 70},
    };

    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        struct outcome o = run_all(&attacks[i]);

        assert_true(o.evil * 100 > o.visits * 40);
    }
}

/* Nothing but a list of trusted peers helps against many networks.  These are the figures to
 * expect, with some slack, so that nobody makes them worse unknowingly. */
static void many_networks_get_what_is_known(void **state)
{
    static const struct attack up = {
        .name = "64 groups, honest are up", .groups = 64, .flood = 10, .answers_percent = 95};
    static const struct attack churn = {
        .name = "64 groups", .groups = 64, .flood = 10, .answers_percent = 70};

    (void)state;
    struct outcome o = run_all(&up);
    assert_true(o.evil * 100 <= o.visits * 25);
    o = run_all(&churn);
    assert_true(o.evil * 100 <= o.visits * 55);
}

/* How many different peers a node meets is what walking is for. */
static void one_network_of_honest_peers_costs_nothing(void **state)
{
    static const struct attack peace = {.name = "850 groups", .groups = 1, .answers_percent = 90};
    static const struct attack paper = {.name = "850 groups, paper",
                                        .policy = HSAY_POLICY_PAPER,
                                        .groups = 1,
                                        .answers_percent = 90};
    static const struct attack same = {
        .name = "1 group", .groups = 1, .answers_percent = 90, .honest_in_one_group = true};

    (void)state;
    uint32_t many = run_all(&peace).met, one = run_all(&same).met, old = run_all(&paper).met;
    print_message("met: %u, %u in one group, %u by the paper\n", many, one, old);
    assert_true(one * 100 >= many * 95);
    assert_true(many * 100 >= old * 97 && one * 100 >= old * 97);
}

static void the_same_seed_is_the_same_siege(void **state)
{
    static const struct attack attack = {.groups = 4, .flood = 5, .answers_percent = 70};

    (void)state;
    struct outcome first = run(&attack, 7), second = run(&attack, 7);
    assert_memory_equal(&first, &second, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_networks_get_a_tenth_at_most),
        cmocka_unit_test(one_host_gets_a_fiftieth_at_most),
        cmocka_unit_test(the_old_policies_fall),
        cmocka_unit_test(many_networks_get_what_is_known),
        cmocka_unit_test(one_network_of_honest_peers_costs_nothing),
        cmocka_unit_test(the_same_seed_is_the_same_siege),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
