/*
 * All choices are made the same way: every candidate that suits is offered with a rank, and the
 * lowest rank wins.  What is chosen at random gets its rank from a salt drawn for this one choice.
 *
 * Policy `hearsay` ranks the network group first and the member second, so that ten thousand
 * addresses of one network are as likely as one.  The other policies know no groups: there every
 * candidate is a group of its own.
 */
#include "src/walk/walk.h"

#include <assert.h>

#include "nat/addr_class.h"
#include "nat/puncture.h"
#include "src/walk/peer.h"

enum {
    PAPER_TRUSTED_PERMILLE = 10,
    CODE2019_TRUSTED_PERMILLE = 50,

    /* A contacted one that was asked and is silent gets a second before it is asked again. */
    OUTSTANDING_MS = 1000,

    /* Requests lost, in 256ths, as a mean over the last sixteen or so: calm below one in eight. */
    LOST_WEIGHT = 16,
    LOST_CALM_BELOW = 32,
    /* Introduced ones that wait for a visit.  Five are visited within a minute or two, in time for
     * whom anybody can reach; a hole in a NAT stays open for two or three steps. */
    WAITING_ENOUGH = 5,
    WAITING_HASTY = 2,
    FRUITLESS_MAX = 3,
    /* Who has no more contacts than these keeps them. */
    KEPT_CONTACTS = 2,
};

/* Of 1,000 visits by policy `hearsay`, while all buckets have somebody.  An attacker always answers
 * and introduces nobody but himself, so that visits to introduced ones are as much his as the
 * visits before were, and what he is given anew per visit decides: the share of requested, against
 * trusted and book, in which he has no hand.  Of the contacts of ten victims among a thousand
 * simulated hosts (seeds 1 to 3) he gets with ten thousand addresses in 4 networks 3 %, on one host
 * 1 %, in 64 networks 11 %. */
static const uint16_t odds[HSAY_BUCKET_COUNT] = {
    [HSAY_BUCKET_TRUSTED] = 50,     [HSAY_BUCKET_CONTACTED] = 120, [HSAY_BUCKET_REQUESTED] = 10,
    [HSAY_BUCKET_INTRODUCED] = 430, [HSAY_BUCKET_BOOK] = 250,
};

/* --- choosing -------------------------------------------------------------------------------- */

struct choice {
    struct hsay_candidate *best;
    uint64_t tier; /* decided by what is known: lower is better */
    uint64_t group;
    uint64_t member;
    uint64_t salt;
    bool by_group;
};

static struct choice choice_new(const struct hsay_walk *walk, const struct hsay_chance *chance)
{
    return (struct choice){
        .salt = hsay_rng_u64(chance->rng, chance->crypto),
        .by_group = walk->policy == HSAY_POLICY_HEARSAY,
    };
}

static void choice_offer(struct choice *choice, struct hsay_candidate *c, uint64_t tier,
                         uint64_t group, uint64_t member)
{
    bool better = choice->best == NULL || tier < choice->tier;

    if (!better && tier == choice->tier) {
        better = group < choice->group;
        if (group == choice->group)
            better = member < choice->member;
    }
    if (!better)
        return;
    choice->best = c;
    choice->tier = tier;
    choice->group = group;
    choice->member = member;
}

/* Any group of the lowest tier, then any member of it in that tier. */
static void choice_offer_by_chance(struct choice *choice, struct hsay_candidate *c, size_t index,
                                   uint64_t tier)
{
    uint64_t member = hsay_peer_mix(hsay_peer_mix(choice->salt) + index);
    uint64_t group = choice->by_group ? hsay_peer_mix(choice->salt ^ hsay_peer_mix(c->group)) : 0;

    choice_offer(choice, c, tier, group, member);
}

/* --- a step ---------------------------------------------------------------------------------- */

