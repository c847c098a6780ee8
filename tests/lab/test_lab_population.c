/* Goal: hosts get the NATs that a population speaks of, in its shares, and a text that is wrong is
 * told so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hearsay/error.h"
#include "src/lab/sim/population.h"

enum { MANY = 100000 };
#define S UINT64_C(1000000000)

static struct lab_population parsed(const char *text)
{
    struct lab_population population;
    char why[200] = "";
    if (lab_population_parse(&population, text, why, sizeof why) != 0)
        fail_msg("%s", why);
    return population;
}

/* What MANY draws came to. */
struct count {
    unsigned boxes[3], hairpin, refresh_in;
    unsigned kind[16], carrier[16]; /* by lab_nat_kind_number */
    unsigned carrier_ports[3];
    unsigned seconds[2][301], stream[2][301];
};

static unsigned number_of(const struct lab_nat_kind *kind)
{
    unsigned i = 0;
    while (strcmp(lab_nat_kind_number(i)->name, kind->name) != 0)
        i++;
    return i;
}

static void count_timers(struct count *count, unsigned at, const struct lab_nat_kind *kind)
{
    if (kind->blocked)
        return;
    assert_true(kind->timeout_ns <= kind->stream_ns && kind->stream_ns <= 300 * S);
    count->seconds[at][kind->timeout_ns / S]++;
    count->stream[at][kind->stream_ns / S]++;
}

static void count_draw(struct count *count, const struct lab_nat_draw *draw)
{
    count->boxes[draw->boxes]++;
    if (draw->boxes == 0)
        return;
    count->kind[number_of(&draw->kind[0])]++;
    count->hairpin += draw->kind[0].hairpin;
    count->refresh_in += draw->kind[0].refresh_in;
    count_timers(count, 0, &draw->kind[0]);
    if (draw->boxes == 2) {
        count->carrier[number_of(&draw->kind[1])]++;
        count->carrier_ports[draw->kind[1].ports]++;
        count_timers(count, 1, &draw->kind[1]);
        assert_int_equal(draw->kind[1].mappings_max, 60000);
        assert_int_equal(draw->kind[1].filters_max, 65535);
    }
}

static struct count counted(const struct lab_population *population)
{
    struct count count = {.hairpin = 0};
    struct lab_chance chance = lab_chance_stream(3, LAB_CHANCE_NAT, 0);
    for (int i = 0; i < MANY; i++) {
        struct lab_nat_draw draw;
        lab_population_draw(population, &chance, &draw);
        count_draw(&count, &draw);
    }
    return count;
}

static unsigned of_kind(const struct count *count, const char *name)
{
    return count->kind[number_of(lab_nat_kind_find(name))];
}

static unsigned of_carrier(const struct count *count, const char *name)
{
    return count->carrier[number_of(lab_nat_kind_find(name))];
}

/* Within five standard deviations. */
static void assert_share(unsigned count, unsigned of, double share)
{
    double is = (double)count / of, off = 5 * sqrt(share * (1 - share) / of);
    if (fabs(is - share) > off)
        fail_msg("a share of %.4f is not %.4f", is, share);
}

static void open_hosts_have_no_box(void **state)
{
    (void)state;
    struct lab_population population = parsed("open");
    struct count count = counted(&population);
    assert_int_equal(count.boxes[0], MANY);
}

static void halkes_counted_these(void **state)
{
    (void)state;
    struct lab_population population = parsed("halkes2011");
    struct count count = counted(&population);
    assert_int_equal(count.boxes[1], MANY);
    assert_share(of_kind(&count, "EIM-EIF"), MANY, 0.21);
    assert_share(of_kind(&count, "EIM-APDF"), MANY, 0.57);
    assert_share(of_kind(&count, "EIM-ADF"), MANY, 0.07);
    assert_share(of_kind(&count, "APDM-APDF"), MANY, 0.103);
    assert_share(of_kind(&count, "blocked"), MANY, 0.046);
    assert_share(count.hairpin, MANY, 0.24 * 0.954);
    unsigned passing = MANY - of_kind(&count, "blocked");
    assert_share(count.seconds[0][30] + count.seconds[0][60], passing, 1);
    assert_share(count.stream[0][180], passing, 0.45);
}

/* The medians and shares that were published, not those of the table in the source. */
static void cellular_hosts_have_two_boxes_every_second_time(void **state)
{
    (void)state;
    struct lab_population population = parsed("cellular2016");
    struct count count = counted(&population);
    unsigned carriers = count.boxes[2];
    assert_share(carriers, MANY, 0.5);
    assert_share(of_kind(&count, "symmetric"), MANY, 0.02);
    assert_share(of_carrier(&count, "symmetric"), carriers, 0.4);
    assert_share(of_carrier(&count, "full_cone"), carriers, 0.2);
    assert_share(count.carrier_ports[LAB_NAT_PORTS_KEPT], carriers, 28.0 / 99);
    assert_share(count.carrier_ports[LAB_NAT_PORTS_SEQUENTIAL], carriers, 26.0 / 99);
    assert_share(count.carrier_ports[LAB_NAT_PORTS_RANDOM], carriers, 45.0 / 99);
    for (unsigned side = 0; side < 2; side++) {
        unsigned below = 0, all = side == 0 ? MANY : carriers;
        for (unsigned s = 0; s < 65; s++)
            below += count.seconds[side][s];
        assert_true(below < all / 2 && below + count.seconds[side][65] > all / 2);
    }
    assert_true(count.seconds[1][10] > 0 && count.seconds[1][200] > 0);
}

