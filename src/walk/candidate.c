/*
 * Who a packet is about, and what it may change.
 *
 * What is known of a peer comes from two sorts of sources.  Answers to our requests and requests
 * with a token prove that the key's owner is at the address; introductions, punctures and requests
 * without a token are claims.  Proof moves a peer, replaces a key and takes places; a claim only
 * adds a peer of which nothing is known yet, or renews what it agrees with.
 */
#include "src/walk/candidate.h"

#include <assert.h>

#include "nat/addr_class.h"
#include "src/walk/candidate_way.h"
#include "src/walk/peer.h"
#include "src/walk/room.h"

enum {
    NAMED_MARKS = HSAY_MARK_TRUSTED | HSAY_MARK_BOOK,
    BOOK_TIMEOUTS_MAX = 3,
    INTRODUCED_TIMEOUTS_MAX = 2,
    LOSSES_MAX = 4,        /* in a row: at 30 % loss each way every second exchange fails */
    TIMEOUTS_COUNTED = 15, /* four bits */
    KEY_TIMEOUTS_MAX = 2,  /* one loss is weather; and the book has one try left after it */
    SILENT_MS = 1000,      /* few round trips are longer */
    TRUSTED_EAGER_MS = 2500,
    TRUSTED_EAGER_TRIES = 6,  /* at 30 % loss each way all six fail once in sixty times */
    TRUSTED_RETRY_MS = 10000, /* a small packet each, and as long as an answer is waited for */
    TOKEN_MARGIN_MS = 5000,   /* for the flight of the answer that brought it, and of the request */
};

static_assert(sizeof(struct hsay_candidate) == 96, "64 of them are 6 kB; no padding");

void hsay_candidates_init(struct hsay_candidates *table, struct hsay_candidate *entry,
                          uint16_t entry_max, struct hsay_candidate_way *way, uint16_t way_max,
                          const struct hsay_walk_times *times)
{
    assert(way_max >= 1);
    *table = (struct hsay_candidates){
        .entry = entry, .way = way, .entry_max = entry_max, .way_max = way_max, .times = *times};
    memset(entry, 0, entry_max * sizeof *entry);
    memset(way, 0, way_max * sizeof *way);
}

/* --- time ------------------------------------------------------------------------------------ */

/* The clock may start at 0, which means "never" in the table; and on_asked below needs one tick
 * between the two. */
enum { TICK_FIRST = 2 };

/* An instant in ticks; may be more than a table can hold. */
static uint64_t ticks(const struct hsay_candidates *table, hsay_time t)
{
    return t.ns / 1000000u - table->base_ms + TICK_FIRST;
}

static void shift(hsay_tick *at, uint64_t by)
{
    if (*at != 0)
        *at = *at > by ? (hsay_tick)(*at - by) : 1;
}

/* The ticks begin anew in the middle of what is behind us: what is older ends up at their
 * beginning, which is as good as never for all but the order of it. */
static void rebase(struct hsay_candidates *table, uint64_t now_ticks)
{
    uint64_t by = now_ticks - UINT32_MAX / 2;

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        shift(&c->contacted_at, by);
        shift(&c->requested_at, by);
        shift(&c->introduced_at, by);
        shift(&c->asked_at, by);
    }
    table->base_ms += by;
}

/* An instant to keep. */
static hsay_tick stamp(struct hsay_candidates *table, hsay_time now)
{
    if (ticks(table, now) > UINT32_MAX)
        rebase(table, ticks(table, now));
    return (hsay_tick)ticks(table, now);
}

uint64_t hsay_candidate_age_ms(const struct hsay_candidates *table, hsay_tick at, hsay_time now)
{
    uint64_t now_ticks = ticks(table, now);

    if (at == 0)
        return UINT64_MAX;
    return now_ticks > at ? now_ticks - at : 0;
}

bool hsay_candidate_answered_since(const struct hsay_candidates *table,
                                   const struct hsay_candidate *c, hsay_time then)
{
    return c->contacted_at != 0 && c->contacted_at >= ticks(table, then);
}

