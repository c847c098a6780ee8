#include "src/lab/nat/questions.h"

#include <stdio.h>
#include <string.h>

#include "nat/addr_class.h"

enum {
    AROUND_MS = 2000,  /* the timer is tried so long after its end, */
    BEFORE_MS = 2500,  /* and so long before it */
    SETTLED_MS = 2500, /* when a flow is older than what Linux thinks is young */
    TRY_MS = 500,
};

/* The number of an outside socket. */
static unsigned outside(unsigned host, unsigned port)
{
    return NATLAB_QUESTIONS + 2 * host + port;
}

static void say(const struct natlab_asker *a, unsigned socket, const struct hsay_addr *to,
                const char *text)
{
    a->say(a->self, socket, to, text);
}

static bool hear(const struct natlab_asker *a, unsigned socket, const char *text, unsigned wait_ms,
                 struct hsay_addr *from)
{
    struct hsay_addr any;
    return a->hear(a->self, socket, text, wait_ms, from != NULL ? from : &any);
}

/* As which address the inside socket appears at the first outside; false: nothing comes through. */
static bool appears(const struct natlab_asker *a, unsigned socket, struct hsay_addr *as)
{
    char text[NATLAB_SAYING_BYTES];
    snprintf(text, sizeof text, "begin %u", socket);
    say(a, socket, &a->address[outside(0, 0)], text);
    return hear(a, outside(0, 0), text, a->wait_ms, as);
}

/* --- mapping --------------------------------------------------------------------------------- */

static bool is_same(const struct hsay_addr *a, const struct hsay_addr *b)
{
    return hsay_addr_equal(a, b);
}

/* Ports that were chosen one after the other, none further from the one before than `most`. */
static bool is_sequence(const struct hsay_addr as[NATLAB_SOCKETS_OUTSIDE], int most)
{
    for (unsigned i = 1; i < NATLAB_SOCKETS_OUTSIDE; i++) {
        int gap = as[i].port - as[i - 1].port;
        if (gap < 1 || gap > most)
            return false;
    }
    return true;
}

static uint8_t ports_of(const struct hsay_addr as[NATLAB_SOCKETS_OUTSIDE], uint16_t inside,
                        uint8_t mapping)
{
    if (as[0].port == inside && mapping == LAB_NAT_INDEPENDENT)
        return LAB_NAT_PORTS_KEPT;
    return is_sequence(as, 2) ? LAB_NAT_PORTS_SEQUENTIAL : LAB_NAT_PORTS_RANDOM;
}

/* To each of the four, one after the other.  False: one of them heard nothing. */
static bool look_at_mapping(const struct natlab_asker *a, struct lab_nat_kind *box)
{
    const struct hsay_addr *own = &a->address[NATLAB_ASK_MAPPING];
    struct hsay_addr as[NATLAB_SOCKETS_OUTSIDE];
    for (unsigned i = 0; i < NATLAB_SOCKETS_OUTSIDE; i++) {
        char text[NATLAB_SAYING_BYTES];
        unsigned there = NATLAB_QUESTIONS + i;
        snprintf(text, sizeof text, "map %u", i);
        say(a, NATLAB_ASK_MAPPING, &a->address[there], text);
        if (!hear(a, there, text, a->wait_ms, &as[i]))
            return false;
    }
    bool ports_alike = is_same(&as[0], &as[1]) && is_same(&as[2], &as[3]);
    bool hosts_alike = is_same(&as[0], &as[2]);
    box->mapping = !ports_alike  ? LAB_NAT_PORT
                   : hosts_alike ? LAB_NAT_INDEPENDENT
                                 : LAB_NAT_ADDRESS;
    box->ports = ports_of(as, own->port, box->mapping);
    box->open = hosts_alike && is_same(&as[0], own);
    return true;
}

/* --- filtering ------------------------------------------------------------------------------- */

/* One was sent to: who else may send back?  False: not even that one. */
static bool look_at_filtering(const struct natlab_asker *a, struct lab_nat_kind *box)
{
    struct hsay_addr as;
    unsigned in = NATLAB_ASK_FILTERING;
    if (!appears(a, in, &as))
        return false;
    say(a, outside(1, 0), &as, "other host");
    say(a, outside(0, 1), &as, "other port");
    say(a, outside(0, 0), &as, "same");
    /* In the order in which they were sent; those that are left out took longer than that. */
    bool host = hear(a, in, "other host", a->quiet_ms, NULL);
    say(a, outside(0, 1), &as, "again port");
    bool port = hear(a, in, "again port", a->quiet_ms, NULL);
    say(a, outside(0, 0), &as, "again");
    if (!hear(a, in, "again", a->wait_ms, NULL))
        return false;
    box->filtering = host ? LAB_NAT_INDEPENDENT : port ? LAB_NAT_ADDRESS : LAB_NAT_PORT;
    return true;
}

/* --- hairpin --------------------------------------------------------------------------------- */

