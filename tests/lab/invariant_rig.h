/*
 * A small world whose hosts are watched, and calls that never were, for tests of the invariants.
 */
#ifndef HEARSAY_TESTS_INVARIANT_RIG_H
#define HEARSAY_TESTS_INVARIANT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "src/lab/config.h"
#include "src/lab/sim/invariant.h"
#include "src/lab/sim/invariant_parts.h"

enum { HOSTS = 4, STRANGE = 9, BYTES_MAX = 2000 };

/* A small world that has run for a while, and room for a call that never was. */
struct rig {
    struct lab_sim *sim;
    struct lab_invariants *all;
    struct lab_shard *shard;
    uint8_t bytes[BYTES_MAX];
    struct hsay_letter letter[64];
    struct hsay_event event[64];
    struct hsay_outbox out;
    struct hsay_packet packet;
    struct lab_call call;
};

static inline void begin_with(struct rig *r, const char *key, const char *value)
{
    static const struct lab_return fresh = {0};
    struct lab_settings settings;
    struct lab_sim_config config;
    char why[200];
    memset(r, 0, sizeof *r);
    lab_settings_init(&settings, lab_config_rules, lab_config_rule_count);
    assert_int_equal(lab_settings_set(&settings, "nodes", "4", why, sizeof why), 0);
    assert_int_equal(lab_settings_set(&settings, key, value, why, sizeof why), 0);
    assert_int_equal(lab_config_read(&settings, 1, &config, why, sizeof why), 0);
    lab_settings_free(&settings);
    r->sim = lab_sim_new(&config);
    r->all = lab_invariants_new(r->sim, LAB_CHECK_ALL);
    r->shard = &r->sim->shard[0];
    for (uint32_t i = 0; i < HOSTS; i++)
        lab_host_start(r->sim, i, &fresh);
    lab_sim_run_until(r->sim, 30 * LAB_NS_PER_S);
    r->out = (struct hsay_outbox){.letter = r->letter,
                                  .letter_max = 64,
                                  .event = r->event,
                                  .event_max = 64,
                                  .bytes = r->bytes,
                                  .bytes_size = sizeof r->bytes};
    r->call = (struct lab_call){.kind = LAB_CALL_TIME, .out = &r->out};
    assert_int_equal(lab_invariants_violations(r->all, LAB_INVARIANT_COUNT), 0);
}

static inline void begin(struct rig *r)
{
    begin_with(r, "seed", "1");
}

static inline void end(struct rig *r)
{
    lab_invariants_free(r->all);
    lab_sim_free(r->sim);
}

static inline const struct lab_observer *observer(const struct rig *r)
{
    return &r->sim->observer[0];
}

static inline struct lab_watched *watched(const struct rig *r)
{
    return &r->all->watched[r->call.host];
}

static inline struct lab_store *store(const struct rig *r)
{
    return &r->sim->host[r->call.host].store;
}

/* The call that was put together happens, and its outbox is emptied. */
static inline void turn(struct rig *r, enum lab_turn_end how)
{
    observer(r)->on_call(r->all, r->shard, &r->call);
    observer(r)->on_turn(r->all, r->shard, &r->call, how);
    hsay_outbox_clear(&r->out);
}

static inline uint64_t broken(const struct rig *r, enum lab_invariant invariant)
{
    return lab_invariants_violations(r->all, invariant);
}

/* Of this alone, so often. */
static inline void assert_broken(struct rig *r, enum lab_invariant invariant, uint64_t times)
{
    for (unsigned i = 0; i < LAB_INVARIANT_COUNT; i++) {
        uint64_t found = broken(r, (enum lab_invariant)i);
        if (found != (i == (unsigned)invariant ? times : 0))
            fail_msg("%s: %llu times; %s", lab_invariant_name((enum lab_invariant)i),
                     (unsigned long long)found, lab_invariants_first(r->all));
    }
}

static inline struct hsay_addr address(uint8_t a, uint8_t b, uint16_t port)
{
    return (struct hsay_addr){.kind = HSAY_ADDR_IP4, .port = port, .byte = {a, b, 3, 4}};
}

static inline struct hsay_addr strange(void)
{
    return address(8, STRANGE, 6421);
}

static inline void add_letter(struct rig *r, const struct hsay_addr *to, size_t bytes)
{
    r->letter[r->out.letter_count++] = (struct hsay_letter){*to, {r->bytes, bytes}, 0};
}

static inline struct hsay_event *add_event(struct rig *r, enum hsay_event_kind kind)
{
    struct hsay_event *e = &r->event[r->out.event_count++];
    memset(e, 0, sizeof *e);
    e->kind = (uint8_t)kind;
    return e;
}

/* The call takes a packet of so many bytes from somebody. */
static inline void take_packet(struct rig *r, const struct hsay_addr *from, size_t bytes)
{
    r->packet = (struct hsay_packet){*from, {r->bytes, bytes}, 0};
    r->call.kind = LAB_CALL_PACKET;
    r->call.packet = &r->packet;
}

#endif
