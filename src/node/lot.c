#include "src/node/lot.h"

#include <assert.h>
#include <string.h>

#include "src/wire/pack.h"

static bool goes_before(const struct hsay_lot_item *a, const struct hsay_lot_item *b)
{
    return a->mates != b->mates ? a->mates > b->mates : a->author < b->author;
}

/* Shell's, with Ciura's gaps: short, in place, and quick for so few. */
static void sort(struct hsay_lot *lot)
{
    static const uint8_t gaps[] = {132, 57, 23, 10, 4, 1};
    for (unsigned g = 0; g < sizeof gaps; g++)
        for (unsigned i = gaps[g]; i < lot->past; i++) {
            struct hsay_lot_item item = lot->item[i];
            unsigned at = i;
            for (; at >= gaps[g] && goes_before(&item, &lot->item[at - gaps[g]]); at -= gaps[g])
                lot->item[at] = lot->item[at - gaps[g]];
            lot->item[at] = item;
        }
}

/* Sorted by author alone, since nobody's mates are counted yet. */
static void count_mates(struct hsay_lot *lot)
{
    for (unsigned first = 0, past; first < lot->past; first = past) {
        for (past = first; past < lot->past && lot->item[past].author == lot->item[first].author;)
            past++;
        for (unsigned i = first; i < past; i++)
            lot->item[i].mates = (uint16_t)(past - first);
    }
}

static void add(struct hsay_lot *lot, struct hsay_span bundle)
{
    struct hsay_lot_item *item = &lot->item[lot->past++];
    *item = (struct hsay_lot_item){.bytes = bundle.data, .size = (uint16_t)bundle.size};
    memcpy(&item->author, bundle.data + HSAY_BUNDLE_AUTHOR_AT, sizeof item->author);
}

bool hsay_lot_draw(struct hsay_lot *lot, struct hsay_answer *answer, unsigned max, uint64_t budget)
{
    struct hsay_record record;
    bool spent = false;
    assert(lot->first == lot->past && max <= HSAY_LOT_MAX);
    lot->first = lot->past = 0;
    while (lot->past < max && !spent && hsay_answer_next(answer, &record) == 0) {
        spent = record.bytes.size > budget;
        if (spent) {
            hsay_answer_back(answer, &record);
        } else {
            budget -= record.bytes.size;
            add(lot, record.bytes);
        }
    }
    sort(lot);
    count_mates(lot);
    sort(lot);
    return spent;
}
