#include "src/lab/nat/sim_ground.h"

#include <assert.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/nat/trial.h"
#include "src/lab/sim/home.h"
#include "src/lab/sim/net.h"

enum { TRY_BYTES = 200, TRY_WAIT_MS = 1000 };

/* --- paths ----------------------------------------------------------------------------------- */

/* From any of its sockets. */
static enum natlab_path judge_at(struct natlab_sim_ground *own, unsigned from,
                                 const struct hsay_addr *to)
{
    struct natlab_sim_route *route = &own->route[from];
    uint16_t last = lab_host_config(own->sim, own->host[from])->sockets_max;
    route->to = *to;
    for (unsigned socket = 0; socket <= last; socket++) {
        route->socket = (uint16_t)socket;
        if (lab_net_leads(own->sim, own->host[from], route->socket, to, own->host[1 - from]))
            return NATLAB_PATH_OPEN;
    }
    route->socket = 0;
    return NATLAB_PATH_SHUT;
}

/* At any of the addresses at which it knows the other. */
static enum natlab_path judge(struct natlab_sim_ground *own, unsigned from)
{
    const struct lab_host *host = &own->sim->host[own->host[from]];
    const struct hsay_key *key = hsay_node_key(own->sim->host[own->host[1 - from]].node);
    struct hsay_now now = lab_host_now(own->sim, host, own->sim->now_ns);
    struct hsay_peer_status s;
    enum natlab_path path = NATLAB_PATH_UNKNOWN;
    for (size_t i = 0; hsay_node_peer_at(host->node, now, 0, i, &s) == 0; i++)
        if (path != NATLAB_PATH_OPEN && memcmp(&s.peer.key, key, sizeof *key) == 0)
            path = judge_at(own, from, &s.peer.addr);
    return path;
}

static int look(void *self, enum natlab_path path[NATLAB_PEERS], struct lab_why *why)
{
    struct natlab_sim_ground *own = self;
    (void)why;
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        path[i] = judge(own, i);
    return 0;
}

/* --- boxes ----------------------------------------------------------------------------------- */

static unsigned flows_around(struct lab_sim *sim, uint32_t host)
{
    unsigned flows = 0;
    for (uint32_t box = sim->host[host].box; box != 0; box = sim->site[box - 1].parent)
        flows += lab_nat_flows(&sim->site[box - 1].box, sim->now_ns);
    return flows;
}

static int forget(void *self, const bool whose[NATLAB_PEERS], unsigned *flows,
                  enum natlab_path *path, struct lab_why *why)
{
    struct natlab_sim_ground *own = self;
    *flows = 0;
    for (unsigned i = 0; i < NATLAB_PEERS; i++) {
        if (!whose[i])
            continue;
        *flows += flows_around(own->sim, own->host[i]);
        lab_home_flush(own->sim, own->host[i]);
    }
    return path != NULL ? look(self, path, why) : 0;
}

/* --- a bundle -------------------------------------------------------------------------------- */

static int publish(void *self, unsigned who, struct lab_why *why)
{
    struct natlab_sim_ground *own = self;
    const struct hsay_span text = {(const uint8_t *)"kept\n", 5};
    (void)why;
    int rc = lab_host_publish(own->sim, own->host[who], text, 1, NULL);
    assert(rc == 0); /* as a store in memory has room */
    (void)rc;
    return 0;
}

static int holds(void *self, unsigned who, bool *holds, struct lab_why *why)
{
    struct natlab_sim_ground *own = self;
    (void)why;
    *holds = lab_store_count(&own->sim->host[own->host[who]].store) != 0;
    return 0;
}

/* --- a real datagram ------------------------------------------------------------------------- */

static const uint8_t tried_bytes[TRY_BYTES] = "path?";

static void on_call(void *self, struct lab_shard *shard, const struct lab_call *call)
{
    struct natlab_sim_ground *own = self;
    (void)shard;
    if (own->tried == NATLAB_PEERS || call->kind != LAB_CALL_PACKET ||
        call->host != own->host[1 - own->tried])
        return;
    const struct hsay_span *got = &call->packet->bytes;
    own->came |= got->size == TRY_BYTES && memcmp(got->data, tried_bytes, TRY_BYTES) == 0;
}

static void lose_nothing(struct lab_sim *sim)
{
    struct lab_link_model link = sim->config.link;
    char why[128];
    link.loss = 0;
    int rc = lab_link_prepare(&link, why, sizeof why);
    assert(rc == 0); /* it was with losses */
    (void)rc;
    lab_sim_relink(sim, &link);
}

static int try(void *self, unsigned who, bool *comes, struct lab_why *why)
{
    struct natlab_sim_ground *own = self;
    struct lab_sim *sim = own->sim;
    struct lab_shard *shard = &sim->shard[sim->host[own->host[who]].shard];
    const struct hsay_letter letter = {
        own->route[who].to, {tried_bytes, TRY_BYTES}, own->route[who].socket};
    (void)why;
    lose_nothing(sim);
    own->tried = who;
    own->came = false;
    shard->now_ns = sim->now_ns;
    lab_net_send(shard, own->host[who], &letter);
    lab_sim_run_until(sim, lab_sim_elapsed_ns(sim) + TRY_WAIT_MS * (uint64_t)LAB_NS_PER_MS);
    own->tried = NATLAB_PEERS;
    *comes = own->came;
    return 0;
}

void natlab_sim_ground_init(struct natlab_sim_ground *own, struct lab_sim *sim,
                            const uint32_t host[NATLAB_PEERS],
                            const struct natlab_kind *const kind[NATLAB_PEERS])
{
    *own = (struct natlab_sim_ground){
        .ground = {.self = own,
                   .kind = {kind[0], kind[1]},
                   .look = look,
                   .forget = forget,
                   .publish = publish,
                   .holds = holds,
                   .try = try},
        .sim = sim,
        .host = {host[0], host[1]},
        .tried = NATLAB_PEERS,
    };
    lab_sim_observe(sim, &(struct lab_observer){.self = own, .on_call = on_call});
}
