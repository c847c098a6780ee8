/*
 * What the NAT or firewall in front of us lets in (RFC 4787, section 5), from what happens anyway.
 * Decides, and never sends.
 *
 * A packet that comes from a host to which nothing has gone for longer than NATs remember can only
 * have come through something that lets all in; one from a host that we wrote to, but from another
 * port, through what does not look at ports.  Both are facts, whoever sent it and whatever it says:
 * only who can put packets onto our own link could forge them.
 *
 * What does not come is a hint: a peer whom somebody introduced to us was asked to send us a
 * puncture, answers when we ask it, and yet its puncture never came; or a peer behind a symmetric
 * NAT never gets through to us.  Packets are lost, and the one who says that it asked may lie.
 *
 * So nothing is said before three network groups show the same, and silence counts for nothing
 * once a single packet has come in unasked.  Each silence is the word of two, who asked and who was
 * asked: both must be new.
 *
 * What we do not remember sending must not make us believe that all are let in (the worst of the
 * mistakes: others would be sent to us in vain).  Where we sent is kept in two Bloom filters, the
 * older of which is emptied every five minutes: they err by forgetting nothing, and what is taken
 * for sent is no evidence.  And what was sent before our time (by this host, until it was started
 * again) is not known at all: hsay_filter_blind.
 */
#ifndef HEARSAY_FILTER_H
#define HEARSAY_FILTER_H

#include "hearsay/types.h"

enum {
    HSAY_FILTER_AGREE_GROUPS = 3,
    /* Who is never heard may as well be gone, or be asked by too many for punctures: in a crowd of
     * thirty nodes, twenty of which came at once, it was every other one.  0.5^5 is 3 %. */
    HSAY_FILTER_UNHEARD_GROUPS = 5,
    HSAY_FILTER_VOICES_MAX = 8, /* of one family that say the same */
    HSAY_FILTER_LIFETIME_MS = 600000,

    /* NATs forget after 2 to 5 minutes (RFC 4787 asks for at least 2, and recommends 5). */
    HSAY_FILTER_MEMORY_MS = 300000,
    /* 256 bytes twice: 300 hosts, and as many addresses, in five minutes fill them to 44 %, when
     * one of five looks as if it had been sent to. */
    HSAY_FILTER_WORDS = 64,

    /* A puncture goes over the introducer and the peer, the introduction from the introducer to
     * us: by the way over us, the detour is no longer than the round trip to the peer.  Twice that
     * and this, and it will not come any more. */
    HSAY_FILTER_LATE_MS = 50,
};

/* What happened, from the most to the least that is let in. */
enum hsay_filter_sign {
    HSAY_FILTER_LET_IN,     /* from a host that we had not sent to */
    HSAY_FILTER_OTHER_PORT, /* from one that we had, but not to this port */
    HSAY_FILTER_KEPT_OUT,   /* its puncture never came, and it answered then */
    HSAY_FILTER_UNHEARD, /* behind a symmetric NAT, never heard, though we had sent to its host */
    HSAY_FILTER_SIGNS
};

/* One network group to which it happened. */
struct hsay_filter_voice {
    uint32_t group; /* of the peer, in half of hsay_addr_group's bits; 0: unused */
    uint32_t at_s;
    uint16_t asker; /* who was to ask it, as its network group's hash; 0: nobody */
};

struct hsay_filter {
    struct hsay_filter_voice voice[2][HSAY_FILTER_SIGNS][HSAY_FILTER_VOICES_MAX];
    uint32_t sent[2][HSAY_FILTER_WORDS]; /* now, and before */
    uint32_t since_s;                    /* when `now` began */
    uint32_t blind_s;                    /* up to when things happened that we do not know of */
    bool blind;
};

struct hsay_filter_result {
    uint8_t kind;                     /* enum hsay_filter_kind */
    uint8_t groups;                   /* for it */
    uint8_t signs[HSAY_FILTER_SIGNS]; /* groups that showed each of these */
};

void hsay_filter_init(struct hsay_filter *filter, hsay_time now);

/* This host has sent to others up to now, we do not know to whom: it was started again. */
void hsay_filter_blind(struct hsay_filter *filter, hsay_time now);

/* Forgets all that was shown, but not where we sent: for when the host has changed its network. */
void hsay_filter_reset(struct hsay_filter *filter);

/* A packet goes to that address, or has come from there and been looked at. */
void hsay_filter_on_traffic(struct hsay_filter *filter, hsay_time now,
                            const struct hsay_addr *addr);

/* Nothing has gone to that host, or come from it, as long as a NAT would remember. */
bool hsay_filter_is_untouched(struct hsay_filter *filter, hsay_time now,
                              const struct hsay_addr *addr);

/* Nothing has gone to that very address, or come from it: hsay_filter_on_packet has something to
 * learn from it. */
bool hsay_filter_is_news(struct hsay_filter *filter, hsay_time now, const struct hsay_addr *addr);

/* A packet of a peer came from there; before hsay_filter_on_traffic. */
void hsay_filter_on_packet(struct hsay_filter *filter, hsay_time now, const struct hsay_addr *from);

/* One that did not come. */
struct hsay_filter_silence {
    struct hsay_addr peer;
    uint16_t asker;     /* a hash of the network group of who was to ask for it; not 0 */
    uint8_t sign;       /* HSAY_FILTER_KEPT_OUT or _UNHEARD */
    uint64_t waited_ms; /* for the puncture, before anything was sent to the peer; KEPT_OUT alone */
    uint64_t rtt_ms;    /* to the peer, as well */
};
void hsay_filter_on_silence(struct hsay_filter *filter, hsay_time now,
                            const struct hsay_filter_silence *silence);

/* family: HSAY_ADDR_IP4 or HSAY_ADDR_IP6. */
void hsay_filter_result(const struct hsay_filter *filter, hsay_time now, uint8_t family,
                        struct hsay_filter_result *result);

#endif
