/*
 * What a node tells about itself.  Reads, never changes.
 */
#include <string.h>

#include "nat/addr_class.h"
#include "src/node/call.h"
#include "src/node/own_nat.h"

static const char *const drop_names[HSAY_DROP_COUNT] = {
    [HSAY_DROP_LENGTH] = "length",       [HSAY_DROP_VERSION] = "version",
    [HSAY_DROP_OVERLAY] = "overlay",     [HSAY_DROP_SELF] = "self",
    [HSAY_DROP_RATE] = "rate",           [HSAY_DROP_TOKEN] = "token",
    [HSAY_DROP_AGREE] = "agree",         [HSAY_DROP_SEAL] = "seal",
    [HSAY_DROP_DECODE] = "decode",       [HSAY_DROP_FIRST] = "first",
    [HSAY_DROP_REPLAY] = "replay",       [HSAY_DROP_UNASKED] = "unasked",
    [HSAY_DROP_PUNCTURE] = "puncture",   [HSAY_DROP_CLAIM] = "claim",
    [HSAY_DROP_LEDGER] = "ledger",       [HSAY_DROP_OUTBOX] = "outbox",
    [HSAY_DROP_DUPLICATE] = "duplicate", [HSAY_DROP_BUNDLE] = "bundle",
    [HSAY_DROP_EXPIRED] = "expired",     [HSAY_DROP_WINDOW] = "window",
    [HSAY_DROP_SIGNATURE] = "signature", [HSAY_DROP_FORGER] = "forger",
    [HSAY_DROP_FORK] = "fork",           [HSAY_DROP_ORDER] = "order",
    [HSAY_DROP_FULL] = "full",           [HSAY_DROP_INTRO] = "introduced",
    [HSAY_DROP_PLACE] = "place",
};

static const char *const bucket_names[HSAY_BUCKET_COUNT] = {
    [HSAY_BUCKET_NONE] = "none",
    [HSAY_BUCKET_TRUSTED] = "trusted",
    [HSAY_BUCKET_CONTACTED] = "contacted",
    [HSAY_BUCKET_REQUESTED] = "requested",
    [HSAY_BUCKET_INTRODUCED] = "introduced",
    [HSAY_BUCKET_BOOK] = "book",
};

static const char *const counter_names[HSAY_COUNTER_COUNT] = {
    [HSAY_COUNT_PACKETS_IN] = "packets_in",
    [HSAY_COUNT_PACKETS_OUT] = "packets_out",
    [HSAY_COUNT_BYTES_IN] = "bytes_in",
    [HSAY_COUNT_BYTES_OUT] = "bytes_out",
    [HSAY_COUNT_STEPS] = "steps",
    [HSAY_COUNT_ANSWERED] = "answered",
    [HSAY_COUNT_TIMEOUTS] = "timeouts",
    [HSAY_COUNT_REQUESTS] = "requests",
    [HSAY_COUNT_INTRODUCED_IN] = "introduced_in",
    [HSAY_COUNT_INTRODUCED_OUT] = "introduced_out",
    [HSAY_COUNT_PUNCTURES_ASKED] = "punctures_asked",
    [HSAY_COUNT_PUNCTURES_OUT] = "punctures_out",
    [HSAY_COUNT_PUNCTURES_IN] = "punctures_in",
    [HSAY_COUNT_BUNDLES_OUT] = "bundles_out",
    [HSAY_COUNT_BUNDLES_IN] = "bundles_in",
    [HSAY_COUNT_BUNDLES_NEW] = "bundles_new",
    [HSAY_COUNT_BUNDLES_OWN] = "bundles_own",
    [HSAY_COUNT_BUNDLE_BYTES_OUT] = "bundle_bytes_out",
    [HSAY_COUNT_BUNDLE_BYTES_IN] = "bundle_bytes_in",
    [HSAY_COUNT_MAIL_OUT] = "mail_out",
    [HSAY_COUNT_CLAIMS_SUM] = "claims_sum",
    [HSAY_COUNT_CLAIMS_FILTER] = "claims_filter",
    [HSAY_COUNT_SAME] = "same",
    [HSAY_COUNT_AGREEMENTS] = "agreements",
    [HSAY_COUNT_VERIFIED] = "verified",
    [HSAY_COUNT_WAYS_TRIED] = "ways_tried",
    [HSAY_COUNT_WAYS_FOUND] = "ways_found",
    [HSAY_COUNT_PROBES_OUT] = "probes_out",
    [HSAY_COUNT_KEEPALIVES_OUT] = "keepalives_out",
    [HSAY_COUNT_SEARCHES] = "searches",
    [HSAY_COUNT_SEARCHES_MET] = "searches_met",
};