/* --- marks and lifetimes --------------------------------------------------------------------- */

static bool is_live(const struct hsay_candidates *table, hsay_tick since, uint32_t lifetime_ms,
                    hsay_time now)
{
    return hsay_candidate_age_ms(table, since, now) < lifetime_ms;
}

bool hsay_candidate_is_contacted(const struct hsay_candidates *table,
                                 const struct hsay_candidate *c, hsay_time now)
{
    return (c->marks & HSAY_MARK_USED) != 0 &&
           is_live(table, c->contacted_at, table->times.contacted_ms, now);
}

bool hsay_candidate_is_visitor(const struct hsay_candidates *table, const struct hsay_candidate *c,
                               hsay_time now)
{
    uint8_t marks = c->marks & (HSAY_MARK_USED | HSAY_MARK_HEARD | HSAY_MARK_TRUSTED);

    return marks == (HSAY_MARK_USED | HSAY_MARK_HEARD) &&
           is_live(table, c->requested_at, table->times.requested_ms, now);
}

uint32_t hsay_candidate_introduced_ms(const struct hsay_candidates *table,
                                      const struct hsay_candidate *c)
{
    return (c->nat & HSAY_NAT_IS_PUBLIC) != 0 ? table->times.introduced_public_ms
                                              : table->times.introduced_ms;
}

enum hsay_bucket hsay_candidate_bucket(const struct hsay_candidates *table,
                                       const struct hsay_candidate *c, hsay_time now)
{
    if ((c->marks & HSAY_MARK_USED) == 0)
        return HSAY_BUCKET_NONE;
    if ((c->marks & HSAY_MARK_TRUSTED) != 0)
        return HSAY_BUCKET_TRUSTED;
    if (is_live(table, c->contacted_at, table->times.contacted_ms, now))
        return HSAY_BUCKET_CONTACTED;
    if (is_live(table, c->requested_at, table->times.requested_ms, now))
        return HSAY_BUCKET_REQUESTED;
    if (is_live(table, c->introduced_at, hsay_candidate_introduced_ms(table, c), now))
        return HSAY_BUCKET_INTRODUCED;
    return (c->marks & HSAY_MARK_BOOK) != 0 ? HSAY_BUCKET_BOOK : HSAY_BUCKET_NONE;
}

/* Somebody that the operator named and that does not answer is all the more worth another try: 2.5
 * s six times, then 10 s for ever, for the usual again_ms, in proportion for others. */
static uint64_t retry_ms(const struct hsay_walk_times *times, uint8_t timeouts)
{
    uint64_t ms = timeouts < TRUSTED_EAGER_TRIES ? TRUSTED_EAGER_MS : TRUSTED_RETRY_MS;

    return ms * times->again_ms / HSAY_WALK_AGAIN_MS;
}

bool hsay_candidate_is_silent(const struct hsay_candidates *table, const struct hsay_candidate *c,
                              hsay_time now)
{
    return c->asked_at > c->contacted_at && c->asked_at > c->requested_at &&
           hsay_candidate_age_ms(table, c->asked_at, now) >= SILENT_MS;
}

bool hsay_candidate_is_place_unknown(const struct hsay_candidate *c)
{
    return (c->nat & HSAY_NAT_IS_SYMMETRIC) != 0 &&
           (c->marks & (HSAY_MARK_HEARD | HSAY_MARK_TOKEN)) == 0;
}

bool hsay_candidate_has_come(const struct hsay_candidate *c)
{
    return (c->nat & HSAY_NAT_IS_SYMMETRIC) != 0 && (c->marks & HSAY_MARK_TOKEN) != 0 &&
           (c->marks & HSAY_MARK_HEARD) == 0 && c->asked_at == 0;
}

/* What is asked before its puncture has come goes nowhere. */
static bool is_awaited(const struct hsay_candidates *table, const struct hsay_candidate *c,
                       hsay_time now)
{
    return hsay_candidate_is_place_unknown(c) &&
           hsay_candidate_age_ms(table, c->introduced_at, now) < SILENT_MS;
}

