#include "src/lab/sim/attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/sim/memory.h"
#include "src/sync/answer.h"
#include "src/wire/pack.h"
#include "src/wire/seal.h"

enum {
    /* What a first request pays for: the response with an introduction. */
    FIRST_REQUEST_BYTES = 336,
    BAIT_COUNT = 1 << 20,
};

struct lab_attack {
    struct lab_sim *sim;
    struct lab_attack_config config;
    struct lab_crowd crowd;
    struct lab_crypto crypto; /* its own, so that honest hosts' work is counted apart */
    struct hsay_crypto port;
    struct hsay_seal_keys keys;
    struct lab_chance chance;
    struct hsay_rng rng; /* of answers out of a store */
    uint32_t host;       /* all members are this one */
    uint32_t informant;  /* whose bundles they relay */
    uint32_t *victim;
    uint32_t victims;
    uint64_t turn;
    struct lab_attack_count count;
};

/* A datagram in the making. */
struct letter {
    struct hsay_addr to;
    struct hsay_key key; /* whose; unless it is a first request */
    const struct hsay_token *token;
    bool first;
    struct hsay_writer w; /* where the message goes */
    struct hsay_seal_as as;
    uint8_t pair[32];
    uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES];
};

/* ---- writing ---- */

static struct lab_shard *shard_of(const struct lab_attack *a)
{
    return &a->sim->shard[a->sim->host[a->host].shard];
}

/* False if no key can be agreed on with whom it is for. */
static bool letter_begin(struct lab_attack *a, const struct lab_crowd_member *m, struct letter *l)
{
    l->as = (struct hsay_seal_as){.keys = &a->keys,
                                  .own = &m->key,
                                  .key = l->first ? a->keys.first : l->pair,
                                  .token = l->token,
                                  .first = l->first};
    if (!l->first &&
        hsay_seal_pair_key(l->pair, &a->port, &a->keys, m->secret, &m->key, &l->key) != 0)
        return false;
    size_t at = hsay_seal_message_at(&l->as);
    l->w =
        hsay_writer(l->bytes + at, HSAY_DATAGRAM_DEFAULT_BYTES - at - (size_t)HSAY_SEAL_TAG_BYTES);
    return true;
}

static void letter_send(struct lab_attack *a, const struct lab_crowd_member *m, struct letter *l)
{
    uint8_t nonce[HSAY_NONCE_BYTES];
    lab_chance_bytes(&a->chance, nonce, sizeof nonce);
    size_t size = hsay_seal(l->bytes, &a->port, &l->as, nonce, hsay_write_size(&l->w));
    lab_net_forge(shard_of(a), a->host, &m->addr, &l->to, (struct hsay_span){l->bytes, size});
}

static void send_message(struct lab_attack *a, const struct lab_crowd_member *m, struct letter *l,
                         const struct hsay_message *message)
{
    if (!letter_begin(a, m, l))
        return;
    hsay_message_encode(&l->w, message);
    if (!l->w.bad)
        letter_send(a, m, l);
}

static const struct lab_crowd_member *member(struct lab_attack *a, uint64_t number)
{
    return lab_crowd_at(&a->crowd, (uint32_t)(number % a->crowd.count), &a->port);
}

/* ---- asking ---- */

/* The lowest bit of its id tells a first request from a second one when its answer comes. */
static uint64_t request_id(struct lab_attack *a, bool first)
{
    uint64_t id = lab_chance_next(&a->chance) | 2;
    return first ? id & ~UINT64_C(1) : id | 1;
}