/* How much a visit would repeat of what was done, for policy `hearsay`: 0 is a network group of
 * which we know nobody, or, among contacted ones, that has not been visited lately.  Without this a
 * group of many addresses has always one that is eligible, and is met through every bucket.  Where
 * all are of one group it makes no difference.  The operator's choice is not judged. */
enum {
    REPEATS_GROUP = 1, /* contacted already */
    REPEATS_VISIT = 2, /* within again_ms */
    CAME_BY_ITSELF = 4,
    OF_INTRODUCER = 8, /* the same network once more */
};

static uint64_t repetition(const struct hsay_walk *walk, const struct hsay_candidates *table,
                           hsay_time now, const struct hsay_candidate *c, enum hsay_bucket bucket)
{
    uint64_t repeats = 0;

    if (walk->policy != HSAY_POLICY_HEARSAY || bucket == HSAY_BUCKET_TRUSTED)
        return 0;
    /* Whoever always answers stays contacted as long as it is visited: one that nobody led us to is
     * visited again only when there is no other. */
    if (bucket == HSAY_BUCKET_CONTACTED && hsay_candidate_came_by_itself(c))
        repeats |= CAME_BY_ITSELF;
    if (hsay_candidate_is_of_introducer(c))
        repeats |= OF_INTRODUCER;
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *other = &table->entry[i];

        if (other->group != c->group || (other->marks & HSAY_MARK_USED) == 0)
            continue;
        if (hsay_candidate_age_ms(table, other->asked_at, now) < table->times.again_ms)
            repeats |= REPEATS_VISIT;
        if (bucket != HSAY_BUCKET_CONTACTED && hsay_candidate_is_contacted(table, other, now))
            repeats |= REPEATS_GROUP;
    }
    return repeats;
}

/* Which buckets have somebody to visit. */
struct supply {
    bool has[HSAY_BUCKET_COUNT];
};

/* Those who bring something new, if there are any; otherwise all who are eligible.  Trusted ones do
 * not decide it, or they would get every visit of an overlay that is one network. */
static struct supply survey(const struct hsay_walk *walk, const struct hsay_candidates *table,
                            hsay_time now)
{
    struct supply fresh = {0};
    struct supply any = {0};
    bool is_fresh = false;

    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];
        enum hsay_bucket bucket = hsay_candidate_bucket(table, c, now);

        if (!hsay_candidate_is_eligible(table, c, now))
            continue;
        any.has[bucket] = true;
        if (!fresh.has[bucket] && repetition(walk, table, now, c, bucket) == 0) {
            fresh.has[bucket] = true;
            is_fresh = is_fresh || bucket != HSAY_BUCKET_TRUSTED;
        }
    }
    return is_fresh ? fresh : any;
}

/* The share of an empty bucket goes to the others: half of what is not trusted is contacted, half
 * is incoming, a coin between the two kinds of it, and each stands in for the other.  Nobody
 * trusted at hand: drawn again among the rest.  The book is not in the paper: it is the last
 * resort. */
static enum hsay_bucket draw_classic(const struct supply *supply, uint32_t trusted_permille,
                                     const struct hsay_chance *chance)
{
    const bool *has = supply->has;
    bool others =
        has[HSAY_BUCKET_CONTACTED] || has[HSAY_BUCKET_REQUESTED] || has[HSAY_BUCKET_INTRODUCED];
    enum hsay_bucket first = HSAY_BUCKET_REQUESTED;
    enum hsay_bucket second = HSAY_BUCKET_INTRODUCED;

    if (!others && has[HSAY_BUCKET_TRUSTED])
        return HSAY_BUCKET_TRUSTED;
    if (!others)
        return has[HSAY_BUCKET_BOOK] ? HSAY_BUCKET_BOOK : HSAY_BUCKET_NONE;
    if (has[HSAY_BUCKET_TRUSTED] &&
        hsay_rng_below(chance->rng, chance->crypto, 1000) < trusted_permille)
        return HSAY_BUCKET_TRUSTED;
    if (hsay_rng_below(chance->rng, chance->crypto, 2) == 0 && has[HSAY_BUCKET_CONTACTED])
        return HSAY_BUCKET_CONTACTED;
    if (hsay_rng_below(chance->rng, chance->crypto, 2) == 0) {
        first = HSAY_BUCKET_INTRODUCED;
        second = HSAY_BUCKET_REQUESTED;
    }
    if (has[first])
        return first;
    return has[second] ? second : HSAY_BUCKET_CONTACTED;
}