bool hsay_candidate_is_eligible(const struct hsay_candidates *table, const struct hsay_candidate *c,
                                hsay_time now)
{
    uint64_t wait_ms = table->times.again_ms;

    if (hsay_candidate_bucket(table, c, now) == HSAY_BUCKET_NONE || is_awaited(table, c, now))
        return false;
    if ((c->marks & HSAY_MARK_TRUSTED) != 0 && (c->timeouts > 0 || c->contacted_at == 0))
        wait_ms = retry_ms(&table->times, c->timeouts);
    return hsay_candidate_age_ms(table, c->asked_at, now) >= wait_ms;
}

static hsay_tick heard_at(const struct hsay_candidate *c)
{
    return c->contacted_at > c->requested_at ? c->contacted_at : c->requested_at;
}

/* Each answer and each request brings a token; before them, a puncture may have. */
bool hsay_candidate_has_token(const struct hsay_candidates *table, const struct hsay_candidate *c,
                              hsay_time now)
{
    hsay_tick at = heard_at(c) != 0 ? heard_at(c) : c->introduced_at;

    return (c->marks & HSAY_MARK_TOKEN) != 0 &&
           is_live(table, at, HSAY_TOKEN_EPOCH_MS - TOKEN_MARGIN_MS, now);
}

void hsay_candidates_count(const struct hsay_candidates *table, hsay_time now,
                           uint16_t count[HSAY_BUCKET_COUNT])
{
    memset(count, 0, HSAY_BUCKET_COUNT * sizeof *count);
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];
        enum hsay_bucket bucket = hsay_candidate_bucket(table, c, now);

        count[bucket]++;
        if (bucket == HSAY_BUCKET_TRUSTED && hsay_candidate_is_contacted(table, c, now))
            count[HSAY_BUCKET_CONTACTED]++;
    }
}

/* --- finding --------------------------------------------------------------------------------- */

/* What a peer and an entry have in common, the closest last. */
enum kinship {
    KIN_NONE,
    KIN_ADDR,    /* the same address under another key */
    KIN_KEY,     /* the same key at another address */
    KIN_KEYLESS, /* the same address, and one of the two keys is not known */
    KIN_SAME,
};

static enum kinship kinship_of(const struct hsay_candidate *c, const struct hsay_peer *peer)
{
    bool keys = hsay_peer_key_known(&c->key) && hsay_peer_key_known(&peer->key);
    bool same_key = keys && hsay_peer_key_equal(&c->key, &peer->key);

    if ((c->marks & HSAY_MARK_USED) == 0)
        return KIN_NONE;
    if (!hsay_addr_equal(&c->addr, &peer->addr))
        return same_key ? KIN_KEY : KIN_NONE;
    if (same_key)
        return KIN_SAME;
    return keys ? KIN_ADDR : KIN_KEYLESS;
}

struct relative {
    struct hsay_candidate *c; /* NULL: nobody */
    enum kinship kin;
};

static void relative_offer(struct relative *r, struct hsay_candidate *c, enum kinship kin)
{
    if (kin > r->kin)
        *r = (struct relative){c, kin};
}

/* Whom a claim about `peer` meets.  An entry whose time is over does not stand in the way of other
 * claims; but if nobody else is there, it still knows when the same peer was asked last. */
static struct relative find_known(struct hsay_candidates *table, hsay_time now,
                                  const struct hsay_peer *peer)
{
    struct relative live = {NULL, KIN_NONE};
    struct relative over = {NULL, KIN_KEYLESS};

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];
        bool is_over = hsay_candidate_bucket(table, c, now) == HSAY_BUCKET_NONE;

        relative_offer(is_over ? &over : &live, c, kinship_of(c, peer));
    }
    return live.c == NULL && over.c != NULL ? over : live;
}

/* Who is known at an address, whatever the key. */
static struct relative find_at(struct hsay_candidates *table, hsay_time now,
                               const struct hsay_addr *addr)
{
    struct hsay_peer peer = {.addr = *addr};

    return find_known(table, now, &peer);
}