static struct hsay_message request(struct lab_attack *a, const struct hsay_addr *to, bool first)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_REQUEST};
    struct hsay_intro_request *r = &m.intro_request;
    r->id = request_id(a, first);
    r->nat = HSAY_NAT_IS_PUBLIC;
    lab_chance_bytes(&a->chance, r->token.byte, sizeof r->token.byte);
    r->to = *to;
    if (a->config.kind == LAB_ATTACK_BAIT) {
        r->claim.kind = HSAY_CLAIM_SUM;
        r->claim.range = (struct hsay_range){.time_high = HSAY_TIME_MAX, .modulo = 1};
        r->claim.count = BAIT_COUNT;
        r->claim.fingerprint = lab_chance_next(&a->chance);
    }
    size_t size = hsay_message_size(&m) + (size_t)HSAY_SEAL_BYTES;
    if (first && size + 3 <= FIRST_REQUEST_BYTES)
        r->padding = FIRST_REQUEST_BYTES - size;
    return m;
}

static void ask(struct lab_attack *a, uint32_t victim)
{
    struct letter l = {.to = lab_host_public(a->sim, victim), .first = true};
    struct hsay_message m = request(a, &l.to, true);
    send_message(a, member(a, a->turn++), &l, &m);
    a->count.asked++;
}

static void ask_all(struct lab_sim *sim, void *self, uint64_t round)
{
    struct lab_attack *a = self;
    shard_of(a)->now_ns = sim->now_ns;
    for (uint32_t i = 0; i < a->victims; i++)
        if (lab_host_is_online(&sim->host[a->victim[i]]))
            ask(a, a->victim[i]);
    uint64_t next_ns = a->config.from_ns + (uint64_t)((double)(round + 1) / a->config.pace * 1e9);
    lab_sim_at(sim, next_ns, ask_all, a, round + 1);
}

/* ---- answering ---- */

/* One datagram from an honest host, as it came. */
struct arrival {
    const struct lab_crowd_member *to;
    struct hsay_addr from;
    struct hsay_key key;
    struct hsay_message message;
};

/* What an honest host holds of the claim's range. */
static bool look_up(struct lab_attack *a, const struct hsay_claim *claim,
                    struct hsay_answer *answer, struct hsay_store *store)
{
    *store = lab_store_port(&a->sim->host[a->informant].store);
    uint64_t wall_s = lab_host_now(a->sim, &a->sim->host[a->host], shard_of(a)->now_ns).wall_s;
    return claim->kind != HSAY_CLAIM_NONE &&
           hsay_answer_begin(answer, store, &a->rng, &a->port, claim, HSAY_TIME_MAX, wall_s) == 0;
}

static void say_what_it_holds(struct lab_attack *a, const struct hsay_claim *claim,
                              const struct hsay_answer *answer, struct hsay_intro_response *r)
{
    switch (a->config.kind) {
    case LAB_ATTACK_ECHO:
        r->flags |= HSAY_RESPONSE_SAME;
        r->count = claim->count;
        r->fingerprint = claim->fingerprint;
        break;
    case LAB_ATTACK_BAIT:
        r->flags |= HSAY_RESPONSE_MORE;
        r->count = BAIT_COUNT;
        r->fingerprint = lab_chance_next(&a->chance);
        break;
    case LAB_ATTACK_RELAY:
        if (answer->same)
            r->flags |= HSAY_RESPONSE_SAME;
        r->count = answer->sum.count;
        r->fingerprint = answer->fingerprint;
        break;
    default:
        break;
    }
}

static void add_bundles(struct lab_attack *a, struct hsay_answer *answer, struct hsay_writer *w)
{
    struct hsay_packer packer = {.author_count = 0};
    struct hsay_record record;
    while (answer->draws && hsay_answer_next(answer, &record) == 0 &&
           hsay_pack_add(&packer, w, record.bytes))
        a->count.bundles++;
}

static void puncture(struct lab_attack *a, const struct lab_crowd_member *m,
                     const struct hsay_peer *to, uint64_t id)
{
    struct letter l = {.to = to->addr, .key = to->key};
    struct hsay_message message = {.type = HSAY_MSG_PUNCTURE, .puncture = {.id = id}};
    lab_chance_bytes(&a->chance, message.puncture.token.byte, sizeof message.puncture.token.byte);
    send_message(a, m, &l, &message);
    a->count.punctures++;
}

