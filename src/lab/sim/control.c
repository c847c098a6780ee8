#include "src/lab/sim/control.h"

#include <stdlib.h>

#include "src/lab/sim/memory.h"

/* Whether the call in hand punctures is told by the core's counter, as letters are sealed.  Such a
 * call sends nothing else. */
struct control_shard {
    uint64_t punctures; /* counted so far by the nodes of the shard that count together */
    bool mute;
};

struct lab_control {
    struct control_shard shard[LAB_SHARDS_MAX];
    uint64_t *punctures; /* of each host, where each counts for itself */
};

static void on_call(void *self, struct lab_shard *shard, const struct lab_call *call)
{
    struct lab_control *control = self;
    struct control_shard *own = &control->shard[shard->number];
    const struct lab_host *host = &shard->sim->host[call->host];
    bool shared = shard->sim->config.shared_stats;
    uint64_t *before = shared ? &own->punctures : &control->punctures[call->host];
    uint64_t now = hsay_node_stats(host->node)->count[HSAY_COUNT_PUNCTURES_OUT];
    own->mute = now > *before;
    *before = now;
}

static bool on_send(void *self, struct lab_shard *shard, uint32_t host,
                    const struct hsay_letter *letter)
{
    struct lab_control *control = self;
    (void)host, (void)letter;
    return !control->shard[shard->number].mute;
}

/* A node that counts for itself begins at 0. */
static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct lab_control *control = self;
    (void)sim;
    if (online)
        control->punctures[host] = 0;
}

struct lab_control *lab_control_unpunctured(struct lab_sim *sim)
{
    struct lab_control *control = lab_calloc(1, sizeof *control);
    control->punctures = lab_calloc(sim->host_count, sizeof *control->punctures);
    lab_sim_observe(
        sim, &(struct lab_observer){
                 .self = control, .on_call = on_call, .on_send = on_send, .on_life = on_life});
    return control;
}

void lab_control_free(struct lab_control *control)
{
    if (control == NULL)
        return;
    free(control->punctures);
    free(control);
}