/* Whom proof about `peer` may change: a trusted one stays where it is, a named key what it is. */
static struct relative find_changeable(struct hsay_candidates *table, const struct hsay_peer *peer)
{
    struct relative r = {NULL, KIN_NONE};

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];
        enum kinship kin = kinship_of(c, peer);

        if (kin == KIN_KEY && (c->marks & HSAY_MARK_TRUSTED) != 0)
            continue;
        if (kin == KIN_ADDR && (c->marks & HSAY_MARK_KEYED) != 0)
            continue;
        relative_offer(&r, c, kin);
    }
    return r;
}

struct hsay_candidate *hsay_candidate_find(struct hsay_candidates *table,
                                           const struct hsay_peer *peer)
{
    struct relative r = {NULL, KIN_ADDR};

    for (size_t i = 0; i < table->entry_max; i++)
        relative_offer(&r, &table->entry[i], kinship_of(&table->entry[i], peer));
    return r.c;
}

struct hsay_candidate *hsay_candidate_by_name(struct hsay_candidates *table, hsay_time now,
                                              uint64_t name)
{
    struct hsay_candidate *best = NULL;

    for (size_t i = 0; name != 0 && i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (hsay_peer_name(&c->key) != name ||
            hsay_candidate_bucket(table, c, now) == HSAY_BUCKET_NONE)
            continue;
        if (best == NULL || heard_at(c) > heard_at(best))
            best = c;
    }
    return best;
}

/* --- changing what an entry is --------------------------------------------------------------- */

static struct hsay_candidate entry_for(const struct hsay_peer *peer)
{
    return (struct hsay_candidate){
        .addr = peer->addr,
        .key = peer->key,
        .group = hsay_peer_group(&peer->addr),
        .marks = HSAY_MARK_USED,
    };
}

/* The same peer elsewhere.  A token speaks of the address that the peer sees of us, which another
 * path may have changed; one request without it costs less than one that is refused. */
static void move(struct hsay_candidate *c, const struct hsay_addr *addr)
{
    c->addr = *addr;
    c->group = hsay_peer_group(addr);
    c->marks &= (uint8_t)~HSAY_MARK_TOKEN;
}

/* --- other addresses ------------------------------------------------------------------------- */

/* It showed itself here lately, and has left no request unanswered since. */
static bool is_working(const struct hsay_candidates *table, const struct hsay_candidate *c,
                       hsay_time now)
{
    return (c->marks & HSAY_MARK_HEARD) != 0 && c->timeouts == 0 &&
           (is_live(table, c->contacted_at, table->times.contacted_ms, now) ||
            is_live(table, c->requested_at, table->times.requested_ms, now));
}

/* The same peer elsewhere, by proof.  What is known of it besides stays, if that is a third place.
 */
static void relocate(struct hsay_candidates *table, hsay_time now, struct hsay_candidate *c,
                     const struct hsay_addr *addr)
{
    struct hsay_candidate old = *c;
    struct hsay_candidate_way *way = hsay_candidate_way_of(table, c);
    bool worked = is_working(table, c, now);

    move(c, addr);
    if (hsay_candidate_way_is_better(addr, &old.addr))
        c->timeouts = 0;
    if (hsay_candidate_way_keep(table, now, c, &old, worked) || way == NULL)
        return;
    way->of = *addr;
    if (hsay_addr_equal(&way->addr, addr))
        memset(way, 0, sizeof *way);
}

/* --- what proof changes ---------------------------------------------------------------------- */

/* Another peer at the same address: the old one has started anew.  What others named stays. */
static void rekey(struct hsay_candidates *table, struct hsay_candidate *c,
                  const struct hsay_peer *peer)
{
    struct hsay_candidate_way *way = hsay_candidate_way_of(table, c);
    uint8_t marks = c->marks & NAMED_MARKS;

    if (way != NULL)
        memset(way, 0, sizeof *way);
    *c = entry_for(peer);
    c->marks |= marks;
}

