#include "src/lab/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/sim/memory.h"

struct lab_events {
    FILE *file;
};

/* The beginning of a line: when, and to which peer, counted from 1 as in scenarios. */
static void begin(struct lab_events *events, uint64_t now_ns, uint32_t host, const char *what)
{
    uint64_t us = (now_ns - LAB_START_NS) / 1000;
    fprintf(events->file, "{\"time\":%llu.%06llu,\"peer\":%u,\"event\":\"%s\"",
            (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000), host + 1, what);
}

static void put_number(struct lab_events *events, const char *key, uint64_t number)
{
    fprintf(events->file, ",\"%s\":%llu", key, (unsigned long long)number);
}

static void put_addr(struct lab_events *events, const char *key, const struct hsay_addr *addr)
{
    char text[HSAY_ADDR_TEXT_BYTES];
    hsay_addr_format(text, sizeof text, addr);
    fprintf(events->file, ",\"%s\":\"%s\"", key, text);
}

static void put_digest(struct lab_events *events, const struct hsay_digest *digest)
{
    fputs(",\"bundle\":\"", events->file);
    for (size_t i = 0; i < sizeof digest->byte; i++)
        fprintf(events->file, "%02x", digest->byte[i]);
    fputc('"', events->file);
}

static void end(struct lab_events *events)
{
    fputs("}\n", events->file);
}

/* As the daemon names them. */
static const char *claim_name(uint64_t kind)
{
    static const char *const name[] = {"none", "sum", "filter", "empty"};
    return kind < sizeof name / sizeof name[0] ? name[kind] : "unknown";
}

static void put_step(struct lab_events *events, const struct hsay_event *e)
{
    put_addr(events, "to", &e->peer.addr);
    fprintf(events->file, ",\"bucket\":\"%s\"", hsay_bucket_name((enum hsay_bucket)e->bucket));
    fprintf(events->file, ",\"claim\":\"%s\"", claim_name(e->number[HSAY_STEP_CLAIM_KIND]));
    put_number(events, "claimed", e->number[HSAY_STEP_CLAIM_COUNT]);
    put_number(events, "modulo", e->number[HSAY_STEP_MODULO]);
}

static void put_answer(struct lab_events *events, const struct hsay_event *e)
{
    put_addr(events, "from", &e->peer.addr);
    put_number(events, "answered", e->number[HSAY_ANSWER_RESULT] == 0);
    put_number(events, "rtt_us", e->number[HSAY_ANSWER_RTT_US]);
    put_number(events, "bundles", e->number[HSAY_ANSWER_BUNDLES]);
    put_number(events, "new", e->number[HSAY_ANSWER_NEW]);
    put_number(events, "same", e->number[HSAY_ANSWER_SAME]);
}

static void put_bundle(struct lab_events *events, const struct hsay_event *e)
{
    put_digest(events, &e->position.digest);
    put_number(events, "time_lamport", e->position.time);
    put_number(events, "own", e->own);
}

static const char *name_of(uint8_t kind)
{
    static const char *const name[] = {
        [HSAY_EVENT_BUNDLE] = "bundle", [HSAY_EVENT_DIRECT] = "direct",
        [HSAY_EVENT_STEP] = "step",     [HSAY_EVENT_ANSWER] = "answer",
        [HSAY_EVENT_SYNCED] = "synced", [HSAY_EVENT_ADDRESS] = "address",
        [HSAY_EVENT_VERIFY] = "verify", [HSAY_EVENT_FORK] = "fork",
    };
    return kind < sizeof name / sizeof name[0] && name[kind] != NULL ? name[kind] : "unknown";
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host, const struct hsay_event *e)
{
    struct lab_events *events = self;
    begin(events, shard->now_ns, host, name_of(e->kind));
    if (e->kind == HSAY_EVENT_STEP)
        put_step(events, e);
    else if (e->kind == HSAY_EVENT_ANSWER)
        put_answer(events, e);
    else if (e->kind == HSAY_EVENT_BUNDLE || e->kind == HSAY_EVENT_FORK)
        put_bundle(events, e);
    else if (e->kind == HSAY_EVENT_SYNCED)
        put_number(events, "synced", e->number[0]);
    else if (e->kind == HSAY_EVENT_ADDRESS)
        put_addr(events, "address", &e->peer.addr);
    end(events);
}

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct lab_events *events = self;
    begin(events, sim->now_ns, host, online ? "online" : "offline");
    if (online)
        put_addr(events, "address", &sim->host[host].addr);
    end(events);
}

struct lab_events *lab_events_open(struct lab_sim *sim, const char *path, char *why,
                                   size_t why_size)
{
    if (sim->config.shards != 1) {
        snprintf(why, why_size, "events are in order only with threads=1");
        return NULL;
    }
    struct lab_events *events = lab_calloc(1, sizeof *events);
    events->file = fopen(path, "w");
    if (events->file == NULL) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        free(events);
        return NULL;
    }
    lab_sim_observe(
        sim, &(struct lab_observer){.self = events, .on_event = on_event, .on_life = on_life});
    return events;
}

bool lab_events_close(struct lab_events *events)
{
    bool good = ferror(events->file) == 0;
    good = fclose(events->file) == 0 && good;
    free(events);
    return good;
}
