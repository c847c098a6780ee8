/* Goal: a NAT box does what RFC 4787 says of its kind: which port, who may send back, how long; and
 * two of them in a row are two of them in a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/sim/nat_box.h"

#define S     UINT64_C(1000000000)
#define START S

struct rig {
    struct lab_nat_kind kind;
    struct lab_nat_box box;
    struct lab_chance chance;
    uint64_t now_ns;
    struct hsay_addr as, inside; /* what the last call answered */
};

static struct hsay_addr addr(const char *text)
{
    struct hsay_addr a;
    assert_int_equal(hsay_addr_parse(&a, text), 0);
    return a;
}

static void open_box(struct rig *r, const char *host)
{
    struct hsay_addr at = addr(host);
    lab_nat_box_init(&r->box, &r->kind, &at);
}

/* The kind may be changed before open_box. */
static void rig_init(struct rig *r, const char *kind)
{
    *r = (struct rig){.chance = lab_chance_stream(7, LAB_CHANCE_NAT, 1), .now_ns = START};
    r->kind = *lab_nat_kind_find(kind);
}

static void rig_open(struct rig *r, const char *kind)
{
    rig_init(r, kind);
    open_box(r, "198.51.100.1:1");
}

/* The outside port as which it leaves; 0: dropped. */
static uint16_t out(struct rig *r, const char *inside, const char *to)
{
    struct hsay_addr a = addr(inside), b = addr(to);
    if (!lab_nat_out(&r->box, &r->chance, r->now_ns, &a, &b, &r->as))
        return 0;
    assert_true(hsay_addr_same_host(&r->as, &r->box.host));
    return r->as.port;
}

/* The inside socket's port; 0: dropped. */
static uint16_t in(struct rig *r, const char *from, uint16_t port)
{
    struct hsay_addr a = addr(from), b = r->box.host;
    b.port = port;
    return lab_nat_in(&r->box, r->now_ns, &a, &b, &r->inside) ? r->inside.port : 0;
}

static void assert_addr(const struct hsay_addr *a, const char *text)
{
    char is[HSAY_ADDR_TEXT_BYTES];
    hsay_addr_format(is, sizeof is, a);
    assert_string_equal(is, text);
}

/* --- mapping and filtering ------------------------------------------------------------------- */

/* One socket has sent to peer A.  Does it leave by the same port to A's other port and to B?  And
 * through the port by which it sent to A, is it reached by A's other port, and by B? */
struct behaviour {
    const char *kind;
    bool same_port_to_a2, same_port_to_b;
    bool reached_by_a2, reached_by_b;
};

static const struct behaviour table[] = {
    {"EIM-EIF", true, true, true, true},
    {"EIM-ADF", true, true, true, false},
    {"EIM-APDF", true, true, false, false},
    {"ADM-EIF", true, false, true, true},
    {"ADM-ADF", true, false, true, false},
    {"ADM-APDF", true, false, false, false},
    {"APDM-EIF", false, false, true, true},
    {"APDM-ADF", false, false, true, false},
    {"APDM-APDF", false, false, false, false},
    {"full_cone", true, true, true, true},
    {"address_restricted", true, true, true, false},
    {"port_restricted", true, true, false, false},
    {"symmetric", false, false, false, false},
    {"symmetric_sequential", false, false, false, false},
};

#define ME "192.168.1.2:6421"
#define A1 "203.0.113.1:1000"
#define A2 "203.0.113.1:2000"
#define B1 "203.0.113.2:1000"

static void check_filter(const struct behaviour *is)
{
    struct rig r;
    rig_open(&r, is->kind);
    assert_int_equal(in(&r, A1, 6421), 0); /* nothing was sent yet */
    uint16_t port = out(&r, ME, A1);
    assert_int_not_equal(port, 0);
    assert_int_equal(in(&r, A1, port), 6421);
    assert_addr(&r.inside, ME);
    assert_int_equal(in(&r, A2, port) != 0, is->reached_by_a2);
    assert_int_equal(in(&r, B1, port) != 0, is->reached_by_b);
    assert_int_equal(in(&r, A1, (uint16_t)(port + 1)), 0);
    lab_nat_box_free(&r.box);
}

