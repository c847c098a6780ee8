#include "tests/victim/attacks.h"

#include <string.h>

const char *const attack_name[ATTACK_COUNT] = {
    [ATTACK_STRANGER] = "stranger",
    [ATTACK_FORGED_TOKEN] = "forged-token",
    [ATTACK_STALE_TOKEN] = "stale-token",
    [ATTACK_ANOTHERS_TOKEN] = "anothers-token",
    [ATTACK_REPLAY] = "replay",
    [ATTACK_FORGED_SOURCE] = "forged-source",
    [ATTACK_FROM_VICTIM] = "from-victim",
    [ATTACK_PROBE] = "probe",
    [ATTACK_LAN] = "lan",
    [ATTACK_MULTICAST] = "multicast",
    [ATTACK_LOOPBACK] = "loopback",
    [ATTACK_LOW_PORT] = "low-port",
    [ATTACK_UNASKED] = "unasked",
    [ATTACK_UNASKED_CONTACT] = "unasked-contact",
    [ATTACK_MOVED] = "moved",
    [ATTACK_MET_LAN] = "met-lan",
    [ATTACK_MET_MULTICAST] = "met-multicast",
    [ATTACK_MET_LOOPBACK] = "met-loopback",
    [ATTACK_MET_LOW_PORT] = "met-low-port",
    [ATTACK_MET_UNWANTED] = "met-unwanted",
    [ATTACK_LAN_FIELD] = "lan-field",
    [ATTACK_MET_LAN_FIELD] = "met-lan-field",
    [ATTACK_REFLECTED] = "reflected",
    [ATTACK_NAMED] = "named",
    [ATTACK_PORTS] = "ports",
};

/* How often.  By this a network group sends 120 packets a second without a good token: two groups
 * that the node's gate takes for one have as many as it lets in. */
static const uint8_t weight[ATTACK_COUNT] = {
    [ATTACK_STRANGER] = 6,       [ATTACK_FORGED_TOKEN] = 6,    [ATTACK_STALE_TOKEN] = 4,
    [ATTACK_ANOTHERS_TOKEN] = 4, [ATTACK_REPLAY] = 6,          [ATTACK_FORGED_SOURCE] = 4,
    [ATTACK_FROM_VICTIM] = 1,    [ATTACK_PROBE] = 1,           [ATTACK_LAN] = 6,
    [ATTACK_MULTICAST] = 6,      [ATTACK_LOOPBACK] = 6,        [ATTACK_LOW_PORT] = 6,
    [ATTACK_UNASKED] = 6,        [ATTACK_UNASKED_CONTACT] = 6, [ATTACK_MOVED] = 1,
    [ATTACK_LAN_FIELD] = 1,      [ATTACK_REFLECTED] = 1,       [ATTACK_NAMED] = 2,
    [ATTACK_PORTS] = 2,
};

struct hsay_addr attack_victim(enum attack attack)
{
    unsigned n = attack;
    switch (attack) {
    case ATTACK_LAN:
    case ATTACK_MET_LAN:
    case ATTACK_LAN_FIELD:
    case ATTACK_MET_LAN_FIELD:
        return addr4(192, 168, 50, n, VICTIM_PORT);
    case ATTACK_MULTICAST:
    case ATTACK_MET_MULTICAST:
        return addr4(239, 0, 0, n, VICTIM_PORT);
    case ATTACK_LOOPBACK:
    case ATTACK_MET_LOOPBACK:
        return addr4(127, 0, 1, n, VICTIM_PORT);
    case ATTACK_LOW_PORT:
    case ATTACK_MET_LOW_PORT:
        return addr4(5, 32 + n, 0, 1, 53);
    case ATTACK_REFLECTED:
    case ATTACK_NAMED:
    case ATTACK_PORTS:
        return addr4(5, 64 + n, 0, 1, VICTIM_PORT);
    default:
        return addr4(5, 32 + n, 0, 1, VICTIM_PORT);
    }
}

enum attack attack_draw(struct attacker *a, bool second_half)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < ATTACK_COUNT; i++)
        sum += weight[i];
    for (;;) {
        unsigned at = (unsigned)(draw(&a->chance) % sum), i = 0;
        while (at >= weight[i])
            at -= weight[i++];
        if (i != ATTACK_PORTS || second_half)
            return (enum attack)i;
    }
}

static struct party *any_contact(struct attacker *a)
{
    return &a->contact[draw(&a->chance) % CONTACTS];
}

static struct party *any_stranger(struct attacker *a)
{
    return &a->stranger[draw(&a->chance) % STRANGERS];
}

/* The victim, behind any NAT, as somebody else each time; but those who name one together agree,
 * half of the time, on who that is. */
