/*
 * Goal of this test: no invariant is blind.  For each of them something that breaks it is planted,
 * through a doctored call, letter, event, store or node, and must be counted under its name; what
 * is just within it must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hearsay/error.h"
#include "src/lab/config.h"
#include "src/lab/heal.h"
#include "src/lab/sim/invariant.h"
#include "src/lab/sim/invariant_parts.h"
#include "src/node/state.h"
#include "tests/lab/invariant_rig.h"

/* ---- what leaves ---- */

static void a_stranger_gets_no_more_than_it_gave(void **state)
{
    struct rig r;
    struct hsay_addr from = strange();
    (void)state;
    begin(&r);
    take_packet(&r, &from, 320);
    add_letter(&r, &from, 320);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_LEDGER, 0);
    add_letter(&r, &from, 321);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_LEDGER, 1);
    end(&r);
}

static void a_stranger_gets_two_datagrams(void **state)
{
    struct rig r;
    struct hsay_addr from = strange();
    (void)state;
    begin(&r);
    take_packet(&r, &from, 1000);
    for (int i = 0; i < 3; i++)
        add_letter(&r, &from, 100);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_LEDGER, 1);
    end(&r);
}

/* What it makes others send to it counts as well, and a token must be good. */
static void a_false_token_is_none(void **state)
{
    struct rig r;
    struct hsay_addr from = strange(), other;
    (void)state;
    begin(&r);
    other = r.sim->host[1].addr;
    r.bytes[0] = HSAY_WIRE_VERSION;
    r.bytes[1] = HSAY_ENVELOPE_TOKEN;
    take_packet(&r, &from, 300);
    add_letter(&r, &from, 250);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_LEDGER, 0);
    add_letter(&r, &from, 250);
    add_letter(&r, &other, 120); /* the request for a puncture of 96 bytes */
    turn(&r, LAB_TURN_COMMITTED);
    assert_int_equal(broken(&r, LAB_INVARIANT_LEDGER), 1);
    end(&r);
}

static void the_fourth_letter_into_silence(void **state)
{
    struct rig r;
    struct hsay_addr to = strange();
    (void)state;
    begin(&r);
    for (unsigned i = 0; i < 3; i++) {
        add_letter(&r, &to, 300);
        turn(&r, LAB_TURN_COMMITTED);
    }
    add_letter(&r, &to, 300);
    turn(&r, LAB_TURN_REFUSED); /* it was not sent */
    assert_broken(&r, LAB_INVARIANT_SILENCE, 0);
    add_letter(&r, &to, 300);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_SILENCE, 1);
    end(&r);
}

static void an_hour_later_it_may_be_tried_again(void **state)
{
    struct rig r;
    struct hsay_addr to = strange();
    (void)state;
    begin(&r);
    r.call.kind = LAB_CALL_OTHER;
    for (unsigned i = 0; i < 6; i++) {
        add_letter(&r, &to, 300);
        turn(&r, LAB_TURN_COMMITTED);
        r.shard->now_ns += i == 2 ? 3600 * LAB_NS_PER_S : 0;
        watched(&r)->window_limit = 0; /* the world stood still meanwhile */
    }
    assert_broken(&r, LAB_INVARIANT_SILENCE, 0);
    end(&r);
}

static void forbidden_addresses(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_addr bad[] = {
        address(224, 0, 6421),   address(127, 0, 6421),   address(0, 0, 6421),
        address(10, 0, 6421),    address(192, 168, 6421), address(100, 64, 6421),
        address(169, 254, 6421), address(240, 0, 6421),   address(8, 8, 0),
        address(8, 8, 53),       r.sim->host[0].addr,     {.kind = HSAY_ADDR_NONE},
    };
    unsigned count = sizeof bad / sizeof bad[0];
    for (unsigned i = 0; i < count; i++) {
        add_letter(&r, &bad[i], 300);
        turn(&r, LAB_TURN_COMMITTED);
        assert_broken(&r, LAB_INVARIANT_ADDRESS, i + 1);
    }
    add_letter(&r, &r.sim->host[1].addr, 300);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_ADDRESS, count);
    end(&r);
}

static void letters_have_a_size(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    add_letter(&r, &r.sim->host[1].addr, HSAY_DATAGRAM_DEFAULT_BYTES);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_SIZE, 0);
    add_letter(&r, &r.sim->host[1].addr, HSAY_DATAGRAM_DEFAULT_BYTES + 1);
    add_letter(&r, &r.sim->host[1].addr, HSAY_SEAL_BYTES);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_SIZE, 2);
    end(&r);
}

