#include "tests/unit/search_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nat/addr_class.h"

enum { PEER_FIRST = 5000, OTHER = 7000, TICK_MS = 10 };

static struct hsay_addr seen_by(const struct scene *scene, unsigned i)
{
    struct hsay_addr addr = world_addr(0);
    addr.port = scene->nat == SCENE_NAT_CONE     ? 40000
                : scene->nat == SCENE_NAT_RISING ? (uint16_t)(40000 + i)
                                                 : (uint16_t)(40000 + 1000 * i);
    return addr;
}

static void log_sent(struct scene *scene, const struct world_flight *f)
{
    assert_true(scene->sent_count < SCENE_LOG_MAX);
    scene->sent[scene->sent_count++] = (struct scene_sent){scene->w.now_ns, f->to.port, f->socket};
    scene->other_port = f->to.port;
    scene->other.answer.type = HSAY_MSG_NONE;
    stranger_take(&scene->other, f);
    if (scene->other.answer.type == HSAY_MSG_PUNCTURE)
        scene->other_token = scene->other.answer.puncture.token;
    if (scene->other.answer.type == HSAY_MSG_INTRO_REQUEST) {
        scene->other_request = scene->other.answer;
        scene->other_asked++;
    }
}

static bool watch(struct world *w, const struct world_flight *f, void *user)
{
    struct scene *scene = user;
    (void)w;
    if (hsay_addr_same_host(&f->to, &scene->other.addr)) {
        log_sent(scene, f);
        return false;
    }
    for (unsigned i = 0; i < SCENE_PEERS; i++)
        if (f->socket == 0 && hsay_addr_equal(&f->to, &scene->peer[i].addr)) /* not a trial's */
            stranger_take(&scene->peer[i], f);
    return true;
}

void scene_init(struct scene *scene, enum scene_nat nat, uint64_t seed)
{
    struct hsay_addr addr;
    memset(scene, 0, sizeof *scene);
    scene->nat = nat;
    world_init(&scene->w, 1, seed);
    scene->w.node_config.sockets_max = HSAY_SOCKETS_MAX;
    for (unsigned i = 0; i < SCENE_PEERS; i++) {
        addr = world_addr(PEER_FIRST + i);
        stranger_init(&scene->peer[i], &scene->w, &addr);
    }
    addr = world_addr(OTHER);
    stranger_init(&scene->other, &scene->w, &addr);
    scene->w.watch = watch;
    scene->w.watch_user = scene;
}

void scene_start(struct scene *scene, unsigned asked, enum hsay_bucket bucket)
{
    world_start(&scene->w);
    for (unsigned i = 0; i < asked; i++) {
        struct hsay_peer peer = {scene->peer[i].addr, scene->peer[i].key};
        scene->answers[i] = true;
        assert_int_equal(
            hsay_node_add_peer(scene->w.node[0].node, world_now(&scene->w), 0, &peer, bucket), 0);
    }
}

void scene_begin(struct scene *scene, enum scene_nat nat, uint64_t seed)
{
    scene_init(scene, nat, seed);
    scene_start(scene, 3, nat == SCENE_NAT_CONE ? HSAY_BUCKET_INTRODUCED : HSAY_BUCKET_TRUSTED);
    scene_run(scene, 15000);
}

void scene_end(struct scene *scene)
{
    world_free(&scene->w);
}

static void answer(struct stranger *s, uint64_t id, const struct hsay_addr *to,
                   const struct hsay_introduced *introduced)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    m.intro_response.id = id;
    m.intro_response.to = *to;
    m.intro_response.introduced = *introduced;
    m.intro_response.token.byte[0] = 1;
    stranger_send(s, 0, &m, &(struct stranger_sealing){.first = false});
}

static void look_at_peers(struct scene *scene)
{
    for (unsigned i = 0; i < SCENE_PEERS; i++) {
        struct stranger *s = &scene->peer[i];
        if (s->answer.type != HSAY_MSG_INTRO_REQUEST || s->got_packets == scene->seen[i])
            continue;
        scene->seen[i] = s->got_packets;
        scene->token[i] = s->answer.intro_request.token;
        scene->said_nat = s->answer.intro_request.nat;
        if (scene->answers[i]) {
            struct hsay_addr seen = seen_by(scene, i);
            s->answer.type = HSAY_MSG_NONE;
            answer(s, s->answer.intro_request.id, &seen, &scene->introduces);
        }
    }
}

static void look_at_other(struct scene *scene)
{
    static const struct hsay_introduced nobody;
    struct hsay_addr seen = seen_by(scene, SCENE_PEERS);
    if (!scene->other_answers || scene->other_request.type == HSAY_MSG_NONE)
        return;
    scene->other.socket = scene->sent[scene->sent_count - 1].socket;
    scene->other_request.type = HSAY_MSG_NONE;
    answer(&scene->other, scene->other_request.intro_request.id, &seen, &nobody);
}

void scene_run(struct scene *scene, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += TICK_MS) {
        world_run(&scene->w, TICK_MS);
        look_at_peers(scene);
        look_at_other(scene);
    }
}

void scene_ask(struct scene *scene, unsigned i)
{
    struct stranger *s = &scene->peer[i];
    struct hsay_message m = stranger_request(s, HSAY_CLAIM_NONE, 400);
    m.intro_request.flags = 0;
    stranger_send(s, 0, &m, &(struct stranger_sealing){.first = true});
    assert_int_equal(s->answer.type, HSAY_MSG_INTRO_RESPONSE);
    scene->token[i] = s->answer.intro_response.token;
    m = stranger_request(s, HSAY_CLAIM_NONE, 0);
    m.intro_request.flags = 0;
    stranger_send(s, 0, &m, &(struct stranger_sealing){.token = &scene->token[i]});
}

static struct hsay_introduced other_as(const struct scene *scene, uint8_t nat)
{
    return (struct hsay_introduced){.addr = scene->other.addr, .key = scene->other.key, .nat = nat};
}

void scene_name(struct scene *scene, unsigned i, uint8_t nat)
{
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE_REQUEST};
    m.puncture_request.id = 1000 + i;
    m.puncture_request.target = other_as(scene, nat);
    stranger_send(&scene->peer[i], 0, &m, &(struct stranger_sealing){.token = &scene->token[i]});
}

void scene_name_by_three(struct scene *scene, uint8_t nat)
{
    for (unsigned i = 0; i < 3; i++)
        scene_name(scene, i, nat);
}

void scene_other_sends(struct scene *scene, uint16_t socket, uint8_t type, bool hears)
{
    struct hsay_message m = {.type = type};
    if (type == HSAY_MSG_INTRO_REQUEST)
        m = stranger_request(&scene->other, HSAY_CLAIM_NONE, 400);
    else
        m.puncture = (struct hsay_puncture){.id = 5, .token.byte[0] = 2};
    scene->other.socket = socket;
    stranger_send(&scene->other, 0, &m,
                  &(struct stranger_sealing){.token = hears ? &scene->other_token : NULL});
}

unsigned scene_sent_since(const struct scene *scene, uint64_t since_ns)
{
    unsigned count = 0;
    for (unsigned i = 0; i < scene->sent_count; i++)
        count += scene->sent[i].at_ns > since_ns;
    return count;
}
