#include "src/lab/sim/fault.h"

#include <math.h>
#include <stdlib.h>

#include "hearsay/error.h"
#include "src/lab/sim/memory.h"

/* Who crashed at each event would start and crash for ever in one instant. */
#define UP_LEAST_NS (UINT64_C(10) * LAB_NS_PER_MS)

/* Of one host; its shard's thread alone touches it. */
struct machine {
    uint64_t crashed_ns;
    struct lab_chance chance; /* of its calls */
    struct lab_chance clock;
    struct hsay_store_mem_fault disk;
    uint32_t crashes, commits, puts, jumps;
    bool full;
};

struct lab_fault {
    struct lab_fault_config config;
    struct lab_sim *sim;
    struct machine *machine;
    bool on;
};

/* ---- the disk ---- */

/* How many puts succeed before one fails: geometric. */
static unsigned puts_until(struct machine *m, double share)
{
    double left = 1 - lab_chance_unit(&m->chance); /* above 0 */
    double puts = share < 1 ? floor(log(left) / log1p(-share)) : 0;
    return puts < 1e9 ? (unsigned)puts + 1 : 1000000000u;
}

static void arm_puts(struct lab_fault *f, struct machine *m)
{
    if (f->config.put_fail <= 0 || m->disk.put_countdown != 0)
        return;
    m->disk.error = HSAY_ENOSPC;
    m->disk.put_countdown = puts_until(m, f->config.put_fail);
}

static bool stores_something(const struct hsay_outbox *out)
{
    for (size_t i = 0; i < out->event_count; i++)
        if (out->event[i].kind == HSAY_EVENT_BUNDLE)
            return true;
    return false;
}

/* A store that has nothing to commit cannot fail to. */
static void on_call(void *self, struct lab_shard *shard, const struct lab_call *call)
{
    struct lab_fault *f = self;
    struct machine *m = &f->machine[call->host];
    (void)shard;
    if (!f->on || !stores_something(call->out) ||
        lab_chance_unit(&m->chance) >= f->config.commit_fail)
        return;
    m->commits++;
    m->disk.commit_countdown = 1;
    m->disk.error = lab_chance_below(&m->chance, 2) == 0 ? HSAY_ENOSPC : HSAY_ESTORE;
}

static void on_turn(void *self, struct lab_shard *shard, const struct lab_call *call,
                    enum lab_turn_end end)
{
    struct lab_fault *f = self;
    struct machine *m = &f->machine[call->host];
    (void)shard, (void)end;
    if (!f->on)
        return;
    m->disk.commit_countdown = 0; /* if it crashed before */
    m->puts += f->config.put_fail > 0 && m->disk.put_countdown == 0;
    arm_puts(f, m);
}

/* ---- crashes ---- */

static bool crash(void *self, struct lab_shard *shard, uint32_t host)
{
    struct lab_fault *f = self;
    struct machine *m = &f->machine[host];
    bool now = f->on && f->config.crash > 0 && lab_chance_unit(&m->chance) < f->config.crash &&
               shard->now_ns - m->crashed_ns >= UP_LEAST_NS;
    now |= shard->sim->host[host].store.broken;
    if (now)
        m->crashed_ns = shard->now_ns;
    m->crashes += now;
    return now;
}

/* ---- clocks ---- */

static void jump(struct lab_sim *sim, void *self, uint64_t host);

static void plan_jump(struct lab_fault *f, uint32_t host)
{
    struct machine *m = &f->machine[host];
    double wait = lab_chance_exponential(&m->clock, f->config.clock_jump_s);
    lab_sim_at(f->sim, lab_sim_elapsed_ns(f->sim) + (uint64_t)(wait * 1e9), jump, f, host);
}

/* As many between 1 and 10 s as between 10 and 100: a pause is more common than a night's sleep. */
static void jump(struct lab_sim *sim, void *self, uint64_t host)
{
    struct lab_fault *f = self;
    struct machine *m = &f->machine[host];
    if (!f->on)
        return;
    double most = f->config.clock_jump_max > 1 ? f->config.clock_jump_max : 1;
    double by = exp(log(most) * lab_chance_unit(&m->clock));
    lab_host_skew(sim, (uint32_t)host, (uint64_t)(by * 1e9));
    m->jumps++;
    plan_jump(f, (uint32_t)host);
}

/* ---- beginning and end ---- */

static void equip(struct lab_fault *f, uint32_t host)
{
    struct machine *m = &f->machine[host];
    struct lab_store *store = &f->sim->host[host].store;
    store->fault = &m->disk;
    if (m->full)
        store->quota_bytes = f->config.full_bytes;
    arm_puts(f, m);
}

static void begin(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_fault *f = self;
    (void)number;
    f->on = true;
    for (uint32_t i = 0; i < sim->config.nodes; i++) {
        f->machine[i].full = lab_chance_unit(&f->machine[i].chance) < f->config.full;
        equip(f, i);
        if (f->config.clock_jump_s > 0)
            plan_jump(f, i);
    }
}

/* A broken store is whole again for who opens it anew. */
void lab_fault_end(struct lab_fault *f)
{
    if (f == NULL || !f->on)
        return;
    f->on = false;
    for (uint32_t i = 0; i < f->sim->config.nodes; i++) {
        struct lab_store *store = &f->sim->host[i].store;
        store->fault = NULL;
        store->quota_bytes = f->sim->config.quota_bytes;
        store->full = false;
        if (store->broken)
            lab_store_crash(store);
    }
}

static void end(struct lab_sim *sim, void *self, uint64_t number)
{
    (void)sim, (void)number;
    lab_fault_end(self);
}

/* A host that lost its store has got a new one. */
static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct lab_fault *f = self;
    (void)sim;
    if (online && f->on)
        equip(f, host);
}

static bool is_idle(const struct lab_fault_config *c)
{
    return c->crash <= 0 && c->commit_fail <= 0 && c->put_fail <= 0 && c->clock_jump_s <= 0 &&
           c->full <= 0;
}

struct lab_fault *lab_fault_new(struct lab_sim *sim, const struct lab_fault_config *config)
{
    if (is_idle(config))
        return NULL;
    struct lab_fault *f = lab_calloc(1, sizeof *f);
    f->config = *config;
    f->sim = sim;
    f->machine = lab_calloc(sim->config.nodes, sizeof *f->machine);
    for (uint32_t i = 0; i < sim->config.nodes; i++) {
        f->machine[i].chance = lab_chance_stream(sim->config.seed, LAB_CHANCE_FAULT, i);
        f->machine[i].clock =
            lab_chance_stream(sim->config.seed, LAB_CHANCE_FAULT, UINT64_C(1) << 32 | i);
    }
    lab_sim_observe(
        sim,
        &(struct lab_observer){
            .self = f, .on_call = on_call, .crash = crash, .on_turn = on_turn, .on_life = on_life});
    lab_sim_at(sim, config->from_ns, begin, f, 0);
    if (config->until_ns != 0)
        lab_sim_at(sim, config->until_ns, end, f, 0);
    return f;
}

void lab_fault_free(struct lab_fault *f)
{
    if (f == NULL)
        return;
    free(f->machine);
    free(f);
}

struct lab_fault_count lab_fault_count(const struct lab_fault *f)
{
    struct lab_fault_count sum = {0};
    for (uint32_t i = 0; f != NULL && i < f->sim->config.nodes; i++) {
        const struct machine *m = &f->machine[i];
        sum.crashes += m->crashes;
        sum.commits += m->commits;
        sum.puts += m->puts;
        sum.jumps += m->jumps;
    }
    return sum;
}
