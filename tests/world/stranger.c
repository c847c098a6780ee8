#include "tests/world/stranger.h"

#include <string.h>

static void try_open(struct stranger *s, const struct world_flight *f)
{
    struct hsay_envelope e;
    struct hsay_span message;
    uint8_t key[32];
    if (hsay_envelope_parse(&e, (struct hsay_span){f->bytes, f->size}) != 0 ||
        hsay_seal_pair_key(key, &s->world->crypto, &s->keys, s->secret, &s->key, &e.sender) != 0 ||
        hsay_open(s->answer_bytes, &message, &s->world->crypto, &e, key) != 0)
        return;
    struct hsay_message m;
    if (hsay_message_decode(&m, message) == 0)
        s->answer = m;
}

void stranger_take(struct stranger *s, const struct world_flight *f)
{
    s->got_bytes += f->size;
    s->got_packets++;
    try_open(s, f);
}

static bool watch(struct world *w, const struct world_flight *f, void *user)
{
    struct stranger *s = user;
    (void)w;
    if (memcmp(&f->to, &s->addr, sizeof f->to) != 0)
        return true;
    stranger_take(s, f);
    return false;
}

void stranger_init(struct stranger *s, struct world *w, const struct hsay_addr *addr)
{
    memset(s, 0, sizeof *s);
    s->world = w;
    s->addr = *addr;
    for (size_t i = 0; i < sizeof s->secret; i++)
        s->secret[i] = (uint8_t)world_chance(w);
    w->crypto.ops->node_public(w->crypto.self, &s->key, s->secret);
    hsay_seal_derive(&s->keys, &w->crypto, &w->overlay,
                     (struct hsay_span){w->secret, w->secret_size});
    w->watch = watch;
    w->watch_user = s;
}

void stranger_send_raw(struct stranger *s, unsigned to, const void *bytes, size_t size)
{
    s->sent_bytes += size;
    s->sent_packets++;
    world_inject_at(s->world, &s->addr, to, s->socket, bytes, size);
}

void stranger_send(struct stranger *s, unsigned to, const struct hsay_message *m,
                   const struct stranger_sealing *how)
{
    struct world *w = s->world;
    uint8_t key[32], nonce[HSAY_NONCE_BYTES];
    struct hsay_seal_as as = {
        .keys = &s->keys, .own = &s->key, .key = key, .token = how->token, .first = how->first};
    if (how->first)
        memcpy(key, s->keys.first, sizeof key);
    else
        hsay_seal_pair_key(key, &w->crypto, &s->keys, s->secret, &s->key,
                           hsay_node_key(w->node[to].node));
    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = (uint8_t)world_chance(w);
    size_t at = hsay_seal_message_at(&as);
    struct hsay_writer wr = hsay_writer(s->last + at, sizeof s->last - at - HSAY_SEAL_TAG_BYTES);
    hsay_message_encode(&wr, m);
    hsay_write_bytes(&wr, how->tail, how->tail_size);
    s->last_size = hsay_seal(s->last, &w->crypto, &as, nonce, hsay_write_size(&wr));
    stranger_send_raw(s, to, s->last, s->last_size);
}

struct hsay_message stranger_request(struct stranger *s, uint8_t claim_kind, size_t bytes)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_REQUEST};
    struct hsay_intro_request *r = &m.intro_request;
    r->id = world_chance(s->world);
    r->flags = HSAY_REQUEST_INTRODUCE;
    r->to = world_addr(0);
    r->answer_bytes = 65536;
    r->claim.kind = claim_kind;
    r->claim.range = (struct hsay_range){.time_high = HSAY_TIME_MAX, .modulo = 1};
    size_t size = hsay_message_size(&m) + HSAY_SEAL_BYTES;
    if (bytes >= size + 3)
        r->padding = bytes - size;
    return m;
}
