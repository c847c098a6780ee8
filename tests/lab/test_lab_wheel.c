/* Goal: what is put into the wheel comes out by (time, order), whatever the distance, whatever was
 * put in before, and never before its limit; deeds of an agenda come by time and order of asking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/agenda.h"
#include "src/lab/sim/chance.h"
#include "src/lab/sim/wheel.h"

#define TICK_NS (UINT64_C(1) << LAB_WHEEL_TICK_BITS)
#define TURN_NS (TICK_NS << LAB_WHEEL_LEVELS * LAB_WHEEL_SLOT_BITS)

/* --- the wheel beside a sorted list ---------------------------------------------------------- */

enum { EVENTS_MAX = 4096 };

/* The list holds what the wheel should; the last is the next to come out. */
struct rig {
    struct lab_wheel wheel;
    struct lab_event *list[EVENTS_MAX];
    size_t count;
    struct lab_chance chance;
    uint64_t now_ns; /* nothing that lies ahead is before this */
    uint64_t order;
};

static bool comes_first(const struct lab_event *a, const struct lab_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void rig_open(struct rig *r, uint64_t seed, uint64_t now_ns)
{
    memset(r, 0, sizeof *r);
    r->chance = lab_chance_stream(seed, LAB_CHANCE_SCENARIO, 1);
    r->now_ns = now_ns;
    lab_wheel_init(&r->wheel, now_ns);
}

/* Where `order` is not given from outside, a number that says nothing of when it was put in. */
static void put_as(struct rig *r, uint64_t at_ns, uint64_t order)
{
    struct lab_event *e = calloc(1, sizeof *e);
    assert_non_null(e);
    assert_true(r->count < EVENTS_MAX);
    *e = (struct lab_event){.at_ns = at_ns, .order = order};
    size_t i = r->count++;
    for (; i > 0 && comes_first(r->list[i - 1], e); i--)
        r->list[i] = r->list[i - 1];
    r->list[i] = e;
    lab_wheel_insert(&r->wheel, e);
}

static void put(struct rig *r, uint64_t at_ns)
{
    put_as(r, at_ns, lab_chance_next(&r->chance) << 16 | (r->order++ & 0xffff));
}

/* Pops one as the list does, and says whether there was one. */
static bool pop_before(struct rig *r, uint64_t end_ns)
{
    struct lab_event *want = r->count != 0 ? r->list[r->count - 1] : NULL;
    if (want != NULL && want->at_ns >= end_ns)
        want = NULL;
    uint64_t next_ns = lab_wheel_next_ns(&r->wheel);
    if (r->count != 0)
        assert_true(next_ns <= r->list[r->count - 1]->at_ns);
    else
        assert_int_equal(next_ns, UINT64_MAX);
    struct lab_event *is = lab_wheel_pop(&r->wheel, end_ns);
    assert_ptr_equal(is, want);
    if (is == NULL)
        return false;
    r->count--;
    if (is->at_ns > r->now_ns)
        r->now_ns = is->at_ns;
    free(is);
    assert_int_equal(r->wheel.count, r->count);
    return true;
}

static void pop_all(struct rig *r)
{
    while (pop_before(r, UINT64_MAX))
        ;
    assert_int_equal(r->count, 0);
}

static void drop(struct lab_event *event)
{
    free(event);
}

static void rig_close(struct rig *r)
{
    lab_wheel_free(&r->wheel, drop);
}

/* Distances of every size from a nanosecond to beyond a turn, and now and then behind us. */
static uint64_t some_moment(struct rig *r)
{
    uint64_t distance = lab_chance_next(&r->chance) >> (6 + lab_chance_below(&r->chance, 58));
    if (lab_chance_below(&r->chance, 8) == 0)
        return r->now_ns > distance ? r->now_ns - distance : 0;
    return r->now_ns + distance;
}

/* --- tests of the wheel ---------------------------------------------------------------------- */

static void any_history(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rig r;
        rig_open(&r, seed, seed % 3 != 0 ? TICK_NS * 954 : TURN_NS * seed - 5 * TICK_NS);
        uint64_t room = 1 + lab_chance_below(&r.chance, 400);
        for (unsigned i = 0; i < 1500; i++) {
            if (r.count < room && lab_chance_below(&r.chance, 5) < 3) {
                put(&r, some_moment(&r));
                continue;
            }
            uint64_t end_ns = lab_chance_below(&r.chance, 3) == 0 ? UINT64_MAX : some_moment(&r);
            pop_before(&r, end_ns);
        }
        pop_all(&r);
        rig_close(&r);
    }
}

/* On both sides of where a level begins, seen from several places. */
static void edges_of_levels(void **state)
{
    (void)state;
    const uint64_t from[] = {0, 1, TICK_NS - 1, 255 * TICK_NS, 65535 * TICK_NS + 7, TURN_NS - 1};
    for (size_t f = 0; f < sizeof from / sizeof from[0]; f++) {
        struct rig r;
        rig_open(&r, f, from[f]);
        for (unsigned level = 0; level <= LAB_WHEEL_LEVELS; level++) {
            uint64_t begin = TICK_NS << level * LAB_WHEEL_SLOT_BITS;
            for (uint64_t turn = 1; turn <= 3; turn++)
                for (int off = -1; off <= 1; off++) {
                    put(&r, turn * begin + (uint64_t)off);
                    put(&r, from[f] + turn * begin + (uint64_t)off);
                }
        }
        pop_all(&r);
        rig_close(&r);
    }
}