static void an_outbox_that_was_too_small(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_node_stats *stats =
        (struct hsay_node_stats *)(uintptr_t)hsay_node_stats(r.sim->host[0].node);
    stats->drop[HSAY_DROP_OUTBOX]++;
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_OUTBOX, 1);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_OUTBOX, 1);
    end(&r);
}

/* ---- what is held ---- */

/* A bundle of host 1 comes to host 0 once more, as it is in the depot. */
static struct hsay_event *plant_bundle(struct rig *r)
{
    struct hsay_id id;
    struct hsay_digest digest;
    uint32_t number;
    assert_int_equal(lab_host_publish(r->sim, 1, (struct hsay_span){r->bytes, 40}, 1, &id), 0);
    lab_sim_run_until(r->sim, lab_sim_elapsed_ns(r->sim) + 60 * LAB_NS_PER_S);
    memcpy(digest.byte, id.byte, sizeof digest.byte);
    assert_true(lab_store_holds(store(r), &digest));
    assert_int_equal(lab_depot_find(&r->sim->depot, &digest, &number), 0);
    assert_int_equal(broken(r, LAB_INVARIANT_COUNT), 0);
    const struct hsay_record *record = &lab_depot_at(&r->sim->depot, number)->record;
    struct hsay_event *e = add_event(r, HSAY_EVENT_BUNDLE);
    e->position = record->at;
    e->author = record->author;
    e->bytes = record->bytes;
    watched(r)->durable--; /* as if it had not been there */
    return e;
}

/* A packet from host 1, which was asked a moment ago. */
static void take_answer(struct rig *r)
{
    struct hsay_event *step = add_event(r, HSAY_EVENT_STEP);
    struct hsay_event bundle = r->event[0];
    bool planted = r->out.event_count > 1;
    r->event[0] = *step;
    r->event[0].peer.addr = r->sim->host[1].addr;
    r->out.event_count = 1;
    if (planted)
        watched(r)->durable++;
    turn(r, LAB_TURN_COMMITTED);
    if (planted)
        watched(r)->durable--;
    r->event[0] = bundle;
    r->out.event_count = planted ? 1 : 0;
    take_packet(r, &r->sim->host[1].addr, 300);
}

static void a_bundle_comes_from_who_was_asked(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    plant_bundle(&r);
    take_answer(&r);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_STRANGER, 0);
    end(&r);
}

static void a_strangers_bundle(void **state)
{
    struct rig r;
    struct hsay_addr from = strange();
    (void)state;
    begin(&r);
    plant_bundle(&r);
    take_packet(&r, &from, 300);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_STRANGER, 1);
    end(&r);
}

static void a_bundle_from_nowhere(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    plant_bundle(&r);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_STRANGER, 1);
    end(&r);
}

static void an_altered_bundle(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_event *e = plant_bundle(&r);
    memcpy(r.bytes, e->bytes.data, e->bytes.size);
    r.bytes[e->bytes.size - 70] ^= 1;
    e->bytes.data = r.bytes;
    take_answer(&r);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_ALTERED, 1);
    end(&r);
}

/* Somebody put it into the store, but nobody ever signed it. */
static void a_bundle_that_nobody_published(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_event *e = plant_bundle(&r);
    struct hsay_record record = {.at = e->position, .author = e->author, .sequence = 99};
    record.at.digest.byte[0] ^= 1;
    record.bytes = (struct hsay_span){r.bytes, 200};
    struct hsay_store port = lab_store_port(store(&r));
    assert_int_equal(port.ops->put(port.self, &record), 0);
    assert_int_equal(port.ops->commit(port.self), 0);
    e->position = record.at;
    e->bytes = record.bytes;
    watched(&r)->durable++;
    take_answer(&r);
    watched(&r)->durable--;
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_UNPUBLISHED, 1);
    end(&r);
}

/* Its author's disk refused it, and yet somebody holds it. */
static void a_bundle_that_was_taken_back(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_event *e = plant_bundle(&r);
    uint32_t number;
    assert_int_equal(lab_depot_find(&r.sim->depot, &e->position.digest, &number), 0);
    r.all->registry.fate[number] = LAB_FATE_TAKEN_BACK;
    take_answer(&r);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_UNPUBLISHED, 1);
    end(&r);
}

