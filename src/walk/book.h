/*
 * The address book: peers that answered us, newest first, one per network group before a second of
 * the same is kept, so that a flood from few networks can not fill it.  The caller saves it to disk
 * through hsay_node_book_at and gives it back through hsay_node_add_peer.
 */
#ifndef HEARSAY_WALK_BOOK_H
#define HEARSAY_WALK_BOOK_H

#include "hearsay/node.h"

struct hsay_book_entry {
    struct hsay_peer peer;
    uint32_t group; /* hsay_peer_group of its address */
};

struct hsay_book {
    struct hsay_book_entry *entry; /* the caller's; must live as long as the book */
    uint16_t entry_max;
    uint16_t entry_count;
};

void hsay_book_init(struct hsay_book *book, struct hsay_book_entry *entry, uint16_t entry_max);

/* Moves the peer to the front.  Older entries under its key or at its address go.  `peer` may point
 * into the book. */
void hsay_book_on_answer(struct hsay_book *book, const struct hsay_peer *peer);

/* It does not answer any more.  A peer that the book by now knows under another key or at another
 * address stays.  `peer` may point into the book. */
void hsay_book_remove(struct hsay_book *book, const struct hsay_peer *peer);

/* The index-th newest, valid until the next change; NULL past the last. */
const struct hsay_peer *hsay_book_at(const struct hsay_book *book, size_t index);

#endif
