/* Goal: a scenario says what its lines say, for each statement; settings, variants and the command
 * line go over each other in the order that was promised; and each mistake is told with its file
 * and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hearsay/error.h"
#include "src/lab/script/embedded.h"
#include "src/lab/script/timeline.h"
#include "src/lab/sim/chance.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define S           UINT64_C(1000000000)

enum { JOIN, PUBLISH, PARTITION, LINK };

static const struct lab_verb actions[] = {
    [JOIN] = {"join", 0, 0, NULL, NULL, LAB_SET_NEEDED, "goes online"},
    [PUBLISH] = {"publish", 1, 2, "bytes:bytes count:count", "every:seconds topic", LAB_SET_ALL,
                 "makes bundles"},
    [PARTITION] = {"partition", 1, LAB_ARGS_ANY, "group", NULL, LAB_SET_REFUSED, "cuts"},
    [LINK] = {"link", 0, 0, NULL, "*", LAB_SET_ALL, "changes links"},
};

static const struct lab_verb measures[] = {
    {"spread", 0, 0, NULL, "every:seconds bundles:count", LAB_SET_ALL, "how far"},
    {"traffic", 0, 0, NULL, NULL, LAB_SET_REFUSED, "how much"},
};

static const struct lab_language language = {{actions, COUNT(actions)},
                                             {measures, COUNT(measures)}};

static const struct lab_setting_rule rules[] = {
    {"nodes", "10", LAB_KIND_COUNT, 1, 2e6, NULL, "hosts"},
    {"duration", "5min", LAB_KIND_SECONDS, 0, 0, NULL, "of a run"},
    {"loss", "0", LAB_KIND_SHARE, 0, 1, NULL, "datagrams lost"},
    {"policy", "hearsay", LAB_KIND_WORD, 0, 0, "hearsay paper", "of walking"},
};

/* --- chance ---------------------------------------------------------------------------------- */

struct streams {
    uint64_t seed;
    struct lab_chance chance;
};

static void streams_begin(void *of, uint64_t number)
{
    struct streams *streams = of;
    streams->chance = lab_chance_stream(streams->seed, LAB_CHANCE_SCENARIO, number);
}

static uint64_t streams_below(void *of, uint64_t bound)
{
    struct streams *streams = of;
    return lab_chance_below(&streams->chance, bound);
}

/* --- one scenario from a text to its timeline ------------------------------------------------ */

struct run {
    struct lab_scenario scenario;
    struct lab_settings settings;
    struct lab_timeline timeline;
    struct lab_faults faults;
    struct streams streams;
};

static void run_free(struct run *run)
{
    lab_timeline_free(&run->timeline);
    lab_settings_free(&run->settings);
    lab_scenario_free(&run->scenario);
    lab_faults_free(&run->faults);
}

/* The last step: a timeline for the settings as they are. */
static int run_make(struct run *run)
{
    struct lab_timeline_config config = {.draw = {streams_begin, streams_below, &run->streams}};
    config.nodes = (uint32_t)lab_settings_number(&run->settings, "nodes");
    config.end_ns = (uint64_t)llrint(lab_settings_number(&run->settings, "duration") * 1e9);
    lab_timeline_free(&run->timeline);
    return lab_timeline_make(&run->timeline, &run->scenario, &run->settings, &config, &run->faults);
}

/* With "KEY=VALUE" as from a command line, and a variant; both may be NULL. */
static int run_text(struct run *run, const char *text, const char *given, const char *variant)
{
    char why[512];
    *run = (struct run){.streams = {.seed = 1}};
    lab_settings_init(&run->settings, rules, COUNT(rules));
    int rc = lab_scenario_read_text(&run->scenario, &language, "t", NULL, text, strlen(text),
                                    &run->faults);
    if (rc == 0)
        rc = lab_scenario_declare(&run->scenario, &run->settings, &run->faults);
    if (rc == 0 && given != NULL)
        rc = lab_settings_set_pair(&run->settings, given, why, sizeof why);
    if (rc == 0)
        rc = lab_scenario_choose(
            &run->scenario,
            lab_scenario_variant_find(&run->scenario, variant != NULL ? variant : "main"),
            &run->settings, &run->faults);
    return rc == 0 ? run_make(run) : rc;
}