/* Requested ones never get more than their share while there is anybody else; the others share what
 * is left in proportion to their odds. */
static enum hsay_bucket draw_hearsay(const struct supply *supply, const struct hsay_chance *chance)
{
    uint16_t part[HSAY_BUCKET_COUNT] = {0};
    uint32_t total = 0;

    for (size_t b = 0; b < HSAY_BUCKET_COUNT; b++) {
        if (supply->has[b] && b != HSAY_BUCKET_REQUESTED)
            part[b] = odds[b];
        total += part[b];
    }
    if (supply->has[HSAY_BUCKET_REQUESTED] &&
        (total == 0 ||
         hsay_rng_below(chance->rng, chance->crypto, 1000) < odds[HSAY_BUCKET_REQUESTED]))
        return HSAY_BUCKET_REQUESTED;
    if (total == 0)
        return HSAY_BUCKET_NONE;

    uint64_t left = hsay_rng_below(chance->rng, chance->crypto, total);
    enum hsay_bucket b = HSAY_BUCKET_TRUSTED;

    while (left >= part[b]) {
        left -= part[b++];
        assert(b < HSAY_BUCKET_COUNT); /* the draw is below the total */
    }
    return b;
}

static enum hsay_bucket draw(const struct hsay_walk *walk, const struct supply *supply,
                             const struct hsay_chance *chance)
{
    switch (walk->policy) {
    case HSAY_POLICY_PAPER:
        return draw_classic(supply, PAPER_TRUSTED_PERMILLE, chance);
    case HSAY_POLICY_CODE2019:
        return draw_classic(supply, CODE2019_TRUSTED_PERMILLE, chance);
    default:
        return draw_hearsay(supply, chance);
    }
}

/* Oldest first, by the mark that made it a candidate, so that holes in NATs do not close. */
static hsay_tick mark_time(const struct hsay_candidate *c, enum hsay_bucket bucket)
{
    if (bucket == HSAY_BUCKET_REQUESTED)
        return c->requested_at;
    if (bucket == HSAY_BUCKET_INTRODUCED)
        return c->introduced_at;
    return c->asked_at;
}

static bool is_calm(const struct hsay_walk *walk)
{
    return walk->lost < LOST_CALM_BELOW;
}

/* Calm: whose introduction runs out first.  Else the newest, as the others may be gone. */
static uint64_t introduced_turn(const struct hsay_walk *walk, const struct hsay_candidates *table,
                                const struct hsay_candidate *c)
{
    if (!is_calm(walk))
        return UINT32_MAX - c->introduced_at;
    return (uint64_t)c->introduced_at + hsay_candidate_introduced_ms(table, c);
}

/* Somebody whose NAT has a port for us alone, open since its puncture came.  That was asked for by
 * whoever introduced it, so this is no more of a stranger's choice than any introduction. */
static struct hsay_candidate *who_has_come(const struct hsay_walk *walk,
                                           struct hsay_candidates *table, hsay_time now)
{
    for (size_t i = 0; i < table->entry_max && walk->policy == HSAY_POLICY_HEARSAY; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (hsay_candidate_has_come(c) && hsay_candidate_is_eligible(table, c, now))
            return c;
    }
    return NULL;
}

struct hsay_candidate *hsay_walk_visit(struct hsay_walk *walk, struct hsay_candidates *table,
                                       hsay_time now, const struct hsay_chance *chance,
                                       enum hsay_bucket *bucket)
{
    struct supply supply = survey(walk, table, now);
    enum hsay_bucket from = draw(walk, &supply, chance);
    struct choice choice = choice_new(walk, chance);
    struct hsay_candidate *come = who_has_come(walk, table, now);