/* Another member, whose puncture goes out as well. */
static void introduce(struct lab_attack *a, const struct arrival *in, struct hsay_intro_response *r)
{
    const struct lab_crowd_member *other = member(a, lab_chance_next(&a->chance));
    if (other == in->to)
        return;
    r->introduced.addr = other->addr;
    r->introduced.key = other->key;
    r->introduced.nat = HSAY_NAT_IS_PUBLIC;
    puncture(a, other, &(struct hsay_peer){in->from, in->key}, r->id);
    a->count.introductions++;
}

static void on_request(struct lab_attack *a, const struct arrival *in)
{
    const struct hsay_intro_request *asked = &in->message.intro_request;
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    struct hsay_intro_response *r = &m.intro_response;
    struct letter l = {.to = in->from, .key = in->key};
    struct hsay_answer answer = {0};
    struct hsay_store store;
    if (a->config.kind == LAB_ATTACK_FLOOD || !letter_begin(a, in->to, &l))
        return;
    if (a->config.kind == LAB_ATTACK_RELAY)
        look_up(a, &asked->claim, &answer, &store);
    r->id = asked->id;
    r->to = in->from;
    r->global_time = asked->global_time;
    r->nat = HSAY_NAT_IS_PUBLIC;
    lab_chance_bytes(&a->chance, r->token.byte, sizeof r->token.byte);
    say_what_it_holds(a, &asked->claim, &answer, r);
    introduce(a, in, r);
    hsay_message_encode(&l.w, &m);
    add_bundles(a, &answer, &l.w);
    letter_send(a, in->to, &l);
    a->count.answers++;
}

/* Of a first request: the token goes back at once. */
static void on_response(struct lab_attack *a, const struct arrival *in)
{
    const struct hsay_intro_response *r = &in->message.intro_response;
    struct letter l = {.to = in->from, .key = in->key, .token = &r->token};
    if ((r->id & 1) != 0)
        return;
    struct hsay_message m = request(a, &in->from, false);
    send_message(a, in->to, &l, &m);
    a->count.shown++;
}

static void on_puncture_request(struct lab_attack *a, const struct arrival *in)
{
    const struct hsay_introduced *target = &in->message.puncture_request.target;
    puncture(a, in->to, &(struct hsay_peer){target->addr, target->key},
             in->message.puncture_request.id);
}

static bool open_datagram(struct lab_attack *a, const struct lab_datagram *d, uint8_t *plain,
                          struct arrival *in)
{
    struct hsay_envelope e;
    struct hsay_span message;
    uint8_t pair[32];
    uint32_t number = lab_crowd_find(&a->crowd, &d->to);
    if (number == a->crowd.count ||
        hsay_envelope_parse(&e, (struct hsay_span){d->bytes, d->size}) != 0)
        return false;
    bool first = (e.flags & HSAY_ENVELOPE_FIRST) != 0;
    *in = (struct arrival){.to = member(a, number), .from = d->from, .key = e.sender};
    if (!first &&
        hsay_seal_pair_key(pair, &a->port, &a->keys, in->to->secret, &in->to->key, &e.sender) != 0)
        return false;
    return hsay_open(plain, &message, &a->port, &e, first ? a->keys.first : pair) == 0 &&
           hsay_message_decode(&in->message, message) == 0;
}

static void on_extra(void *self, struct lab_shard *shard, uint32_t host,
                     const struct lab_datagram *datagram)
{
    struct lab_attack *a = self;
    struct arrival in;
    uint8_t plain[HSAY_DATAGRAM_MAX_BYTES];
    if (host != a->host || shard->now_ns < LAB_START_NS + a->config.from_ns)
        return;
    if (!open_datagram(a, datagram, plain, &in)) {
        a->count.unread++;
        return;
    }
    switch (in.message.type) {
    case HSAY_MSG_INTRO_REQUEST:
        on_request(a, &in);
        break;
    case HSAY_MSG_INTRO_RESPONSE:
        on_response(a, &in);
        break;
    case HSAY_MSG_PUNCTURE_REQUEST:
        on_puncture_request(a, &in);
        break;
    default: /* bundles are welcome, and go no further */
        break;
    }
}

