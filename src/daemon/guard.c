#include "src/daemon/guard.h"

#include "hearsay/error.h"

static const struct hsay_store *inner(void *self)
{
    return &((struct guard *)self)->inner;
}

static int guard_put(void *self, const struct hsay_record *record)
{
    struct guard *guard = self;
    int rc = HSAY_ENOSPC;

    if (!guard->door->shut) {
        rc = inner(self)->ops->put(inner(self)->self, record);
    }
    guard->door->wrote = guard->door->wrote || !rc;
    return rc;
}

static int guard_get(void *self, const struct hsay_digest *digest, struct hsay_record *out)
{
    return inner(self)->ops->get(inner(self)->self, digest, out);
}

static int guard_find(void *self, const struct hsay_digest *digest, struct hsay_position *out)
{
    return inner(self)->ops->find(inner(self)->self, digest, out);
}

static int guard_find_short(void *self, uint64_t short_digest, struct hsay_position *out)
{
    return inner(self)->ops->find_short(inner(self)->self, short_digest, out);
}

static int guard_remove(void *self, const struct hsay_digest *digest)
{
    int rc = inner(self)->ops->remove(inner(self)->self, digest);

    ((struct guard *)self)->door->wrote = ((struct guard *)self)->door->wrote || !rc;
    return rc;
}

static int guard_sum(void *self, const struct hsay_range *range, uint64_t work_max,
                     struct hsay_sum *out)
{
    return inner(self)->ops->sum(inner(self)->self, range, work_max, out);
}

static int guard_at_rank(void *self, uint64_t rank, struct hsay_position *out)
{
    return inner(self)->ops->at_rank(inner(self)->self, rank, out);
}

static int guard_rank_of(void *self, const struct hsay_position *at, uint64_t *rank)
{
    return inner(self)->ops->rank_of(inner(self)->self, at, rank);
}

static int guard_walk(void *self, const struct hsay_range *range, uint64_t skip,
                      struct hsay_cursor *out)
{
    return inner(self)->ops->walk(inner(self)->self, range, skip, out);
}

static int guard_next(void *self, struct hsay_cursor *cursor, bool want_bytes, uint32_t *work,
                      struct hsay_position *at, struct hsay_record *out)
{
    return inner(self)->ops->next(inner(self)->self, cursor, want_bytes, work, at, out);
}

static int guard_author_next(void *self, const struct hsay_key *author, uint64_t sequence,
                             const struct hsay_digest *after, struct hsay_record *out)
{
    return inner(self)->ops->author_next(inner(self)->self, author, sequence, after, out);
}

static int guard_author_before(void *self, const struct hsay_key *author, uint64_t below,
                               uint64_t *sequence, uint64_t *time)
{
    return inner(self)->ops->author_before(inner(self)->self, author, below, sequence, time);
}

static int guard_expired(void *self, uint64_t wall_s, struct hsay_record *out)
{
    return inner(self)->ops->expired(inner(self)->self, wall_s, out);
}

static int guard_commit(void *self)
{
    return inner(self)->ops->commit(inner(self)->self);
}

static void guard_info(void *self, struct hsay_store_info *out)
{
    inner(self)->ops->info(inner(self)->self, out);
    out->full = out->full || ((struct guard *)self)->door->shut;
}

struct hsay_store guard_port(struct guard *guard)
{
    static const struct hsay_store_ops ops = {
        .put = guard_put,
        .get = guard_get,
        .find = guard_find,
        .find_short = guard_find_short,
        .remove = guard_remove,
        .sum = guard_sum,
        .at_rank = guard_at_rank,
        .rank_of = guard_rank_of,
        .walk = guard_walk,
        .next = guard_next,
        .author_next = guard_author_next,
        .author_before = guard_author_before,
        .expired = guard_expired,
        .commit = guard_commit,
        .info = guard_info,
    };

    return (struct hsay_store){&ops, guard};
}