static void check_mapping(const struct behaviour *is)
{
    struct rig r;
    rig_open(&r, is->kind);
    uint16_t port = out(&r, ME, A1);
    assert_int_equal(out(&r, ME, A1), port);
    assert_int_equal(out(&r, ME, A2) == port, is->same_port_to_a2);
    assert_int_equal(out(&r, ME, B1) == port, is->same_port_to_b);
    assert_int_not_equal(out(&r, "192.168.1.3:6421", A1), port);
    assert_int_equal(out(&r, ME, A1), port); /* still */
    lab_nat_box_free(&r.box);
}

/* Once it has sent to B, too, B comes in by the port by which that went. */
static void check_second(const struct behaviour *is)
{
    struct rig r;
    rig_open(&r, is->kind);
    uint16_t first = out(&r, ME, A1), second = out(&r, ME, B1);
    assert_int_equal(in(&r, B1, second), 6421);
    assert_int_equal(in(&r, A1, first), 6421);
    assert_int_equal(in(&r, B1, first) != 0, is->same_port_to_b || is->reached_by_b);
    uint16_t third = out(&r, ME, A2);
    assert_int_equal(in(&r, A2, third), 6421);
    assert_int_equal(in(&r, A2, first) != 0, is->same_port_to_a2 || is->reached_by_a2);
    if (r.kind.filtering <= r.kind.mapping) /* a mapping says it all: no memory for filters */
        assert_int_equal(r.box.filter.count, 0);
    lab_nat_box_free(&r.box);
}

static void each_kind_maps_and_filters_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        print_message("%s\n", table[i].kind);
        check_mapping(&table[i]);
        check_filter(&table[i]);
        check_second(&table[i]);
    }
}

static void a_blocked_box_lets_nothing_through(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "blocked");
    assert_int_equal(out(&r, ME, A1), 0);
    assert_int_equal(in(&r, A1, 6421), 0);
    lab_nat_box_free(&r.box);
}

static void only_its_own_address_and_family_reach_a_box(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "full_cone");
    uint16_t port = out(&r, ME, A1);
    struct hsay_addr from = addr(A1), other = addr("198.51.100.2:6421");
    other.port = port;
    assert_false(lab_nat_in(&r.box, r.now_ns, &from, &other, &r.inside));
    struct hsay_addr six = addr("[2001:db8::1]:6421"), me = addr(ME);
    assert_false(lab_nat_out(&r.box, &r.chance, r.now_ns, &me, &six, &r.as));
    assert_false(lab_nat_out(&r.box, &r.chance, r.now_ns, &six, &from, &r.as));
    lab_nat_box_free(&r.box);
}

/* --- ports ----------------------------------------------------------------------------------- */

static void ports_are_kept_while_they_are_free(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "port_restricted");
    assert_int_equal(out(&r, "192.168.1.2:6421", A1), 6421);
    assert_int_equal(out(&r, "192.168.1.3:6421", A1), 6422);
    assert_int_equal(out(&r, "192.168.1.4:6422", A1), 6423);
    assert_int_equal(in(&r, A1, 6421), 6421);
    assert_addr(&r.inside, "192.168.1.2:6421");
    in(&r, A1, 6422);
    assert_addr(&r.inside, "192.168.1.3:6421");
    r.now_ns += 59 * S;
    assert_int_equal(out(&r, "192.168.1.3:6421", A1), 6422);
    r.now_ns += S; /* the first is gone, so its port is free */
    assert_int_equal(out(&r, "192.168.1.5:6421", A1), 6421);
    assert_int_equal(out(&r, "192.168.1.3:6421", A1), 6422);
    lab_nat_box_free(&r.box);
}

static void ports_stay_in_the_box_s_range(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, "full_cone");
    r.kind.port_low = 5000;
    r.kind.port_high = 5009;
    open_box(&r, "198.51.100.1:1");
    assert_int_equal(out(&r, "10.0.0.1:5009", A1), 5009);
    assert_int_equal(out(&r, "10.0.0.2:5009", A1), 5000); /* round the end */
    assert_int_equal(out(&r, "10.0.0.3:6421", A1), 5001);
    assert_int_equal(out(&r, "10.0.0.4:5000", A1), 5002);
    lab_nat_box_free(&r.box);
}

