/*
 * The entries stand in the order of their last answer, newest first, the empty ones behind.  Moving
 * them costs a memmove of 14 kB for 256 entries, once per answer; reading the order costs nothing.
 */
#include "src/walk/book.h"

#include <assert.h>

#include "nat/addr_class.h"
#include "src/walk/peer.h"

void hsay_book_init(struct hsay_book *book, struct hsay_book_entry *entry, uint16_t entry_max)
{
    *book = (struct hsay_book){.entry = entry, .entry_max = entry_max};
    memset(entry, 0, entry_max * sizeof *entry);
}

static size_t book_count(const struct hsay_book *book)
{
    size_t count = 0;

    while (count < book->entry_max && book->entry[count].seen != 0)
        count++;
    return count;
}

/* Where the peer stands, or `count`.  A peer that comes back under another key or at another
 * address is the same to us: either way the older entry leads nowhere any more. */
static size_t book_find(const struct hsay_book *book, size_t count, const struct hsay_peer *peer)
{
    bool keyed = hsay_peer_key_known(&peer->key);

    for (size_t i = 0; i < count; i++) {
        const struct hsay_peer *p = &book->entry[i].peer;

        if (hsay_addr_equal(&p->addr, &peer->addr) ||
            (keyed && hsay_peer_key_equal(&p->key, &peer->key)))
            return i;
    }
    return count;
}

static void book_erase(struct hsay_book *book, size_t count, size_t index)
{
    struct hsay_book_entry *at = &book->entry[index];

    memmove(at, at + 1, (count - index - 1) * sizeof *at);
    memset(&book->entry[count - 1], 0, sizeof *at);
}

static size_t group_size(const struct hsay_book *book, size_t count, uint64_t group)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += book->entry[i].group == group;
    return size;
}

/* Who gives way in a full book: the oldest of the newcomer's own group if none is larger, else the
 * oldest of the largest.  Quadratic, 65,536 short steps for 256 entries, but only for a peer that
 * is new to a full book, and that takes a step of ours and an answer. */
static size_t book_victim(const struct hsay_book *book, size_t count, uint64_t newcomer)
{
    size_t largest = group_size(book, count, newcomer);
    size_t victim = count;

    for (size_t i = count; i-- > 0;) {
        uint64_t group = book->entry[i].group;
        size_t size = group_size(book, count, group);

        if (size > largest || (victim == count && size == largest && group == newcomer)) {
            largest = size;
            victim = i;
        }
    }
    assert(victim < count);
    return victim;
}

void hsay_book_on_answer(struct hsay_book *book, const struct hsay_peer *peer)
{
    struct hsay_peer copy = *peer; /* may stand in the book itself */
    uint64_t group = hsay_addr_group(&copy.addr);
    size_t count = book_count(book);
    size_t at;

    if (book->entry_max == 0)
        return;
    while ((at = book_find(book, count, &copy)) < count)
        book_erase(book, count--, at);
    if (count == book->entry_max) {
        book_erase(book, count, book_victim(book, count, group));
        count--;
    }

    assert(count < book->entry_max);
    memmove(book->entry + 1, book->entry, count * sizeof *book->entry);
    book->clock += book->clock < UINT32_MAX; /* stops there; the order does not need it */
    book->entry[0] = (struct hsay_book_entry){copy, book->clock, group};
}

void hsay_book_remove(struct hsay_book *book, const struct hsay_peer *peer)
{
    size_t count = book_count(book);
    size_t at = book_find(book, count, peer);

    if (at == count)
        return;

    const struct hsay_peer *p = &book->entry[at].peer;
    bool same_key = hsay_peer_key_equal(&p->key, &peer->key) || !hsay_peer_key_known(&p->key) ||
                    !hsay_peer_key_known(&peer->key);

    if (same_key && hsay_addr_equal(&p->addr, &peer->addr))
        book_erase(book, count, at);
}

const struct hsay_peer *hsay_book_at(const struct hsay_book *book, size_t index)
{
    if (index >= book->entry_max || book->entry[index].seen == 0)
        return NULL;
    return &book->entry[index].peer;
}