/* The registry learns from commits that fail what nobody may hold. */
static void a_publication_that_failed_is_marked(void **state)
{
    struct rig r;
    struct hsay_store_mem_fault fault = {.commit_countdown = 1, .error = HSAY_ENOSPC};
    struct hsay_id id;
    struct hsay_digest digest;
    uint32_t number;
    (void)state;
    begin(&r);
    store(&r)->fault = &fault;
    assert_int_equal(lab_host_publish(r.sim, 0, (struct hsay_span){r.bytes, 40}, 1, &id),
                     HSAY_ESTORE);
    memcpy(digest.byte, id.byte, sizeof digest.byte);
    assert_int_equal(lab_depot_find(&r.sim->depot, &digest, &number), 0);
    assert_int_equal(r.all->registry.fate[number], LAB_FATE_TAKEN_BACK);
    assert_false(lab_invariants_published(r.all, &digest));
    assert_broken(&r, LAB_INVARIANT_LOST, 0);
    end(&r);
}

static void take_away(struct rig *r, const struct hsay_digest *digest)
{
    struct hsay_store port = lab_store_port(store(r));
    assert_int_equal(port.ops->remove(port.self, digest), 0);
    assert_int_equal(port.ops->commit(port.self), 0);
}

static void a_bundle_that_is_gone(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_digest digest = plant_bundle(&r)->position.digest;
    hsay_outbox_clear(&r.out);
    watched(&r)->durable++;
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_LOST, 0);
    take_away(&r, &digest);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_LOST, 1);
    end(&r);
}

static void an_own_bundle_that_is_gone(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    r.call.host = 1;
    struct hsay_digest digest = plant_bundle(&r)->position.digest;
    take_away(&r, &digest);
    lab_invariants_finish(r.all);
    assert_broken(&r, LAB_INVARIANT_LOST, 1);
    end(&r);
}

/* After a restart it is looked for, too. */
static void an_own_bundle_that_a_restart_took(void **state)
{
    static const struct lab_return same = {.keep_store = true, .keep_addr = true};
    struct rig r;
    (void)state;
    begin(&r);
    r.call.host = 1;
    struct hsay_digest digest = plant_bundle(&r)->position.digest;
    lab_host_stop(r.sim, 1);
    take_away(&r, &digest);
    lab_host_start(r.sim, 1, &same);
    lab_sim_run_until(r.sim, lab_sim_elapsed_ns(r.sim) + 5 * LAB_NS_PER_S);
    assert_true(broken(&r, LAB_INVARIANT_LOST) >= 1);
    end(&r);
}

/* A store that forgets nothing in a crash is a store that lied about what is durable. */
static void what_a_crash_should_have_taken(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_record record = {.at = {.time = 1}, .sequence = 1, .bytes = {r.bytes, 100}};
    struct hsay_store port = lab_store_port(store(&r));
    observer(&r)->on_call(r.all, r.shard, &r.call);
    assert_int_equal(port.ops->put(port.self, &record), 0);
    observer(&r)->on_turn(r.all, r.shard, &r.call, LAB_TURN_REFUSED);
    assert_broken(&r, LAB_INVARIANT_UNSYNCED, 1);
    end(&r);
}

static void a_claim_counts_what_is_held(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    plant_bundle(&r);
    hsay_outbox_clear(&r.out);
    watched(&r)->durable++;
    for (unsigned more = 0; more < 2; more++) {
        struct hsay_event *e = add_event(&r, HSAY_EVENT_STEP);
        e->peer.addr = r.sim->host[1].addr;
        e->number[HSAY_STEP_CLAIM_KIND] = 1;
        e->number[HSAY_STEP_TIME_HIGH] = HSAY_TIME_MAX;
        e->number[HSAY_STEP_MODULO] = 1;
        e->number[HSAY_STEP_CLAIM_COUNT] = lab_store_count(store(&r)) + more;
        turn(&r, LAB_TURN_COMMITTED);
        assert_broken(&r, LAB_INVARIANT_CLAIM, more);
    }
    end(&r);
}

/* ---- global time ---- */

static void a_bundle_beyond_the_bound(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    plant_bundle(&r);
    r.sim->host[0].node->overlay[0].window.limit = 0;
    watched(&r)->settled = false;
    take_answer(&r);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_WINDOW, 1);
    end(&r);
}

