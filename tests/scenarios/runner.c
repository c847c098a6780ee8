/*
 * Scripts with time in them: each .scn file is a small world and what must be true in it when.
 *
 *   nodes COUNT SEED             first line; then, before the first `at`:
 *   secret TEXT                  an overlay secret
 *   link delay MS | jitter MS | loss PERMILLE | duplicate PERMILLE
 *   set step MS | fixed | pull | policy NUMBER | answer BYTES
 *   at MS VERB ...               milliseconds since the start, not falling
 *
 * Verbs:  name I J             node I is told of J's address (operator)
 *         publish I COUNT      that many bundles
 *         crash I              restart with what was committed
 *         wipe I               restart with an empty store
 *         off I | on I         unplugged, plugged in
 *         link ...             as above, from now on
 *         same COUNT           all online nodes hold the same, COUNT bundles
 *         same COUNT within MS
 *         differ               they do not
 *         held I COUNT
 *         synced I YES|NO
 *         candidates I COUNT   at least
 *         once                 no node was handed a bundle twice
 *         count I NAME OP N    a counter;  OP is =, <= or >=
 *         drop I NAME OP N     a drop reason
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/world.h"

enum { WORDS_MAX = 8 };

struct script {
    const char *file;
    unsigned line;
    struct world world;
    bool started;
    uint64_t start_ns;
    uint64_t published;
};

struct words {
    char *word[WORDS_MAX];
    unsigned count;
};

static void fail(const struct script *s, const char *why)
{
    fprintf(stderr, "%s:%u: %s\n", s->file, s->line, why);
    exit(1);
}

static void expect(const struct script *s, bool true_now, const char *what)
{
    if (!true_now)
        fail(s, what);
}

static uint64_t number(const struct script *s, const struct words *w, unsigned i)
{
    char *end;
    if (i >= w->count)
        fail(s, "a number is missing");
    uint64_t v = strtoull(w->word[i], &end, 10);
    if (*end != '\0')
        fail(s, "not a number");
    return v;
}

static unsigned node(const struct script *s, const struct words *w, unsigned i)
{
    uint64_t n = number(s, w, i);
    if (n >= s->world.node_count)
        fail(s, "no such node");
    return (unsigned)n;
}

static bool is(const struct words *w, unsigned i, const char *text)
{
    return i < w->count && strcmp(w->word[i], text) == 0;
}

static void set_link(struct script *s, const struct words *w, unsigned i)
{
    struct world_link *link = &s->world.link;
    for (; i + 1 < w->count; i += 2) {
        uint32_t v = (uint32_t)number(s, w, i + 1);
        if (is(w, i, "delay"))
            link->delay_ms = v;
        else if (is(w, i, "jitter"))
            link->jitter_ms = v;
        else if (is(w, i, "loss"))
            link->loss_permille = v;
        else if (is(w, i, "duplicate"))
            link->duplicate_permille = v;
        else
            fail(s, "link knows delay, jitter, loss, duplicate");
    }
}

static void set_option(struct script *s, const struct words *w)
{
    struct hsay_overlay_config *c = &s->world.overlay_config;
    if (is(w, 1, "fixed"))
        c->fixed_step = true;
    else if (is(w, 1, "pull"))
        c->pull_only = true;
    else if (is(w, 1, "step"))
        c->step_ms = (uint32_t)number(s, w, 2);
    else if (is(w, 1, "policy"))
        c->policy = (uint8_t)number(s, w, 2);
    else if (is(w, 1, "answer"))
        c->answer_bytes = c->answer_bytes_max = (uint32_t)number(s, w, 2);
    else
        fail(s, "set knows fixed, pull, step, policy, answer");
}

static void publish(struct script *s, unsigned i, uint64_t count)
{
    char payload[64];
    for (uint64_t k = 0; k < count; k++) {
        snprintf(payload, sizeof payload, "bundle %llu", (unsigned long long)s->published++);
        world_publish(&s->world, i, payload);
    }
}

static void compare(const struct script *s, const struct words *w, uint64_t have, unsigned i)
{
    uint64_t want = number(s, w, i + 1);
    bool good = (is(w, i, "=") && have == want) || (is(w, i, "<=") && have <= want) ||
                (is(w, i, ">=") && have >= want);
    if (!good) {
        fprintf(stderr, "%s:%u: it is %llu\n", s->file, s->line, (unsigned long long)have);
        fail(s, "not as expected");
    }
}

static void check_count(const struct script *s, const struct words *w)
{
    const struct hsay_node_stats *stats = hsay_node_stats(s->world.node[node(s, w, 1)].node);
    if (w->count < 5)
        fail(s, "NODE NAME OP NUMBER");
    for (int i = 0; is(w, 0, "count") && i < HSAY_COUNTER_COUNT; i++)
        if (is(w, 2, hsay_counter_name((enum hsay_counter)i))) {
            compare(s, w, stats->count[i], 3);
            return;
        }
    for (int i = 0; is(w, 0, "drop") && i < HSAY_DROP_COUNT; i++)
        if (is(w, 2, hsay_drop_name((enum hsay_drop)i))) {
            compare(s, w, stats->drop[i], 3);
            return;
        }
    fail(s, "no such counter");
}

static struct hsay_overlay_status status(struct script *s, unsigned i)
{
    struct hsay_overlay_status st;
    hsay_node_overlay_status(s->world.node[i].node, world_now(&s->world), 0, &st);
    return st;
}

static uint64_t candidates(struct script *s, unsigned i)
{
    struct hsay_overlay_status st = status(s, i);
    uint64_t sum = 0;
    for (int b = HSAY_BUCKET_TRUSTED; b <= HSAY_BUCKET_INTRODUCED; b++)
        sum += st.bucket_count[b];
    return sum;
}

static bool none_repeated(const struct script *s)
{
    for (unsigned i = 0; i < s->world.node_count; i++)
        if (s->world.node[i].repeated != 0)
            return false;
    return true;
}

/* What changes the world; false if the verb is none of these. */
static bool act(struct script *s, const struct words *w)
{
    struct world *world = &s->world;
    if (is(w, 0, "name"))
        world_name(world, node(s, w, 1), node(s, w, 2), HSAY_BUCKET_TRUSTED);
    else if (is(w, 0, "publish"))
        publish(s, node(s, w, 1), number(s, w, 2));
    else if (is(w, 0, "crash"))
        world_restart(world, node(s, w, 1), false);
    else if (is(w, 0, "wipe"))
        world_restart(world, node(s, w, 1), true);
    else if (is(w, 0, "off"))
        world->node[node(s, w, 1)].online = false;
    else if (is(w, 0, "on"))
        world->node[node(s, w, 1)].online = true;
    else if (is(w, 0, "link"))
        set_link(s, w, 1);
    else
        return false;
    return true;
}

