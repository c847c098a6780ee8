/*
 * What a node would do without its checks: linked into a daemon for tests alone, before the core's
 * functions of the same names (ld --wrap).  HSAY_TEST_OFF names the checks that are off.
 */
#include <stdlib.h>
#include <string.h>

#include "nat/puncture.h"
#include "src/node/way.h"
#include "src/walk/pending.h"
#include "src/wire/ledger.h"
#include "src/wire/token.h"

bool __real_hsay_addr_sendable(const struct hsay_addr *addr, const struct hsay_addr_policy *policy);
bool __real_hsay_addr_same_host(const struct hsay_addr *a, const struct hsay_addr *b);
struct hsay_ledger_account __real_hsay_ledger_account(size_t bytes, bool validated);
bool __real_hsay_ledger_charge(struct hsay_ledger_account *account, size_t bytes);
bool __real_hsay_ledger_pass(struct hsay_ledger *ledger, hsay_time now, enum hsay_send_class class,
                             const struct hsay_addr *to, struct hsay_ledger_account *account,
                             size_t bytes);
size_t __real_hsay_ledger_room(const struct hsay_ledger *ledger,
                               const struct hsay_ledger_account *account);
struct hsay_pending *__real_hsay_pending_find(struct hsay_pendings *table, uint64_t id,
                                              const struct hsay_peer *from);
enum hsay_puncture_verdict __real_hsay_puncture_try(struct hsay_puncture_table *table,
                                                    hsay_time now,
                                                    const struct hsay_puncture_ask *ask);
bool __real_hsay_token_good(const struct hsay_token *token, const struct hsay_crypto *crypto,
                            const uint8_t secret[32], hsay_time now,
                            const struct hsay_token_scope *scope);

struct hsay_addr __real_hsay_way_told_lan(struct hsay_call *call, const struct hsay_addr *lan,
                                          const struct hsay_addr *peer);

static bool is_off(const char *check)
{
    const char *off = getenv("HSAY_TEST_OFF");
    return off != NULL && strstr(off, check) != NULL;
}

/* target: any address may be named that can be written down. */
bool __wrap_hsay_addr_sendable(const struct hsay_addr *addr, const struct hsay_addr_policy *policy)
{
    if (is_off("target"))
        return addr->kind != HSAY_ADDR_NONE && addr->port != 0;
    return __real_hsay_addr_sendable(addr, policy);
}

/* inside: whoever names an address in our LAN is believed. */
struct hsay_addr __wrap_hsay_way_told_lan(struct hsay_call *call, const struct hsay_addr *lan,
                                          const struct hsay_addr *peer)
{
    return is_off("inside") ? *lan : __real_hsay_way_told_lan(call, lan, peer);
}

/* place: a puncture may come from another host than the one introduced. */
bool __wrap_hsay_addr_same_host(const struct hsay_addr *a, const struct hsay_addr *b)
{
    return is_off("place") || __real_hsay_addr_same_host(a, b);
}

/* token: everybody has shown a good one, and any is. */
bool __wrap_hsay_token_good(const struct hsay_token *token, const struct hsay_crypto *crypto,
                            const uint8_t secret[32], hsay_time now,
                            const struct hsay_token_scope *scope)
{
    return is_off("token") || __real_hsay_token_good(token, crypto, secret, now, scope);
}

struct hsay_ledger_account __wrap_hsay_ledger_account(size_t bytes, bool validated)
{
    return __real_hsay_ledger_account(bytes, validated || is_off("token"));
}

/* ledger: anything may be sent. */
bool __wrap_hsay_ledger_charge(struct hsay_ledger_account *account, size_t bytes)
{
    return is_off("ledger") || __real_hsay_ledger_charge(account, bytes);
}

bool __wrap_hsay_ledger_pass(struct hsay_ledger *ledger, hsay_time now, enum hsay_send_class class,
                             const struct hsay_addr *to, struct hsay_ledger_account *account,
                             size_t bytes)
{
    return is_off("ledger") || __real_hsay_ledger_pass(ledger, now, class, to, account, bytes);
}

size_t __wrap_hsay_ledger_room(const struct hsay_ledger *ledger,
                               const struct hsay_ledger_account *account)
{
    return is_off("ledger") ? ledger->datagram_bytes : __real_hsay_ledger_room(ledger, account);
}

/* asked: an answer need not have been asked for, nor what it introduces. */
struct hsay_pending *__wrap_hsay_pending_find(struct hsay_pendings *table, uint64_t id,
                                              const struct hsay_peer *from)
{
    struct hsay_pending *p = __real_hsay_pending_find(table, id, from);
    if (!is_off("asked"))
        return p;
    if (p == NULL)
        p = hsay_pending_new(table);
    if (p == NULL)
        p = &table->entry[0];
    p->kind = HSAY_PENDING_INTRO;
    p->to = *from;
    p->answered = false;
    p->introduce = true;
    return p;
}

/* puncture: whoever asks is obeyed, as often as it asks. */
enum hsay_puncture_verdict __wrap_hsay_puncture_try(struct hsay_puncture_table *table,
                                                    hsay_time now,
                                                    const struct hsay_puncture_ask *ask)
{
    if (is_off("puncture"))
        return HSAY_PUNCTURE_OK;
    return __real_hsay_puncture_try(table, now, ask);
}