/* Where proof about a peer does not move it: it stands at a better address, and that works. */
static struct hsay_candidate *find_better(struct hsay_candidates *table, hsay_time now,
                                          const struct hsay_peer *peer)
{
    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (kinship_of(c, peer) == KIN_KEY && (c->marks & HSAY_MARK_TRUSTED) == 0 &&
            hsay_candidate_way_is_better(&c->addr, &peer->addr) && is_working(table, c, now))
            return c;
    }
    return NULL;
}

/* Whatever else speaks of this key or address is outdated once proof came; an address of the same
 * peer is worth keeping.  Trusted ones stay. */
static void drop_outdated(struct hsay_candidates *table, hsay_time now,
                          const struct hsay_candidate *known, const struct hsay_candidate *better,
                          const struct hsay_peer *peer)
{
    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];
        struct hsay_candidate old = *c;
        enum kinship kin = kinship_of(c, peer);

        if (c == known || c == better || (c->marks & HSAY_MARK_TRUSTED) != 0 || kin == KIN_NONE)
            continue;
        memset(c, 0, sizeof *c);
        if (kin == KIN_KEY && known != NULL && (known->marks & HSAY_MARK_TRUSTED) == 0)
            hsay_candidate_way_keep(table, now, known, &old, is_working(table, &old, now));
    }
}

/* The entry that proof about `peer` belongs to, brought into line; NULL: it needs a new one. */
static struct hsay_candidate *settle(struct hsay_candidates *table, hsay_time now,
                                     const struct hsay_peer *peer)
{
    struct hsay_candidate *better = find_better(table, now, peer);
    struct relative r = find_changeable(table, peer);

    if (better != NULL && (r.kin < KIN_KEYLESS || (r.c->marks & HSAY_MARK_TRUSTED) == 0)) {
        hsay_candidate_way_on_seen(table, now, better, &peer->addr);
        r = (struct relative){better, KIN_SAME};
    }
    if (r.kin == KIN_KEY)
        relocate(table, now, r.c, &peer->addr);
    else if (r.kin == KIN_KEYLESS && hsay_peer_key_known(&peer->key))
        r.c->key = peer->key;
    else if (r.kin == KIN_ADDR)
        rekey(table, r.c, peer);
    drop_outdated(table, now, r.c, better, peer);
    return r.c;
}

/* --- events ---------------------------------------------------------------------------------- */

static void note_answer(struct hsay_candidate *c, hsay_tick now, const struct hsay_token *token)
{
    c->contacted_at = now;
    c->timeouts = 0;
    c->marks &= (uint8_t)~HSAY_MARK_TOKEN;
    c->marks |= HSAY_MARK_HEARD | HSAY_MARK_ANSWERED;
    if (token != NULL) {
        c->token = *token;
        c->marks |= HSAY_MARK_TOKEN;
    }
}

struct hsay_candidate *hsay_candidate_on_answer(struct hsay_candidates *table, hsay_time now,
                                                const struct hsay_peer *peer,
                                                const struct hsay_token *token)
{
    struct hsay_candidate *c = settle(table, now, peer);

    if (c != NULL && !hsay_addr_equal(&c->addr, &peer->addr))
        return c;
    if (c != NULL) {
        note_answer(c, stamp(table, now), token);
    } else {
        struct hsay_candidate newcomer = entry_for(peer);

        note_answer(&newcomer, stamp(table, now), token);
        c = hsay_room_take(table, now, &newcomer);
    }
    if (c != NULL)
        hsay_room_trim(table, now, c);
    return c;
}

/* Whoever can write source addresses can send this.  It renews what is known, or is new. */
static struct hsay_candidate *on_stranger(struct hsay_candidates *table, hsay_time now,
                                          const struct hsay_peer *peer)
{
    struct relative r = find_known(table, now, peer);

    if (r.kin == KIN_NONE) {
        struct hsay_candidate newcomer = entry_for(peer);

        newcomer.requested_at = stamp(table, now);
        return hsay_room_take(table, now, &newcomer);
    }
    if (r.kin != KIN_SAME)
        return NULL;
    r.c->requested_at = stamp(table, now);
    return r.c;
}