static void a_bound_that_leaps(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_window *window = &r.sim->host[0].node->overlay[0].window;
    window->settled = true;
    r.call.kind = LAB_CALL_OTHER;
    turn(&r, LAB_TURN_COMMITTED);
    r.shard->now_ns += 5 * LAB_NS_PER_S;
    window->limit += HSAY_TIME_WINDOW;
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_WINDOW, 0);
    window->limit += 1;
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_WINDOW, 1);
    window->limit -= 2;
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_WINDOW, 2);
    end(&r);
}

static void a_fork_of_an_honest_author(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    add_event(&r, HSAY_EVENT_FORK);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_FORK, 1);
    end(&r);
}

/* ---- time ---- */

static void what_is_due_for_ever(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    r.sim->host[0].node->overlay[0].step_due = (hsay_time){1};
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_DEADLINE, 0);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_DEADLINE, 1);
    end(&r);
}

static void a_storm_of_timers(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    for (unsigned i = 0; i < 60; i++)
        turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_STORM, 0);
    for (unsigned i = 0; i < 60; i++)
        turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_STORM, 1);
    end(&r);
}

static void an_answer_to_nothing(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    add_event(&r, HSAY_EVENT_ANSWER)->number[HSAY_ANSWER_REQUEST_ID] = 77;
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_PENDING, 1);
    end(&r);
}

static void ask(struct rig *r, uint64_t id)
{
    struct hsay_event *e = add_event(r, HSAY_EVENT_STEP);
    e->peer.addr = r->sim->host[1].addr;
    e->number[HSAY_STEP_REQUEST_ID] = id;
}

static void more_requests_than_places(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    watched(&r)->asked_count = 0;
    r.call.host = 1; /* a plain host; the first has larger tables */
    watched(&r)->asked_count = 0;
    for (unsigned i = 0; i < r.all->config.pending_max; i++)
        ask(&r, i + 1);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_PENDING, 0);
    ask(&r, 99);
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_PENDING, 1);
    end(&r);
}

static void a_request_that_waits_for_ever(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    watched(&r)->asked_count = 0;
    ask(&r, 5);
    turn(&r, LAB_TURN_COMMITTED);
    r.shard->now_ns += 10 * LAB_NS_PER_S - 1;
    r.sim->host[0].node->overlay[0].step_due = HSAY_TIME_NEVER;
    watched(&r)->overdue_ns = 0;
    turn(&r, LAB_TURN_COMMITTED);
    assert_int_equal(broken(&r, LAB_INVARIANT_PENDING), 0);
    r.shard->now_ns += 1;
    turn(&r, LAB_TURN_COMMITTED);
    assert_int_equal(broken(&r, LAB_INVARIANT_PENDING), 1);
    end(&r);
}

static void tables_that_are_too_large(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    r.all->tracker_config.candidates_max = 1;
    r.call.kind = LAB_CALL_OTHER;
    for (unsigned i = 0; i < 64; i++)
        turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_TABLES, 1);
    end(&r);
}

static void a_call_that_fails(void **state)
{
    static const int errors[] = {HSAY_ESTORE, HSAY_ENOSPC, HSAY_ECORRUPT, HSAY_EINVAL};
    struct rig r;
    (void)state;
    begin(&r);
    for (unsigned i = 0; i < 4; i++) {
        r.call.result = errors[i];
        turn(&r, LAB_TURN_COMMITTED);
        assert_broken(&r, LAB_INVARIANT_RESULT, i + 1);
    }
    struct hsay_store_mem_fault fault = {.error = HSAY_ENOSPC};
    store(&r)->fault = &fault; /* then it is the disk's */
    r.call.result = HSAY_ENOSPC;
    turn(&r, LAB_TURN_COMMITTED);
    assert_broken(&r, LAB_INVARIANT_RESULT, 4);
    end(&r);
}

/* ---- agreement ---- */

/* Links are healed, but one host's disk is not. */
static void hosts_that_do_not_agree(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct hsay_store_mem_fault fault = {.error = HSAY_ESTORE};
    struct lab_heal_config config = {
        .at_ns = 40 * LAB_NS_PER_S, .steps = 20, .invariants = r.all, .how = {true, true}};
    struct lab_heal *heal = lab_heal_new(r.sim, &config);
    lab_sim_run_until(r.sim, 39990 * UINT64_C(1000000));
    store(&r)->fault = &fault;
    store(&r)->broken = true;
    assert_int_equal(lab_host_publish(r.sim, 1, (struct hsay_span){r.bytes, 40}, 1, NULL), 0);
    lab_heal_run(heal);
    assert_int_equal(broken(&r, LAB_INVARIANT_AGREEMENT), 1);
    lab_heal_free(heal);
    end(&r);
}

