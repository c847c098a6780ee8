/* Goal: each part of the language of scenarios on its own: quantities, settings, words, $KEY, peer
 * sets and times, with the sentence that each mistake is told with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/expand.h"
#include "src/lab/script/moment.h"
#include "src/lab/script/names.h"
#include "src/lab/script/peer_set.h"
#include "src/lab/script/settings.h"
#include "src/lab/script/words.h"
#include "src/lab/sim/chance.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static char why[512];

static void assert_near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-12 * fmax(1, fabs(wanted))))
        fail_msg("%.17g instead of %.17g", got, wanted);
}

/* --- quantities ------------------------------------------------------------------------------ */

static void quantities_are_read(void **state)
{
    static const struct {
        enum lab_kind kind;
        const char *text;
        double number;
    } good[] = {
        {LAB_KIND_SECONDS, "30", 30},
        {LAB_KIND_SECONDS, "30s", 30},
        {LAB_KIND_SECONDS, "500ms", 0.5},
        {LAB_KIND_SECONDS, "250us", 250e-6},
        {LAB_KIND_SECONDS, "10ns", 10e-9},
        {LAB_KIND_SECONDS, "5min", 300},
        {LAB_KIND_SECONDS, "5m", 300},
        {LAB_KIND_SECONDS, "2h", 7200},
        {LAB_KIND_SECONDS, "1.5d", 129600},
        {LAB_KIND_SECONDS, "1:30", 90},
        {LAB_KIND_SECONDS, "1:00:01.5", 3601.5},
        {LAB_KIND_SECONDS, "90:00", 5400},
        {LAB_KIND_SECONDS, "0", 0},
        {LAB_KIND_SECONDS, ".5", 0.5},
        {LAB_KIND_BYTES, "1200", 1200},
        {LAB_KIND_BYTES, "64k", 64000},
        {LAB_KIND_BYTES, "1M", 1e6},
        {LAB_KIND_BYTES, "64KiB", 65536},
        {LAB_KIND_BYTES, "1.5kB", 1500},
        {LAB_KIND_SHARE, "0.1", 0.1},
        {LAB_KIND_SHARE, "10%", 0.1},
        {LAB_KIND_SHARE, "100%", 1},
        {LAB_KIND_COUNT, "1000000", 1e6},
        {LAB_KIND_COUNT, "1M", 1e6},
        {LAB_KIND_COUNT, "2.5k", 2500},
        {LAB_KIND_NUMBER, "-1.5e-3", -0.0015},
        {LAB_KIND_FLAG, "yes", 1},
        {LAB_KIND_FLAG, "OFF", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        double number = -1;
        if (lab_quantity_read(good[i].kind, good[i].text, &number) != 0)
            fail_msg("%s is refused", good[i].text);
        assert_near(number, good[i].number);
    }
}

static void other_quantities_are_refused(void **state)
{
    static const struct {
        enum lab_kind kind;
        const char *text;
    } bad[] = {
        {LAB_KIND_SECONDS, ""},     {LAB_KIND_SECONDS, "-1"},      {LAB_KIND_SECONDS, "+1"},
        {LAB_KIND_SECONDS, "1x"},   {LAB_KIND_SECONDS, "1:60"},    {LAB_KIND_SECONDS, "1:"},
        {LAB_KIND_SECONDS, ":1"},   {LAB_KIND_SECONDS, "1:2:3:4"}, {LAB_KIND_SECONDS, "1.5:00"},
        {LAB_KIND_SECONDS, "2e9"},  {LAB_KIND_SECONDS, "nan"},     {LAB_KIND_SECONDS, "inf"},
        {LAB_KIND_SECONDS, "0x10"}, {LAB_KIND_SECONDS, "1 s"},     {LAB_KIND_SECONDS, "."},
        {LAB_KIND_BYTES, "1.5"},    {LAB_KIND_BYTES, "-1"},        {LAB_KIND_BYTES, "1e30"},
        {LAB_KIND_COUNT, "1.5"},    {LAB_KIND_COUNT, "-3"},        {LAB_KIND_COUNT, "ten"},
        {LAB_KIND_NUMBER, "1s"},    {LAB_KIND_NUMBER, "1e999"},    {LAB_KIND_FLAG, "maybe"},
        {LAB_KIND_SHARE, "10 %"},   {LAB_KIND_SHARE, "%"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        double number = 42;
        if (lab_quantity_read(bad[i].kind, bad[i].text, &number) != HSAY_EINVAL)
            fail_msg("'%s' is accepted as %g", bad[i].text, number);
        assert_near(number, 42);
    }
}

/* --- names ----------------------------------------------------------------------------------- */

static void a_near_name_is_suggested(void **state)
{
    (void)state;
    assert_int_equal(lab_names_distance("loss", "los"), 1);
    assert_int_equal(lab_names_distance("loss", "lsos"), 1); /* neighbours swapped */
    assert_int_equal(lab_names_distance("", "abc"), 3);
    assert_int_equal(lab_names_distance("same", "same"), 0);
    lab_names_unknown_word(why, sizeof why, "style", "line", "lines steps points");
    assert_string_equal(
        why, "unknown style 'line' (did you mean 'lines'?); known are: lines, steps, points");
    lab_names_unknown_word(why, sizeof why, "style", "zebra", "lines steps");
    assert_string_equal(why, "unknown style 'zebra'; known are: lines, steps");
    lab_names_unknown_word(why, 56, "style", "zebra", "lines steps points bars cdf heatmap");
    assert_string_equal(why, "unknown style 'zebra'; known are: lines, steps, ...");
    assert_true(lab_name_ok("a-b_9"));
    assert_false(lab_name_ok(""));
    assert_false(lab_name_ok("9a"));
    assert_false(lab_name_ok("a b"));
}

/* --- settings -------------------------------------------------------------------------------- */

static const struct lab_setting_rule rules[] = {
    {"nodes", "100", LAB_KIND_COUNT, 1, 2e6, NULL, "hosts"},
    {"duration", "5min", LAB_KIND_SECONDS, 0, 0, NULL, "of a run"},
    {"session", "30min", LAB_KIND_SECONDS, 0.001, 0, NULL, "mean time online"},
    {"loss", "0", LAB_KIND_SHARE, 0, 0, NULL, "datagrams lost"},
    {"burst", "1", LAB_KIND_NUMBER, 1, 1000, NULL, "mean length"},
    {"skew", "0", LAB_KIND_NUMBER, 0, 0, NULL, "of clocks"},
    {"payload", "100", LAB_KIND_BYTES, 0, 0, NULL, "of a publication"},
    {"policy", "hearsay", LAB_KIND_WORD, 0, 0, "hearsay paper code2019", "of walking"},
    {"push", "yes", LAB_KIND_FLAG, 0, 0, NULL, "direct mail"},
    {"nat", "open", LAB_KIND_TEXT, 0, 0, NULL, "population"},
    {"fixed-step", "5", LAB_KIND_SECONDS, 0, 0, NULL, "a key with a dash"},
};

static void set(struct lab_settings *settings, const char *key, const char *value)
{
    if (lab_settings_set(settings, key, value, why, sizeof why) != 0)
        fail_msg("%s", why);
}

static void assert_unset(struct lab_settings *settings, const char *key, const char *value,
                         const char *words)
{
    assert_int_equal(lab_settings_set(settings, key, value, why, sizeof why), HSAY_EINVAL);
    if (strncmp(why, words, strlen(words)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", why, words);
}

static void settings_have_fallbacks_and_values(void **state)
{
    struct lab_settings s, copy;
    (void)state;
    lab_settings_init(&s, rules, COUNT(rules));
    assert_near(lab_settings_number(&s, "duration"), 300);
    assert_int_equal(lab_settings_choice(&s, "policy"), 0);
    assert_true(lab_settings_flag(&s, "push"));
    set(&s, "nodes", "1M");
    set(&s, "loss", "10%");
    set(&s, "policy", "code2019");
    set(&s, "push", "no");
    set(&s, "skew", "-2");
    assert_string_equal(lab_settings_text(&s, "nodes"), "1000000"); /* so that {1-$nodes} works */
    assert_string_equal(lab_settings_text(&s, "loss"), "10%");
    assert_near(lab_settings_number(&s, "loss"), 0.1);
    assert_int_equal(lab_settings_choice(&s, "policy"), 2);
    assert_string_equal(lab_settings_word(&s, "policy"), "code2019");
    assert_false(lab_settings_flag(&s, "push"));
    assert_int_equal(lab_settings_set_pair(&s, "nat=a:0.5,b=c", why, sizeof why), 0);
    assert_string_equal(lab_settings_text(&s, "nat"), "a:0.5,b=c");

    lab_settings_copy(&copy, &s);
    set(&copy, "nodes", "7");
    assert_near(lab_settings_number(&s, "nodes"), 1e6);
    assert_int_equal(copy.entry[0].origin, LAB_SETTING_GIVEN);
    assert_int_equal(copy.entry[1].origin, LAB_SETTING_FALLBACK);
    lab_settings_free(&s);
    assert_near(lab_settings_number(&copy, "nodes"), 7);
    lab_settings_free(&copy);
}

static void settings_refuse_with_words(void **state)
{
    struct lab_settings s;
    char long_value[LAB_SETTING_TEXT_MAX + 2];
    (void)state;
    lab_settings_init(&s, rules, COUNT(rules));
    assert_unset(&s, "los", "1",
                 "unknown setting 'los' (did you mean 'loss'?); known are: nodes, duration, ");
    assert_unset(&s, "nodes", "0", "nodes is 0, but goes from 1 to 2000000");
    assert_unset(&s, "nodes", "2.5", "nodes is '2.5', expected a whole number");
    assert_unset(&s, "loss", "110%", "loss is 110%, but goes from 0 to 1");
    assert_unset(&s, "loss", "-0.1", "loss is -0.1, but goes from 0 to 1");
    assert_unset(&s, "session", "0", "session is 0, but must be at least 0.001");
    assert_unset(&s, "duration", "soon", "duration is 'soon', expected a time such as");
    assert_unset(&s, "policy", "papre", "unknown value of policy 'papre' (did you mean 'paper'?)");
    assert_unset(&s, "push", "perhaps", "push is 'perhaps', expected yes or no");
    memset(long_value, 'x', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = '\0';
    assert_unset(&s, "nat", long_value, "the value of nat is over 1024 bytes long");
    assert_int_equal(lab_settings_set_pair(&s, "loss", why, sizeof why), HSAY_EINVAL);
    assert_string_equal(why, "'loss': expected KEY=VALUE");
    assert_near(lab_settings_number(&s, "nodes"), 100);
    lab_settings_free(&s);
}

static void parameters_are_declared(void **state)
{
    struct lab_settings s;
    char key[16];
    (void)state;
    lab_settings_init(&s, rules, COUNT(rules));
    assert_int_equal(lab_settings_declare(&s, "rounds", "5", "how many", why, sizeof why), 0);
    assert_near(lab_settings_number(&s, "rounds"), 5);
    set(&s, "rounds", "1:30");
    assert_near(lab_settings_number(&s, "rounds"), 90);
    set(&s, "rounds", "some");
    assert_true(isnan(lab_settings_number(&s, "rounds")));
    assert_int_equal(lab_settings_declare(&s, "rounds", "1", "", why, sizeof why), HSAY_EINVAL);
    assert_string_equal(why, "rounds is a setting already");
    assert_int_equal(lab_settings_declare(&s, "loss", "1", "", why, sizeof why), HSAY_EINVAL);
    assert_string_equal(why, "loss is a setting already; write: set KEY VALUE");
    assert_int_equal(lab_settings_declare(&s, "1st", "1", "", why, sizeof why), HSAY_EINVAL);
    assert_string_equal(why, "'1st' is no name for a setting");
    for (unsigned i = 1; i < LAB_SETTINGS_DECLARED_MAX; i++) {
        snprintf(key, sizeof key, "p%u", i);
        assert_int_equal(lab_settings_declare(&s, key, "x", "", why, sizeof why), 0);
    }
    assert_int_equal(lab_settings_declare(&s, "more", "x", "", why, sizeof why), HSAY_EINVAL);
    lab_settings_free(&s);
}

/* --- words ----------------------------------------------------------------------------------- */

static struct lab_words words;

static int split(const char *line)
{
    return lab_words_split(&words, line, strlen(line), why, sizeof why);
}

static void assert_word(size_t i, enum lab_word_kind kind, const char *text)
{
    assert_true(i < words.count);
    assert_string_equal(words.word[i].text, text);
    assert_int_equal(words.word[i].kind, kind);
}

static void lines_fall_into_words(void **state)
{
    size_t length;
    (void)state;
    assert_int_equal(split("  a\tb#c \"d e\" x=f:\"g \\\"h\\\\ i\" {1, 2-$n} # more"), 0);
    assert_int_equal(words.count, 5);
    assert_word(0, LAB_WORD_PLAIN, "a");
    assert_word(1, LAB_WORD_PLAIN, "b#c");
    assert_word(2, LAB_WORD_QUOTED, "d e");
    assert_word(3, LAB_WORD_PLAIN, "x=f:g \"h\\ i");
    assert_word(4, LAB_WORD_SET, "1, 2-$n");
    assert_string_equal(lab_word_pair(&words.word[3], &length), "f:g \"h\\ i");
    assert_int_equal(length, 1);
    assert_null(lab_word_pair(&words.word[1], &length));

    assert_int_equal(split("@${a + b} \"\" {1-${n/2},!${x}} \"k=v\" k= =v"), 0);
    assert_int_equal(words.count, 6);
    assert_word(0, LAB_WORD_PLAIN, "@${a + b}");
    assert_word(1, LAB_WORD_QUOTED, "");
    assert_word(2, LAB_WORD_SET, "1-${n/2},!${x}");
    assert_null(lab_word_pair(&words.word[3], &length));
    assert_string_equal(lab_word_pair(&words.word[4], &length), "");
    assert_null(lab_word_pair(&words.word[5], &length));

    assert_int_equal(split(""), 0);
    assert_int_equal(words.count, 0);
    assert_int_equal(split("# only this \" {"), 0);
    assert_int_equal(words.count, 0);
    assert_int_equal(split("a \"b"), HSAY_EINVAL);
    assert_string_equal(why, "the quotes are not closed");
    assert_int_equal(split("a {1-{2}"), HSAY_EINVAL);
    assert_string_equal(why, "the braces are not closed");
    assert_int_equal(split("a {1}b"), HSAY_EINVAL);
    assert_string_equal(why, "there must be a blank behind a peer set");
    lab_words_free(&words);
}

/* --- $KEY ------------------------------------------------------------------------------------ */

static void keys_are_expanded(void **state)
{
    static const char *const good[][2] = {
        {"plain", "plain"},
        {"$nodes", "100"},
        {"a$nodes.b", "a100.b"},
        {"$duration+$nodes", "5min+100"},
        {"${fixed-step}s", "5s"},
        {"1-${nodes/2}", "1-50"},
        {"${nodes/3}", "33.333333333"},
        {"${ 2 * duration + nodes - 1 }", "699"},
        {"${2+3*4-6/2}", "11"},
        {"$$nodes $$", "$nodes $"},
        {"${1/1000000}", "0.000001"},
    };
    struct lab_settings s;
    struct lab_arena arena = {0};
    (void)state;
    lab_settings_init(&s, rules, COUNT(rules));
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *text = lab_expand(&s, &arena, good[i][0], why, sizeof why);
        if (text == NULL)
            fail_msg("%s: %s", good[i][0], why);
        assert_string_equal(text, good[i][1]);
    }
    lab_arena_free(&arena);
    lab_settings_free(&s);
}

static void keys_that_are_none_are_told(void **state)
{
    static const char *const bad[][2] = {
        {"$node", "unknown setting 'node' (did you mean 'nodes'?)"},
        {"${node}", "unknown setting 'node' (did you mean 'nodes'?)"},
        {"${fixed-setp}", "unknown setting 'fixed-setp' (did you mean 'fixed-step'?)"},
        {"${nodes+los}", "unknown setting 'los' (did you mean 'loss'?)"},
        {"$", "expected $KEY, ${...} or $$ at ''"},
        {"a$-b", "expected $KEY, ${...} or $$ at '-b'"},
        {"${nodes", "expected ${KEY} at 'nodes'"},
        {"${nodes/0}", "a division by zero before ''"},
        {"${nodes+}", "expected a number or a setting at ''"},
        {"${nodes nodes}", "expected + - * or / at 'nodes'"},
        {"${nat+1}", "not a number: 'nat'"},
        {"${1e15*2}", "too large a number: '1e15*2'"},
        {"${}", "expected a number or a setting at ''"},
    };
    struct lab_settings s;
    struct lab_arena arena = {0};
    (void)state;
    lab_settings_init(&s, rules, COUNT(rules));
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(lab_expand(&s, &arena, bad[i][0], why, sizeof why));
        if (strncmp(why, bad[i][1], strlen(bad[i][1])) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", bad[i][0], why, bad[i][1]);
    }
    lab_arena_free(&arena);
    lab_settings_free(&s);
}

/* --- peer sets ------------------------------------------------------------------------------- */

static uint64_t below(void *of, uint64_t bound)
{
    return lab_chance_below(of, bound);
}

static struct lab_arena arena;
static struct lab_chance chance = {1};
static const struct lab_draw draw = {NULL, below, &chance};

static struct lab_peer_set read_set(const struct lab_peer_world *world, const char *text)
{
    struct lab_peer_set made;
    if (lab_peer_set_read(&made, text, world, &arena, why, sizeof why) != 0)
        fail_msg("{%s}: %s", text, why);
    return made;
}

/* The members as a text of 0 and 1, by contains, by at and by a walk. */
static void assert_members(const struct lab_peer_world *world, const char *text,
                           const char *members)
{
    struct lab_peer_set made = read_set(world, text);
    struct lab_peer_walk walk;
    uint32_t index, k = 0;
    assert_int_equal(strlen(members), world->nodes);
    lab_peer_walk_start(&walk, &made, NULL);
    for (uint32_t i = 0; i < world->nodes; i++) {
        if (lab_peer_set_contains(&made, i) != (members[i] == '1'))
            fail_msg("{%s}: peer %u", text, (unsigned)i + 1);
        if (members[i] != '1')
            continue;
        assert_true(k < made.count);
        assert_int_equal(lab_peer_set_at(&made, k++), i);
        assert_true(lab_peer_walk_next(&walk, &index));
        assert_int_equal(index, i);
    }
    assert_int_equal(made.count, k);
    assert_false(lab_peer_walk_next(&walk, &index));
    assert_false(lab_peer_set_contains(&made, world->nodes));
    assert_false(lab_peer_set_contains(&made, UINT32_MAX));
}

static void peer_sets_are_what_they_say(void **state)
{
    struct lab_peer_world world = {.nodes = 10};
    struct lab_peer_name name[] = {{"ends", read_set(&world, "1,10")},
                                   {"middle", read_set(&world, "4-6")}};
    (void)state;
    world.name = name;
    world.name_count = COUNT(name);
    assert_members(&world, "3", "0010000000");
    assert_members(&world, "1-3,5", "1110100000");
    assert_members(&world, " 5 , 1-3 ", "1110100000");
    assert_members(&world, "1-10", "1111111111");
    assert_members(&world, "all", "1111111111");
    assert_members(&world, "7,7,6-8,8-9", "0000011110");
    assert_members(&world, "!5", "1111011111");
    assert_members(&world, "all,!1-3", "0001111111");
    assert_members(&world, "!1,!10,!4-6", "0110001110");
    assert_members(&world, "!4-6,2-8,!8", "0110001000");
    assert_members(&world, "1-4,6-9,!3-7", "1100000110");
    assert_members(&world, "ends", "1000000001");
    assert_members(&world, "ends,middle", "1001110001");
    assert_members(&world, "!ends,!middle", "0110001110");
    assert_members(&world, "all,!middle", "1110001111");
    assert_members(&world, "middle,!5", "0001010000");
    assert_members(&world, "1-5.5", "1111100000"); /* ${nodes/2} of 11 */
    lab_arena_free(&arena);
}

static void peer_sets_refuse_with_words(void **state)
{
    static const char *const bad[][2] = {
        {"", "a comma has no peer beside it, or the set is empty"},
        {"1,", "a comma has no peer beside it, or the set is empty"},
        {"!", "a comma has no peer beside it, or the set is empty"},
        {"0", "peers count from 1, not from 0"},
        {"0.5", "peers count from 1, not from 0"},
        {"0-3", "peers count from 1, not from 0"},
        {"11", "peer 11 is beyond the 10 nodes of this run"},
        {"1-11", "peer 11 is beyond the 10 nodes of this run"},
        {"99999999999999999999", "peer 100000000000000000000 is beyond the 10 nodes of this run"},
        {"5-3", "the range 5-3 ends before it begins"},
        {"1-", "'' is no peer, range of peers, or name of a set"},
        {"-3", "'-3' is no peer, range of peers, or name of a set"},
        {"1-2-3", "'1-2-3' is no peer or range of peers"},
        {"3x", "'3x' is no peer or range of peers"},
        {"endz", "unknown peer set 'endz' (did you mean 'ends'?); known are: all, any, ends"},
        {"any,10%", "a set draws once: one `any` or one share"},
        {"0%", "'0%' is no share over 0% and up to 100%"},
        {"101%", "'101%' is no share over 0% and up to 100%"},
        {"!10%", "'!10%': a draw can not be left out"},
        {"!any", "'!any': a draw can not be left out"},
        {"1,!1", "no peer is in this set"},
        {"!all", "no peer is in this set"},
    };
    struct lab_peer_world world = {.nodes = 10};
    struct lab_peer_name name = {"ends", read_set(&world, "1,10")};
    struct lab_peer_set made = {.count = 77};
    (void)state;
    world.name = &name;
    world.name_count = 1;
    for (size_t i = 0; i < COUNT(bad); i++) {
        int rc = lab_peer_set_read(&made, bad[i][0], &world, &arena, why, sizeof why);
        if (rc != HSAY_EINVAL || strcmp(why, bad[i][1]) != 0)
            fail_msg("{%s}: %d \"%s\" instead of \"%s\"", bad[i][0], rc, why, bad[i][1]);
        assert_int_equal(made.count, 77);
    }
    lab_arena_free(&arena);
}

/* Each peer of the set comes about as often as any other, and no other comes at all. */
static void assert_fair(const struct lab_peer_world *world, const char *text, uint32_t drawn)
{
    enum { RUNS = 20000 };
    struct lab_peer_set made = read_set(world, text);
    unsigned seen[16] = {0};
    assert_int_equal(made.drawn, drawn);
    for (unsigned run = 0; run < RUNS; run++) {
        struct lab_peer_walk walk;
        uint32_t index, count = 0, last = 0;
        lab_peer_walk_start(&walk, &made, &draw);
        for (; lab_peer_walk_next(&walk, &index); count++) {
            assert_true(lab_peer_set_contains(&made, index));
            assert_true(count == 0 || index > last);
            last = index;
            seen[index]++;
        }
        assert_int_equal(count, drawn);
    }
    double expected = (double)RUNS * drawn / made.count;
    for (uint32_t i = 0; i < world->nodes; i++) {
        double wanted = lab_peer_set_contains(&made, i) ? expected : 0;
        if (fabs(seen[i] - wanted) > 5 * sqrt(expected))
            fail_msg("{%s}: peer %u came %u times instead of %.0f", text, (unsigned)i + 1, seen[i],
                     wanted);
    }
}

static void draws_are_fair(void **state)
{
    struct lab_peer_world world = {.nodes = 12};
    (void)state;
    assert_fair(&world, "any", 1);
    assert_fair(&world, "any,!1-3,!7", 1);
    assert_fair(&world, "any,2,4-5", 1);
    assert_fair(&world, "25%", 3);
    assert_fair(&world, "50%,!1,!6", 5);
    assert_fair(&world, "1%", 1);
    assert_fair(&world, "100%", 12);
    lab_arena_free(&arena);
}

static void a_draw_can_be_kept(void **state)
{
    struct lab_peer_world world = {.nodes = 1000000};
    struct lab_peer_set share = read_set(&world, "10%");
    struct lab_peer_set kept = lab_peer_set_drawn(&share, &draw, &arena);
    struct lab_peer_walk walk;
    uint32_t index, count = 0;
    (void)state;
    assert_int_equal(kept.draw, LAB_PEER_DRAW_NONE);
    assert_int_equal(kept.count, 100000);
    lab_peer_walk_start(&walk, &kept, NULL);
    for (; lab_peer_walk_next(&walk, &index); count++) {
        assert_true(lab_peer_set_contains(&kept, index));
        assert_int_equal(lab_peer_set_at(&kept, count), index);
    }
    assert_int_equal(count, 100000);
    /* A line that names it shares its ranges. */
    struct lab_peer_name name = {"tenth", kept};
    world.name = &name;
    world.name_count = 1;
    size_t bytes = arena.bytes;
    assert_ptr_equal(read_set(&world, "tenth").range, kept.range);
    assert_int_equal(arena.bytes, bytes);
    assert_int_equal(read_set(&world, "all,!tenth").count, 900000);
    lab_arena_free(&arena);
}

/* --- times ----------------------------------------------------------------------------------- */

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        double first, last, every;
    } good[] = {
        {"0", 0, 0, 0},
        {"1.5", 1.5, 1.5, 0},
        {"2:03", 123, 123, 0},
        {"1:00:00", 3600, 3600, 0},
        {"250ms", 0.25, 0.25, 0},
        {"+5", 45, 45, 0},
        {"+0", 40, 40, 0},
        {"end", 300, 300, 0},
        {"end-10", 290, 290, 0},
        {"end+1min", 360, 360, 0},
        {"90+30-1:00", 60, 60, 0},
        {"+5+5", 50, 50, 0},
        {"60..600/30", 60, 600, 30},
        {"+5..end/1min", 45, 300, 60},
        {"1..1/1ms", 1, 1, 0.001},
    };
    struct lab_moment_base base = {40 * UINT64_C(1000000000), 300 * UINT64_C(1000000000)};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct lab_moment moment;
        if (lab_moment_read(&moment, good[i].text, &base, why, sizeof why) != 0)
            fail_msg("%s", why);
        assert_int_equal(moment.first_ns, (uint64_t)llrint(good[i].first * 1e9));
        assert_int_equal(moment.last_ns, (uint64_t)llrint(good[i].last * 1e9));
        assert_int_equal(moment.every_ns, (uint64_t)llrint(good[i].every * 1e9));
    }
}

static void times_that_are_none_are_told(void **state)
{
    static const char *const bad[][2] = {
        {"", "the time '' is none: expected 90, 1:30, 1.5min, +5, end or a sum of these"},
        {"soon", "the time 'soon' is none: expected"},
        {"1++2", "the time '1++2' is none: expected"},
        {"-5", "the time '-5' is none: expected"},
        {"10-20", "the time '10-20' is before the beginning"},
        {"1e9s+1000000000+1s", "the time '1e9s+1000000000+1s' is too late"},
        {"60..30/5", "the time '60..30/5' ends before it begins"},
        {"60..90", "the time '60..90' lacks its step: expected FROM..TO/EVERY"},
        {"60..90/0", "the time '60..90/0' has steps of nothing"},
        {"60/5", "the time '60/5' is none: expected"},
        {"1..2..3/1", "the time '1..2..3/1' is none: expected"},
    };
    struct lab_moment_base base = {0, 300 * UINT64_C(1000000000)};
    struct lab_moment moment;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        int rc = lab_moment_read(&moment, bad[i][0], &base, why, sizeof why);
        if (rc != HSAY_EINVAL || strncmp(why, bad[i][1], strlen(bad[i][1])) != 0)
            fail_msg("%s: %d \"%s\" instead of \"%s\"", bad[i][0], rc, why, bad[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_are_read),
        cmocka_unit_test(other_quantities_are_refused),
        cmocka_unit_test(a_near_name_is_suggested),
        cmocka_unit_test(settings_have_fallbacks_and_values),
        cmocka_unit_test(settings_refuse_with_words),
        cmocka_unit_test(parameters_are_declared),
        cmocka_unit_test(lines_fall_into_words),
        cmocka_unit_test(keys_are_expanded),
        cmocka_unit_test(keys_that_are_none_are_told),
        cmocka_unit_test(peer_sets_are_what_they_say),
        cmocka_unit_test(peer_sets_refuse_with_words),
        cmocka_unit_test(draws_are_fair),
        cmocka_unit_test(a_draw_can_be_kept),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(times_that_are_none_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