static void good(struct run *run, const char *text, const char *given, const char *variant)
{
    if (run_text(run, text, given, variant) == 0)
        return;
    lab_faults_print(&run->faults, stderr);
    fail_msg("refused");
}

static void assert_action(const struct run *run, size_t i, uint64_t at_ns, unsigned verb,
                          unsigned line)
{
    assert_true(i < run->timeline.count);
    const struct lab_action *action = &run->timeline.action[i];
    assert_int_equal(action->at_ns, at_ns);
    assert_int_equal(action->verb_index, verb);
    assert_ptr_equal(action->verb, &actions[verb]);
    assert_int_equal(action->at.line, line);
    assert_string_equal(action->at.file, "t");
}

/* --- what is said ---------------------------------------------------------------------------- */

static void an_action_has_words_keys_and_peers(void **state)
{
    struct run run;
    (void)state;
    good(&run,
         "@10 publish 64k 3 every=1min topic=\"a b\" {2-4}\n"
         "@0 join {all}\n"
         "\n"
         "  @+5 publish 100 # nobody named: all\r\n"
         "@10 partition 1-5 six \"k=v\"\n"
         "@10 link loss=0.5 x=y\n",
         NULL, NULL);
    assert_int_equal(run.timeline.count, 5);
    assert_action(&run, 0, 0, JOIN, 2);
    assert_action(&run, 1, 5 * S, PUBLISH, 4);
    assert_action(&run, 2, 10 * S, PUBLISH, 1);
    assert_action(&run, 3, 10 * S, PARTITION, 5); /* equal times: in the order of lines */
    assert_action(&run, 4, 10 * S, LINK, 6);

    const struct lab_action *publish = &run.timeline.action[2];
    assert_int_equal(publish->word_count, 2);
    assert_int_equal(publish->arg_count, 4);
    assert_string_equal(lab_action_word(publish, 0, ""), "64k");
    assert_true(fabs(lab_action_word_number(publish, 0, 0) - 64000) < 1e-9);
    assert_true(fabs(lab_action_word_number(publish, 1, 0) - 3) < 1e-9);
    assert_true(fabs(lab_action_word_number(publish, 2, -7) + 7) < 1e-9);
    assert_string_equal(lab_action_text(publish, "topic", ""), "a b");
    assert_true(fabs(lab_action_number(publish, "every", 0) - 60) < 1e-9);
    assert_string_equal(lab_action_text(publish, "none", "other"), "other");
    assert_true(publish->has_set);
    assert_int_equal(publish->set.count, 3);
    assert_true(lab_peer_set_contains(&publish->set, 1));
    assert_false(lab_peer_set_contains(&publish->set, 4));

    assert_false(run.timeline.action[1].has_set);
    assert_int_equal(run.timeline.action[1].set.count, 10);
    assert_string_equal(lab_action_word(&run.timeline.action[3], 2, ""), "k=v");
    assert_string_equal(lab_action_text(&run.timeline.action[4], "x", ""), "y");
    run_free(&run);
}

static void times_repeat_and_follow(void **state)
{
    struct run run;
    (void)state;
    good(&run,
         "@60..120/30 publish 1 {any}\n"
         "@+5 join {1}\n"
         "@end-10s join {2}\n"
         "@end join {3}\n"
         "@end+1 join {4}\n"
         "@1..9/2 publish 2\n",
         NULL, NULL);
    static const uint64_t at[] = {1, 3, 5, 7, 9, 60, 90, 120, 125, 290, 300, 301};
    assert_int_equal(run.timeline.count, COUNT(at));
    assert_int_equal(run.timeline.late_count, 1);
    for (size_t i = 0; i < COUNT(at); i++)
        assert_int_equal(run.timeline.action[i].at_ns, at[i] * S);
    /* Each of the times draws for itself. */
    assert_int_equal(run.timeline.action[5].set.draw, LAB_PEER_DRAW_ONE);
    assert_int_not_equal(run.timeline.action[5].number, run.timeline.action[6].number);
    run_free(&run);
}

