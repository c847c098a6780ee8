#include "src/lab/sim/nat_box.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "nat/addr_class.h"

#define SECOND UINT64_C(1000000000)

/* --- kinds ----------------------------------------------------------------------------------- */

/* A minute, as Halkes and Pouwelse (2011) found often; populations draw their own.  Ports that a
 * user may bind.  No hairpin, as three in four had none (Ford, Srisuresh, Kegel 2005).  4,096 of
 * each is far more than one node asks for: who studies exhaustion sets less. */
#define KIND(its_name, its_mapping, its_filtering, its_ports)                                      \
    {                                                                                              \
        .name = its_name, .timeout_ns = 60 * SECOND, .stream_ns = 60 * SECOND,                     \
        .mapping = LAB_NAT_##its_mapping, .filtering = LAB_NAT_##its_filtering,                    \
        .ports = LAB_NAT_PORTS_##its_ports, .port_step = 1, .port_low = 1024, .port_high = 65535,  \
        .mappings_max = 4096, .filters_max = 4096                                                  \
    }

static const struct lab_nat_kind kinds[] = {
    {.name = "open", .open = true},
    KIND("full_cone", INDEPENDENT, INDEPENDENT, KEPT),
    KIND("address_restricted", INDEPENDENT, ADDRESS, KEPT),
    KIND("port_restricted", INDEPENDENT, PORT, KEPT),
    KIND("symmetric", PORT, PORT, RANDOM),
    KIND("symmetric_sequential", PORT, PORT, SEQUENTIAL),
    {.name = "blocked", .blocked = true},
    KIND("EIM-EIF", INDEPENDENT, INDEPENDENT, KEPT),
    KIND("EIM-ADF", INDEPENDENT, ADDRESS, KEPT),
    KIND("EIM-APDF", INDEPENDENT, PORT, KEPT),
    KIND("ADM-EIF", ADDRESS, INDEPENDENT, RANDOM),
    KIND("ADM-ADF", ADDRESS, ADDRESS, RANDOM),
    KIND("ADM-APDF", ADDRESS, PORT, RANDOM),
    KIND("APDM-EIF", PORT, INDEPENDENT, RANDOM),
    KIND("APDM-ADF", PORT, ADDRESS, RANDOM),
    KIND("APDM-APDF", PORT, PORT, RANDOM),
};

const struct lab_nat_kind *lab_nat_kind_number(unsigned number)
{
    return number < sizeof kinds / sizeof *kinds ? &kinds[number] : NULL;
}

const struct lab_nat_kind *lab_nat_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* --- boxes ----------------------------------------------------------------------------------- */

static bool has_table(const struct lab_nat_kind *kind)
{
    return !kind->open && !kind->blocked;
}

static void check(const struct lab_nat_kind *kind)
{
    assert(!kind->open);
    if (!has_table(kind))
        return;
    assert(kind->mapping <= LAB_NAT_PORT && kind->filtering <= LAB_NAT_PORT);
    assert(kind->port_low != 0 && kind->port_low <= kind->port_high);
    assert(kind->mappings_max != 0 && kind->filters_max != 0);
    assert(kind->timeout_ns != 0 && kind->timeout_ns <= kind->stream_ns);
    assert(kind->settling_ns <= LAB_NAT_SETTLING_MAX_NS);
}

void lab_nat_box_init(struct lab_nat_box *box, const struct lab_nat_kind *kind,
                      const struct hsay_addr *host)
{
    assert(host->kind == HSAY_ADDR_IP4);
    check(kind);
    memset(box, 0, sizeof *box);
    box->kind = kind;
    box->host = *host;
    box->host.port = 0;
    lab_nat_table_init(&box->mapping, true);
    lab_nat_table_init(&box->filter, false);
    box->mapping.settling_ns = box->filter.settling_ns = kind->settling_ns;
}

void lab_nat_box_free(struct lab_nat_box *box)
{
    lab_nat_table_free(&box->mapping);
    lab_nat_table_free(&box->filter);
}

void lab_nat_flush(struct lab_nat_box *box)
{
    lab_nat_box_free(box);
    box->port_next = 0;
}