static void check(struct script *s, const struct words *w)
{
    struct world *world = &s->world;
    if (is(w, 0, "same") && is(w, 2, "within"))
        expect(s, world_run_until_same(world, number(s, w, 1), number(s, w, 3)) != UINT64_MAX,
               "not the same in time");
    else if (is(w, 0, "same"))
        expect(s, world_same(world, number(s, w, 1)), "not the same");
    else if (is(w, 0, "differ"))
        expect(s, !world_same(world, 0), "they are the same");
    else if (is(w, 0, "held"))
        expect(s, status(s, node(s, w, 1)).sum.count == number(s, w, 2), "holds another number");
    else if (is(w, 0, "synced"))
        expect(s, status(s, node(s, w, 1)).synced == is(w, 2, "yes"), "synced is otherwise");
    else if (is(w, 0, "candidates"))
        expect(s, candidates(s, node(s, w, 1)) >= number(s, w, 2), "knows fewer");
    else if (is(w, 0, "once"))
        expect(s, none_repeated(s), "a bundle was handed over twice");
    else if (is(w, 0, "count") || is(w, 0, "drop"))
        check_count(s, w);
    else
        fail(s, "unknown verb");
}

static void at(struct script *s, struct words *w)
{
    if (!s->started) {
        world_start(&s->world);
        s->started = true;
        s->start_ns = s->world.now_ns;
    }
    uint64_t when = s->start_ns + number(s, w, 1) * 1000000u;
    /* A check that waited may have gone past this line's time; then it is now. */
    if (when > s->world.now_ns)
        world_run(&s->world, (when - s->world.now_ns) / 1000000u);
    struct words rest = {.count = w->count > 2 ? w->count - 2 : 0};
    memcpy(rest.word, w->word + 2, rest.count * sizeof *rest.word);
    if (!act(s, &rest))
        check(s, &rest);
}

static void line(struct script *s, struct words *w)
{
    if (is(w, 0, "nodes")) {
        unsigned nodes = (unsigned)number(s, w, 1);
        world_init(&s->world, nodes, number(s, w, 2));
    } else if (s->world.node == NULL) {
        fail(s, "the first line is: nodes COUNT SEED");
    } else if (is(w, 0, "secret") && w->count == 2) {
        world_set_secret(&s->world, w->word[1]);
    } else if (is(w, 0, "link")) {
        set_link(s, w, 1);
    } else if (is(w, 0, "set")) {
        set_option(s, w);
    } else if (is(w, 0, "at")) {
        at(s, w);
    } else {
        fail(s, "unknown line");
    }
}

static void split(char *text, struct words *w)
{
    char *save = NULL;
    w->count = 0;
    text[strcspn(text, "#\n")] = '\0';
    for (char *t = strtok_r(text, " \t", &save); t != NULL && w->count < WORDS_MAX;
         t = strtok_r(NULL, " \t", &save))
        w->word[w->count++] = t;
}

static void run(const char *file)
{
    struct script s = {.file = file};
    char text[256];
    FILE *f = fopen(file, "r");
    if (f == NULL)
        fail(&s, "cannot be read");
    while (fgets(text, sizeof text, f) != NULL) {
        struct words w;
        s.line++;
        split(text, &w);
        if (w.count != 0)
            line(&s, &w);
    }
    fclose(f);
    if (!s.started)
        fail(&s, "nothing happens in it");
    world_free(&s.world);
}

int main(int argc, char **argv)
{
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        run(argv[i]);
        printf("ok %d - %s\n", i, argv[i]);
    }
    return argc > 1 ? 0 : 1;
}