    if (come != NULL) {
        *bucket = hsay_candidate_bucket(table, come, now);
        return come;
    }
    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (!hsay_candidate_is_eligible(table, c, now) ||
            hsay_candidate_bucket(table, c, now) != from)
            continue;
        if (!choice.by_group) {
            choice_offer(&choice, c, mark_time(c, from), 0, i);
            continue;
        }
        uint64_t tier = repetition(walk, table, now, c, from);
        if (from == HSAY_BUCKET_INTRODUCED)
            choice_offer(&choice, c, tier, introduced_turn(walk, table, c), i);
        else
            choice_offer_by_chance(&choice, c, i, tier);
    }
    *bucket = from;
    return choice.best;
}

/* --- other choices --------------------------------------------------------------------------- */

static bool is_outstanding(const struct hsay_candidates *table, const struct hsay_candidate *c,
                           hsay_time now)
{
    return c->asked_at > c->contacted_at &&
           hsay_candidate_age_ms(table, c->asked_at, now) < OUTSTANDING_MS;
}

struct hsay_candidate *hsay_walk_sync_partner(struct hsay_walk *walk, struct hsay_candidates *table,
                                              hsay_time now, const struct hsay_chance *chance)
{
    struct choice choice = choice_new(walk, chance);

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (is_outstanding(table, c, now))
            continue;
        if (hsay_candidate_is_contacted(table, c, now))
            choice_offer_by_chance(&choice, c, i,
                                   choice.by_group && hsay_candidate_came_by_itself(c) ? 2 : 0);
        else if (hsay_candidate_is_eligible(table, c, now))
            choice_offer_by_chance(&choice, c, i, (c->marks & HSAY_MARK_TRUSTED) != 0 ? 1 : 3);
    }
    return choice.best;
}

static bool is_within_reach(const struct hsay_addr *addr, const struct hsay_addr *asker)
{
    enum hsay_addr_class class = hsay_addr_class(addr);

    return addr->kind == asker->kind &&
           (class == HSAY_ADDR_GLOBAL || class == hsay_addr_class(asker));
}

struct hsay_addr hsay_walk_meeting_place(const struct hsay_candidates *table,
                                         const struct hsay_candidate *c, hsay_time now,
                                         const struct hsay_addr *asker)
{
    if (is_within_reach(&c->addr, asker))
        return c->addr;

    struct hsay_addr other = hsay_candidate_seen_at(table, c, now);
    if (other.kind != HSAY_ADDR_NONE && is_within_reach(&other, asker))
        return other;
    return (struct hsay_addr){.kind = HSAY_ADDR_NONE};
}

/* Could these two reach each other, as far as addresses and NATs tell?  What NAT is in front of an
 * address is known of the candidate's own alone. */
static bool is_match(const struct hsay_candidates *table, const struct hsay_candidate *c,
                     hsay_time now, const struct hsay_peer *asker, uint8_t asker_nat)
{
    struct hsay_addr place = hsay_walk_meeting_place(table, c, now, &asker->addr);
    uint8_t nat = hsay_addr_equal(&place, &c->addr) ? c->nat : 0;

    if (place.kind == HSAY_ADDR_NONE || hsay_addr_equal(&place, &asker->addr) ||
        hsay_peer_key_equal(&c->key, &asker->key))
        return false;
    return hsay_puncture_pair_works(nat, asker_nat, hsay_addr_same_host(&place, &asker->addr));
}

/* Where `index` stands in a round that begins behind the one that had its turn last. */
static size_t turn_of(const struct hsay_walk *walk, const struct hsay_candidates *table,
                      size_t index)
{
    size_t max = table->entry_max;

    return (index + max - walk->introduce_turn % max) % max;
}