struct hsay_candidate *hsay_candidate_on_request(struct hsay_candidates *table, hsay_time now,
                                                 const struct hsay_peer *peer, bool validated)
{
    if (!validated)
        return on_stranger(table, now, peer);

    struct hsay_candidate *c = settle(table, now, peer);
    if (c != NULL && !hsay_addr_equal(&c->addr, &peer->addr))
        return c;
    if (c == NULL) {
        struct hsay_candidate newcomer = entry_for(peer);

        newcomer.requested_at = stamp(table, now);
        newcomer.marks |= HSAY_MARK_HEARD;
        return hsay_room_take(table, now, &newcomer);
    }
    c->requested_at = stamp(table, now);
    c->marks |= HSAY_MARK_HEARD;
    return c;
}

/* Has never shown where it is, and was silent when we asked: the next claim is as good as the last.
 * Until then the first one holds, or every liar could divert us from what we are about to ask. */
static bool is_doubtful(const struct hsay_candidate *c)
{
    return (c->marks & (HSAY_MARK_HEARD | NAMED_MARKS)) == 0 && c->timeouts > 0;
}

static uint16_t introducer_hash(const struct hsay_addr *introducer)
{
    if (introducer->kind == HSAY_ADDR_NONE)
        return 0;
    return (uint16_t)(hsay_peer_mix(hsay_addr_group(introducer)) % UINT16_MAX + 1);
}

bool hsay_candidate_came_by_itself(const struct hsay_candidate *c)
{
    return c->introducer == 0 && (c->marks & NAMED_MARKS) == 0;
}

bool hsay_candidate_is_of_introducer(const struct hsay_candidate *c)
{
    return c->introducer == introducer_hash(&c->addr);
}

bool hsay_candidate_is_untried(const struct hsay_candidates *table, const struct hsay_candidate *c,
                               hsay_time now)
{
    return hsay_candidate_bucket(table, c, now) == HSAY_BUCKET_INTRODUCED && c->introducer != 0 &&
           !hsay_candidate_is_of_introducer(c) && (c->marks & HSAY_MARK_HEARD) == 0 &&
           c->rtt_us == 0 && c->asked_at == 0;
}

/* Told again of the same peer.  Who told first counts as its introducer as long as that lives, or a
 * liar could name honest ones and have them crowd with his own. */
static struct hsay_candidate *renew_introduced(struct hsay_candidates *table, hsay_time now,
                                               struct hsay_candidate *c,
                                               const struct hsay_candidate *news)
{
    if (hsay_candidate_bucket(table, c, now) == HSAY_BUCKET_NONE)
        c->introducer = news->introducer;
    c->introduced_at = news->introduced_at;
    if (heard_at(c) == 0) /* no puncture came with this: a token is older than it would seem */
        c->marks &= (uint8_t)~HSAY_MARK_TOKEN;
    return c;
}

/* What is said of it may become another way to it.  The operator's word and the book's stand beside
 * what others say, the book's until the peer has answered. */
static bool may_have_ways(const struct hsay_candidate *c)
{
    if ((c->marks & HSAY_MARK_HEARD) != 0)
        return (c->marks & HSAY_MARK_TRUSTED) == 0;
    return (c->marks & NAMED_MARKS) == 0;
}

/* A newcomer, of whom we may know a better address from before its time there was over. */
static struct hsay_candidate *take_introduced(struct hsay_candidates *table, hsay_time now,
                                              const struct hsay_candidate *newcomer)
{
    const struct hsay_peer peer = {newcomer->addr, newcomer->key};
    struct hsay_addr before = {.kind = HSAY_ADDR_NONE};

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (kinship_of(c, &peer) != KIN_KEY ||
            !hsay_candidate_way_is_better(&c->addr, &peer.addr) ||
            hsay_candidate_bucket(table, c, now) != HSAY_BUCKET_NONE)
            continue;
        before = c->addr;
        memset(c, 0, sizeof *c);
    }

    struct hsay_candidate *c = hsay_room_take(table, now, newcomer);
    if (c != NULL && before.kind != HSAY_ADDR_NONE)
        hsay_candidate_on_way(table, now, c, &before);
    return c;
}