size_t lab_nat_box_bytes(const struct lab_nat_box *box)
{
    return lab_nat_table_bytes(&box->mapping) + lab_nat_table_bytes(&box->filter);
}

static uint32_t ip_of(const struct hsay_addr *addr)
{
    const uint8_t *byte = addr->byte;
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static struct hsay_addr addr_of(uint32_t ip, uint16_t port)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP4, .port = port};
    for (unsigned i = 0; i < 4; i++)
        addr.byte[i] = (uint8_t)(ip >> (24 - 8 * i));
    return addr;
}

bool lab_nat_is_own(const struct lab_nat_box *box, const struct hsay_addr *to)
{
    return hsay_addr_same_host(&box->host, to);
}

static void expire(struct lab_nat_box *box, uint64_t now_ns)
{
    uint64_t timeout_ns = box->kind->timeout_ns, stream_ns = box->kind->stream_ns;
    lab_nat_table_expire(&box->filter, now_ns, timeout_ns, stream_ns);
    lab_nat_table_expire(&box->mapping, now_ns, timeout_ns, stream_ns);
}

static bool passes(const struct lab_nat_kind *kind, const struct hsay_addr *a,
                   const struct hsay_addr *b)
{
    return has_table(kind) && a->kind == HSAY_ADDR_IP4 && b->kind == HSAY_ADDR_IP4;
}

/* What a rule sees of two endpoints. */
static struct lab_nat_key key_by(enum lab_nat_rule rule, const struct hsay_addr *near,
                                 const struct hsay_addr *far)
{
    struct lab_nat_key key = {.near_ip = ip_of(near), .near_port = near->port};
    if (rule != LAB_NAT_INDEPENDENT)
        key.far_ip = ip_of(far);
    if (rule == LAB_NAT_PORT)
        key.far_port = far->port;
    return key;
}

/* --- out ------------------------------------------------------------------------------------- */

static uint32_t port_span(const struct lab_nat_kind *kind)
{
    return (uint32_t)kind->port_high - kind->port_low + 1;
}

/* Any number, brought into the range of ports. */
static uint16_t port_in_range(const struct lab_nat_kind *kind, int64_t port)
{
    int64_t span = port_span(kind), above = (port - kind->port_low) % span;
    return (uint16_t)(kind->port_low + (above < 0 ? above + span : above));
}

static uint16_t port_first(const struct lab_nat_box *box, struct lab_chance *chance,
                           uint16_t inside_port)
{
    const struct lab_nat_kind *kind = box->kind;
    if (kind->ports == LAB_NAT_PORTS_KEPT)
        return port_in_range(kind, inside_port);
    if (kind->ports == LAB_NAT_PORTS_SEQUENTIAL && box->port_next != 0)
        return box->port_next;
    return (uint16_t)(kind->port_low + lab_chance_below(chance, port_span(kind)));
}

static bool port_taken(const struct lab_nat_box *box, uint16_t port)
{
    return lab_nat_table_find_port(&box->mapping, port) != LAB_NAT_NONE;
}

/* The one to try after `port`, which is taken.  A step that shares a factor with the range misses
 * some: after one round of them ports are tried one by one. */
static uint16_t port_after(const struct lab_nat_box *box, uint16_t port, uint32_t tries)
{
    const struct lab_nat_kind *kind = box->kind;
    if (kind->ports == LAB_NAT_PORTS_KEPT && tries == 1 && box->port_next != 0)
        return box->port_next;
    bool steps = kind->ports == LAB_NAT_PORTS_SEQUENTIAL && tries < port_span(kind);
    return port_in_range(kind, port + (steps ? kind->port_step : 1));
}

/* There must be a free one.  Where ports are kept, the search goes on from where the last one
 * ended: all peers have the same port by default, and behind a carrier they are many. */
static uint16_t port_pick(struct lab_nat_box *box, struct lab_chance *chance, uint16_t inside_port)
{
    uint16_t port = port_first(box, chance, inside_port);
    uint32_t tries = 1;
    for (; port_taken(box, port); tries++)
        port = port_after(box, port, tries);
    if (box->kind->ports == LAB_NAT_PORTS_SEQUENTIAL)
        box->port_next = port_in_range(box->kind, port + box->kind->port_step);
    else if (tries > 1)
        box->port_next = port_in_range(box->kind, port + 1);
    return port;
}