/* Another visitor of its network waits for the same. */
static bool is_crowd(const struct hsay_candidates *table, const struct hsay_candidate *c,
                     hsay_time now)
{
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *other = &table->entry[i];

        if (other != c && other->group == c->group && hsay_candidate_is_visitor(table, other, now))
            return true;
    }
    return false;
}

/* Whom the operator trusts is most likely known to everybody: only if there is no other.  Who is
 * silent may be gone, and an asker that is sent there loses a step: only if there is not even that.
 * A hole in a NAT that may be closed, or a network that has had its turn, is better than that. */
enum {
    MEETS_CROWD = 1,
    MEETS_LATE = 2,
    MEETS_CONTACTED = 4,
    MEETS_TRUSTED = 8,
    MEETS_SILENT = 16,
};

static uint64_t introduction_tier(const struct hsay_walk *walk, const struct hsay_candidates *table,
                                  const struct hsay_candidate *c, hsay_time now)
{
    bool trusted = (c->marks & HSAY_MARK_TRUSTED) != 0;
    bool visitor = hsay_candidate_is_visitor(table, c, now);
    hsay_tick heard = visitor ? c->requested_at : c->contacted_at;
    uint64_t tier = trusted ? MEETS_TRUSTED : 0;

    if (walk->policy != HSAY_POLICY_HEARSAY)
        return tier;
    if (hsay_candidate_is_silent(table, c, now))
        tier |= MEETS_SILENT;
    if ((c->nat & HSAY_NAT_IS_PUBLIC) == 0 &&
        hsay_candidate_age_ms(table, heard, now) >= table->times.introduced_ms)
        tier |= MEETS_LATE;
    if (!visitor)
        tier |= MEETS_CONTACTED;
    else if (is_crowd(table, c, now))
        tier |= MEETS_CROWD;
    return tier;
}

static bool is_verified(const struct hsay_walk *walk, const struct hsay_candidates *table,
                        const struct hsay_candidate *c, hsay_time now)
{
    return hsay_candidate_is_contacted(table, c, now) ||
           (walk->policy == HSAY_POLICY_HEARSAY && hsay_candidate_is_visitor(table, c, now));
}

struct hsay_candidate *hsay_walk_introduce(struct hsay_walk *walk, struct hsay_candidates *table,
                                           hsay_time now, const struct hsay_chance *chance,
                                           const struct hsay_peer *asker, uint8_t asker_nat)
{
    struct choice choice = choice_new(walk, chance);

    for (size_t i = 0; i < table->entry_max; i++) {
        struct hsay_candidate *c = &table->entry[i];

        if (!is_verified(walk, table, c, now) || !is_match(table, c, now, asker, asker_nat))
            continue;

        uint64_t tier = 2 * introduction_tier(walk, table, c, now);
        size_t turn = turn_of(walk, table, i);
        if (!choice.by_group)
            choice_offer(&choice, c, tier, 0, turn);
        else if (hsay_candidate_is_visitor(table, c, now))
            choice_offer(&choice, c, tier,
                         is_calm(walk) ? c->requested_at : UINT32_MAX - c->requested_at, turn);
        else
            choice_offer_by_chance(&choice, c, i, tier + (turn == table->entry_max - 1u));
    }
    if (choice.best != NULL)
        walk->introduce_turn = (uint16_t)(choice.best - table->entry + 1);
    return choice.best;
}

/* --- what came of it ------------------------------------------------------------------------- */

void hsay_walk_on_outcome(struct hsay_walk *walk, bool answered)
{
    unsigned lost = walk->lost - walk->lost / LOST_WEIGHT;

    if (!answered)
        lost += 256 / LOST_WEIGHT;
    walk->lost = (uint8_t)(lost < UINT8_MAX ? lost : UINT8_MAX);
}

void hsay_walk_on_met(struct hsay_walk *walk, bool is_new)
{
    if (is_new)
        walk->fruitless = 0;
    else if (walk->fruitless < FRUITLESS_MAX)
        walk->fruitless++;
}