static struct hsay_introduced somebody_at_victim(struct attacker *a, enum attack attack)
{
    struct hsay_introduced who = {.addr = attack_victim(attack), .key = a->stranger[0].key};
    who.nat = (uint8_t)(draw(&a->chance) & HSAY_NAT_FLAGS);
    if (attack != ATTACK_NAMED || draw(&a->chance) % 2 == 0)
        draw_bytes(&a->chance, &who.key, sizeof who.key);
    return who;
}

/* ---- puncture-requests ---- */

static struct hsay_message puncture_request(struct attacker *a, enum attack attack)
{
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE_REQUEST};
    m.puncture_request.id = draw(&a->chance);
    m.puncture_request.target = somebody_at_victim(a, attack);
    return m;
}

static void ask_as(struct attacker *a, enum attack attack, const struct party *p,
                   const struct hsay_token *token, struct datagram *out)
{
    struct hsay_message m = puncture_request(a, attack);
    party_seal(p, &a->mark, &a->chance, token, &m, out);
}

static void forge_token(struct attacker *a, struct datagram *out)
{
    struct hsay_token forged;
    draw_bytes(&a->chance, &forged, sizeof forged);
    ask_as(a, ATTACK_FORGED_TOKEN, any_stranger(a), &forged, out);
}

static void take_anothers_token(struct attacker *a, struct datagram *out)
{
    unsigned i = (unsigned)(draw(&a->chance) % CONTACTS);
    ask_as(a, ATTACK_ANOTHERS_TOKEN, &a->contact[i], &a->contact[(i + 1) % CONTACTS].token, out);
}

/* Some of them were replayed before, some were not. */
static void replay(struct attacker *a, struct datagram *out)
{
    unsigned i = (unsigned)(draw(&a->chance) % CONTACTS);
    if (a->captured[i].size == 0 || draw(&a->chance) % 4 == 0)
        ask_as(a, ATTACK_REPLAY, &a->contact[i], &a->contact[i].token, &a->captured[i]);
    *out = a->captured[i];
    out->from = any_stranger(a)->addr;
}

static void forge_source(struct attacker *a, struct datagram *out)
{
    const struct party *c = any_contact(a);
    ask_as(a, ATTACK_FORGED_SOURCE, any_stranger(a), &c->token, out);
    out->from = c->addr;
}

static void come_from_victim(struct attacker *a, struct datagram *out)
{
    ask_as(a, ATTACK_FROM_VICTIM, any_stranger(a), NULL, out);
    out->from = attack_victim(ATTACK_FROM_VICTIM);
}

static void probe(struct attacker *a, struct datagram *out)
{
    struct hsay_message m = {.type = HSAY_MSG_PROBE};
    struct hsay_token forged;
    m.probe.id = draw(&a->chance);
    m.probe.port = VICTIM_PORT;
    m.probe.token = any_contact(a)->token;
    draw_bytes(&a->chance, &forged, sizeof forged);
    party_seal(any_stranger(a), &a->mark, &a->chance, &forged, &m, out);
    out->from = attack_victim(ATTACK_PROBE);
}

static void ask_with_lan(struct attacker *a, struct datagram *out)
{
    const struct party *c = any_contact(a);
    struct hsay_message m = puncture_request(a, ATTACK_LAN_FIELD);
    m.puncture_request.target.lan = m.puncture_request.target.addr;
    m.puncture_request.target.addr = addr4(5, 251, 0, 1, OWN_PORT);
    party_seal(c, &a->mark, &a->chance, &c->token, &m, out);
}

static void ask_for_port(struct attacker *a, struct datagram *out)
{
    const struct party *c = any_contact(a);
    struct hsay_message m = puncture_request(a, ATTACK_PORTS);
    m.puncture_request.target.addr.port = (uint16_t)(1024 + draw(&a->chance) % (65536 - 1024));
    party_seal(c, &a->mark, &a->chance, &c->token, &m, out);
}

/* ---- answers ---- */

static struct hsay_message response(const struct attacker *a, uint64_t id)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    m.intro_response.id = id;
    m.intro_response.to = a->mark.addr;
    return m;
}

static void answer_unasked(struct attacker *a, enum attack attack, const struct party *p,
                           const struct hsay_token *token, struct datagram *out)
{
    struct hsay_message m = response(a, draw(&a->chance));
    m.intro_response.to = addr4(5, 99, 0, 1, OWN_PORT);
    m.intro_response.introduced = somebody_at_victim(a, attack);
    party_seal(p, &a->mark, &a->chance, token, &m, out);
}

static void move(struct attacker *a, struct datagram *out)
{
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE};
    m.puncture.id = draw(&a->chance);
    draw_bytes(&a->chance, &m.puncture.token, sizeof m.puncture.token); /* or it would wait */
    party_seal(&a->absent, &a->mark, &a->chance, NULL, &m, out);
    out->from = attack_victim(ATTACK_MOVED);
}