static void sequential_ports_go_in_steps(void **state)
{
    (void)state;
    static const int steps[] = {1, 2, 7, -1};
    for (size_t k = 0; k < 4; k++) {
        struct rig r;
        rig_init(&r, "symmetric_sequential");
        r.kind.port_step = (int16_t)steps[k];
        open_box(&r, "198.51.100.1:1");
        int port = out(&r, ME, A1);
        assert_int_equal(out(&r, ME, A2), port + steps[k]);
        assert_int_equal(out(&r, ME, A1), port);
        assert_int_equal(out(&r, ME, B1), port + 2 * steps[k]);
        lab_nat_box_free(&r.box);
    }
}

/* A step of 2 in a range of 10 finds 5 ports; the others are found, too. */
static void sequential_ports_find_every_free_one(void **state)
{
    (void)state;
    struct rig r;
    bool seen[10] = {false};
    rig_init(&r, "symmetric_sequential");
    r.kind.port_step = 2;
    r.kind.port_low = 5000;
    r.kind.port_high = 5009;
    r.kind.refuse_new = true;
    open_box(&r, "198.51.100.1:1");
    for (unsigned i = 0; i < 10; i++) {
        char to[32];
        snprintf(to, sizeof to, "203.0.113.1:%u", 1000 + i);
        uint16_t port = out(&r, ME, to);
        assert_in_range(port, 5000, 5009);
        assert_false(seen[port - 5000]);
        seen[port - 5000] = true;
    }
    assert_int_equal(out(&r, ME, B1), 0); /* all are taken */
    lab_nat_box_free(&r.box);
}

static void random_ports_are_all_over_the_range(void **state)
{
    (void)state;
    struct rig r;
    unsigned quarter[4] = {0};
    rig_open(&r, "symmetric");
    for (unsigned i = 0; i < 2000; i++) {
        char to[32];
        snprintf(to, sizeof to, "203.0.113.1:%u", 1000 + i);
        uint16_t port = out(&r, ME, to);
        assert_in_range(port, 1024, 65535);
        quarter[(port - 1024) / 16128]++;
    }
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(quarter[i], 420, 580);
    lab_nat_box_free(&r.box);
}

/* --- timers ---------------------------------------------------------------------------------- */

static void a_mapping_lives_from_the_last_packet_out(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "symmetric");
    uint16_t port = out(&r, ME, A1);
    r.now_ns += 60 * S - 1;
    assert_int_equal(in(&r, A1, port), 6421); /* which refreshes nothing */
    assert_int_equal(out(&r, ME, A1), port);
    r.now_ns += 60 * S - 1;
    assert_int_equal(in(&r, A1, port), 6421);
    r.now_ns += 1;
    assert_int_equal(in(&r, A1, port), 0);
    assert_int_equal(r.box.mapping.count, 0);
    assert_int_not_equal(out(&r, ME, A1), port);
    lab_nat_box_free(&r.box);
}

static void packets_in_refresh_where_the_kind_says_so(void **state)
{
    (void)state;
    for (int refreshes = 0; refreshes < 2; refreshes++) {
        struct rig r;
        rig_init(&r, "port_restricted");
        r.kind.refresh_in = refreshes != 0;
        open_box(&r, "198.51.100.1:1");
        uint16_t port = out(&r, ME, A1);
        for (int i = 0; i < 5; i++) {
            r.now_ns += 40 * S;
            assert_int_equal(in(&r, A1, port) != 0, i == 0 || refreshes != 0);
        }
        assert_int_equal(in(&r, B1, port), 0); /* a stranger's refresh nothing */
        lab_nat_box_free(&r.box);
    }
}

/* Each destination has a timer of its own; the mapping has that of the last of them. */
static void a_filter_dies_before_its_mapping(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "port_restricted");
    uint16_t port = out(&r, ME, A1);
    r.now_ns += 30 * S;
    assert_int_equal(out(&r, ME, B1), port);
    r.now_ns += 30 * S;
    assert_int_equal(in(&r, A1, port), 0);
    assert_int_equal(in(&r, B1, port), 6421);
    r.now_ns += 30 * S;
    assert_int_equal(in(&r, B1, port), 0);
    assert_int_equal(r.box.mapping.count + r.box.filter.count, 0);
    lab_nat_box_free(&r.box);
}