/* Two sockets of one host, each sending to what the other looks like from outside; again, for a
 * filter may have to be opened. */
static void look_at_hairpin(const struct natlab_asker *a, struct lab_nat_kind *box)
{
    struct hsay_addr one, other;
    unsigned x = NATLAB_ASK_HAIRPIN, y = NATLAB_ASK_MAPPING;
    if (!appears(a, x, &one) || !appears(a, y, &other))
        return;
    say(a, x, &other, "pin 1");
    box->hairpin_open = hear(a, y, "pin 1", a->quiet_ms, NULL);
    say(a, y, &one, "pin 2");
    say(a, x, &other, "pin 3");
    box->hairpin = hear(a, x, "pin 2", a->quiet_ms, NULL) || hear(a, y, "pin 3", a->quiet_ms, NULL);
}

/* --- timers ---------------------------------------------------------------------------------- */

/* All mappings are of one age, in as far as the way is short, and each question has one try at the
 * end, for a try prolongs it. */
struct timers {
    const struct natlab_asker *asker;
    struct hsay_addr as[NATLAB_QUESTIONS];
    uint64_t begun_ms;
};

static void sleep_until(const struct timers *t, unsigned ms)
{
    uint64_t now_ms = t->asker->clock_ms(t->asker->self), due_ms = t->begun_ms + ms;
    if (now_ms < due_ms)
        t->asker->sleep(t->asker->self, (unsigned)(due_ms - now_ms));
}

/* From outside, by the port that was sent to or by the one beside it. */
static void knock(const struct timers *t, unsigned question, unsigned port)
{
    say(t->asker, outside(0, port), &t->as[question], port == 0 ? "knock" : "stranger");
}

static bool opens(const struct timers *t, unsigned question, unsigned port)
{
    unsigned wait_ms = t->asker->quiet_ms > TRY_MS ? t->asker->quiet_ms : TRY_MS;
    return hear(t->asker, question, port == 0 ? "knock" : "stranger", wait_ms, NULL);
}

static bool tries(const struct timers *t, unsigned question)
{
    knock(t, question, 0);
    return opens(t, question, 0);
}

static bool begin_all(struct timers *t, unsigned past)
{
    t->begun_ms = t->asker->clock_ms(t->asker->self);
    for (unsigned i = NATLAB_ASK_EARLY; i < past; i++)
        if (!appears(t->asker, i, &t->as[i]))
            return false;
    return true;
}

static void look_at_timer(struct timers *t, unsigned timer_s, struct natlab_seen *seen)
{
    if (!begin_all(t, NATLAB_ASK_LATE + 1))
        return;
    sleep_until(t, timer_s * 1000 - BEFORE_MS);
    bool kept = tries(t, NATLAB_ASK_EARLY);
    sleep_until(t, timer_s * 1000 + AROUND_MS);
    seen->forgets = kept && !tries(t, NATLAB_ASK_LATE);
}

/* Out, back, out again and back again, all at once. */
static void talk_young(const struct timers *t)
{
    struct hsay_addr same;
    knock(t, NATLAB_ASK_YOUNG, 0);
    hear(t->asker, NATLAB_ASK_YOUNG, "knock", t->asker->wait_ms, NULL);
    appears(t->asker, NATLAB_ASK_YOUNG, &same);
    tries(t, NATLAB_ASK_YOUNG);
}

/* Out and back at once, and out again when it is two seconds old. */
static void talk_settled(const struct timers *t)
{
    struct hsay_addr same;
    tries(t, NATLAB_ASK_STREAM);
    tries(t, NATLAB_ASK_STREAM_LATE);
    sleep_until(t, SETTLED_MS);
    appears(t->asker, NATLAB_ASK_STREAM, &same);
    appears(t->asker, NATLAB_ASK_STREAM_LATE, &same);
}

/* The same as above, and meanwhile: does a packet in prolong a mapping, and that for strangers,
 * too?  When is the longer timer the one that counts? */
static void look_at_timers(struct timers *t, const struct natlab_probe *probe,
                           struct natlab_seen *seen)
{
    unsigned timer_ms = probe->timer_s * 1000, stream_ms = probe->stream_s * 1000;
    if (!begin_all(t, NATLAB_QUESTIONS))
        return;
    talk_young(t);
    talk_settled(t);
    sleep_until(t, timer_ms - BEFORE_MS);
    knock(t, NATLAB_ASK_PROLONGED, 0);
    knock(t, NATLAB_ASK_STRANGER, 0);
    bool kept = tries(t, NATLAB_ASK_EARLY);
    sleep_until(t, timer_ms + AROUND_MS);
    knock(t, NATLAB_ASK_STRANGER, 1);
    knock(t, NATLAB_ASK_LATE, 0);
    knock(t, NATLAB_ASK_YOUNG, 0);
    hear(t->asker, NATLAB_ASK_PROLONGED, "knock", 0, NULL); /* the one before */
    seen->box.refresh_in = tries(t, NATLAB_ASK_PROLONGED);
    seen->forgets = kept && !opens(t, NATLAB_ASK_LATE, 0);
    seen->is_stream_young = opens(t, NATLAB_ASK_YOUNG, 0);
    seen->box.flows = !opens(t, NATLAB_ASK_STRANGER, 1);
    sleep_until(t, SETTLED_MS + timer_ms + AROUND_MS);
    seen->is_stream = tries(t, NATLAB_ASK_STREAM);
    sleep_until(t, SETTLED_MS + stream_ms + AROUND_MS);
    seen->forgets_stream = !tries(t, NATLAB_ASK_STREAM_LATE);
}