struct hsay_candidate *hsay_candidate_on_introduced(struct hsay_candidates *table, hsay_time now,
                                                    const struct hsay_introduced *introduced,
                                                    const struct hsay_addr *introducer)
{
    struct hsay_peer peer = {introduced->addr, introduced->key};
    struct hsay_candidate newcomer = entry_for(&peer);
    struct relative r = find_known(table, now, &peer);

    newcomer.introduced_at = stamp(table, now);
    newcomer.introducer = introducer_hash(introducer);
    hsay_candidate_on_nat(&newcomer, introduced->nat);

    if (r.kin == KIN_SAME)
        return renew_introduced(table, now, r.c, &newcomer);
    if (r.kin == KIN_KEY && hsay_candidate_way_is_better(&peer.addr, &r.c->addr) &&
        may_have_ways(r.c)) {
        hsay_candidate_on_way(table, now, r.c, &peer.addr);
        return NULL;
    }
    if (r.kin == KIN_KEY && !may_have_ways(r.c))
        r = find_at(table, now, &peer.addr);
    if (r.kin == KIN_NONE)
        return take_introduced(table, now, &newcomer);
    if (!is_doubtful(r.c) || (r.kin == KIN_KEY && find_at(table, now, &peer.addr).c != NULL))
        return NULL;
    *r.c = newcomer;
    return r.c;
}

/* A NAT's choice; but whoever writes source addresses chooses any port, so that of a service, to
 * which nobody could introduce us, is not one either. */
static bool is_new_port(const struct hsay_candidate *c, const struct hsay_addr *from)
{
    const struct hsay_addr_policy policy = {.introducer = *from};

    return hsay_addr_same_host(&c->addr, from) && hsay_addr_sendable(from, &policy);
}

struct hsay_candidate *hsay_candidate_on_puncture(struct hsay_candidates *table, hsay_time now,
                                                  const struct hsay_peer *from)
{
    struct relative r = find_known(table, now, from);

    if (r.kin < KIN_KEY)
        return NULL;
    if (r.kin == KIN_KEY) {
        if ((r.c->marks & (HSAY_MARK_HEARD | NAMED_MARKS)) != 0 || !is_new_port(r.c, &from->addr) ||
            find_at(table, now, &from->addr).kin != KIN_NONE)
            return NULL;
        relocate(table, now, r.c, &from->addr);
        r.c->asked_at = 0; /* if we asked, then elsewhere */
    }
    r.c->introduced_at = stamp(table, now);
    return r.c;
}

/* The marks that the naming brings. */
static void note_named(struct hsay_candidate *c, hsay_tick now, const struct hsay_peer *peer,
                       enum hsay_bucket bucket)
{
    if (bucket == HSAY_BUCKET_TRUSTED) {
        c->marks |= HSAY_MARK_TRUSTED;
        if (hsay_peer_key_known(&peer->key))
            c->marks |= HSAY_MARK_KEYED;
    } else if (bucket == HSAY_BUCKET_BOOK) {
        c->marks |= HSAY_MARK_BOOK;
    } else {
        c->introduced_at = now;
    }
}

/* The book's word stands beside what others say: else the freedom that its mark brings would go to
 * an address of their choice. */
static bool is_other_claim(const struct relative *r, enum hsay_bucket bucket)
{
    return bucket == HSAY_BUCKET_BOOK && r->kin == KIN_KEY &&
           (r->c->marks & (HSAY_MARK_HEARD | NAMED_MARKS)) == 0;
}

struct hsay_candidate *hsay_candidate_on_named(struct hsay_candidates *table, hsay_time now,
                                               const struct hsay_peer *peer,
                                               enum hsay_bucket bucket)
{
    struct relative r = find_known(table, now, peer);