static void the_long_timer_is_for_those_that_talk(void **state)
{
    (void)state;
    static const char *const kinds[] = {"full_cone", "address_restricted", "port_restricted",
                                        "ADM-APDF", "symmetric"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct rig r;
        rig_init(&r, kinds[i]);
        r.kind.timeout_ns = 30 * S;
        r.kind.stream_ns = 180 * S;
        open_box(&r, "198.51.100.1:1");
        uint16_t port = out(&r, ME, A1);
        assert_int_equal(in(&r, A1, port), 6421);
        r.now_ns += 30 * S - 1; /* asked and answered: still the short one */
        assert_int_equal(out(&r, ME, A1), port);
        r.now_ns += 180 * S - 1;
        assert_int_equal(in(&r, A1, port), 6421);
        r.now_ns += 1;
        assert_int_equal(in(&r, A1, port), 0);
        port = out(&r, ME, A1);
        out(&r, ME, A1); /* twice out and nothing back */
        r.now_ns += 30 * S;
        assert_int_equal(in(&r, A1, port), 0);
        lab_nat_box_free(&r.box);
    }
}

static void a_reboot_forgets_all(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "address_restricted");
    uint16_t port = out(&r, ME, A1);
    assert_true(lab_nat_box_bytes(&r.box) > 0);
    lab_nat_flush(&r.box);
    assert_int_equal(lab_nat_box_bytes(&r.box), 0);
    assert_int_equal(in(&r, A1, port), 0);
    assert_int_equal(out(&r, ME, A1), port);
    assert_int_equal(in(&r, A1, port), 6421);
    lab_nat_box_free(&r.box);
}

/* --- hairpin --------------------------------------------------------------------------------- */

static void a_hairpin_shows_the_outside_address(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, "full_cone");
    r.kind.hairpin = true;
    open_box(&r, "198.51.100.1:1");
    struct hsay_addr me = addr(ME), own = addr("198.51.100.1:6421"), out_of = addr(A1);
    assert_int_equal(out(&r, "192.168.1.3:6421", A1), 6421);
    assert_true(lab_nat_is_own(&r.box, &own));
    assert_false(lab_nat_is_own(&r.box, &out_of));
    assert_true(lab_nat_hairpin(&r.box, &r.chance, r.now_ns, &me, &own, &r.as, &r.inside));
    assert_addr(&r.as, "198.51.100.1:6422");
    assert_addr(&r.inside, "192.168.1.3:6421");
    r.kind.hairpin = false;
    assert_false(lab_nat_hairpin(&r.box, &r.chance, r.now_ns, &me, &own, &r.as, &r.inside));
    lab_nat_box_free(&r.box);
}

/* Each must have sent to the other's outside address first, as with anybody. */
static void a_hairpin_is_filtered(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, "port_restricted");
    r.kind.hairpin = true;
    open_box(&r, "198.51.100.1:1");
    struct hsay_addr a = addr("192.168.1.2:5000"), b = addr("192.168.1.3:6000");
    struct hsay_addr a_out = addr("198.51.100.1:5000"), b_out = addr("198.51.100.1:6000");
    out(&r, "192.168.1.3:6000", A1);
    assert_false(lab_nat_hairpin(&r.box, &r.chance, r.now_ns, &a, &b_out, &r.as, &r.inside));
    assert_true(lab_nat_hairpin(&r.box, &r.chance, r.now_ns, &b, &a_out, &r.as, &r.inside));
    assert_addr(&r.inside, "192.168.1.2:5000");
    assert_true(lab_nat_hairpin(&r.box, &r.chance, r.now_ns, &a, &b_out, &r.as, &r.inside));
    lab_nat_box_free(&r.box);
}

/* --- a table that is full -------------------------------------------------------------------- */

static void a_full_table_drops_the_mapping_not_used_longest(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, "symmetric");
    r.kind.mappings_max = 3;
    open_box(&r, "198.51.100.1:1");
    uint16_t a1 = out(&r, ME, A1), a2, b1;
    r.now_ns += S;
    a2 = out(&r, ME, A2);
    r.now_ns += S;
    b1 = out(&r, ME, B1);
    r.now_ns += S;
    assert_int_equal(out(&r, ME, A1), a1); /* so A2 is the oldest */
    assert_int_not_equal(out(&r, ME, "203.0.113.9:9"), 0);
    assert_int_equal(r.box.mapping.count, 3);
    assert_int_equal(in(&r, A2, a2), 0);
    assert_int_equal(in(&r, A1, a1), 6421);
    assert_int_equal(in(&r, B1, b1), 6421);
    lab_nat_box_free(&r.box);
}

