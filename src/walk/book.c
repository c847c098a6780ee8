/*
 * The entries stand in the order of their last answer, newest first.  Moving
 * them costs a memmove of 14 kB for 256 entries, once per answer; reading the order costs nothing.
 */
#include "src/walk/book.h"

#include <assert.h>

#include "nat/addr_class.h"
#include "src/walk/peer.h"

void hsay_book_init(struct hsay_book *book, struct hsay_book_entry *entry, uint16_t entry_max)
{
    *book = (struct hsay_book){.entry = entry, .entry_max = entry_max};
}

/* Where the peer stands, or the count.  A peer that comes back under another key or at another
 * address is the same to us: either way the older entry leads nowhere any more. */
static size_t book_find(const struct hsay_book *book, const struct hsay_peer *peer)
{
    bool keyed = hsay_peer_key_known(&peer->key);

    for (size_t i = 0; i < book->entry_count; i++) {
        const struct hsay_peer *p = &book->entry[i].peer;

        if (hsay_addr_equal(&p->addr, &peer->addr) ||
            (keyed && hsay_peer_key_equal(&p->key, &peer->key)))
            return i;
    }
    return book->entry_count;
}

static void book_erase(struct hsay_book *book, size_t index)
{
    struct hsay_book_entry *at = &book->entry[index];

    book->entry_count--;
    memmove(at, at + 1, (book->entry_count - index) * sizeof *at);
}

static size_t group_size(const struct hsay_book *book, uint32_t group)
{
    size_t size = 0;

    for (size_t i = 0; i < book->entry_count; i++)
        size += book->entry[i].group == group;
    return size;
}

/* Who gives way in a full book: the oldest of the newcomer's own group if none is larger, else the
 * oldest of the largest.  Quadratic, 65,536 short steps for 256 entries, but only for a peer that
 * is new to a full book, and that takes a step of ours and an answer. */
static size_t book_victim(const struct hsay_book *book, uint32_t newcomer)
{
    size_t count = book->entry_count;
    size_t largest = group_size(book, newcomer);
    size_t victim = count;

    for (size_t i = count; i-- > 0;) {
        uint32_t group = book->entry[i].group;
        size_t size = group_size(book, group);

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
    struct hsay_book_entry entry = {
        *peer, hsay_peer_group(&peer->addr)}; /* `peer` may stand in the book */
    size_t at;

    if (book->entry_max == 0)
        return;
    while ((at = book_find(book, &entry.peer)) < book->entry_count)
        book_erase(book, at);
    if (book->entry_count == book->entry_max)
        book_erase(book, book_victim(book, entry.group));

    assert(book->entry_count < book->entry_max);
    memmove(book->entry + 1, book->entry, book->entry_count * sizeof *book->entry);
    book->entry[0] = entry;
    book->entry_count++;
}

void hsay_book_remove(struct hsay_book *book, const struct hsay_peer *peer)
{
    size_t at = book_find(book, peer);

    if (at == book->entry_count)
        return;

    const struct hsay_peer *p = &book->entry[at].peer;
    bool same_key = hsay_peer_key_equal(&p->key, &peer->key) || !hsay_peer_key_known(&p->key) ||
                    !hsay_peer_key_known(&peer->key);

    if (same_key && hsay_addr_equal(&p->addr, &peer->addr))
        book_erase(book, at);
}

const struct hsay_peer *hsay_book_at(const struct hsay_book *book, size_t index)
{
    return index < book->entry_count ? &book->entry[index].peer : NULL;
}
