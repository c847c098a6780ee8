#include "src/walk/pending.h"

#include <assert.h>

#include "nat/addr_class.h"
#include "src/walk/peer.h"

void hsay_pendings_init(struct hsay_pendings *table, struct hsay_pending *entry, uint16_t entry_max,
                        uint64_t *newest, uint8_t newest_max)
{
    *table = (struct hsay_pendings){
        .entry = entry, .newest = newest, .entry_max = entry_max, .newest_max = newest_max};
    memset(entry, 0, entry_max * sizeof *entry);
}

uint64_t *hsay_pending_newest(const struct hsay_pendings *table, const struct hsay_pending *p)
{
    return table->newest + (size_t)(p - table->entry) * table->newest_max;
}

struct hsay_pending *hsay_pending_new(struct hsay_pendings *table)
{
    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_pending *p = &table->entry[i];

        if (p->kind == HSAY_PENDING_FREE) {
            memset(p, 0, sizeof *p);
            return p;
        }
    }
    return NULL;
}

struct hsay_pending *hsay_pending_by_id(struct hsay_pendings *table, uint64_t id)
{
    if (id == 0) /* what mail carries */
        return NULL;
    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_pending *p = &table->entry[i];

        if (p->kind != HSAY_PENDING_FREE && p->id == id)
            return p;
    }
    return NULL;
}

struct hsay_pending *hsay_pending_find(struct hsay_pendings *table, uint64_t id,
                                       const struct hsay_peer *from)
{
    struct hsay_pending *p = hsay_pending_by_id(table, id);

    if (p == NULL || !hsay_addr_equal(&p->to.addr, &from->addr))
        return NULL;
    if (hsay_peer_key_known(&p->to.key) && !hsay_peer_key_equal(&p->to.key, &from->key))
        return NULL;
    return p;
}

void hsay_pending_free(struct hsay_pending *p)
{
    assert(p->kind != HSAY_PENDING_FREE);
    memset(p, 0, sizeof *p);
}

size_t hsay_pending_count(const struct hsay_pendings *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->entry_max; i++)
        count += table->entry[i].kind != HSAY_PENDING_FREE;
    return count;
}
