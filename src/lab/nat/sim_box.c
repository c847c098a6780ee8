#include "src/lab/nat/sim_box.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/output/heap.h"

enum { INBOX_MAX = 16, OUTSIDE_PORT = 7001, INSIDE_PORT = 5001, WAIT_MS = 1000, QUIET_MS = 100 };

struct saying {
    struct hsay_addr from;
    char text[NATLAB_SAYING_BYTES];
};

/* A socket, and what has come there and was not heard yet. */
struct inbox {
    struct saying saying[INBOX_MAX];
    unsigned count;
};

struct site {
    struct natlab_asker asker;
    struct lab_nat_box box[NATLAB_BOXES_MAX]; /* from the inside to the outside */
    unsigned boxes;
    struct lab_chance chance;
    uint64_t now_ns;
    struct inbox inbox[NATLAB_SOCKETS];
};

static struct hsay_addr address(uint8_t a, uint8_t b, uint8_t c, uint8_t d, unsigned port)
{
    return (struct hsay_addr){.kind = HSAY_ADDR_IP4, .port = (uint16_t)port, .byte = {a, b, c, d}};
}

/* --- ways ------------------------------------------------------------------------------------ */

static void deliver(struct site *s, const struct hsay_addr *from, const struct hsay_addr *to,
                    const char *text)
{
    for (unsigned i = 0; i < NATLAB_SOCKETS; i++) {
        struct inbox *inbox = &s->inbox[i];
        if (!hsay_addr_equal(&s->asker.address[i], to) || inbox->count == INBOX_MAX)
            continue;
        struct saying *saying = &inbox->saying[inbox->count++];
        saying->from = *from;
        snprintf(saying->text, sizeof saying->text, "%s", text);
    }
}

/* From outside of the first so many boxes. */
static void go_in(struct site *s, unsigned boxes, const struct hsay_addr *from,
                  const struct hsay_addr *to, const char *text)
{
    struct hsay_addr at = *to, next;
    while (boxes-- > 0) {
        if (!lab_nat_in(&s->box[boxes], s->now_ns, from, &at, &next))
            return;
        at = next;
    }
    deliver(s, from, &at, text);
}

static void go_out(struct site *s, const struct hsay_addr *from, const struct hsay_addr *to,
                   const char *text)
{
    struct hsay_addr as = *from, next, reached;
    for (unsigned i = 0; i < s->boxes; i++) {
        if (lab_nat_is_own(&s->box[i], to)) {
            if (lab_nat_hairpin(&s->box[i], &s->chance, s->now_ns, &as, to, &next, &reached))
                go_in(s, i, &next, &reached, text);
            return;
        }
        if (!lab_nat_out(&s->box[i], &s->chance, s->now_ns, &as, to, &next))
            return;
        as = next;
    }
    deliver(s, &as, to, text);
}

/* --- an asker -------------------------------------------------------------------------------- */

static void say(void *self, unsigned socket, const struct hsay_addr *to, const char *text)
{
    struct site *s = self;
    const struct hsay_addr *from = &s->asker.address[socket];
    if (socket < NATLAB_QUESTIONS)
        go_out(s, from, to, text);
    else
        go_in(s, s->boxes, from, to, text);
}

static void sleep_ms(void *self, unsigned ms)
{
    struct site *s = self;
    s->now_ns += (uint64_t)ms * 1000000;
}

static uint64_t clock_ms(void *self)
{
    const struct site *s = self;
    return s->now_ns / 1000000;
}

static bool take(struct inbox *inbox, struct saying *saying)
{
    if (inbox->count == 0)
        return false;
    *saying = inbox->saying[0];
    memmove(&inbox->saying[0], &inbox->saying[1], --inbox->count * sizeof *saying);
    return true;
}

/* What is said has come: there is no way to go. */
static bool hear(void *self, unsigned socket, const char *text, unsigned wait_ms,
                 struct hsay_addr *from)
{
    struct site *s = self;
    struct saying saying;
    while (take(&s->inbox[socket], &saying)) {
        *from = saying.from;
        if (strcmp(saying.text, text) == 0)
            return true;
    }
    sleep_ms(s, wait_ms);
    return false;
}

static void open_sockets(struct site *s)
{
    static const uint8_t host[2] = {1, 2};
    for (unsigned i = 0; i < NATLAB_QUESTIONS; i++)
        s->asker.address[i] = s->boxes == 0 ? address(5, 10, 0, 1, INSIDE_PORT + i)
                                            : address(192, 168, 1, 10, INSIDE_PORT + i);
    for (unsigned i = 0; i < NATLAB_SOCKETS_OUTSIDE; i++)
        s->asker.address[NATLAB_QUESTIONS + i] =
            address(5, host[i / 2], 0, 1, OUTSIDE_PORT + i % 2);
}

static void open_boxes(struct site *s, const struct natlab_kind *kind)
{
    struct hsay_addr public = address(5, 10, 0, 1, 0), carrier = address(100, 64, 0, 2, 0);
    s->boxes = kind->boxes;
    for (unsigned i = 0; i < kind->boxes; i++)
        lab_nat_box_init(&s->box[i], &kind->box[i], i + 1 == kind->boxes ? &public : &carrier);
}

void natlab_sim_box_look(struct natlab_seen *seen, const struct natlab_kind *kind,
                         const struct natlab_probe *probe, uint64_t seed)
{
    struct site *s = lab_heap_new(1, sizeof *s);
    s->asker = (struct natlab_asker){.self = s,
                                     .wait_ms = WAIT_MS,
                                     .quiet_ms = QUIET_MS,
                                     .say = say,
                                     .hear = hear,
                                     .sleep = sleep_ms,
                                     .clock_ms = clock_ms};
    s->chance = lab_chance_stream(seed, LAB_CHANCE_NAT, 0);
    s->now_ns = 1000000000u;
    open_boxes(s, kind);
    open_sockets(s);
    natlab_questions_ask(seen, &s->asker, probe);
    for (unsigned i = 0; i < s->boxes; i++)
        lab_nat_box_free(&s->box[i]);
    free(s);
}