static void settings_change_the_timeline(void **state)
{
    static const char text[] = "set nodes 20\n"
                               "set duration ${rounds*10+nodes}\n"
                               "param rounds 3 how many, in all\n"
                               "param start 1min\n"
                               "variant long rounds=6 loss=10%\n"
                               "variant twice duration=${duration*2}\n"
                               "@$start..$start+${rounds*10-10}/10 join {1-${nodes/2}}\n";
    static const struct {
        const char *given, *variant;
        double duration;
        size_t count;
        uint32_t peers;
    } want[] = {
        {NULL, NULL, 50, 3, 10},
        {"rounds=4", NULL, 60, 4, 10},
        {"nodes=30", NULL, 60, 3, 15},
        {"duration=7", NULL, 7, 3, 10},
        {NULL, "long", 80, 6, 10},
        {"rounds=1", "long", 80, 6, 10},
        {NULL, "twice", 100, 3, 10},
        {"rounds=4", "twice", 120, 4, 10},
        {"duration=7", "twice", 14, 3, 10},
        {"duration=7", "long", 7, 6, 10},
    };
    struct run run;
    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        good(&run, text, want[i].given, want[i].variant);
        assert_true(fabs(lab_settings_number(&run.settings, "duration") - want[i].duration) < 1e-9);
        assert_int_equal(run.timeline.count, want[i].count);
        assert_int_equal(run.timeline.action[0].set.count, want[i].peers);
        run_free(&run);
    }
    good(&run, text, NULL, "long");
    assert_string_equal(lab_settings_find(&run.settings, "rounds")->rule->help, "how many, in all");
    assert_int_equal(lab_settings_find(&run.settings, "nodes")->origin, LAB_SETTING_SCENARIO);
    assert_int_equal(lab_settings_find(&run.settings, "loss")->origin, LAB_SETTING_GIVEN);
    run_free(&run);
}

static void named_sets_mean_the_same_peers(void **state)
{
    static const char text[] = "set nodes 1000\n"
                               "peers first {1-100}\n"
                               "peers liars {10%,!first}\n"
                               "peers chief {any,liars}\n"
                               "@0 join {liars}\n"
                               "@1 join {all,!liars}\n"
                               "@2 join {chief}\n";
    struct run run, other;
    unsigned same = 0;
    (void)state;
    good(&run, text, NULL, NULL);
    good(&other, text, NULL, NULL);
    const struct lab_peer_set *liars = &run.timeline.action[0].set;
    assert_int_equal(liars->count, 90);
    assert_int_equal(liars->draw, LAB_PEER_DRAW_NONE);
    assert_int_equal(run.timeline.action[1].set.count, 910);
    assert_int_equal(run.timeline.action[2].set.count, 1);
    assert_int_equal(run.timeline.peers_count, 3);
    assert_string_equal(run.timeline.peers[1].name, "liars");
    for (uint32_t i = 0; i < 1000; i++) {
        bool liar = lab_peer_set_contains(liars, i);
        assert_true(!liar || i >= 100);
        assert_int_not_equal(liar, lab_peer_set_contains(&run.timeline.action[1].set, i));
        assert_int_equal(liar, lab_peer_set_contains(&other.timeline.action[0].set, i));
    }
    uint32_t chief = lab_peer_set_at(&run.timeline.action[2].set, 0);
    assert_true(lab_peer_set_contains(liars, chief));

    other.streams.seed = 2;
    assert_int_equal(run_make(&other), 0);
    for (uint32_t k = 0; k < liars->count; k++)
        same += lab_peer_set_contains(&other.timeline.action[0].set, lab_peer_set_at(liars, k));
    assert_in_range(same, 0, 40); /* about 9 by chance */
    run_free(&run);
    run_free(&other);
}

