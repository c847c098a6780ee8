#include "src/lab/nat/kernel_ground.h"

#include <signal.h>

#include "src/lab/nat/box.h"

static int judge(struct natlab_kernel_ground *own, const struct natlab_memory *memory,
                 enum natlab_path *path, struct lab_why *why)
{
    return natlab_path_judge(memory, own->node, path, own->route, why);
}

static int look(void *self, enum natlab_path path[NATLAB_PEERS], struct lab_why *why)
{
    struct natlab_kernel_ground *own = self;
    struct natlab_memory memory;
    int rc = natlab_memory_read(&memory, own->world, why);
    if (rc == 0)
        rc = judge(own, &memory, path, why);
    natlab_memory_free(&memory);
    return rc;
}

static int flush_boxes(const struct natlab_kernel_ground *own, const bool *whose, unsigned *flows,
                       struct lab_why *why)
{
    int rc = 0;
    *flows = 0;
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++) {
        const struct natlab_host *host = &own->world->peer[i];
        for (unsigned b = 0; rc == 0 && whose[i] && b < host->kind->boxes; b++) {
            unsigned of_box;
            rc = natlab_box_flush(&host->box[b].place, &of_box, why);
            *flows += of_box;
        }
    }
    return rc;
}

static void tell_nodes(const struct natlab_kernel_ground *own, int signal)
{
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        kill(own->node[i]->pid, signal);
}

/* Nodes stand still meanwhile, or what they send would make new memories of it; who they know they
 * can tell only afterwards. */
static int forget(void *self, const bool whose[NATLAB_PEERS], unsigned *flows,
                  enum natlab_path *path, struct lab_why *why)
{
    struct natlab_kernel_ground *own = self;
    struct natlab_memory memory = {.world = NULL};
    tell_nodes(own, SIGSTOP);
    int rc = flush_boxes(own, whose, flows, why);
    if (rc == 0 && path != NULL)
        rc = natlab_memory_read(&memory, own->world, why);
    tell_nodes(own, SIGCONT);
    if (rc == 0 && path != NULL)
        rc = judge(own, &memory, path, why);
    natlab_memory_free(&memory);
    return rc;
}

static int publish(void *self, unsigned who, struct lab_why *why)
{
    struct natlab_kernel_ground *own = self;
    return natlab_node_publish(own->node[who], own->digest, why);
}

static int holds(void *self, unsigned who, bool *holds, struct lab_why *why)
{
    struct natlab_kernel_ground *own = self;
    return natlab_node_holds(own->node[who], own->digest, holds, why);
}

static int try(void *self, unsigned who, bool *comes, struct lab_why *why)
{
    struct natlab_kernel_ground *own = self;
    atomic_store(&own->world->router.traffic->lossless, true);
    return natlab_path_try(own->world, who, &own->route[who], comes, why);
}

void natlab_kernel_ground_init(struct natlab_kernel_ground *own, struct natlab_world *world,
                               struct natlab_node *node)
{
    *own = (struct natlab_kernel_ground){
        .ground = {.self = own,
                   .look = look,
                   .forget = forget,
                   .publish = publish,
                   .holds = holds,
                   .try = try},
        .world = world,
    };
    for (unsigned i = 0; i < NATLAB_PEERS; i++) {
        own->ground.kind[i] = world->peer[i].kind;
        own->node[i] = &node[i];
    }
}