static void a_stream_goes_as_others_do_if_it_is_older(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, "symmetric");
    r.kind.stream_ns = 180 * S;
    r.kind.mappings_max = 2;
    open_box(&r, "198.51.100.1:1");
    uint16_t stream = out(&r, ME, A1);
    in(&r, A1, stream);
    out(&r, ME, A1);
    r.now_ns += S;
    uint16_t asked = out(&r, ME, A2);
    out(&r, ME, B1);
    assert_int_equal(in(&r, A1, stream), 0);
    assert_int_equal(in(&r, A2, asked), 6421);
    lab_nat_box_free(&r.box);
}

static void a_full_table_may_refuse_until_one_is_old(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, "symmetric");
    r.kind.mappings_max = 2;
    r.kind.refuse_new = true;
    open_box(&r, "198.51.100.1:1");
    uint16_t a1 = out(&r, ME, A1);
    r.now_ns += S;
    out(&r, ME, A2);
    assert_int_equal(out(&r, ME, B1), 0);
    assert_int_equal(out(&r, ME, A1), a1); /* those that are there go on */
    r.now_ns += 59 * S;
    assert_int_equal(out(&r, ME, B1), 0);
    r.now_ns += S;
    assert_int_not_equal(out(&r, ME, B1), 0);
    lab_nat_box_free(&r.box);
}

static void the_oldest_filter_makes_room(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, "port_restricted");
    r.kind.filters_max = 2;
    open_box(&r, "198.51.100.1:1");
    uint16_t port = out(&r, ME, A1);
    out(&r, ME, A2);
    out(&r, ME, A1);
    out(&r, ME, B1);
    assert_int_equal(in(&r, A2, port), 0);
    assert_int_equal(in(&r, A1, port), 6421);
    assert_int_equal(in(&r, B1, port), 6421);
    assert_int_equal(r.box.filter.count, 2);
    lab_nat_box_free(&r.box);
}

/* Socket i of the many behind a carrier's box. */
static struct hsay_addr inside_number(unsigned i)
{
    struct hsay_addr a = {.kind = HSAY_ADDR_IP4, .port = (uint16_t)(6000 + i % 7)};
    a.byte[0] = 100;
    a.byte[1] = 64;
    a.byte[2] = (uint8_t)(i >> 8);
    a.byte[3] = (uint8_t)i;
    return a;
}

/* Every port of a box is in use, by as many sockets, and each is found by its own. */
static void a_carrier_s_box_serves_as_many_as_it_has_ports(void **state)
{
    (void)state;
    enum { MANY = 64512 };
    static uint16_t port_of[MANY];
    struct rig r;
    rig_init(&r, "EIM-ADF");
    r.kind.mappings_max = 65535;
    r.kind.filters_max = 65535;
    r.kind.refuse_new = true;
    open_box(&r, "198.51.100.1:1");
    struct hsay_addr to = addr(A1), back = r.box.host;
    for (unsigned i = 0; i < MANY; i++) {
        struct hsay_addr me = inside_number(i);
        assert_true(lab_nat_out(&r.box, &r.chance, r.now_ns, &me, &to, &r.as));
        port_of[i] = r.as.port;
        r.now_ns += 1000;
    }
    assert_int_equal(out(&r, ME, A1), 0);
    for (unsigned i = 0; i < MANY; i++) {
        struct hsay_addr me = inside_number(i);
        back.port = port_of[i];
        assert_true(lab_nat_in(&r.box, r.now_ns, &to, &back, &r.inside));
        assert_true(hsay_addr_equal(&r.inside, &me));
    }
    r.now_ns += 60 * S;
    assert_int_equal(out(&r, ME, A1), 6421);
    assert_int_equal(r.box.mapping.count, 1);
    lab_nat_box_free(&r.box);
}

/* --- against a slow and simple box ----------------------------------------------------------- */

/* All that a box needs to know, in a list that is searched from end to end. */
struct slow_entry {
    unsigned me, peer, peer_port;
    uint16_t port;
    uint64_t used_ns;
};
struct slow {
    struct slow_entry entry[4000];
    size_t count;
};