static bool is_full(const struct lab_nat_box *box)
{
    uint32_t count = box->mapping.count;
    return count >= box->kind->mappings_max || count >= port_span(box->kind);
}

/* LAB_NAT_NONE: there is no room. */
static uint16_t map(struct lab_nat_box *box, struct lab_chance *chance, uint64_t now_ns,
                    const struct lab_nat_key *key)
{
    uint16_t at = lab_nat_table_find(&box->mapping, key);
    if (at != LAB_NAT_NONE) {
        lab_nat_table_refresh(&box->mapping, at, now_ns);
        return at;
    }
    if (is_full(box)) {
        if (box->kind->refuse_new)
            return LAB_NAT_NONE;
        lab_nat_table_remove(&box->mapping, lab_nat_table_oldest(&box->mapping));
    }
    uint16_t port = port_pick(box, chance, key->near_port);
    return lab_nat_table_add(&box->mapping, key, port, now_ns);
}

/* A mapping that depends on as much as the filter is a filter itself.  Filters are found by inside
 * socket: those of a mapping that had to go live on until they are old, for the one after it. */
static bool has_filters(const struct lab_nat_kind *kind)
{
    return kind->filtering > kind->mapping;
}

/* Beside a filter that is wider stands one by port for each flow.  One that came from outside is in
 * the same table. */
static bool has_flows(const struct lab_nat_kind *kind)
{
    return kind->flows && kind->mapping == LAB_NAT_INDEPENDENT && kind->filtering < LAB_NAT_PORT;
}

static uint16_t let_back(struct lab_nat_box *box, uint64_t now_ns, const struct lab_nat_key *key)
{
    uint16_t at = lab_nat_table_find(&box->filter, key);
    if (at != LAB_NAT_NONE) {
        lab_nat_table_refresh(&box->filter, at, now_ns);
        return at;
    }
    if (box->filter.count >= box->kind->filters_max)
        lab_nat_table_remove(&box->filter, lab_nat_table_oldest(&box->filter));
    return lab_nat_table_add(&box->filter, key, 0, now_ns);
}

static void let_back_all(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *inside,
                         const struct hsay_addr *to)
{
    struct lab_nat_key key = key_by(box->kind->filtering, inside, to);
    if (has_filters(box->kind) || has_flows(box->kind))
        let_back(box, now_ns, &key);
    key = key_by(LAB_NAT_PORT, inside, to);
    if (has_flows(box->kind))
        let_back(box, now_ns, &key);
}

bool lab_nat_out(struct lab_nat_box *box, struct lab_chance *chance, uint64_t now_ns,
                 const struct hsay_addr *inside, const struct hsay_addr *to, struct hsay_addr *as)
{
    if (!passes(box->kind, inside, to))
        return false;
    expire(box, now_ns);
    struct lab_nat_key key = key_by(box->kind->mapping, inside, to);
    uint16_t at = map(box, chance, now_ns, &key);
    if (at == LAB_NAT_NONE)
        return false;
    let_back_all(box, now_ns, inside, to);
    *as = box->host;
    as->port = box->mapping.entry[at].port;
    return true;
}

/* --- in -------------------------------------------------------------------------------------- */

/* Is it from where the mapping leads to, in as far as mapping and filter both look at that? */
static bool is_from_there(const struct lab_nat_kind *kind, const struct lab_nat_key *mapping,
                          const struct hsay_addr *from)
{
    unsigned rule = kind->mapping < kind->filtering ? kind->mapping : kind->filtering;
    return (rule < LAB_NAT_ADDRESS || mapping->far_ip == ip_of(from)) &&
           (rule < LAB_NAT_PORT || mapping->far_port == from->port);
}

static void on_answer(struct lab_nat_box *box, struct lab_nat_table *table, uint16_t at,
                      uint64_t now_ns)
{
    if (box->kind->refresh_in)
        lab_nat_table_refresh(table, at, now_ns);
    lab_nat_table_answered(table, at);
}

static bool filter_has(const struct lab_nat_box *box, enum lab_nat_rule rule,
                       const struct hsay_addr *inside, const struct hsay_addr *from)
{
    struct lab_nat_key key = key_by(rule, inside, from);
    return lab_nat_table_find(&box->filter, &key) != LAB_NAT_NONE;
}