/* Who is introduced, and which attack that is. */
static enum attack introduce(struct attacker *a, struct hsay_introduced *who)
{
    static const uint8_t turn[] = {ATTACK_MET_LAN,      ATTACK_MOVED,        ATTACK_MET_MULTICAST,
                                   ATTACK_MET_LOOPBACK, ATTACK_MET_LOW_PORT, ATTACK_MET_LAN_FIELD,
                                   ATTACK_NAMED};
    enum attack attack = (enum attack)turn[a->met++ % sizeof turn];
    *who = somebody_at_victim(a, attack);
    if (attack == ATTACK_MOVED) { /* what that needs, and not the thing itself */
        *who = (struct hsay_introduced){
            .addr = a->absent.addr, .key = a->absent.key, .nat = HSAY_NAT_IS_SYMMETRIC};
        return ATTACK_NONE;
    }
    if (attack == ATTACK_MET_LAN_FIELD) {
        who->lan = who->addr;
        who->addr = addr4(5, 251, 0, 1, (uint16_t)(1024 + a->met));
    }
    return attack;
}

enum attack attack_answer(struct attacker *a, struct party *c,
                          const struct hsay_intro_request *asked, struct datagram *out)
{
    struct hsay_message m = response(a, asked->id);
    enum attack attack = ATTACK_MET_UNWANTED;
    m.intro_response.flags = HSAY_RESPONSE_MORE; /* that it may ask again */
    m.intro_response.count = 1000;
    m.intro_response.introduced = somebody_at_victim(a, attack);
    if ((asked->flags & HSAY_REQUEST_INTRODUCE) != 0)
        attack = introduce(a, &m.intro_response.introduced);
    party_seal(c, &a->mark, &a->chance, &c->token, &m, out);
    return attack;
}

/* ---- questions ---- */

static struct hsay_message question(struct attacker *a, uint8_t claim)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_REQUEST};
    m.intro_request.id = draw(&a->chance);
    m.intro_request.to = a->mark.addr;
    m.intro_request.claim.kind = claim;
    m.intro_request.claim.range = (struct hsay_range){.time_high = HSAY_TIME_MAX, .modulo = 1};
    return m;
}

uint64_t attack_question(struct attacker *a, const struct party *c, struct datagram *out)
{
    struct hsay_message m = question(a, HSAY_CLAIM_NONE);
    m.intro_request.padding = 100; /* a stranger's has to pay for the answer */
    party_seal(c, &a->mark, &a->chance, c->known ? &c->token : NULL, &m, out);
    return m.intro_request.id;
}

/* The least to ask with, the most to ask for; now and then what was asked before. */
static void reflect(struct attacker *a, struct datagram *out)
{
    if (a->reflected.size != 0 && draw(&a->chance) % 4 == 0) {
        *out = a->reflected;
        return;
    }
    struct hsay_message m = question(a, HSAY_CLAIM_EMPTY);
    m.intro_request.flags = HSAY_REQUEST_INTRODUCE;
    m.intro_request.answer_bytes = 65536;
    m.intro_request.padding = draw(&a->chance) % 2 == 0 ? 0 : 3 + draw(&a->chance) % 500;
    party_seal(any_stranger(a), &a->mark, &a->chance, NULL, &m, out);
    out->from = attack_victim(ATTACK_REFLECTED);
    a->reflected = *out;
}

void attack_make(struct attacker *a, enum attack attack, struct datagram *out)
{
    const struct party *c = any_contact(a);
    switch (attack) {
    case ATTACK_STRANGER:
        ask_as(a, attack, any_stranger(a), NULL, out);
        break;
    case ATTACK_FORGED_TOKEN:
        forge_token(a, out);
        break;
    case ATTACK_STALE_TOKEN:
        ask_as(a, attack, c, &c->stale, out);
        break;
    case ATTACK_ANOTHERS_TOKEN:
        take_anothers_token(a, out);
        break;
    case ATTACK_REPLAY:
        replay(a, out);
        break;
    case ATTACK_FORGED_SOURCE:
        forge_source(a, out);
        break;
    case ATTACK_FROM_VICTIM:
        come_from_victim(a, out);
        break;
    case ATTACK_PROBE:
        probe(a, out);
        break;
    case ATTACK_UNASKED:
        answer_unasked(a, attack, any_stranger(a), NULL, out);
        break;
    case ATTACK_UNASKED_CONTACT:
        answer_unasked(a, attack, c, &c->token, out);
        break;
    case ATTACK_MOVED:
        move(a, out);
        break;
    case ATTACK_LAN_FIELD:
        ask_with_lan(a, out);
        break;
    case ATTACK_REFLECTED:
        reflect(a, out);
        break;
    case ATTACK_PORTS:
        ask_for_port(a, out);
        break;
    default: /* a contact's puncture-request, as good as any but for its target */
        ask_as(a, attack, c, &c->token, out);
    }
}
