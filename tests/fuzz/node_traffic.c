#include "tests/fuzz/node_traffic.h"

#include <assert.h>
#include <string.h>

#include "nat/addr_class.h"

enum {
    PUNCTURE_BYTES = HSAY_SEAL_BYTES + HSAY_PUNCTURE_MESSAGE_BYTES,
    OWN_ANSWERS_MAX = 2,
};

#define MS UINT64_C(1000000)

void node_traffic_forget(struct node_traffic *t)
{
    t->place_count = t->inner_count = t->token_count = t->request_count = t->puncture_count = 0;
    t->full = false;
}

/* --- places ---------------------------------------------------------------------------------- */

static struct node_traffic_place *place_find(struct node_traffic *t, const struct hsay_addr *addr)
{
    for (unsigned i = 0; i < t->place_count; i++)
        if (hsay_addr_equal(&t->place[i].addr, addr))
            return &t->place[i];
    return NULL;
}

static struct node_traffic_place *place_of(struct node_traffic *t, const struct hsay_addr *addr)
{
    struct node_traffic_place *p = place_find(t, addr);
    if (p != NULL)
        return p;
    if (t->place_count == NODE_TRAFFIC_PLACES_MAX) {
        t->full = true;
        return &t->place[NODE_TRAFFIC_PLACES_MAX - 1];
    }
    p = &t->place[t->place_count++];
    memset(p, 0, sizeof *p);
    p->addr = *addr;
    return p;
}

static bool is_heard(struct node_traffic *t, const struct hsay_addr *addr)
{
    const struct node_traffic_place *p = place_find(t, addr);
    return p != NULL && p->heard;
}

static bool is_inner(const struct hsay_addr *addr)
{
    return hsay_addr_class(addr) != HSAY_ADDR_GLOBAL;
}

static bool inner_known(const struct node_traffic *t, const struct hsay_addr *addr)
{
    for (unsigned i = 0; i < t->inner_count; i++)
        if (hsay_addr_same_host(&t->inner[i], addr))
            return true;
    return false;
}

static void inner_allow(struct node_traffic *t, const struct hsay_addr *addr)
{
    if (!is_inner(addr) || inner_known(t, addr))
        return;
    if (t->inner_count == NODE_TRAFFIC_PLACES_MAX)
        t->full = true;
    else
        t->inner[t->inner_count++] = *addr;
}

void node_traffic_named(struct node_traffic *t, const struct hsay_addr *addr, bool trusted)
{
    struct hsay_addr plain = *addr;
    hsay_addr_normalise(&plain);
    struct node_traffic_place *p = place_of(t, &plain);
    p->named = true;
    p->trusted = p->trusted || trusted;
    inner_allow(t, &plain);
}

/* --- packets --------------------------------------------------------------------------------- */

static int overlay_of(const struct node_traffic *t, const uint8_t tag[HSAY_TAG_BYTES])
{
    for (int i = 0; i < NODE_TRAFFIC_OVERLAYS; i++)
        if (memcmp(t->keys[i].tag, tag, HSAY_TAG_BYTES) == 0)
            return i;
    return -1;
}

int node_traffic_read(const struct node_traffic *t, struct hsay_span datagram,
                      struct hsay_envelope *e, struct hsay_message *m)
{
    if (hsay_envelope_parse(e, datagram) != 0)
        return -1;
    struct hsay_span text = {e->sealed.data, e->sealed.size - HSAY_SEAL_TAG_BYTES};
    return hsay_message_decode(m, text) == 0 ? overlay_of(t, e->tag) : -1;
}

static uint64_t epoch_of(uint64_t ns)
{
    return ns / (HSAY_TOKEN_EPOCH_MS * MS);
}

