#include "src/lab/measure/registry.h"

#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/memory.h"

enum { PLACES_PER_DIGEST = 4 };

/* Digests are as good as chance: their first bytes are the hash. */
static size_t *place_of(const struct lab_registry *r, const struct hsay_digest *digest)
{
    size_t at;
    memcpy(&at, digest, sizeof at);
    for (at &= r->place_max - 1; r->place[at] != 0; at = (at + 1) & (r->place_max - 1))
        if (memcmp(&r->digest[r->place[at] - 1], digest, sizeof *digest) == 0)
            break;
    return &r->place[at];
}

static void grow(struct lab_registry *r)
{
    r->max = r->max != 0 ? 2 * r->max : 16;
    r->digest = lab_realloc(r->digest, r->max * sizeof *r->digest);
    free(r->place);
    r->place_max = PLACES_PER_DIGEST * r->max;
    r->place = lab_calloc(r->place_max, sizeof *r->place);
    for (size_t i = 0; i < r->count; i++)
        *place_of(r, &r->digest[i]) = i + 1;
}

size_t lab_registry_add(struct lab_registry *registry, const struct hsay_digest *digest)
{
    if (registry->count == registry->max)
        grow(registry);
    registry->digest[registry->count++] = *digest;
    *place_of(registry, digest) = registry->count;
    return registry->count - 1;
}

size_t lab_registry_find(const struct lab_registry *registry, const struct hsay_digest *digest)
{
    size_t place = registry->count != 0 ? *place_of(registry, digest) : 0;
    return place != 0 ? place - 1 : LAB_REGISTRY_NONE;
}

void lab_registry_free(struct lab_registry *registry)
{
    free(registry->digest);
    free(registry->place);
}