static const char *const attempt_names[HSAY_ATTEMPT_COUNT] = {
    [HSAY_ATTEMPT_CONNECTED] = "connected",
    [HSAY_ATTEMPT_FAILED] = "failed",
    [HSAY_ATTEMPT_PUNCTURED] = "punctured",
};

static const char *const nat_names[HSAY_NAT_KINDS] = {
    [HSAY_NAT_UNKNOWN] = "unknown",
    [HSAY_NAT_PUBLIC] = "public",
    [HSAY_NAT_INDEPENDENT] = "independent",
    [HSAY_NAT_SYMMETRIC] = "symmetric",
};

static const char *const filter_names[HSAY_FILTER_KINDS] = {
    [HSAY_FILTER_UNKNOWN] = "unknown",      [HSAY_FILTER_NONE] = "none",
    [HSAY_FILTER_ADDRESS] = "address",      [HSAY_FILTER_PORT] = "port",
    [HSAY_FILTER_SOME] = "address or port",
};

const char *hsay_drop_name(enum hsay_drop drop)
{
    return (unsigned)drop < HSAY_DROP_COUNT ? drop_names[drop] : "unknown";
}

const char *hsay_bucket_name(enum hsay_bucket bucket)
{
    return (unsigned)bucket < HSAY_BUCKET_COUNT ? bucket_names[bucket] : "unknown";
}

const char *hsay_counter_name(enum hsay_counter counter)
{
    return (unsigned)counter < HSAY_COUNTER_COUNT ? counter_names[counter] : "unknown";
}

const char *hsay_attempt_name(enum hsay_attempt outcome)
{
    return (unsigned)outcome < HSAY_ATTEMPT_COUNT ? attempt_names[outcome] : "unknown";
}

const char *hsay_nat_name(enum hsay_nat_kind kind)
{
    return (unsigned)kind < HSAY_NAT_KINDS ? nat_names[kind] : "unknown";
}

const char *hsay_filter_name(enum hsay_filter_kind kind)
{
    return (unsigned)kind < HSAY_FILTER_KINDS ? filter_names[kind] : "unknown";
}

int hsay_api_version(void)
{
    return HSAY_API_VERSION;
}

const struct hsay_node_stats *hsay_node_stats(const struct hsay_node *node)
{
    return node->stats;
}

const struct hsay_key *hsay_node_key(const struct hsay_node *node)
{
    return &node->key;
}

int hsay_node_overlay_status(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                             struct hsay_overlay_status *out)
{
    struct hsay_overlay *o = hsay_node_overlay(node, overlay);
    if (o == NULL)
        return HSAY_ENOENT;
    const struct hsay_store *store = &o->config.store;
    const struct hsay_range all = {.time_high = HSAY_TIME_MAX, .modulo = 1};
    memset(out, 0, sizeof *out);
    out->overlay = o->keys->overlay;
    out->synced = o->catchup.synced;
    out->ever_contacted = o->contact_at.ns != 0;
    out->global_time = o->window.own;
    out->time_limit = hsay_window_limit(&o->window, now.mono);
    out->missing_estimate = o->catchup.behind;
    out->last_contact = o->contact_at;
    hsay_candidates_count(&o->candidates, now.mono, out->bucket_count);
    store->ops->info(store->self, &out->store);
    int rc = store->ops->sum(store->self, &all, UINT64_MAX, &out->sum);
    out->fingerprint = hsay_claim_fingerprint(&node->crypto, &out->sum);
    return rc;
}

/* The index-th candidate that is in some bucket. */
static const struct hsay_candidate *candidate_at(const struct hsay_candidates *table, hsay_time now,
                                                 size_t index)
{
    for (unsigned i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];
        if (hsay_candidate_bucket(table, c, now) == HSAY_BUCKET_NONE)
            continue;
        if (index-- == 0)
            return c;
    }
    return NULL;
}

static hsay_tick mark_of(const struct hsay_candidate *c, uint8_t bucket)
{
    switch (bucket) {
    case HSAY_BUCKET_REQUESTED:
        return c->requested_at;
    case HSAY_BUCKET_INTRODUCED:
        return c->introduced_at;
    default:
        return c->contacted_at;
    }
}

int hsay_node_peer_at(const struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                      size_t index, struct hsay_peer_status *out)
{
    if (overlay >= node->overlays_max || !node->overlay[overlay].used)
        return HSAY_ENOENT;
    const struct hsay_candidates *table = &node->overlay[overlay].candidates;
    const struct hsay_candidate *c = candidate_at(table, now.mono, index);
    if (c == NULL)
        return HSAY_ENOENT;
    memset(out, 0, sizeof *out);
    out->peer = (struct hsay_peer){c->addr, c->key};
    out->bucket = (uint8_t)hsay_candidate_bucket(table, c, now.mono);
    out->token = hsay_candidate_has_token(table, c, now.mono);
    out->symmetric = (c->nat & HSAY_NAT_IS_SYMMETRIC) != 0;
    out->answered = (c->marks & HSAY_MARK_ANSWERED) != 0;
    out->age_ms = hsay_candidate_age_ms(table, mark_of(c, out->bucket), now.mono);
    out->asked_ms = hsay_candidate_age_ms(table, c->asked_at, now.mono);
    out->rtt_us = c->rtt_us;
    out->timeouts = c->timeouts;
    return 0;
}