/* Under these rules: does an entry for (peer, port) count for this one? */
static bool slow_counts(unsigned rule, const struct slow_entry *e, unsigned peer, unsigned port)
{
    return rule == 0 || (e->peer == peer && (rule == 1 || e->peer_port == port));
}

static uint16_t slow_port(const struct slow *slow, const struct rig *r, const struct slow_entry *q)
{
    for (size_t i = 0; i < slow->count; i++) {
        const struct slow_entry *e = &slow->entry[i];
        if (e->me == q->me && slow_counts(r->kind.mapping, e, q->peer, q->peer_port) &&
            r->now_ns - e->used_ns < r->kind.timeout_ns)
            return e->port;
    }
    return 0;
}

static unsigned slow_in(const struct slow *slow, const struct rig *r, const struct slow_entry *q)
{
    for (size_t i = 0; i < slow->count; i++) {
        const struct slow_entry *e = &slow->entry[i];
        if (e->port == q->port && slow_counts(r->kind.filtering, e, q->peer, q->peer_port) &&
            r->now_ns - e->used_ns < r->kind.timeout_ns)
            return e->me + 1;
    }
    return 0;
}

static void slow_out(struct slow *slow, const struct slow_entry *q)
{
    for (size_t i = 0; i < slow->count; i++) {
        struct slow_entry *e = &slow->entry[i];
        if (e->me == q->me && e->peer == q->peer && e->peer_port == q->peer_port) {
            e->port = q->port;
            e->used_ns = q->used_ns;
            return;
        }
    }
    assert_true(slow->count < sizeof slow->entry / sizeof *slow->entry);
    slow->entry[slow->count++] = *q;
}

static struct hsay_addr peer_addr(unsigned peer, unsigned port)
{
    struct hsay_addr a = {.kind = HSAY_ADDR_IP4, .port = (uint16_t)(7000 + port)};
    a.byte[0] = 203;
    a.byte[3] = (uint8_t)peer;
    return a;
}

static void random_step(struct rig *r, struct slow *slow)
{
    struct slow_entry q = {.me = (unsigned)lab_chance_below(&r->chance, 12),
                           .peer = (unsigned)lab_chance_below(&r->chance, 8),
                           .peer_port = (unsigned)lab_chance_below(&r->chance, 3),
                           .used_ns = r->now_ns};
    struct hsay_addr me = inside_number(q.me), peer = peer_addr(q.peer, q.peer_port);
    if (lab_chance_below(&r->chance, 2) == 0) {
        uint16_t port = slow_port(slow, r, &q);
        struct hsay_addr may;
        assert_true(lab_nat_may_out(&r->box, r->now_ns, &me, &peer, &may));
        assert_true(lab_nat_out(&r->box, &r->chance, r->now_ns, &me, &peer, &r->as));
        assert_true(port == 0 || port == r->as.port);
        assert_true(may.port == 0 ? port == 0 : may.port == r->as.port);
        q.port = r->as.port;
        slow_out(slow, &q);
        return;
    }
    struct hsay_addr to = r->box.host;
    if (slow->count != 0)
        q.port = slow->entry[lab_chance_below(&r->chance, slow->count)].port;
    to.port = q.port;
    unsigned who = slow_in(slow, r, &q);
    assert_int_equal(lab_nat_may_in(&r->box, r->now_ns, &peer, &to, &me), who != 0);
    bool passed = lab_nat_in(&r->box, r->now_ns, &peer, &to, &r->inside);
    assert_int_equal(passed, who != 0);
    if (passed) {
        me = inside_number(who - 1);
        assert_true(hsay_addr_equal(&r->inside, &me));
    }
}

static void every_kind_agrees_with_a_slow_and_simple_one(void **state)
{
    (void)state;
    static struct slow slow;
    for (unsigned k = 0; k < 27; k++) {
        struct rig r;
        rig_init(&r, "full_cone");
        r.kind.mapping = (uint8_t)(k % 3);
        r.kind.filtering = (uint8_t)(k / 3 % 3);
        r.kind.ports = (uint8_t)(k / 9);
        r.kind.port_high = 1024 + 399;
        open_box(&r, "198.51.100.1:1");
        slow.count = 0;
        for (unsigned i = 0; i < 4000; i++) {
            random_step(&r, &slow);
            r.now_ns += lab_chance_below(&r.chance, 2 * S);
        }
        lab_nat_box_free(&r.box);
    }
}