/* ---- life ---- */

static struct lab_crowd_plan plan_of(const struct lab_attack_config *config)
{
    return (struct lab_crowd_plan){
        .members = config->members, .machines = config->machines, .networks = config->networks};
}

int lab_attack_check(const struct lab_attack_config *config, char *why, size_t why_size)
{
    struct lab_crowd_plan plan = plan_of(config);
    return lab_crowd_check(&plan, why, why_size);
}

/* The last ones, so that a scenario can name them and trackers are none. */
static void choose_victims(struct lab_attack *a)
{
    struct lab_sim *sim = a->sim;
    bool named = sim->config.bootstrap == LAB_BOOTSTRAP_TRACKERS;
    uint32_t all = sim->config.nodes - (named ? sim->config.trackers : 0);
    a->victims = a->config.victims == 0 || a->config.victims > all ? all : a->config.victims;
    a->victim = lab_calloc(a->victims, sizeof *a->victim);
    for (uint32_t i = 0; i < a->victims; i++) {
        a->victim[i] = sim->config.nodes - a->victims + i;
        sim->host[a->victim[i]].flags |= LAB_HOST_MARKED;
    }
}

/* An honest host, and no victim if there is another.  They look into its store, so they live where
 * it does: nothing of theirs may depend on how many threads there are. */
static void choose_informant(struct lab_attack *a)
{
    struct lab_sim *sim = a->sim;
    uint32_t i = 0;
    while (i < sim->config.nodes && (sim->host[i].flags & LAB_HOST_MARKED) != 0)
        i++;
    a->informant = i < sim->config.nodes ? i : a->victim[0];
    sim->host[a->host].shard = sim->host[a->informant].shard;
}

struct lab_attack *lab_attack_new(struct lab_sim *sim, const struct lab_attack_config *config)
{
    uint8_t seed[32];
    if (config->members == 0)
        return NULL;
    struct lab_attack *a = lab_calloc(1, sizeof *a);
    struct lab_crowd_plan plan = plan_of(config);
    a->sim = sim;
    a->config = *config;
    a->host = sim->config.nodes;
    plan.owner = a->host;
    plan.seed = sim->config.seed;
    a->chance = lab_chance_stream(sim->config.seed, LAB_CHANCE_ATTACK, 0);
    lab_chance_bytes(&a->chance, seed, sizeof seed);
    hsay_rng_init(&a->rng, seed);
    lab_crypto_init(&a->crypto, &sim->crypto);
    a->port = lab_crypto_port(&a->crypto);
    hsay_seal_derive(&a->keys, &a->port, &sim->overlay, (struct hsay_span){NULL, 0});
    lab_crowd_init(&a->crowd, &plan, &sim->addresses);
    choose_victims(a);
    choose_informant(a);
    lab_sim_observe(sim, &(struct lab_observer){.self = a, .on_extra = on_extra});
    if (config->pace > 0)
        lab_sim_at(sim, config->from_ns, ask_all, a, 0);
    return a;
}

void lab_attack_free(struct lab_attack *a)
{
    if (a == NULL)
        return;
    lab_crowd_free(&a->crowd);
    free(a->victim);
    free(a);
}

const struct lab_attack_count *lab_attack_count(const struct lab_attack *a)
{
    return &a->count;
}

bool lab_attack_is_at(const struct lab_sim *sim, const struct hsay_addr *addr)
{
    uint32_t owner = lab_address_owner(&sim->addresses, addr);
    return owner < sim->host_count && (sim->host[owner].flags & LAB_HOST_EXTRA) != 0;
}