static void hosts_that_agree(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    struct lab_heal_config config = {
        .at_ns = 40 * LAB_NS_PER_S, .invariants = r.all, .how = {true, true}};
    struct lab_heal *heal = lab_heal_new(r.sim, &config);
    for (uint32_t i = 0; i < HOSTS; i++)
        assert_int_equal(lab_host_publish(r.sim, i, (struct hsay_span){r.bytes, 40}, 1, NULL), 0);
    lab_heal_run(heal);
    assert_true(r.sim->stopped);
    assert_broken(&r, LAB_INVARIANT_AGREEMENT, 0);
    lab_heal_free(heal);
    end(&r);
}

/* ---- the checks themselves ---- */

/* The first in time, then by host, whatever was noted first. */
static void the_first_violation_is_told(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    lab_invariants_tell(r.all, LAB_INVARIANT_FORK, 3, "second");
    lab_invariants_tell(r.all, LAB_INVARIANT_STORM, 2, "first");
    r.sim->now_ns += LAB_NS_PER_S;
    lab_invariants_tell(r.all, LAB_INVARIANT_FORK, 1, "third");
    assert_string_equal(lab_invariants_first(r.all), "storm: host 3 after 30.000000 s: first");
    assert_int_equal(broken(&r, LAB_INVARIANT_COUNT), 3);
    end(&r);
}

static void nothing_is_checked_when_off(void **state)
{
    (void)state;
    assert_null(lab_invariants_new(NULL, LAB_CHECK_OFF));
    lab_invariants_finish(NULL);
    assert_int_equal(lab_invariants_violations(NULL, LAB_INVARIANT_COUNT), 0);
    assert_null(lab_invariants_first(NULL));
    lab_invariants_free(NULL);
}

static void every_invariant_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LAB_INVARIANT_COUNT; i++) {
        assert_string_not_equal(lab_invariant_name((enum lab_invariant)i), "unknown");
        assert_string_not_equal(lab_invariant_rule((enum lab_invariant)i), "unknown");
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(lab_invariant_name((enum lab_invariant)i),
                                    lab_invariant_name((enum lab_invariant)k));
    }
    assert_string_equal(lab_invariant_name(LAB_INVARIANT_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_gets_no_more_than_it_gave),
        cmocka_unit_test(a_stranger_gets_two_datagrams),
        cmocka_unit_test(a_false_token_is_none),
        cmocka_unit_test(the_fourth_letter_into_silence),
        cmocka_unit_test(an_hour_later_it_may_be_tried_again),
        cmocka_unit_test(forbidden_addresses),
        cmocka_unit_test(letters_have_a_size),
        cmocka_unit_test(an_outbox_that_was_too_small),
        cmocka_unit_test(a_bundle_comes_from_who_was_asked),
        cmocka_unit_test(a_strangers_bundle),
        cmocka_unit_test(a_bundle_from_nowhere),
        cmocka_unit_test(an_altered_bundle),
        cmocka_unit_test(a_bundle_that_nobody_published),
        cmocka_unit_test(a_bundle_that_was_taken_back),
        cmocka_unit_test(a_publication_that_failed_is_marked),
        cmocka_unit_test(a_bundle_that_is_gone),
        cmocka_unit_test(an_own_bundle_that_is_gone),
        cmocka_unit_test(an_own_bundle_that_a_restart_took),
        cmocka_unit_test(what_a_crash_should_have_taken),
        cmocka_unit_test(a_claim_counts_what_is_held),
        cmocka_unit_test(a_bundle_beyond_the_bound),
        cmocka_unit_test(a_bound_that_leaps),
        cmocka_unit_test(a_fork_of_an_honest_author),
        cmocka_unit_test(what_is_due_for_ever),
        cmocka_unit_test(a_storm_of_timers),
        cmocka_unit_test(an_answer_to_nothing),
        cmocka_unit_test(more_requests_than_places),
        cmocka_unit_test(a_request_that_waits_for_ever),
        cmocka_unit_test(tables_that_are_too_large),
        cmocka_unit_test(a_call_that_fails),
        cmocka_unit_test(hosts_that_do_not_agree),
        cmocka_unit_test(hosts_that_agree),
        cmocka_unit_test(the_first_violation_is_told),
        cmocka_unit_test(nothing_is_checked_when_off),
        cmocka_unit_test(every_invariant_has_a_name),
    };
    return cmocka_run_group_tests_name("invariants", tests, NULL, NULL);
}