static void one_instant(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 3, 0);
    for (uint64_t i = 0; i < 200; i++) { /* 37 is coprime to 200: each order once */
        put_as(&r, 3 * TICK_NS + 5, i * 37 % 200);
        put_as(&r, 3 * TICK_NS + 4, i * 37 % 200);
    }
    for (uint64_t i = 0; i < 200; i++)
        assert_true(pop_before(&r, 3 * TICK_NS + 5));
    assert_false(pop_before(&r, 3 * TICK_NS + 5)); /* the limit itself is not before it */
    pop_all(&r);
    rig_close(&r);
}

static void the_past_is_due(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 4, 1000 * TICK_NS);
    put(&r, 1000 * TICK_NS + 1);
    put(&r, 7);
    put(&r, 999 * TICK_NS);
    put(&r, 0);
    assert_int_equal(lab_wheel_next_ns(&r.wheel), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_true(pop_before(&r, 1000 * TICK_NS));
    assert_false(pop_before(&r, 1000 * TICK_NS));
    pop_all(&r);
    rig_close(&r);
}

/* A pop that finds nothing must not lose its place: what is put in behind the limit but ahead of
 * the rest comes first. */
static void limits_move_nothing(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 5, 0);
    put(&r, 70000 * TICK_NS);
    for (uint64_t tick = 1; tick < 70000; tick += 699) {
        assert_false(pop_before(&r, tick * TICK_NS));
        put(&r, tick * TICK_NS + 3);
        assert_true(pop_before(&r, tick * TICK_NS + 4));
    }
    pop_all(&r);
    rig_close(&r);
}

static void beyond_a_turn(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 6, 12345 * TICK_NS);
    put(&r, UINT64_MAX - 1);
    put(&r, 3 * TURN_NS + 17);
    put(&r, TURN_NS + 5 * TICK_NS);
    put(&r, TURN_NS - TICK_NS);
    put(&r, TURN_NS - 1);
    put(&r, TURN_NS);
    assert_false(pop_before(&r, TURN_NS - TICK_NS));
    put(&r, 20000 * TICK_NS);
    put(&r, TURN_NS + 4 * TICK_NS);
    for (unsigned i = 0; i < 4; i++)
        assert_true(pop_before(&r, UINT64_MAX));
    put(&r, r.now_ns + 1); /* time goes on as before in the next turns */
    put(&r, r.now_ns + 300 * TICK_NS);
    pop_all(&r);
    rig_close(&r);
}

static void what_is_left_is_given_back(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 7, 0);
    for (unsigned i = 0; i < 300; i++)
        put(&r, some_moment(&r));
    for (unsigned i = 0; i < 20; i++)
        pop_before(&r, UINT64_MAX);
    rig_close(&r); /* a leak would be told by the sanitizer and by valgrind */
    assert_null(lab_wheel_pop(&r.wheel, UINT64_MAX));
    assert_int_equal(lab_wheel_next_ns(&r.wheel), UINT64_MAX);
}

/* --- the agenda ------------------------------------------------------------------------------ */

static void deeds_by_time_and_asking(void **state)
{
    (void)state;
    enum { DEEDS = 1000, MOMENTS = 37 };
    struct lab_agenda *agenda = lab_agenda_new();
    struct lab_chance chance = lab_chance_stream(8, LAB_CHANCE_SCENARIO, 0);
    assert_int_equal(lab_agenda_next_ns(agenda), UINT64_MAX);
    for (uint64_t i = 0; i < DEEDS; i++)
        lab_agenda_add(agenda, &(struct lab_agenda_entry){
                                   .at_ns = lab_chance_below(&chance, MOMENTS), .number = i});
    struct lab_agenda_entry last = {0};
    for (uint64_t i = 0; i < DEEDS; i++) {
        uint64_t next_ns = lab_agenda_next_ns(agenda);
        struct lab_agenda_entry e = lab_agenda_take(agenda);
        assert_int_equal(e.at_ns, next_ns);
        assert_true(i == 0 || last.at_ns < e.at_ns ||
                    (last.at_ns == e.at_ns && last.number < e.number));
        last = e;
    }
    assert_int_equal(lab_agenda_next_ns(agenda), UINT64_MAX);
    lab_agenda_free(agenda);
}

/* A deed that asks for the next one at its own instant comes behind those that wait there. */
static void asked_for_while_taking(void **state)
{
    (void)state;
    struct lab_agenda *agenda = lab_agenda_new();
    for (uint64_t i = 0; i < 10; i++)
        lab_agenda_add(agenda, &(struct lab_agenda_entry){.at_ns = 5, .number = i});
    for (uint64_t i = 0; i < 30; i++) {
        struct lab_agenda_entry e = lab_agenda_take(agenda);
        assert_int_equal(e.number, i);
        if (i < 20)
            lab_agenda_add(agenda, &(struct lab_agenda_entry){.at_ns = 5, .number = i + 10});
    }
    assert_int_equal(lab_agenda_next_ns(agenda), UINT64_MAX);
    lab_agenda_add(agenda, &(struct lab_agenda_entry){.at_ns = 1}); /* is given back with it */
    lab_agenda_free(agenda);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_history),
        cmocka_unit_test(edges_of_levels),
        cmocka_unit_test(one_instant),
        cmocka_unit_test(the_past_is_due),
        cmocka_unit_test(limits_move_nothing),
        cmocka_unit_test(beyond_a_turn),
        cmocka_unit_test(what_is_left_is_given_back),
        cmocka_unit_test(deeds_by_time_and_asking),
        cmocka_unit_test(asked_for_while_taking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