/* --- boxes in a row -------------------------------------------------------------------------- */

struct nested {
    struct rig home, carrier;
};

static void nested_open(struct nested *n, const char *home, const char *carrier)
{
    rig_init(&n->home, home);
    rig_init(&n->carrier, carrier);
    open_box(&n->home, "100.64.0.5:1");
    open_box(&n->carrier, "198.51.100.1:1");
}

static struct hsay_addr nested_out(struct nested *n, const char *to)
{
    struct hsay_addr me = addr(ME), peer = addr(to), between, as;
    assert_true(lab_nat_out(&n->home.box, &n->home.chance, n->home.now_ns, &me, &peer, &between));
    assert_true(
        lab_nat_out(&n->carrier.box, &n->carrier.chance, n->home.now_ns, &between, &peer, &as));
    return as;
}

static bool nested_in(struct nested *n, const char *from, const struct hsay_addr *to)
{
    struct hsay_addr peer = addr(from), between, inside;
    if (!lab_nat_in(&n->carrier.box, n->home.now_ns, &peer, to, &between) ||
        !lab_nat_in(&n->home.box, n->home.now_ns, &peer, &between, &inside))
        return false;
    assert_addr(&inside, ME);
    return true;
}

static void nested_free(struct nested *n)
{
    lab_nat_box_free(&n->home.box);
    lab_nat_box_free(&n->carrier.box);
}

/* Whoever is seen from outside has the stricter one of each rule. */
static void two_boxes_are_as_strict_as_the_stricter(void **state)
{
    (void)state;
    for (size_t i = 0; i < 9; i++)
        for (size_t j = 0; j < 9; j++) {
            struct nested n;
            nested_open(&n, table[i].kind, table[j].kind);
            struct hsay_addr first = nested_out(&n, A1);
            assert_true(hsay_addr_same_host(&first, &n.carrier.box.host));
            assert_true(nested_in(&n, A1, &first));
            assert_int_equal(nested_in(&n, A2, &first),
                             table[i].reached_by_a2 && table[j].reached_by_a2);
            assert_int_equal(nested_in(&n, B1, &first),
                             table[i].reached_by_b && table[j].reached_by_b);
            struct hsay_addr second = nested_out(&n, B1);
            assert_int_equal(second.port == first.port,
                             table[i].same_port_to_b && table[j].same_port_to_b);
            nested_free(&n);
        }
}

static void the_shorter_timer_of_two_boxes_counts(void **state)
{
    (void)state;
    struct nested n;
    nested_open(&n, "full_cone", "full_cone");
    n.carrier.kind.timeout_ns = 10 * S;
    struct hsay_addr as = nested_out(&n, A1);
    n.home.now_ns += 10 * S - 1;
    assert_true(nested_in(&n, A1, &as));
    n.home.now_ns += 1;
    assert_false(nested_in(&n, A1, &as));
    assert_int_equal(n.home.box.mapping.count, 1);
    nested_free(&n);
}

/* --- names and print ------------------------------------------------------------------------- */

/* Two destinations at one host, and one elsewhere; and who came without being asked. */
static void flows_are_counted_as_far_as_a_kind_tells_them_apart(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        bool flows;
        unsigned sent, came;
    } known[] = {{"full_cone", false, 1, 1},          {"full_cone", true, 3, 4},
                 {"address_restricted", false, 2, 2}, {"address_restricted", true, 3, 3},
                 {"port_restricted", false, 3, 3},    {"symmetric", false, 3, 3}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct rig r;
        rig_init(&r, known[i].kind);
        r.kind.flows = known[i].flows;
        open_box(&r, "198.51.100.1:1");
        assert_int_equal(lab_nat_flows(&r.box, r.now_ns), 0);
        out(&r, ME, B1);
        out(&r, ME, A2);
        uint16_t port = out(&r, ME, A1);
        assert_int_equal(lab_nat_flows(&r.box, r.now_ns), known[i].sent);
        in(&r, "203.0.113.77:1000", port);
        assert_int_equal(lab_nat_flows(&r.box, r.now_ns), known[i].came);
        assert_int_equal(lab_nat_flows(&r.box, r.now_ns + 60 * S), 0);
        lab_nat_box_free(&r.box);
    }
}