static void what_belongs_to_a_report_is_kept(void **state)
{
    struct run run;
    (void)state;
    good(&run,
         "## Shows this\n"
         "##   and that.\n"
         "# nothing\n"
         "##\n"
         "## Another paragraph.\n"
         "variant long \"more is \\\"lost\\\"\" loss=10%\n"
         "variant main \"as it comes\"\n"
         "result ratio = main.steps / long.steps\n"
         "result less = 100 - long.a_b\n"
         "result plain = long.x\n"
         "sweep loss 0 10% 0.2\n"
         "sweep policy hearsay paper\n"
         "figure \"How far\" table=spread x=step:\"Walk step\" y=share,least:\"Share of peers\"\n"
         "figure T table=a x=b y=c by=seed style=cdf logx logy bar=0.95:\"at 95 %\" xmax=30 "
         "variants=long,main xnames=\"1=no NAT,2=full cone\" ynames=c=\"what, of=all\" "
         "note=\"of: all\"\n"
         "measure spread every=$duration bundles=10 {1-3}\n"
         "measure traffic\n",
         NULL, NULL);
    const struct lab_scenario *s = &run.scenario;
    assert_string_equal(s->name, "t");
    assert_string_equal(s->description, "Shows this and that.\n\nAnother paragraph.");
    assert_int_equal(s->variant_count, 2);
    assert_string_equal(s->variant[0].name, "main");
    assert_string_equal(s->variant[0].help, "as it comes");
    assert_string_equal(s->variant[1].help, "more is \"lost\"");
    assert_int_equal(s->variant[1].pair_count, 1);
    assert_string_equal(s->variant[1].pair[0].key, "loss");
    assert_string_equal(s->variant[1].pair[0].value, "10%");

    assert_int_equal(s->result_count, 3);
    assert_string_equal(s->result[0].left.variant, "main");
    assert_string_equal(s->result[0].left.field, "steps");
    assert_int_equal(s->result[0].operation, '/');
    assert_string_equal(s->result[0].right.text, "long.steps");
    assert_null(s->result[1].left.variant);
    assert_true(fabs(s->result[1].left.number - 100) < 1e-9);
    assert_int_equal(s->result[2].operation, 0);

    assert_int_equal(s->sweep_count, 2);
    assert_int_equal(s->sweep[0].value_count, 3);
    assert_string_equal(s->sweep[0].value[1], "10%");

    assert_int_equal(s->figure_count, 2);
    const struct lab_scenario_figure *f = &s->figure[0];
    assert_string_equal(f->title, "How far");
    assert_string_equal(f->x_label, "Walk step");
    assert_string_equal(f->y, "share,least");
    assert_string_equal(f->y_label, "Share of peers");
    assert_string_equal(f->by, "variant");
    assert_string_equal(f->style, "lines");
    assert_false(f->log_x || f->log_y || f->has_bar || f->has_x_max);
    f = &s->figure[1];
    assert_string_equal(f->by, "seed");
    assert_string_equal(f->style, "cdf");
    assert_string_equal(f->bar_text, "at 95 %");
    assert_string_equal(f->note, "of: all");
    assert_string_equal(f->variants, "long,main");
    assert_string_equal(f->x_names, "1=no NAT,2=full cone");
    assert_string_equal(f->y_names, "c=what, of=all");
    assert_string_equal(run.scenario.figure[0].variants, "");
    assert_string_equal(run.scenario.figure[0].x_names, "");
    assert_string_equal(f->y_label, "");
    assert_true(f->log_x && f->log_y && f->has_bar && f->has_x_max);
    assert_true(fabs(f->bar - 0.95) < 1e-9 && fabs(f->x_max - 30) < 1e-9);

    assert_int_equal(run.timeline.measure_count, 2);
    assert_true(fabs(lab_action_number(&run.timeline.measure[0], "every", 0) - 300) < 1e-9);
    assert_int_equal(run.timeline.measure[0].set.count, 3);
    assert_int_equal(run.timeline.measure[1].verb_index, 1);
    run_free(&run);
}

/* --- mistakes -------------------------------------------------------------------------------- */

/* The first fault begins with these words. */
static void assert_fault(const char *text, const char *wanted)
{
    struct run run;
    int rc = run_text(&run, text, NULL, NULL);
    if (rc != HSAY_EINVAL || run.faults.count == 0)
        fail_msg("not refused: %s", text);
    if (strncmp(run.faults.text[0], wanted, strlen(wanted)) != 0)
        fail_msg("\"%s\" instead of \"%s\"", run.faults.text[0], wanted);
    run_free(&run);
}