static bool token_is_good(const struct node_traffic *t, hsay_time now,
                          const struct node_traffic_packet *p, const struct hsay_envelope *e)
{
    for (unsigned i = 0; i < t->token_count; i++) {
        const struct node_traffic_token *made = &t->token[i];
        if (made->overlay == p->overlay && hsay_addr_equal(&made->addr, &p->from) &&
            memcmp(&made->key, &p->key, sizeof p->key) == 0 &&
            memcmp(&made->token, &e->token, sizeof e->token) == 0)
            return epoch_of(now.ns) - epoch_of(made->made_ns) <= 1;
    }
    return false;
}

static bool carries_known_id(const struct node_traffic *t, const struct node_traffic_packet *p)
{
    const struct hsay_message *m = &p->message;
    uint64_t id;
    if (m->type == HSAY_MSG_INTRO_RESPONSE)
        id = m->intro_response.id;
    else if (m->type == HSAY_MSG_BUNDLES && (m->bundles.flags & HSAY_BUNDLES_MAIL) == 0)
        id = m->bundles.id;
    else
        return false;
    for (unsigned i = 0; i < NODE_TRAFFIC_REQUESTS_MAX && i < t->request_count; i++)
        if (t->request[i].id == id && hsay_addr_equal(&t->request[i].to.addr, &p->from))
            return true;
    return false;
}

static bool opens(const struct node_traffic *t, struct node_traffic_packet *p,
                  const struct hsay_envelope *e)
{
    const struct hsay_seal_keys *keys = &t->keys[p->overlay];
    bool first = (e->flags & HSAY_ENVELOPE_FIRST) != 0;
    uint8_t key[32];
    struct hsay_span text;
    if (hsay_seal_pair_key(key, t->crypto, keys, p->key.byte, &p->key, &t->own) != 0 ||
        hsay_open(p->plain, &text, t->crypto, e, first ? keys->first : key) != 0 ||
        hsay_message_decode(&p->message, text) != 0)
        return false;
    return !first || p->message.type == HSAY_MSG_INTRO_REQUEST;
}

/* Whom the packet tells us of: a peer inside only if it comes from inside itself. */
static void learn_named(struct node_traffic *t, const struct node_traffic_packet *p)
{
    struct hsay_addr told = {.kind = HSAY_ADDR_NONE};
    if (p->message.type == HSAY_MSG_INTRO_RESPONSE)
        told = p->message.intro_response.introduced.addr;
    else if (p->message.type == HSAY_MSG_PUNCTURE_REQUEST)
        told = p->message.puncture_request.target.addr;
    hsay_addr_normalise(&told);
    if (told.kind != HSAY_ADDR_NONE && hsay_addr_class(&told) == hsay_addr_class(&p->from))
        inner_allow(t, &told);
}

void node_traffic_parse(struct node_traffic *t, hsay_time now, const struct hsay_packet *packet,
                        struct node_traffic_packet *p)
{
    struct hsay_envelope e;
    memset(p, 0, offsetof(struct node_traffic_packet, plain));
    p->from = packet->from;
    p->size = packet->bytes.size;
    p->overlay = -1;
    p->stranger = true;
    hsay_addr_normalise(&p->from);
    if (hsay_envelope_parse(&e, packet->bytes) != 0)
        return;
    p->key = e.sender;
    p->overlay = overlay_of(t, e.tag);
    if (p->overlay >= 0 && !t->joined[p->overlay])
        p->overlay = -1;
    if (p->overlay < 0)
        return;
    p->token_good = (e.flags & HSAY_ENVELOPE_TOKEN) != 0 && token_is_good(t, now, p, &e);
    p->well_formed = opens(t, p, &e);
    p->answers = p->well_formed && carries_known_id(t, p);
    p->stranger = !p->token_good && !p->answers;
    if (p->token_good) {
        place_of(t, &p->from)->heard = true;
        inner_allow(t, &p->from);
    }
    if (p->well_formed && !p->stranger)
        learn_named(t, p);
}

/* --- letters --------------------------------------------------------------------------------- */

