#include "src/node/mail.h"

#include <string.h>

#include "src/node/call.h"
#include "src/node/send.h"
#include "src/wire/pack.h"

enum {
    MAIL_DELAY_MS = 10, /* a program that publishes line by line fills a datagram meanwhile */
    MAIL_AGAIN_MS = 50, /* and the rest of a longer burst waits so long: 2 datagrams per 50 ms and
                         * target; what overflows the ring is left to the claims */
    MAIL_DATAGRAMS_MAX = 2, /* per target and run */
    MAIL_BUNDLES_MAX = 32,  /* per run: more than two datagrams hold */
    MAIL_TARGETS_MAX = 16,
};

/* A list of digests on its way to one peer. */
struct parcel {
    const struct hsay_digest *digest;
    size_t count;
    size_t at; /* the next to be sent */
};

void hsay_mail_soon(struct hsay_call *call)
{
    hsay_time at = hsay_time_add_ms(call->now.mono, MAIL_DELAY_MS);
    call->overlay->mail_due = hsay_time_min(call->overlay->mail_due, at);
}

static void count_mail(struct hsay_call *call, size_t bundle_bytes)
{
    hsay_count(call->node, HSAY_COUNT_BUNDLES_OUT, 1);
    hsay_count(call->node, HSAY_COUNT_MAIL_OUT, 1);
    hsay_count(call->node, HSAY_COUNT_BUNDLE_BYTES_OUT, bundle_bytes);
}

/* Fill one datagram from the parcel.  False when it does not get another bundle in. */
static bool send_some(struct hsay_call *call, const struct hsay_send_to *to, struct parcel *parcel)
{
    const struct hsay_store *store = &call->overlay->config.store;
    struct hsay_packer packer = {.author_count = 0};
    struct hsay_message m = {.type = HSAY_MSG_BUNDLES, .bundles = {.flags = HSAY_BUNDLES_MAIL}};
    struct hsay_sending s;
    size_t before = parcel->at;
    if (!hsay_send_begin(call, &s, to))
        return false;
    hsay_message_encode(&s.w, &m);
    size_t empty = hsay_write_size(&s.w);
    for (; parcel->at < parcel->count; parcel->at++) {
        struct hsay_record record;
        if (store->ops->get(store->self, &parcel->digest[parcel->at], &record) != 0)
            continue; /* removed meanwhile, or damaged: never sent */
        if (!hsay_pack_add(&packer, &s.w, record.bytes))
            break;
        count_mail(call, record.bytes.size);
    }
    if (hsay_write_size(&s.w) == empty) {
        hsay_send_abandon(call, &s);
        return false;
    }
    return hsay_send_end(call, &s) && parcel->at > before;
}

static size_t send_parcel(struct hsay_call *call, struct hsay_candidate *c,
                          const struct hsay_digest *digest, size_t count)
{
    struct parcel parcel = {.digest = digest, .count = count};
    struct hsay_send_to to;
    hsay_send_to_candidate(call, c, &to);
    for (unsigned i = 0; i < MAIL_DATAGRAMS_MAX && parcel.at < count; i++)
        if (!send_some(call, &to, &parcel))
            break;
    return parcel.at;
}

static size_t take_mail(struct hsay_rumors *rumors, struct hsay_digest *digest, size_t max)
{
    size_t count = 0;
    while (count < max && hsay_rumor_take_mail(rumors, &digest[count]))
        count++;
    return count;
}

void hsay_mail_run(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    struct hsay_candidate *target[MAIL_TARGETS_MAX];
    struct hsay_digest digest[MAIL_BUNDLES_MAX];
    struct hsay_chance chance = hsay_call_chance(call);
    if (hsay_time_before(call->now.mono, o->mail_due))
        return;
    size_t max =
        o->config.mail_fanout < MAIL_TARGETS_MAX ? o->config.mail_fanout : MAIL_TARGETS_MAX;
    size_t targets = hsay_walk_mail_targets(&o->walk, &o->candidates, call->now.mono, &chance, NULL,
                                            target, max);
    size_t count = take_mail(&o->rumors, digest, MAIL_BUNDLES_MAX);
    for (size_t i = 0; i < targets; i++)
        send_parcel(call, target[i], digest, count);
    o->mail_due = hsay_rumor_has_mail(&o->rumors) ? hsay_time_add_ms(call->now.mono, MAIL_AGAIN_MS)
                                                  : HSAY_TIME_NEVER;
}

/* The rumors are held under their full digests; a request named the first half of each. */
void hsay_mail_wanted(struct hsay_call *call, const struct hsay_pending *p, uint16_t want)
{
    struct hsay_overlay *o = call->overlay;
    const struct hsay_store *store = &o->config.store;
    const uint64_t *named = hsay_pending_newest(&o->pendings, p);
    struct hsay_digest digest[HSAY_NEWEST_MAX];
    size_t count = 0;
    for (unsigned i = 0; i < p->newest_count; i++) {
        bool wanted = (want >> i & 1) != 0;
        struct hsay_position at;
        hsay_rumor_on_told(&o->rumors, named[i], wanted);
        if (wanted && store->ops->find_short(store->self, named[i], &at) == 0)
            digest[count++] = at.digest;
    }
    struct hsay_candidate *c = hsay_candidate_find(&o->candidates, &call->from);
    if (count != 0 && c != NULL && hsay_candidate_has_token(&o->candidates, c, call->now.mono))
        send_parcel(call, c, digest, count);
}

int hsay_node_on_direct(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                        const struct hsay_peer *to, uint64_t type, struct hsay_span payload,
                        struct hsay_outbox *out)
{
    struct hsay_candidate *target[MAIL_TARGETS_MAX];
    struct hsay_call call;
    size_t targets = 1;
    int sent = 0;
    if (payload.size > HSAY_PAYLOAD_MAX_BYTES || type > HSAY_TIME_MAX)
        return HSAY_EINVAL;
    if (!hsay_call_begin(&call, node, now, overlay, out))
        return HSAY_ENOENT;
    struct hsay_overlay *o = call.overlay;
    struct hsay_chance chance = hsay_call_chance(&call);
    if (to == NULL)
        targets = hsay_walk_mail_targets(&o->walk, &o->candidates, now.mono, &chance, NULL, target,
                                         MAIL_TARGETS_MAX);
    else if ((target[0] = hsay_candidate_find(&o->candidates, to)) == NULL)
        return HSAY_ENOENT;
    else if (!hsay_candidate_has_token(&o->candidates, target[0], now.mono))
        return 0; /* it would take it for a stranger's, and refuse it */
    for (size_t i = 0; i < targets; i++) {
        struct hsay_message m = {.type = HSAY_MSG_DIRECT, .direct = {.type = type}};
        struct hsay_sending s;
        struct hsay_send_to way;
        hsay_send_to_candidate(&call, target[i], &way);
        if (!hsay_send_begin(&call, &s, &way))
            continue;
        hsay_message_encode(&s.w, &m);
        hsay_write_bytes(&s.w, payload.data, payload.size);
        sent += hsay_send_end(&call, &s);
    }
    return sent;
}