bool hsay_walk_wants_introduction(const struct hsay_walk *walk, const struct hsay_candidates *table,
                                  hsay_time now, uint32_t steps)
{
    unsigned share = table->entry_max / 4u; /* of the table (room.c) */
    unsigned enough = share > WAITING_ENOUGH ? WAITING_ENOUGH : share - (share > 1);
    unsigned waiting = 0, hasty = 0;

    if (walk->policy != HSAY_POLICY_HEARSAY)
        return true;
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];

        if (hsay_candidate_bucket(table, c, now) != HSAY_BUCKET_INTRODUCED ||
            !hsay_candidate_is_eligible(table, c, now))
            continue;
        waiting++;
        hasty += !is_calm(walk) || (c->nat & HSAY_NAT_IS_PUBLIC) == 0;
    }
    return waiting < enough && hasty < WAITING_HASTY && steps % (1u << walk->fruitless) == 0;
}

bool hsay_walk_is_out_of_turn(const struct hsay_candidate *to, enum hsay_bucket from,
                              bool is_behind)
{
    return is_behind && from == HSAY_BUCKET_INTRODUCED && (to->nat & HSAY_NAT_IS_PUBLIC) != 0;
}

void hsay_walk_on_introduction(const struct hsay_walk *walk, struct hsay_candidate *c)
{
    if (walk->policy == HSAY_POLICY_HEARSAY)
        c->requested_at = 0;
}

static bool has_enough(const struct hsay_candidates *table, hsay_time now)
{
    unsigned contacts = 0;

    for (size_t i = 0; i < table->entry_max; i++)
        contacts += hsay_candidate_is_contacted(table, &table->entry[i], now);
    return contacts > KEPT_CONTACTS;
}

void hsay_walk_hand_on(const struct hsay_walk *walk, struct hsay_candidates *table, hsay_time now,
                       struct hsay_candidate *c)
{
    if (walk->policy == HSAY_POLICY_HEARSAY && is_calm(walk) && walk->fruitless == 0 &&
        (c->marks & HSAY_MARK_TRUSTED) == 0 && has_enough(table, now))
        hsay_candidate_on_handed_on(c);
}

/* --- direct mail ----------------------------------------------------------------------------- */

/* How often the group was chosen already; anybody chosen is out. */
static bool is_mail_target(const struct hsay_candidate *c, struct hsay_candidate *const *chosen,
                           size_t count, uint64_t *group_count)
{
    *group_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (hsay_addr_equal(&chosen[i]->addr, &c->addr) ||
            hsay_peer_key_equal(&chosen[i]->key, &c->key))
            return false;
        *group_count += chosen[i]->group == c->group;
    }
    return true;
}

size_t hsay_walk_mail_targets(struct hsay_walk *walk, struct hsay_candidates *table, hsay_time now,
                              const struct hsay_chance *chance, const struct hsay_peer *except,
                              struct hsay_candidate **out, size_t max)
{
    for (size_t count = 0; count < max; count++) {
        struct choice choice = choice_new(walk, chance);

        for (size_t i = 0; i < table->entry_max; i++) {
            struct hsay_candidate *c = &table->entry[i];
            uint64_t group_count;

            if (!is_verified(walk, table, c, now) || !hsay_candidate_has_token(table, c, now) ||
                !is_mail_target(c, out, count, &group_count))
                continue;
            if (except != NULL && (hsay_addr_equal(&c->addr, &except->addr) ||
                                   hsay_peer_key_equal(&c->key, &except->key)))
                continue;
            uint64_t tier = choice.by_group ? group_count : 0;
            if (hsay_candidate_is_silent(table, c, now))
                tier += max;
            choice_offer_by_chance(&choice, c, i, tier);
        }
        if (choice.best == NULL)
            return count;
        out[count] = choice.best;
    }
    return max;
}