static void check_class(const struct hsay_addr *to)
{
    enum hsay_addr_class class = hsay_addr_class(to);
    assert(class != HSAY_ADDR_INVALID && class != HSAY_ADDR_UNSPECIFIED);
    assert(class != HSAY_ADDR_MULTICAST && class != HSAY_ADDR_BROADCAST);
    assert(to->kind == HSAY_ADDR_HANDLE || to->port != 0);
}

/* Inner addresses and ports of services: only where somebody was, or the operator said so. */
static void check_destination(struct node_traffic *t, const struct node_traffic_packet *in,
                              const struct hsay_addr *to)
{
    const struct node_traffic_place *p = place_find(t, to);
    check_class(to);
    assert(!hsay_addr_equal(to, &t->bound));
    if (in != NULL && hsay_addr_equal(to, &in->from))
        return;
    if (p != NULL && p->named)
        return;
    assert(!is_inner(to) || inner_known(t, to));
    assert(to->kind == HSAY_ADDR_HANDLE || to->port >= HSAY_ADDR_PORT_HEARD_MIN ||
           (p != NULL && p->heard));
}

/* The address must have shown itself before anybody else is told of it. */
static void check_response(struct node_traffic *t, const struct node_traffic_packet *in,
                           const struct hsay_letter *l, const struct hsay_intro_response *a)
{
    const struct hsay_addr *told = &a->introduced.addr;
    assert(in != NULL && in->well_formed && in->message.type == HSAY_MSG_INTRO_REQUEST);
    assert(hsay_addr_equal(&l->to, &in->from) && hsay_addr_equal(&a->to, &in->from));
    assert(a->id == in->message.intro_request.id);
    if (told->kind == HSAY_ADDR_NONE)
        return;
    assert(is_heard(t, told));
    assert(!hsay_addr_equal(told, &in->from));
    assert(!is_inner(told) || hsay_addr_class(told) == hsay_addr_class(&in->from));
}

static void check_puncture(struct node_traffic *t, hsay_time now,
                           const struct node_traffic_packet *in, const struct hsay_letter *l)
{
    const struct node_traffic_place *p = place_find(t, &l->to);
    assert(in != NULL && in->token_good && in->message.type == HSAY_MSG_PUNCTURE_REQUEST);
    assert(l->datagram.size == PUNCTURE_BYTES && l->datagram.size <= in->size);
    if (p != NULL && p->punctured) /* whole milliseconds */
        assert(now.ns - p->punctured_ns > (HSAY_PUNCTURE_GAP_MS - 1) * MS);
    if (t->puncture_count < HSAY_PUNCTURE_PER_SECOND_MAX)
        return;
    unsigned first = t->puncture_count - HSAY_PUNCTURE_PER_SECOND_MAX;
    assert(now.ns - t->puncture_ns[first % NODE_TRAFFIC_PUNCTURES_MAX] >= 999 * MS);
}

static void check_bundles(struct node_traffic *t, const struct node_traffic_packet *in,
                          const struct hsay_letter *l, const struct hsay_bundles *b)
{
    if ((b->flags & HSAY_BUNDLES_MAIL) != 0) {
        assert(is_heard(t, &l->to));
        return;
    }
    assert(in != NULL && in->well_formed && hsay_addr_equal(&l->to, &in->from));
    if (in->message.type == HSAY_MSG_FETCH) {
        assert(b->id == in->message.fetch.id);
        return;
    }
    assert(in->message.type == HSAY_MSG_INTRO_REQUEST && in->token_good);
    assert(b->id == in->message.intro_request.id);
}