/* --- all questions --------------------------------------------------------------------------- */

void natlab_questions_ask(struct natlab_seen *seen, const struct natlab_asker *asker,
                          const struct natlab_probe *probe)
{
    struct timers timers = {.asker = asker};
    memset(seen, 0, sizeof *seen);
    if (!look_at_mapping(asker, &seen->box) || !look_at_filtering(asker, &seen->box)) {
        seen->box = (struct lab_nat_kind){.blocked = true};
        return;
    }
    if (probe->hairpin && !seen->box.open)
        look_at_hairpin(asker, &seen->box);
    if (probe->stream_s != 0)
        look_at_timers(&timers, probe, seen);
    else if (probe->timer_s != 0)
        look_at_timer(&timers, probe->timer_s, seen);
}

struct natlab_probe natlab_probe_thorough(const struct lab_nat_kind *kind, unsigned most_s)
{
    unsigned timer_s = (unsigned)(kind->timeout_ns / 1000000000u);
    unsigned stream_s = (unsigned)(kind->stream_ns / 1000000000u);
    if (kind->open || kind->blocked)
        return (struct natlab_probe){.hairpin = false};
    struct natlab_probe probe = {.hairpin = true};
    if (timer_s <= most_s)
        probe.timer_s = timer_s;
    if (stream_s <= most_s)
        probe.stream_s = stream_s;
    return probe;
}

/* A filter by port admits no strangers, whatever their time. */
static bool timers_fit(const struct natlab_seen *seen, const struct lab_nat_kind *should,
                       const struct natlab_probe *probe)
{
    bool longer = should->stream_ns > should->timeout_ns;
    if (probe->timer_s != 0 && !seen->forgets)
        return false;
    if (probe->stream_s == 0)
        return true;
    return seen->box.refresh_in == should->refresh_in &&
           seen->is_stream_young == (longer && should->settling_ns == 0) &&
           seen->is_stream == longer && seen->forgets_stream &&
           (should->filtering == LAB_NAT_PORT || seen->box.flows == should->flows);
}

bool natlab_questions_fit(const struct natlab_seen *seen, const struct lab_nat_kind *should,
                          const struct natlab_probe *probe)
{
    const struct lab_nat_kind *box = &seen->box;
    if (should->blocked || should->open)
        return box->blocked == should->blocked && box->open == should->open;
    return !box->blocked && !box->open && box->mapping == should->mapping &&
           box->filtering == should->filtering && box->ports == should->ports &&
           (!probe->hairpin || (box->hairpin == should->hairpin &&
                                box->hairpin_open == (should->hairpin && should->hairpin_open))) &&
           timers_fit(seen, should, probe);
}

/* --- words ----------------------------------------------------------------------------------- */

static void append(char text[NATLAB_VERDICT_BYTES], const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, NATLAB_VERDICT_BYTES - used, "%s", more);
}

static void append_timers(char text[NATLAB_VERDICT_BYTES], const struct natlab_seen *seen,
                          const struct natlab_probe *probe)
{
    append(text, seen->box.refresh_in ? ", packets in prolong" : ", packets in do not prolong");
    if (seen->box.filtering != LAB_NAT_PORT)
        append(text, seen->box.flows ? " a flow of their own" : " it for all");
    append(text, seen->is_stream_young ? ", a stream at once"
                 : seen->is_stream     ? ", a stream after 2 s"
                                       : ", no stream");
    if (!seen->is_stream)
        return;
    char more[64];
    snprintf(more, sizeof more, seen->forgets_stream ? " that ends after %u s" : " without end",
             probe->stream_s);
    append(text, more);
}

void natlab_questions_words(char text[NATLAB_VERDICT_BYTES], const struct natlab_seen *seen,
                            const struct natlab_probe *probe)
{
    char more[64];
    natlab_kind_words(text, NATLAB_VERDICT_BYTES, &seen->box);
    if (seen->box.open || seen->box.blocked)
        return;
    if (seen->box.hairpin_open)
        append(text, " without a filter");
    snprintf(more, sizeof more, seen->forgets ? ", forgets after %u s" : ", timer is not %u s",
             probe->timer_s);
    if (probe->timer_s != 0)
        append(text, more);
    if (probe->stream_s != 0)
        append_timers(text, seen, probe);
}