int hsay_node_book_at(const struct hsay_node *node, uint16_t overlay, size_t index,
                      struct hsay_peer *out)
{
    if (overlay >= node->overlays_max || !node->overlay[overlay].used)
        return HSAY_ENOENT;
    const struct hsay_peer *peer = hsay_book_at(&node->overlay[overlay].book, index);
    if (peer == NULL)
        return HSAY_ENOENT;
    *out = *peer;
    return 0;
}

static void tell_filtering(const struct hsay_node *node, struct hsay_now now, uint8_t family,
                           struct hsay_address_status *out)
{
    struct hsay_filter_result shown;
    if (hsay_node_filter(node) == NULL)
        return;
    hsay_filter_result(hsay_node_filter(node), now.mono, family, &shown);
    out->filtering = shown.kind;
    out->filtering_groups = shown.groups;
    out->filtering_signs.let_in = shown.signs[HSAY_FILTER_LET_IN];
    out->filtering_signs.other_port = shown.signs[HSAY_FILTER_OTHER_PORT];
    out->filtering_signs.kept_out = shown.signs[HSAY_FILTER_KEPT_OUT];
    out->filtering_signs.unheard = shown.signs[HSAY_FILTER_UNHEARD];
}

int hsay_node_address(const struct hsay_node *node, struct hsay_now now, uint8_t family,
                      struct hsay_address_status *out)
{
    struct hsay_vote_result seen = hsay_own_nat_seen(node, now.mono, family);
    if (seen.addr.kind == HSAY_ADDR_NONE)
        return HSAY_ENOENT;
    *out = (struct hsay_address_status){
        .addr = seen.addr, .kind = seen.kind, .confirmed = seen.confirmed, .votes = seen.groups};
    tell_filtering(node, now, family, out);
    return 0;
}

int hsay_node_vote_at(const struct hsay_node *node, struct hsay_now now, size_t index,
                      struct hsay_vote_status *out)
{
    const struct hsay_vote_entry *vote = hsay_vote_at(&node->votes, now.mono, index);
    if (vote == NULL)
        return HSAY_ENOENT;
    *out = (struct hsay_vote_status){
        .seen = vote->seen,
        .age_ms = hsay_time_ms_between((hsay_time){vote->at_s * UINT64_C(1000000000)}, now.mono)};
    out->network_bits = hsay_addr_group_network(vote->group, &out->network);
    return 0;
}

int hsay_node_lifetime(const struct hsay_node *node, struct hsay_now now,
                       struct hsay_lifetime_status *out)
{
    const struct hsay_measure *m = hsay_node_measure(node);
    if (m == NULL)
        return HSAY_ENOENT;
    struct hsay_lifetime_verdict verdict = hsay_lifetime_verdict(&m->lifetime);
    *out = (struct hsay_lifetime_status){
        .at_least_ms = verdict.at_least_ms,
        .below_ms = verdict.below_ms,
        .lone_at_least_ms = verdict.lone_at_least_ms,
        .trials = m->lifetime.ended,
        .keep_ms = hsay_lifetime_keep_ms(&m->lifetime, now.mono),
        .measuring = m->lifetime.running != 0,
    };
    for (size_t i = 0; i < HSAY_PATHS_MAX; i++)
        out->paths = (uint16_t)(out->paths + m->path[i].used);
    return 0;
}

int hsay_node_claim_preview(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                            uint8_t *bits, struct hsay_claim_status *out)
{
    struct hsay_overlay *o = hsay_node_overlay(node, overlay);
    (void)now;
    if (o == NULL)
        return HSAY_ENOENT;
    struct hsay_claims claims = o->claims; /* copies: nothing changes */
    struct hsay_rng rng = node->rng;
    struct hsay_claim claim;
    struct hsay_claim_want want = {
        .kind = HSAY_CLAIM_BLOOM,
        .room_bytes = node->ledger.datagram_bytes - 200, /* a request's seal, token, fixed fields */
        .behind = o->catchup.behind,
    };
    int rc = hsay_claim_make(&claims, &o->config.store, &rng, &node->crypto, &want, bits, &claim);
    if (rc != 0)
        return rc;
    *out = (struct hsay_claim_status){
        .kind = claim.kind,
        .hashes = claim.hashes,
        .range = claim.range,
        .count = claim.count,
        .fingerprint = claim.fingerprint,
        .salt = claim.salt,
        .bits = claim.bits,
    };
    return 0;
}
