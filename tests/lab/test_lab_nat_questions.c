/* Goal: the questions that kernels' boxes are asked before they are used find out what a simulated
 * box of each kind does, timers included; and find out when it does something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/lab/nat/sim_box.h"

enum { SEED = 5 };

static bool fits(const struct natlab_kind *kind, const struct lab_nat_kind *should, bool loud)
{
    struct natlab_probe probe = natlab_probe_thorough(should, NATLAB_TIMER_SHORT_S);
    struct natlab_seen seen;
    char words[NATLAB_VERDICT_BYTES];
    natlab_sim_box_look(&seen, kind, &probe, SEED);
    natlab_questions_words(words, &seen, &probe);
    if (loud)
        print_message("%s: %s\n", kind->name, words);
    return natlab_questions_fit(&seen, should, &probe);
}

static void each_kind_is_what_it_should_be(void **state)
{
    (void)state;
    const struct natlab_kind *kind;
    for (size_t i = 0; (kind = natlab_kind_number(i)) != NULL; i++) {
        struct lab_nat_kind whole = natlab_kind_whole(kind);
        assert_true(fits(kind, &whole, true));
    }
}

static void so_is_each_with_timers_that_can_be_waited_for(void **state)
{
    (void)state;
    const struct natlab_kind *kind;
    for (size_t i = 0; (kind = natlab_kind_number(i)) != NULL; i++) {
        struct natlab_kind hurried = natlab_kind_hurried(kind);
        struct lab_nat_kind whole = natlab_kind_whole(&hurried);
        struct natlab_probe probe = natlab_probe_thorough(&whole, NATLAB_TIMER_SHORT_S);
        assert_int_equal(probe.stream_s != 0, !whole.open && !whole.blocked);
        assert_true(fits(&hurried, &whole, true));
    }
}

/* Each kind is told from each that is another. */
static void no_kind_passes_for_another(void **state)
{
    (void)state;
    static const char *const name[] = {"open",
                                       "full_cone",
                                       "address_restricted",
                                       "symmetric",
                                       "symmetric_sequential",
                                       "port_restricted",
                                       "blocked",
                                       "same_hairpin",
                                       "short_10",
                                       "short_30"};
    enum { NAMES = sizeof name / sizeof name[0] };
    for (size_t i = 0; i < NAMES; i++)
        for (size_t j = 0; j < NAMES; j++) {
            struct natlab_kind is = natlab_kind_hurried(natlab_kind_find(name[i]));
            struct natlab_kind should = natlab_kind_hurried(natlab_kind_find(name[j]));
            struct lab_nat_kind whole = natlab_kind_whole(&should);
            assert_int_equal(fits(&is, &whole, false), i == j);
        }
}

/* The control: one thing about a box is not as it should be, and that is seen. */
struct flaw {
    const char *kind;
    void (*spoil)(struct lab_nat_kind *box);
};

static void filter_more(struct lab_nat_kind *box)
{
    box->filtering++;
}
static void map_by_address(struct lab_nat_kind *box)
{
    box->mapping = LAB_NAT_ADDRESS;
}
static void draw_ports(struct lab_nat_kind *box)
{
    box->ports = LAB_NAT_PORTS_RANDOM;
}
static void hairpin(struct lab_nat_kind *box)
{
    box->hairpin = true;
}
static void filter_hairpin(struct lab_nat_kind *box)
{
    box->hairpin_open = false;
}
static void forget_early(struct lab_nat_kind *box)
{
    box->timeout_ns -= 3000000000u;
}
static void forget_late(struct lab_nat_kind *box)
{
    box->timeout_ns += 3000000000u;
}
static void forget_streams_late(struct lab_nat_kind *box)
{
    box->stream_ns += 3000000000u;
}
static void have_no_streams(struct lab_nat_kind *box)
{
    box->stream_ns = box->timeout_ns;
}
static void be_hasty(struct lab_nat_kind *box)
{
    box->settling_ns = 0;
}
static void go_by_what_goes_out(struct lab_nat_kind *box)
{
    box->refresh_in = false;
}
static void prolong_for_all(struct lab_nat_kind *box)
{
    box->flows = false;
}

static void what_is_not_so_is_seen(void **state)
{
    (void)state;
    static const struct flaw flaw[] = {
        {"full_cone", filter_more},
        {"address_restricted", filter_more},
        {"port_restricted", map_by_address},
        {"symmetric_sequential", draw_ports},
        {"port_restricted", hairpin},
        {"same_hairpin", filter_hairpin},
        {"port_restricted", forget_early},
        {"port_restricted", forget_late},
        {"short_10", forget_early},
        {"symmetric", forget_streams_late},
        {"full_cone", have_no_streams},
        {"port_restricted", be_hasty},
        {"symmetric", be_hasty},
        {"port_restricted", go_by_what_goes_out},
        {"carrier", go_by_what_goes_out},
        {"full_cone", prolong_for_all},
        {"address_restricted", prolong_for_all},
    };
    for (size_t i = 0; i < sizeof flaw / sizeof flaw[0]; i++) {
        struct natlab_kind kind = natlab_kind_hurried(natlab_kind_find(flaw[i].kind));
        struct lab_nat_kind should = natlab_kind_whole(&kind);
        print_message("flaw %zu of %s\n", i, flaw[i].kind);
        assert_true(fits(&kind, &should, false));
        flaw[i].spoil(&kind.box[kind.boxes - 1]);
        assert_false(fits(&kind, &should, true));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_what_it_should_be),
        cmocka_unit_test(so_is_each_with_timers_that_can_be_waited_for),
        cmocka_unit_test(no_kind_passes_for_another),
        cmocka_unit_test(what_is_not_so_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
