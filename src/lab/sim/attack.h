/*
 * Attackers: peers without a node, that speak the protocol to somebody's harm.
 *
 * All of them are one crowd (crowd.h) in one mind, which knows every victim's address.  They ask
 * each victim for attention at a steady pace, every member in its turn: a first request without a
 * token, and when its answer brings one, a second that shows it.  They answer whoever asks, at
 * once, whatever the kind of attack but `flood`; introduce nobody but each other, also to those who
 * did not want an introduction; and puncture towards whom they were introduced to, which renews the
 * introduction.  All say that they are public, as they are.  What they say of bundles is the kind.
 *
 * They do what a real attacker could do, and no more: they read only what is sealed for them, have
 * no addresses but their own, and hear of a token only by being at the address that it is for.
 */
#ifndef HEARSAY_LAB_ATTACK_H
#define HEARSAY_LAB_ATTACK_H

#include "src/lab/sim/crowd.h"
#include "src/lab/sim/sim.h"

enum lab_attack_kind {
    LAB_ATTACK_ECLIPSE, /* they hold nothing, and say so */
    LAB_ATTACK_ECHO,    /* they hold exactly what the asker holds: all is well, no need to look */
    LAB_ATTACK_BAIT,    /* they hold very much more, and give nothing */
    LAB_ATTACK_RELAY,   /* they hold what an honest host holds, and give it by single datagrams */
    LAB_ATTACK_FLOOD,   /* they ask, and never answer */
};

struct lab_attack_config {
    enum lab_attack_kind kind;
    uint32_t members; /* 0: there is no attack */
    uint32_t machines;
    uint32_t networks;
    uint32_t victims; /* 0: all honest hosts */
    double pace;      /* requests per second that each victim gets from all members together */
    uint64_t from_ns; /* since the start: until then they are not there */
};

struct lab_attack_count {
    uint64_t asked;   /* first requests */
    uint64_t shown;   /* second ones, with a token */
    uint64_t answers; /* given */
    uint64_t introductions;
    uint64_t punctures;
    uint64_t bundles; /* relayed */
    uint64_t unread;  /* datagrams that were sealed for somebody else, or were none */
};

struct lab_attack;

/* HSAY_EINVAL and a sentence in `why`. */
int lab_attack_check(const struct lab_attack_config *config, char *why, size_t why_size);

/* Observes `sim`, which must have an extra host, the first of which they are, and marks the
 * victims (LAB_HOST_MARKED): the last of the honest hosts, but no trackers.  A configuration that
 * was checked.  NULL if there is no attack. */
struct lab_attack *lab_attack_new(struct lab_sim *sim, const struct lab_attack_config *config);

/* After the last event of the simulation; may be NULL. */
void lab_attack_free(struct lab_attack *attack);

const struct lab_attack_count *lab_attack_count(const struct lab_attack *attack);

/* Is this one of theirs?  Of any host that runs no node. */
bool lab_attack_is_at(const struct lab_sim *sim, const struct hsay_addr *addr);

#endif