static void check_message(struct node_traffic *t, hsay_time now,
                          const struct node_traffic_packet *in, const struct hsay_letter *l,
                          const struct hsay_message *m)
{
    switch (m->type) {
    case HSAY_MSG_INTRO_REQUEST: /* by our own clock, or to return a visit */
        assert(in == NULL || (in->token_good && hsay_addr_equal(&l->to, &in->from) &&
                              in->message.type == HSAY_MSG_INTRO_REQUEST));
        break;
    case HSAY_MSG_FETCH:
        assert(in == NULL);
        break;
    case HSAY_MSG_INTRO_RESPONSE:
        check_response(t, in, l, &m->intro_response);
        break;
    case HSAY_MSG_PUNCTURE_REQUEST:
        assert(in != NULL && in->message.type == HSAY_MSG_INTRO_REQUEST);
        assert(hsay_addr_equal(&m->puncture_request.target.addr, &in->from));
        assert(is_heard(t, &l->to));
        break;
    case HSAY_MSG_PUNCTURE:
        check_puncture(t, now, in, l);
        break;
    case HSAY_MSG_BUNDLES:
        check_bundles(t, in, l, &m->bundles);
        break;
    default:
        assert(in == NULL && m->type == HSAY_MSG_DIRECT);
    }
}

/* Paid for by the packet in hand, byte by byte. */
static bool is_paid(const struct node_traffic_packet *in, const struct hsay_letter *l)
{
    return in != NULL && in->stranger && hsay_addr_equal(&l->to, &in->from);
}

/* Never more than three in an hour to who says nothing, whether they left or not. */
static void check_silence(struct node_traffic *t, hsay_time now, const struct hsay_letter *l)
{
    struct node_traffic_place *p = place_of(t, &l->to);
    uint64_t *first = &p->sent_ns[p->sent % HSAY_SILENT_PACKETS_MAX];
    if (p->sent >= HSAY_SILENT_PACKETS_MAX && !p->heard && !p->trusted)
        assert(now.ns - *first > HSAY_SILENT_PERIOD_MS * MS);
    *first = now.ns;
    p->sent++;
}

static void check_letter(struct node_traffic *t, hsay_time now,
                         const struct node_traffic_packet *in, const struct hsay_letter *l)
{
    struct hsay_envelope e;
    struct hsay_message m;
    assert(l->datagram.size >= 1 && l->datagram.size <= t->datagram_bytes);
    int overlay = node_traffic_read(t, l->datagram, &e, &m);
    assert(overlay >= 0 && t->joined[overlay]);
    assert(memcmp(&e.sender, &t->own, sizeof e.sender) == 0);
    check_destination(t, in, &l->to);
    check_message(t, now, in, l, &m);
    if (!is_paid(in, l))
        check_silence(t, now, l);
}

/* A stranger's packet: not more bytes than it had, two datagrams at most, nothing to anybody else
 * but for a puncture that is on the same bill. */
static void check_bill(const struct node_traffic *t, const struct node_traffic_packet *in,
                       const struct hsay_outbox *out)
{
    size_t bytes = 0, datagrams = 0;
    for (size_t i = 0; i < out->letter_count; i++) {
        const struct hsay_letter *l = &out->letter[i];
        struct hsay_envelope e;
        struct hsay_message m;
        if (hsay_addr_equal(&l->to, &in->from)) {
            bytes += l->datagram.size;
        } else {
            node_traffic_read(t, l->datagram, &e, &m);
            assert(m.type == HSAY_MSG_PUNCTURE_REQUEST);
            bytes += PUNCTURE_BYTES;
        }
        datagrams++;
    }
    assert(bytes <= in->size);
    assert(datagrams <= OWN_ANSWERS_MAX);
}

/* The response says how many bundles messages follow it. */
static void check_told(const struct node_traffic *t, const struct hsay_outbox *out)
{
    unsigned told = 0, responses = 0, followers = 0;
    for (size_t i = 0; i < out->letter_count; i++) {
        struct hsay_envelope e;
        struct hsay_message m;
        node_traffic_read(t, out->letter[i].datagram, &e, &m);
        responses += m.type == HSAY_MSG_INTRO_RESPONSE;
        followers += m.type == HSAY_MSG_BUNDLES;
        if (m.type == HSAY_MSG_INTRO_RESPONSE)
            told += m.intro_response.datagrams;
    }
    assert(responses <= 1);
    assert(responses == 0 || told == followers);
}

