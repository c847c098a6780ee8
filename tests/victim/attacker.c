/*
 * Attacks one node in every way of attacks.h, mixed, and prints how often each was tried:
 *
 *     attacker FILE ADDRESS NODE-KEY OVERLAY-KEY [PACKETS]
 *
 * Without PACKETS it only becomes a contact of the node, under many keys, and leaves the tokens
 * that it got in FILE; with them it finds tokens there that the node made before its last start.
 *
 * Nothing is lost on the way: after each BURST a contact asks a question, and what follows waits
 * for the answer, so that the node has read what came before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hearsay/crypto_sodium.h"
#include "nat/addr_class.h"
#include "src/common/hex.h"
#include "tests/victim/attacks.h"
#include "tests/victim/link.h"

enum {
    BURST = 400,
    PER_SECOND = 9000,
    ANSWER_WAIT_MS = 500,
    ANSWER_TRIES = 100,
    AFTERWARDS_MS = 2000, /* time for the node to go where it may have been told to */
};

struct scene {
    struct attacker a;
    struct link link;
    uint64_t questions, repeated; /* asked, and of these again */
    uint64_t answered;            /* of the node's questions */
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void give_up(const char *why)
{
    fprintf(stderr, "attacker: %s\n", why);
    exit(1);
}

/* ---- listening ---- */

static struct party *contact_at(struct scene *s, const struct hsay_addr *at)
{
    for (unsigned i = 0; i < CONTACTS; i++)
        if (hsay_addr_same_host(&s->a.contact[i].addr, at))
            return &s->a.contact[i];
    return NULL;
}

static void answer(struct scene *s, struct party *c, const struct hsay_intro_request *asked)
{
    struct datagram *out = link_next(&s->link);
    enum attack attack = attack_answer(&s->a, c, asked, out);
    s->a.packets[attack]++;
    s->a.bytes[attack] += out->size;
    s->answered++;
    link_flush(&s->link);
}

/* Takes one datagram, if one comes; true if it answers question `id`. */
static bool listen_once(struct scene *s, int wait_ms, uint64_t id, bool *something)
{
    static struct datagram d;
    static uint8_t plain[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_addr at;
    struct hsay_message m;
    *something = link_receive(&s->link, wait_ms, &at, &d);
    if (!*something)
        return false;
    struct party *c = contact_at(s, &at);
    struct hsay_span span = {d.bytes, d.size};
    if (c == NULL || party_open(c, &s->a.mark, span, plain, &m) != 0)
        return false;
    if (m.type == HSAY_MSG_INTRO_REQUEST)
        answer(s, c, &m.intro_request);
    if (m.type != HSAY_MSG_INTRO_RESPONSE)
        return false;
    c->token = m.intro_response.token;
    c->known = true;
    return m.intro_response.id == id;
}

static bool listen_for(struct scene *s, unsigned ms, uint64_t id)
{
    uint64_t end = now_ms() + ms;
    bool something;
    do {
        uint64_t now = now_ms();
        if (listen_once(s, now < end ? (int)(end - now) : 0, id, &something))
            return true;
    } while (something || now_ms() < end);
    return false;
}

/* ---- speaking ---- */

static void ask(struct scene *s, const struct party *c)
{
    for (unsigned tries = 0; tries < ANSWER_TRIES; tries++) {
        uint64_t id = attack_question(&s->a, c, link_next(&s->link));
        link_flush(&s->link);
        s->questions++;
        s->repeated += tries != 0;
        if (listen_for(s, ANSWER_WAIT_MS, id))
            return;
    }
    give_up("the node does not answer");
}

/* The second question shows the token that the first brought. */
static void become_contacts(struct scene *s)
{
    for (unsigned i = 0; i < CONTACTS; i++) {
        ask(s, &s->a.contact[i]);
        ask(s, &s->a.contact[i]);
    }
    listen_for(s, 500, 0);
}

/* Who is late stays late: catching up would be too many at once. */
static void wait_until_due(struct scene *s, uint64_t *start, unsigned long sent)
{
    uint64_t due = *start + sent * 1000 / PER_SECOND, now = now_ms();
    if (now < due)
        listen_for(s, (unsigned)(due - now), 0);
    else
        *start += now - due;
}

static void attack(struct scene *s, unsigned long packets)
{
    uint64_t start = now_ms();
    for (unsigned long i = 0; i < packets; i++) {
        if (i % LINK_BATCH == 0) {
            link_flush(&s->link);
            wait_until_due(s, &start, i);
        }
        if (i % BURST == 0)
            ask(s, &s->a.contact[i / BURST % CONTACTS]);
        struct datagram *out = link_next(&s->link);
        enum attack kind = attack_draw(&s->a, i > packets / 2);
        attack_make(&s->a, kind, out);
        s->a.packets[kind]++;
        s->a.bytes[kind] += out->size;
    }
    link_flush(&s->link);
    ask(s, &s->a.contact[0]);
    listen_for(s, AFTERWARDS_MS, 0);
}

/* ---- the rest ---- */

static void make_parties(struct attacker *a)
{
    struct hsay_addr at = addr4(5, 250, 0, 1, OWN_PORT);
    party_make(&a->absent, &a->mark, 1000, &at);
    for (unsigned i = 0; i < STRANGERS; i++) {
        at = addr4(5, 128 + i, 0, 1, OWN_PORT);
        party_make(&a->stranger[i], &a->mark, 2000 + i, &at);
    }
    for (unsigned i = 0; i < CONTACTS; i++) {
        at = addr4(5, 200 + i, 0, 1, OWN_PORT);
        party_make(&a->contact[i], &a->mark, 3000 + i, &at);
    }
}

static void keep_tokens(const struct attacker *a, const char *path)
{
    FILE *file = fopen(path, "wbe");
    for (unsigned i = 0; file != NULL && i < CONTACTS; i++)
        fwrite(&a->contact[i].token, sizeof a->contact[i].token, 1, file);
    if (file == NULL || fclose(file) != 0)
        give_up("cannot write the tokens");
}

static void find_tokens(struct attacker *a, const char *path)
{
    FILE *file = fopen(path, "rbe");
    unsigned i = 0;
    while (file != NULL && i < CONTACTS &&
           fread(&a->contact[i].stale, sizeof a->contact[i].stale, 1, file) == 1)
        i++;
    if (i < CONTACTS)
        give_up("cannot read the tokens");
    fclose(file);
}

static void report(const struct scene *s)
{
    uint64_t all = s->questions + s->a.packets[ATTACK_NONE];
    for (unsigned i = 1; i < ATTACK_COUNT; i++) {
        all += s->a.packets[i];
        printf("%u %s %llu %llu\n", i, attack_name[i], (unsigned long long)s->a.packets[i],
               (unsigned long long)s->a.bytes[i]);
    }
    printf("questions %llu\nrepeated %llu\nanswered %llu\nall %llu\n",
           (unsigned long long)s->questions, (unsigned long long)s->repeated,
           (unsigned long long)s->answered, (unsigned long long)all);
}

static void read_mark(struct mark *mark, char **word)
{
    struct hsay_key overlay;
    if (hsay_sodium_init() != 0)
        give_up("no chance");
    hsay_crypto_sodium(&mark->crypto);
    if (hsay_addr_parse(&mark->addr, word[0]) != 0 ||
        hex_parse(&mark->key, sizeof mark->key, word[1]) != 0 ||
        hex_parse(&overlay, sizeof overlay, word[2]) != 0)
        give_up("an address and two keys are wanted");
    hsay_seal_derive(&mark->keys, &mark->crypto, &overlay, (struct hsay_span){NULL, 0});
}

int main(int argc, char **argv)
{
    static struct scene s;
    if (argc != 5 && argc != 6)
        give_up("FILE ADDRESS NODE-KEY OVERLAY-KEY [PACKETS]");
    s.a.chance = (uint64_t)argc; /* no id of one run is one of the other's */
    read_mark(&s.a.mark, argv + 2);
    make_parties(&s.a);
    if (!link_open(&s.link, &s.a.mark.addr, OWN_PORT))
        give_up("cannot open sockets");
    if (argc == 6)
        find_tokens(&s.a, argv[1]);
    become_contacts(&s);
    if (argc == 6)
        attack(&s, strtoul(argv[5], NULL, 10));
    else
        keep_tokens(&s.a, argv[1]);
    report(&s);
    return 0;
}