static bool admits(const struct lab_nat_box *box, const struct hsay_addr *inside,
                   const struct hsay_addr *from)
{
    enum lab_nat_rule rule = box->kind->filtering;
    if (has_flows(box->kind))
        return filter_has(box, LAB_NAT_PORT, inside, from) || filter_has(box, rule, inside, from);
    return !has_filters(box->kind) || filter_has(box, rule, inside, from);
}

/* The mapping that lets it in; LAB_NAT_NONE: none does. */
static uint16_t way_in(const struct lab_nat_box *box, const struct hsay_addr *from,
                       const struct hsay_addr *to, struct hsay_addr *inside)
{
    uint16_t at = lab_nat_table_find_port(&box->mapping, to->port);
    if (at == LAB_NAT_NONE)
        return at;
    const struct lab_nat_key *mapping = &box->mapping.entry[at].key;
    *inside = addr_of(mapping->near_ip, mapping->near_port);
    return is_from_there(box->kind, mapping, from) && admits(box, inside, from) ? at : LAB_NAT_NONE;
}

static bool comes_in(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *from,
                     const struct hsay_addr *to)
{
    bool comes = passes(box->kind, from, to) && lab_nat_is_own(box, to);
    if (comes)
        expire(box, now_ns);
    return comes;
}

/* Of flows it is one that goes on, or one that begins: then what goes back is its second packet. */
static void note_answer(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *inside,
                        const struct hsay_addr *from)
{
    bool flows = has_flows(box->kind);
    if (!flows && !has_filters(box->kind))
        return;
    struct lab_nat_key key = key_by(flows ? LAB_NAT_PORT : box->kind->filtering, inside, from);
    uint16_t at = lab_nat_table_find(&box->filter, &key);
    if (at != LAB_NAT_NONE)
        on_answer(box, &box->filter, at, now_ns);
    else
        lab_nat_table_answered(&box->filter, let_back(box, now_ns, &key));
}

bool lab_nat_in(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *from,
                const struct hsay_addr *to, struct hsay_addr *inside)
{
    struct hsay_addr socket;
    uint16_t at = comes_in(box, now_ns, from, to) ? way_in(box, from, to, &socket) : LAB_NAT_NONE;
    if (at == LAB_NAT_NONE)
        return false;
    note_answer(box, now_ns, &socket, from);
    on_answer(box, &box->mapping, at, now_ns);
    *inside = socket;
    return true;
}

/* Whoever has this port, which that does not prolong. */
static bool reach(const struct lab_nat_box *box, const struct hsay_addr *to,
                  struct hsay_addr *reached)
{
    uint16_t at = lab_nat_table_find_port(&box->mapping, to->port);
    if (at == LAB_NAT_NONE)
        return false;
    const struct lab_nat_key *mapping = &box->mapping.entry[at].key;
    *reached = addr_of(mapping->near_ip, mapping->near_port);
    return true;
}

bool lab_nat_hairpin(struct lab_nat_box *box, struct lab_chance *chance, uint64_t now_ns,
                     const struct hsay_addr *inside, const struct hsay_addr *to,
                     struct hsay_addr *as, struct hsay_addr *reached)
{
    if (!box->kind->hairpin || !lab_nat_out(box, chance, now_ns, inside, to, as))
        return false;
    return box->kind->hairpin_open ? reach(box, to, reached)
                                   : lab_nat_in(box, now_ns, as, to, reached);
}

/* --- asking without touching ------------------------------------------------------------------ */

bool lab_nat_may_out(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *inside,
                     const struct hsay_addr *to, struct hsay_addr *as)
{
    if (!passes(box->kind, inside, to))
        return false;
    expire(box, now_ns);
    struct lab_nat_key key = key_by(box->kind->mapping, inside, to);
    uint16_t at = lab_nat_table_find(&box->mapping, &key), kept = inside->port;
    bool keeps = box->kind->ports == LAB_NAT_PORTS_KEPT && port_in_range(box->kind, kept) == kept &&
                 !port_taken(box, kept);
    if (at == LAB_NAT_NONE && is_full(box) && box->kind->refuse_new)
        return false;
    *as = box->host;
    as->port = at != LAB_NAT_NONE ? box->mapping.entry[at].port : keeps ? kept : 0;
    return true;
}