void node_traffic_check(struct node_traffic *t, hsay_time now, const struct node_traffic_packet *in,
                        bool answered, const struct hsay_outbox *out)
{
    if (answered) {
        assert(in->answers);
        place_of(t, &in->from)->heard = true;
        inner_allow(t, &in->from);
    }
    for (size_t i = 0; i < out->letter_count; i++)
        check_letter(t, now, in, &out->letter[i]);
    if (in == NULL || out->letter_count == 0)
        return;
    if (in->stranger)
        check_bill(t, in, out);
    check_told(t, out);
}

/* --- what left ------------------------------------------------------------------------------- */

static void note_token(struct node_traffic *t, hsay_time now, const struct node_traffic_packet *in,
                       const struct hsay_token *token)
{
    if (t->token_count == NODE_TRAFFIC_TOKENS_MAX) {
        t->full = true;
        return;
    }
    t->token[t->token_count++] = (struct node_traffic_token){
        in->from, in->key, (uint8_t)in->overlay, *token, now.ns,
    };
}

static void note_request(struct node_traffic *t, const struct hsay_letter *l, int overlay,
                         const struct hsay_message *m)
{
    bool fetch = m->type == HSAY_MSG_FETCH;
    struct node_traffic_request *r = &t->request[t->request_count++ % NODE_TRAFFIC_REQUESTS_MAX];
    memset(r, 0, sizeof *r);
    r->to.addr = l->to;
    r->id = fetch ? m->fetch.id : m->intro_request.id;
    r->type = m->type;
    r->overlay = (uint8_t)overlay;
    if (fetch)
        return;
    r->newest_count = m->intro_request.newest_count;
    r->claim = m->intro_request.claim;
    r->claim.bits = (struct hsay_span){NULL, 0};
}

static void note_puncture(struct node_traffic *t, hsay_time now, const struct hsay_letter *l)
{
    struct node_traffic_place *p = place_of(t, &l->to);
    p->punctured = true;
    p->punctured_ns = now.ns;
    t->puncture_ns[t->puncture_count++ % NODE_TRAFFIC_PUNCTURES_MAX] = now.ns;
}

/* To whom a request was sealed stands in the event beside it. */
static void note_keys(struct node_traffic *t, const struct hsay_outbox *out)
{
    for (size_t i = 0; i < out->event_count; i++) {
        const struct hsay_event *e = &out->event[i];
        for (unsigned k = 0; e->kind == HSAY_EVENT_STEP && k < NODE_TRAFFIC_REQUESTS_MAX; k++)
            if (t->request[k].id == e->number[HSAY_STEP_REQUEST_ID])
                t->request[k].to = e->peer;
    }
}

void node_traffic_left(struct node_traffic *t, hsay_time now, const struct node_traffic_packet *in,
                       const struct hsay_outbox *out)
{
    for (size_t i = 0; i < out->letter_count; i++) {
        const struct hsay_letter *l = &out->letter[i];
        struct hsay_envelope e;
        struct hsay_message m;
        int overlay = node_traffic_read(t, l->datagram, &e, &m);
        if (m.type == HSAY_MSG_INTRO_RESPONSE)
            note_token(t, now, in, &m.intro_response.token);
        else if (m.type == HSAY_MSG_INTRO_REQUEST || m.type == HSAY_MSG_FETCH)
            note_request(t, l, overlay, &m);
        else if (m.type == HSAY_MSG_PUNCTURE)
            note_puncture(t, now, l);
    }
    note_keys(t, out);
}

const struct hsay_token *node_traffic_token_of(const struct node_traffic *t,
                                               const struct hsay_peer *peer, unsigned overlay,
                                               bool oldest)
{
    const struct hsay_token *found = NULL;
    for (unsigned i = 0; i < t->token_count; i++) {
        const struct node_traffic_token *made = &t->token[i];
        if (made->overlay != overlay || !hsay_addr_equal(&made->addr, &peer->addr) ||
            memcmp(&made->key, &peer->key, sizeof peer->key) != 0)
            continue;
        found = &made->token;
        if (oldest)
            break;
    }
    return found;
}