static void shares_may_be_written_down(void **state)
{
    (void)state;
    struct lab_population population = parsed("port_restricted:0.6,symmetric:20%,open:0.2");
    struct count count = counted(&population);
    assert_share(of_kind(&count, "port_restricted"), MANY, 0.6);
    assert_share(of_kind(&count, "symmetric"), MANY, 0.2);
    assert_share(count.boxes[0], MANY, 0.2);
    assert_int_equal(count.hairpin, 0);
    assert_int_equal(count.seconds[0][60], MANY - count.boxes[0]);
    population = parsed("ADM-EIF");
    count = counted(&population);
    assert_int_equal(of_kind(&count, "ADM-EIF"), MANY);
}

static void timers_may_be_written_down(void **state)
{
    (void)state;
    struct lab_population population = parsed("symmetric@10:0.5,full_cone@30/120:50%");
    struct count count = counted(&population);
    assert_share(count.seconds[0][10], MANY, 0.5);
    assert_int_equal(count.seconds[0][10], count.stream[0][10]);
    assert_int_equal(count.seconds[0][30], count.stream[0][120]);
    assert_int_equal(count.seconds[0][10] + count.seconds[0][30], MANY);
}

static void knobs_may_be_turned(void **state)
{
    (void)state;
    struct lab_population population = parsed("full_cone");
    population.refresh_in_share = 0.3;
    population.hairpin_share = 1;
    struct count count = counted(&population);
    assert_share(count.refresh_in, MANY, 0.3);
    assert_int_equal(count.hairpin, MANY);
}

/* An open home behind a carrier has the carrier's box alone: a phone. */
static void a_phone_has_one_box(void **state)
{
    (void)state;
    struct lab_population population = parsed("open");
    population.carrier = parsed("symmetric").home;
    population.carrier_share = 1;
    struct lab_chance chance = {1};
    struct lab_nat_draw draw;
    lab_population_draw(&population, &chance, &draw);
    assert_int_equal(draw.boxes, 1);
    assert_string_equal(draw.kind[0].name, "symmetric");
}

static void each_draw_takes_as_many_numbers(void **state)
{
    (void)state;
    static const char *const text[] = {"open", "halkes2011", "cellular2016", "blocked"};
    struct lab_chance first = {5};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct lab_population population = parsed(text[i]);
        struct lab_chance chance = {5};
        struct lab_nat_draw draw;
        for (int k = 0; k < 50; k++)
            lab_population_draw(&population, &chance, &draw);
        if (i == 0)
            first = chance;
        assert_true(chance.state == first.state);
    }
}

static void shipped_ones_have_names(void **state)
{
    (void)state;
    unsigned count = 0;
    for (; lab_population_name(count) != NULL; count++)
        parsed(lab_population_name(count));
    assert_int_equal(count, 3);
}

static void wrong_text_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"", "no NAT is called ''; known are: open full_cone"},
        {"halkes", "no NAT is called 'halkes'"},
        {"open:0.5,", "no NAT is called ''"},
        {"open:0.5,halkes2011:0.5", "no NAT is called 'halkes2011'"},
        {"open:0.5", "the shares add up to 0.5, not 1"},
        {"open:0.5,symmetric:0.52", "the shares add up to 1.02, not 1"},
        {"open:", "'' is no share"},
        {"open:1x", "'1x' is no share"},
        {"open:-1", "'-1' is no share"},
        {"open:nan", "'nan' is no share"},
        {"open:101%", "'101%' is no share"},
        {"open:1%%", "'1%%' is no share"},
        {"open@30:1", "'open' has no timer"},
        {"blocked@30", "'blocked' has no timer"},
        {"symmetric@:1", "'' is no time of a mapping"},
        {"symmetric@0:1", "'0' is no time of a mapping"},
        {"symmetric@30/20:1", "'20' is no time in seconds as long as the first"},
        {"symmetric@30/:1", "'' is no time in seconds"},
        {"symmetricsymmetricsymmetricsymmetricsymmetricsymmetricsymmetricsymmetricsymmetric",
         "'symmetricsymmetricsy...' is too long"},
        {"open:0,open:0,open:0,open:0,open:0,open:0,open:0,open:0,open:0,open:0,open:0,open:0,"
         "open:0,open:0,open:0,open:0,open:1",
         "more than 16 kinds"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lab_population population = {.carrier_share = 0.125};
        char why[300] = "";
        assert_int_equal(lab_population_parse(&population, bad[i].text, why, sizeof why),
                         HSAY_EINVAL);
        if (strstr(why, bad[i].words) == NULL)
            fail_msg("'%s': '%s' does not say '%s'", bad[i].text, why, bad[i].words);
        assert_true(population.carrier_share == 0.125);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_hosts_have_no_box),
        cmocka_unit_test(halkes_counted_these),
        cmocka_unit_test(cellular_hosts_have_two_boxes_every_second_time),
        cmocka_unit_test(shares_may_be_written_down),
        cmocka_unit_test(timers_may_be_written_down),
        cmocka_unit_test(knobs_may_be_turned),
        cmocka_unit_test(a_phone_has_one_box),
        cmocka_unit_test(each_draw_takes_as_many_numbers),
        cmocka_unit_test(shipped_ones_have_names),
        cmocka_unit_test(wrong_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