bool lab_nat_may_in(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *from,
                    const struct hsay_addr *to, struct hsay_addr *inside)
{
    return comes_in(box, now_ns, from, to) && way_in(box, from, to, inside) != LAB_NAT_NONE;
}

static unsigned count_whole_keys(const struct lab_nat_table *table)
{
    unsigned count = 0;
    for (unsigned timer = 0; timer < 2; timer++)
        for (uint16_t at = table->oldest[timer]; at != LAB_NAT_NONE; at = table->entry[at].newer)
            count += table->entry[at].key.far_port != 0;
    return count;
}

unsigned lab_nat_flows(struct lab_nat_box *box, uint64_t now_ns)
{
    expire(box, now_ns);
    if (has_flows(box->kind))
        return count_whole_keys(&box->filter);
    return has_filters(box->kind) ? box->filter.count : box->mapping.count;
}

/* --- printing -------------------------------------------------------------------------------- */

void lab_nat_kind_print(FILE *file, const struct lab_nat_kind *kind)
{
    static const char *const rule[] = {"EI", "AD", "APD"};
    static const char *const ports[] = {"kept", "sequential", "random"};
    if (!has_table(kind)) {
        fprintf(file, "%s: %s\n", kind->name, kind->open ? "no box" : "no UDP passes");
        return;
    }
    fprintf(file, "%s: %sM-%sF, ports %s (%u-%u, step %d), %.3g s, %.3g s both ways", kind->name,
            rule[kind->mapping], rule[kind->filtering], ports[kind->ports], kind->port_low,
            kind->port_high, kind->port_step, (double)kind->timeout_ns / SECOND,
            (double)kind->stream_ns / SECOND);
    fprintf(file, "%s%s%s, %u mappings (%s), %u filters\n",
            kind->refresh_in ? ", in refreshes" : "", kind->flows ? ", flows" : "",
            !kind->hairpin       ? ""
            : kind->hairpin_open ? ", open hairpin"
                                 : ", hairpin",
            kind->mappings_max, kind->refuse_new ? "then none" : "then the oldest goes",
            kind->filters_max);
}

static void print_entry(FILE *file, const struct lab_nat_entry *entry, uint64_t now_ns)
{
    static const char *const talk[] = {"asked", "answered", "stream"};
    char near[HSAY_ADDR_TEXT_BYTES], far[HSAY_ADDR_TEXT_BYTES];
    struct hsay_addr a = addr_of(entry->key.near_ip, entry->key.near_port);
    struct hsay_addr b = addr_of(entry->key.far_ip, entry->key.far_port);
    hsay_addr_format(near, sizeof near, &a);
    hsay_addr_format(far, sizeof far, &b);
    fprintf(file, "%s to %s, %s, used %.3f s ago", near, entry->key.far_ip != 0 ? far : "any",
            talk[entry->talk], (double)(now_ns - entry->used_ns) / SECOND);
}

static void print_table(FILE *file, const struct lab_nat_table *table, uint64_t now_ns)
{
    for (unsigned timer = 0; timer < 2; timer++) {
        uint16_t at = table->oldest[timer];
        for (; at != LAB_NAT_NONE; at = table->entry[at].newer) {
            fprintf(file, "  %s ", table->by_port ? "mapping" : "filter ");
            print_entry(file, &table->entry[at], now_ns);
            if (table->by_port)
                fprintf(file, ", port %u", table->entry[at].port);
            fputc('\n', file);
        }
    }
}

void lab_nat_box_print(FILE *file, struct lab_nat_box *box, uint64_t now_ns)
{
    char host[HSAY_ADDR_TEXT_BYTES];
    hsay_addr_format(host, sizeof host, &box->host);
    expire(box, now_ns);
    fprintf(file, "%s %s: %" PRIu32 " mappings, %" PRIu32 " filters, %zu bytes\n", host,
            box->kind->name, box->mapping.count, box->filter.count, lab_nat_box_bytes(box));
    print_table(file, &box->mapping, now_ns);
    print_table(file, &box->filter, now_ns);
}