static void kinds_are_found_by_name(void **state)
{
    (void)state;
    unsigned count = 0;
    for (const struct lab_nat_kind *kind; (kind = lab_nat_kind_number(count)) != NULL; count++)
        assert_ptr_equal(lab_nat_kind_find(kind->name), kind);
    assert_int_equal(count, 16);
    assert_null(lab_nat_kind_find("cone"));
    assert_true(lab_nat_kind_find("open")->open);
}

static void what_a_box_does_can_be_read(void **state)
{
    (void)state;
    struct rig r;
    char text[2000] = "";
    rig_open(&r, "port_restricted");
    uint16_t port = out(&r, ME, A1);
    out(&r, ME, B1);
    in(&r, B1, port);
    r.now_ns += 5 * S;
    FILE *file = fmemopen(text, sizeof text - 1, "w");
    lab_nat_kind_print(file, &r.kind);
    lab_nat_kind_print(file, lab_nat_kind_find("blocked"));
    lab_nat_box_print(file, &r.box, r.now_ns);
    fclose(file);
    assert_non_null(
        strstr(text, "port_restricted: EIM-APDF, ports kept (1024-65535, step 1), 60 s"));
    assert_non_null(strstr(text, "blocked: no UDP passes\n"));
    assert_non_null(strstr(text, "1 mappings, 2 filters"));
    assert_non_null(
        strstr(text, "192.168.1.2:6421 to any, answered, used 5.000 s ago, port 6421\n"));
    assert_non_null(strstr(text, "filter  192.168.1.2:6421 to 203.0.113.1:1000, asked"));
    lab_nat_box_free(&r.box);
}

/* A peer of Hearsay has a socket and some dozens of destinations within a timer. */
static void a_home_box_is_small(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "port_restricted");
    for (unsigned i = 0; i < 32; i++) {
        char to[32];
        snprintf(to, sizeof to, "203.0.113.%u:1000", i);
        out(&r, ME, to);
    }
    assert_true(lab_nat_box_bytes(&r.box) <= 32 * 34 + 4 * 36);
    lab_nat_box_free(&r.box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_maps_and_filters_as_the_table_says),
        cmocka_unit_test(a_blocked_box_lets_nothing_through),
        cmocka_unit_test(only_its_own_address_and_family_reach_a_box),
        cmocka_unit_test(ports_are_kept_while_they_are_free),
        cmocka_unit_test(ports_stay_in_the_box_s_range),
        cmocka_unit_test(sequential_ports_go_in_steps),
        cmocka_unit_test(sequential_ports_find_every_free_one),
        cmocka_unit_test(random_ports_are_all_over_the_range),
        cmocka_unit_test(a_mapping_lives_from_the_last_packet_out),
        cmocka_unit_test(packets_in_refresh_where_the_kind_says_so),
        cmocka_unit_test(a_filter_dies_before_its_mapping),
        cmocka_unit_test(the_long_timer_is_for_those_that_talk),
        cmocka_unit_test(a_reboot_forgets_all),
        cmocka_unit_test(a_hairpin_shows_the_outside_address),
        cmocka_unit_test(a_hairpin_is_filtered),
        cmocka_unit_test(a_full_table_drops_the_mapping_not_used_longest),
        cmocka_unit_test(a_stream_goes_as_others_do_if_it_is_older),
        cmocka_unit_test(a_full_table_may_refuse_until_one_is_old),
        cmocka_unit_test(the_oldest_filter_makes_room),
        cmocka_unit_test(a_carrier_s_box_serves_as_many_as_it_has_ports),
        cmocka_unit_test(every_kind_agrees_with_a_slow_and_simple_one),
        cmocka_unit_test(two_boxes_are_as_strict_as_the_stricter),
        cmocka_unit_test(the_shorter_timer_of_two_boxes_counts),
        cmocka_unit_test(flows_are_counted_as_far_as_a_kind_tells_them_apart),
        cmocka_unit_test(kinds_are_found_by_name),
        cmocka_unit_test(what_a_box_does_can_be_read),
        cmocka_unit_test(a_home_box_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
