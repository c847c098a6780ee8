/* The bundles that a measure watches: from a digest to the number under which it keeps the rest. */
#ifndef HEARSAY_LAB_REGISTRY_H
#define HEARSAY_LAB_REGISTRY_H

#include "src/lab/sim/sim.h"

/* Empty when zeroed. */
struct lab_registry {
    struct hsay_digest *digest; /* in the order in which they were added */
    size_t count, max;
    size_t *place; /* number + 1; open addressing */
    size_t place_max;
};

#define LAB_REGISTRY_NONE SIZE_MAX

/* The number of a digest that is not there yet: 0, 1, 2, ... */
size_t lab_registry_add(struct lab_registry *registry, const struct hsay_digest *digest);

/* LAB_REGISTRY_NONE if it is not there.  Any threads may ask while none adds. */
size_t lab_registry_find(const struct lab_registry *registry, const struct hsay_digest *digest);

void lab_registry_free(struct lab_registry *registry);

#endif