static void mistakes_in_lines_are_told(void **state)
{
    static const char *const bad[][2] = {
        {"\nmeasur spread", "t:2: unknown statement 'measur' (did you mean 'measure'?); known are: "
                            "set, param, include, peers, variant, result, sweep, figure, measure, "
                            "@TIME"},
        {"set nodes", "t:1: too few words; expected: set KEY VALUE"},
        {"set nodes 1 2", "t:1: too many words; expected: set KEY VALUE"},
        {"set x \"1", "t:1: the quotes are not closed"},
        {"# \t\n\n#\n@0 join {1", "t:4: the braces are not closed"},
        {"a\x01", "t:1: byte 2 of the line is a control character"},
        {"ab\xff", "t:1: byte 3 of the line is not UTF-8"},
        {"\xed\xa0\x80", "t:1: byte 1 of the line is not UTF-8"},
        {"@0", "t:1: expected: @TIME ACTION [word...] [KEY=VALUE...] [{SET}]"},
        {"@0 jion {1}", "t:1: unknown action 'jion' (did you mean 'join'?); known are: join, "
                        "publish, partition, link"},
        {"@0 publish", "t:1: too few words; expected: publish BYTES [COUNT] [every=] [topic=] "
                       "[{SET}]"},
        {"@0 publish 1 2 3", "t:1: too many words; expected: publish BYTES"},
        {"@0 publish 1 evry=3", "t:1: unknown key of publish 'evry' (did you mean 'every'?); known "
                                "are: every, topic"},
        {"@0 publish 1 topic=a topic=b", "t:1: topic= is given twice"},
        {"@0 publish 1 {1} {2}", "t:1: more than one peer set; expected: publish"},
        {"@0 join", "t:1: no peer set; expected: join {SET}"},
        {"@0 join x=1 {1}", "t:1: join takes no KEY=VALUE, but is given x="},
        {"measure spraed", "t:1: unknown measure 'spraed' (did you mean 'spread'?); known are: "
                           "spread, traffic"},
        {"measure traffic {1}", "t:1: a peer set, but this is not about peers; expected: traffic"},
        {"param 9 1", "t:1: '9' is no name for a setting"},
        {"param a 1\nparam a 2", "t:2: the setting a is defined already at t:1"},
        {"peers all {1}", "t:1: 'all' has a meaning of its own in a peer set"},
        {"peers a 1-3", "t:1: expected a peer set in braces behind a"},
        {"peers a {1}\npeers a {2}", "t:2: the peer set a is defined already at t:1"},
        {"variant a", "t:1: too few words; expected: variant NAME [\"WORDS\"] KEY=VALUE..."},
        {"variant a \"b\"", "t:1: the variant 'a' has no settings"},
        {"variant a \"b\" c", "t:1: 'c': expected KEY=VALUE"},
        {"variant main \"a\" loss=1", "t:1: main is the run without settings of its own"},
        {"variant main \"a\"\nvariant main \"b\"",
         "t:2: the variant main is defined already at t:1"},
        {"variant a b", "t:1: 'b': expected KEY=VALUE"},
        {"variant main loss=1", "t:1: main is the run without settings of its own"},
        {"variant a loss=0\nvariant a loss=1", "t:2: the variant a is defined already at t:1"},
        {"variant a.b loss=0", "t:1: 'a.b' is no name for a variant"},
        {"sweep loss 0\nsweep loss 1", "t:2: the sweep of loss is defined already at t:1"},
        {"result a = main.x % long.y", "t:1: expected: result FIELD = A, or FIELD = A + B"},
        {"result a = main.x /", "t:1: expected: result FIELD = A, or FIELD = A + B"},
        {"result a : main.x", "t:1: expected: result FIELD = A, or FIELD = A + B"},
        {"result a = steps", "t:1: 'steps': expected VARIANT.FIELD, such as main.steps"},
        {"result a = 1\nresult a = 2", "t:2: the result a is defined already at t:1"},
        {"\nresult a = long.x - main.x\nvariant lon loss=1",
         "t:2: unknown variant 'long' (did you mean 'lon'?); known are: main, lon"},
        {"figure T x=a y=b", "t:1: a figure needs table=, x= and y="},
        {"figure T table=a x=b y=c style=line",
         "t:1: unknown style 'line' (did you mean 'lines'?)"},
        {"figure T table=a x=b y=c, ", "t:1: '' is no name of a table or a column"},
        {"figure T table=a x=b y=c variants=main,lon\nvariant long loss=1",
         "t:1: unknown variant 'lon' (did you mean 'long'?)"},
        {"figure T table=a x=b y=c variants=,main", "t:1: unknown variant ''"},
        {"figure T table=a x=b y=c xnames=1=a,2", "t:1: '2': expected \"VALUE=WORDS,VALUE=WORDS\""},
        {"figure T table=a x=b y=c ynames==a", "t:1: '=a': expected \"VALUE"},
        {"figure T table=a x=b:L y=c d=e", "t:1: unknown part of a figure 'd='"},
        {"figure T table=a x=b y=c log", "t:1: unknown part of a figure 'log' (did you mean"},
        {"figure T \"style=\"", "t:1: unknown part of a figure 'style='"},
        {"figure T table=a table=b", "t:1: table= is given twice"},
        {"figure T table=a x=b y=c bar=high", "t:1: bar=high: expected bar=NUMBER:\"text\""},
        {"figure T table=a x=b y=c xmax=", "t:1: xmax=: expected a number"},
        {"include nowhere", "t:1: no such file, and unknown scenario 'nowhere'"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fault(bad[i][0], bad[i][1]);
}

static void mistakes_in_values_are_told(void **state)
{
    static const char *const bad[][2] = {
        {"set los 1", "t:1: unknown setting 'los' (did you mean 'loss'?); known are: nodes, "},
        {"\nset loss 2", "t:2: loss is 2, but goes from 0 to 1"},
        {"set loss $x", "t:1: unknown setting 'x'; known are: "},
        {"param loss 1", "t:1: loss is a setting already; write: set KEY VALUE"},
        {"variant a los=1", "t:1: unknown setting 'los' (did you mean 'loss'?)"},
        {"\n\nvariant a policy=new",
         "t:3: unknown value of policy 'new'; known are: hearsay, paper"},
        {"set nodes $nodes", "t:1: nodes is made of itself: '$nodes'"},
        {"set nodes 5\nset loss 0\nset nodes ${nodes+1}", "t:3: nodes is made of itself"},
        {"param a 1\nset loss ${nodes/100}\nset nodes ${a+loss}", "t:2: loss is made of itself"},
        {"variant a seed=1", "t:1: seed is the same for all variants and points"},
        {"sweep loss 0 0.1 0", "t:1: loss=0 is there twice"},
        {"sweep loss 0 many", "t:1: loss is 'many', expected a share such as 0.1 or 10%"},
        {"@0 join {11}", "t:1: peer 11 is beyond the 10 nodes of this run"},
        {"set nodes 5\n@0 join {1-$nodes}\n@0 join {6}", "t:3: peer 6 is beyond the 5 nodes of"},
        {"@0 join {lairs}\npeers liars {1}",
         "t:1: unknown peer set 'lairs' (did you mean 'liars'?); known are: all, any, liars"},
        {"peers a {b}\npeers b {1}", "t:1: unknown peer set 'b'; known are: all, any"},
        {"@0 join {$x}", "t:1: unknown setting 'x'"},
        {"@$x join {1}", "t:1: unknown setting 'x'"},
        {"@soon join {1}", "t:1: the time 'soon' is none: expected"},
        {"@0 publish much", "t:1: 'much': expected a size such as 1200, 64k or 1MiB"},
        {"@0 publish 1 1.5", "t:1: '1.5': expected a whole number such as 10, 100k or 1M"},
        {"@0 publish 1 every=x", "t:1: every='x': expected a time such as"},
        {"@0 publish $x", "t:1: unknown setting 'x'"},
        {"measure spread every=x", "t:1: every='x': expected a time such as"},
        {"measure spread {12}", "t:1: peer 12 is beyond the 10 nodes of this run"},
        {"@0..1e9/1us join {1}", "t:1: more than 1048576 actions"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fault(bad[i][0], bad[i][1]);
}

static void mistakes_are_collected(void **state)
{
    char text[4096] = "";
    struct run run;
    (void)state;
    assert_int_equal(run_text(&run, "bad\n@0 join\nset nodes 5\nworse\n", NULL, NULL), HSAY_EINVAL);
    assert_int_equal(run.faults.count, 3);
    assert_true(strncmp(run.faults.text[2], "t:4: unknown statement 'worse'", 30) == 0);
    run_free(&run);
    for (unsigned i = 0; i < 100; i++)
        strcat(text, "@x join {1}\n");
    assert_int_equal(run_text(&run, text, NULL, NULL), HSAY_EINVAL);
    assert_int_equal(run.faults.count, LAB_FAULTS_MAX);
    assert_int_equal(lab_faults_total(&run.faults), LAB_FAULTS_MAX + 1);
    run_free(&run);
}

/* --- files ----------------------------------------------------------------------------------- */

static char folder[] = "/tmp/hearsay-script-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int read_file(struct run *run, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    *run = (struct run){0};
    lab_settings_init(&run->settings, rules, COUNT(rules));
    return lab_scenario_read(&run->scenario, &language, path, &run->faults);
}

static void assert_file_fault(const char *name, int error, const char *words)
{
    struct run run;
    assert_int_equal(read_file(&run, name), error);
    assert_true(run.faults.count > 0);
    if (strstr(run.faults.text[0], words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", run.faults.text[0], words);
    run_free(&run);
}

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int folder_remove(void **state)
{
    static const char *const name[] = {"main.scenario", "base.scenario", "sub/one", "sub/two",
                                       "loop",          "deep",          "wide",    "many"};
    char path[256];
    (void)state;
    for (size_t i = 0; i < COUNT(name); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, name[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/sub", folder);
    rmdir(path);
    return rmdir(folder);
}

static void files_include_files_beside_them(void **state)
{
    char path[256];
    struct run run;
    (void)state;
    snprintf(path, sizeof path, "%s/sub", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    put("main.scenario", "## Top.\ninclude base\n@1 join {1}\ninclude sub/one\n");
    put("base.scenario", "## Not shown.\nset nodes 4");
    put("sub/one", "include two\n@+1 join {2}\n");
    put("sub/two", "@+1 join {3}\n");
    assert_int_equal(read_file(&run, "main.scenario"), 0);
    assert_string_equal(run.scenario.name, "main");
    assert_string_equal(run.scenario.description, "Top.");
    assert_int_equal(run.scenario.file_count, 4);
    assert_int_equal(lab_scenario_declare(&run.scenario, &run.settings, &run.faults), 0);
    assert_int_equal(run_make(&run), 0);
    assert_int_equal(run.timeline.count, 3);
    assert_int_equal(run.timeline.action[2].at_ns, 3 * S);
    assert_int_equal(run.timeline.action[2].at.line, 2);
    assert_non_null(strstr(run.timeline.action[2].at.file, "/sub/one"));
    assert_non_null(strstr(run.timeline.action[1].at.file, "/sub/two"));
    const char *text = lab_scenario_text(&run.scenario);
    assert_string_equal(text, "## Top.\n# Not shown.\nset nodes 4\n@1 join {1}\n@+1 join {3}\n"
                              "@+1 join {2}\n");
    run_free(&run);
    /* The suffix need not be said. */
    assert_int_equal(read_file(&run, "main"), 0);
    run_free(&run);
}

static void files_do_not_include_themselves(void **state)
{
    char text[4096] = "";
    (void)state;
    put("loop", "# first\ninclude sub/../loop\n");
    assert_file_fault("loop", HSAY_EINVAL, "/loop:2: ");
    assert_file_fault("loop", HSAY_EINVAL, " would include itself");
    put("sub/one", "include ../loop\n");
    put("loop", "include sub/one\n");
    assert_file_fault("loop", HSAY_EINVAL, "/sub/one:1: ");
    put("wide", "");
    for (unsigned i = 0; i < LAB_SCENARIO_FILES_MAX; i++)
        strcat(text, "include wide\n");
    put("many", text);
    assert_file_fault("many", HSAY_EINVAL, "/many:64: more than 64 files are included");
    assert_file_fault("nothing", HSAY_ENOENT, "no such file, and unknown scenario '");
    assert_file_fault("sub", HSAY_ENOENT, "no such file, and unknown scenario '");
}

static void files_are_not_nested_too_deep(void **state)
{
    char name[32], text[32];
    struct run run;
    (void)state;
    for (int i = LAB_SCENARIO_DEPTH_MAX; i >= 0; i--) {
        snprintf(name, sizeof name, "d%d", i);
        snprintf(text, sizeof text, i < LAB_SCENARIO_DEPTH_MAX ? "include d%d\n" : "#", i + 1);
        put(name, text);
    }
    assert_file_fault("d0", HSAY_EINVAL, "/d7:1: files include each other more than 8 deep");
    assert_int_equal(read_file(&run, "d1"), 0);
    run_free(&run);
    for (int i = 0; i <= LAB_SCENARIO_DEPTH_MAX; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/d%d", folder, i);
        unlink(path);
    }
}

/* What is in the program is what is in the tree. */
static void shipped_scenarios_are_those_of_the_tree(void **state)
{
    (void)state;
    assert_null(lab_embedded_find("no such"));
    for (size_t i = 0; i < lab_embedded_count; i++) {
        const struct lab_embedded *shipped = &lab_embedded_table[i];
        char path[256], *text = calloc(1, shipped->size + 2);
        assert_ptr_equal(lab_embedded_find(shipped->name), shipped);
        assert_true(i == 0 || strcmp(shipped->name, shipped[-1].name) > 0);
        snprintf(path, sizeof path, "src/lab/experiments/%s.scenario", shipped->name);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_int_equal(fread(text, 1, shipped->size + 1, file), shipped->size);
        assert_string_equal(text, shipped->text);
        fclose(file);
        free(text);
    }
}

/* --- size and chance ------------------------------------------------------------------------- */

static void many_lines_are_read(void **state)
{
    enum { LINES = 100000 };
    char *text = calloc(LINES + 1, 64), *to = text;
    struct run run;
    (void)state;
    assert_non_null(text);
    to += sprintf(to, "param size 1k\n");
    for (unsigned i = 0; i < LINES; i++)
        to += sprintf(to, "@%u publish $size topic=t%u {%u,1}\n", i / 1000, i, 1 + i % 10);
    good(&run, text, NULL, NULL);
    assert_int_equal(run.timeline.count, LINES);
    assert_string_equal(lab_action_text(&run.timeline.action[LINES - 1], "topic", ""), "t99999");
    run_free(&run);
    free(text);
}

/* Pieces of the language in any order: read or refused, and never anything worse. */
static void any_text_is_read_or_refused(void **state)
{
    static const char *const piece[] = {
        "set ",   "param ",  "a",      "nodes ",   "variant ", "main.",    "result ", " = ",  "/",
        "sweep ", "figure ", "\"",     "table=x",  " x=y:",    "measure ", "spread ", "@",    "+5 ",
        "..",     "{",       "}",      "1-3",      ",",        "any",      "10%",     "!",    "$",
        "${",     "nodes",   "join ",  "publish ", "12",       "k=v ",     "\n",      "\n@",  " ",
        "#",      "##",      "peers ", "end",      "$a",       "include ", "\\",      "\xc3", "\t",
    };
    struct lab_chance chance = lab_chance_stream(7, LAB_CHANCE_MEASURE, 0);
    (void)state;
    for (unsigned round = 0; round < 5000; round++) {
        char text[1024] = "";
        struct run run;
        for (uint64_t n = lab_chance_below(&chance, 60); n-- > 0;)
            strcat(text, piece[lab_chance_below(&chance, COUNT(piece))]);
        int rc = run_text(&run, text, NULL, NULL);
        assert_int_equal(rc != 0, run.faults.count != 0);
        run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_has_words_keys_and_peers),
        cmocka_unit_test(times_repeat_and_follow),
        cmocka_unit_test(settings_change_the_timeline),
        cmocka_unit_test(named_sets_mean_the_same_peers),
        cmocka_unit_test(what_belongs_to_a_report_is_kept),
        cmocka_unit_test(mistakes_in_lines_are_told),
        cmocka_unit_test(mistakes_in_values_are_told),
        cmocka_unit_test(mistakes_are_collected),
        cmocka_unit_test(files_include_files_beside_them),
        cmocka_unit_test(files_do_not_include_themselves),
        cmocka_unit_test(files_are_not_nested_too_deep),
        cmocka_unit_test(shipped_scenarios_are_those_of_the_tree),
        cmocka_unit_test(many_lines_are_read),
        cmocka_unit_test(any_text_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