    assert(bucket == HSAY_BUCKET_TRUSTED || bucket == HSAY_BUCKET_BOOK ||
           bucket == HSAY_BUCKET_INTRODUCED);

    if (is_other_claim(&r, bucket)) {
        r = find_at(table, now, &peer->addr);
        if (r.kin != KIN_NONE)
            return NULL;
    }
    /* The operator's word stands beside what we know; anybody else's does not. */
    if (r.kin == KIN_NONE || (bucket == HSAY_BUCKET_TRUSTED && r.kin < KIN_KEYLESS)) {
        struct hsay_candidate newcomer = entry_for(peer);

        note_named(&newcomer, stamp(table, now), peer, bucket);
        return hsay_room_take(table, now, &newcomer);
    }
    if (r.kin == KIN_ADDR)
        return NULL;
    if (r.kin == KIN_KEYLESS && hsay_peer_key_known(&peer->key))
        r.c->key = peer->key;
    note_named(r.c, stamp(table, now), peer, bucket);
    return r.c;
}

void hsay_candidate_on_token(struct hsay_candidate *c, const struct hsay_token *token)
{
    static const struct hsay_token none;

    c->marks &= (uint8_t)~HSAY_MARK_TOKEN;
    if (!hsay_peer_key_known(&c->key) || memcmp(token, &none, sizeof none) == 0)
        return;
    c->token = *token;
    c->marks |= HSAY_MARK_TOKEN;
}

void hsay_candidate_on_handed_on(struct hsay_candidate *c)
{
    c->contacted_at = c->requested_at = c->introduced_at = 0;
}

void hsay_candidate_on_nat(struct hsay_candidate *c, uint8_t nat)
{
    c->nat = nat & (0u + HSAY_NAT_FLAGS);
}

/* Whoever is behind asks again in the instant in which the answer came.  Which of the two was later
 * tells whether an answer is outstanding, so the answer becomes a tick older. */
void hsay_candidate_on_asked(struct hsay_candidates *table, struct hsay_candidate *c, hsay_time now)
{
    c->asked_at = stamp(table, now);
    if (c->contacted_at == c->asked_at)
        c->contacted_at--;
}

/* It was no contact any more when we asked. */
static bool was_long_silent(const struct hsay_candidate *c)
{
    return c->contacted_at == 0 ||
           c->asked_at >= (uint64_t)c->contacted_at + HSAY_CONTACTED_LIFETIME_MS;
}

void hsay_candidate_on_timeout(struct hsay_candidate *c)
{
    if (c->contacted_at != 0 && c->contacted_at >= c->asked_at)
        return;

    if (c->timeouts < TIMEOUTS_COUNTED)
        c->timeouts++;
    if (c->timeouts >= INTRODUCED_TIMEOUTS_MAX)
        c->introduced_at = 0;
    if (c->timeouts >= LOSSES_MAX) {
        c->contacted_at = 0;
        c->marks &= (uint8_t) ~(HSAY_MARK_HEARD | HSAY_MARK_TOKEN);
    }
    if (c->timeouts >= KEY_TIMEOUTS_MAX && was_long_silent(c) && (c->marks & NAMED_MARKS) != 0 &&
        (c->marks & HSAY_MARK_KEYED) == 0) {
        memset(&c->key, 0, sizeof c->key);
        c->marks &= (uint8_t)~HSAY_MARK_TOKEN; /* it was made for that key's holder to see */
    }
    if (c->timeouts >= BOOK_TIMEOUTS_MAX)
        c->marks &= (uint8_t)~HSAY_MARK_BOOK;
}

void hsay_candidates_reset(struct hsay_candidates *table)
{
    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        c->requested_at = c->introduced_at = 0;
        if ((c->marks & HSAY_MARK_TRUSTED) == 0) /* its token is as good as ever */
            c->contacted_at = 0;
        if ((c->marks & NAMED_MARKS) == 0)
            memset(c, 0, sizeof *c);
    }
}
