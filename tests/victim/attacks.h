/*
 * Every way in which somebody may want a node to send where it should not.  Each has a victim of
 * its own, so that a packet tells which one worked.
 *
 * `n` is the attack's number.  Hosts of the world are 5.(32 + n).0.1, or 5.(64 + n).0.1 where the
 * protocol allows a bounded number of packets; in the node's LAN 192.168.50.n, in its own loopback
 * 127.0.1.n, and the group is 239.0.0.n.
 */
#ifndef HEARSAY_TESTS_ATTACKS_H
#define HEARSAY_TESTS_ATTACKS_H

#include "tests/victim/party.h"

enum attack {
    ATTACK_NONE,
    /* Puncture-requests that may not be obeyed, whoever is named. */
    ATTACK_STRANGER,
    ATTACK_FORGED_TOKEN,
    ATTACK_STALE_TOKEN,
    ATTACK_ANOTHERS_TOKEN,
    ATTACK_REPLAY,        /* a contact's, sent on from another address */
    ATTACK_FORGED_SOURCE, /* a contact's address and token, but not its key */
    ATTACK_FROM_VICTIM,   /* as if the victim itself asked */
    ATTACK_PROBE,         /* or a probe of it, for one of its ports */
    /* Those of contacts, which are obeyed, but not for these. */
    ATTACK_LAN,
    ATTACK_MULTICAST,
    ATTACK_LOOPBACK,
    ATTACK_LOW_PORT,
    /* Answers to nothing, with a victim and a vote in them. */
    ATTACK_UNASKED,
    ATTACK_UNASKED_CONTACT, /* with a good token */
    ATTACK_MOVED,           /* the puncture of somebody introduced, from the victim's address */
    /* A contact's answers to what it was asked. */
    ATTACK_MET_LAN,
    ATTACK_MET_MULTICAST,
    ATTACK_MET_LOOPBACK,
    ATTACK_MET_LOW_PORT,
    ATTACK_MET_UNWANTED, /* an introduction, but none was asked for */
    ATTACK_LAN_FIELD,    /* a puncture-request for an own address with the victim in `lan` */
    ATTACK_MET_LAN_FIELD,
    /* What is allowed, within bounds. */
    ATTACK_REFLECTED, /* a request from the victim's address: answered with what it paid for */
    ATTACK_NAMED,     /* contacts name one victim, by requests and answers, under many keys */
    ATTACK_PORTS,     /* or one host with ever new ports */
    ATTACK_COUNT
};

enum { STRANGERS = 24, CONTACTS = 12, OWN_PORT = 6421, VICTIM_PORT = 20000 };

struct attacker {
    struct mark mark;
    struct party stranger[STRANGERS];   /* 5.(128 + i).0.1 */
    struct party contact[CONTACTS];     /* 5.(200 + i).0.1 */
    struct party absent;                /* 5.250.0.1: introduced, never answers */
    struct datagram captured[CONTACTS]; /* for ATTACK_REPLAY */
    struct datagram reflected;          /* the last one */
    uint64_t chance;
    unsigned met; /* introductions made */
    uint64_t packets[ATTACK_COUNT], bytes[ATTACK_COUNT];
};

extern const char *const attack_name[ATTACK_COUNT];

struct hsay_addr attack_victim(enum attack attack);

/* The next one, drawn; ATTACK_PORTS only after the half, lest it take all that may be sent in one
 * second from the rest. */
enum attack attack_draw(struct attacker *a, bool second_half);

void attack_make(struct attacker *a, enum attack attack, struct datagram *out);

/* Contact `c` answers what the node asked. */
enum attack attack_answer(struct attacker *a, struct party *c,
                          const struct hsay_intro_request *asked, struct datagram *out);

/* An honest question of a contact, whose id is returned. */
uint64_t attack_question(struct attacker *a, const struct party *c, struct datagram *out);

#endif
