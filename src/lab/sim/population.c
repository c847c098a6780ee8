#include "src/lab/sim/population.h"

#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"

enum { ITEM_BYTES = 80, CARRIER_MAPPINGS = 60000 };

/* --- what was measured ----------------------------------------------------------------------- */

/* A kind by its name, so that a table can be written down. */
struct shipped_part {
    const char *kind;
    double share;
};

/* Halkes and Pouwelse, "UDP NAT and Firewall Puncturing in the Wild", Networking 2011: 646 peers of
 * a BitTorrent client.  Their A(P)DM is APDM-APDF here.  They found two large groups of timers:
 * a minute or less after one request and its reply, and 180 s once some packets went both ways; how
 * many of each is our reading. */
static const struct shipped_part halkes_home[] = {
    {"EIM-EIF", 21},     {"EIM-APDF", 57}, {"EIM-ADF", 7},
    {"APDM-APDF", 10.3}, {"blocked", 4.6}, {NULL, 0},
};
static const struct lab_nat_timer halkes_timer[] = {{0.1, 30, 30}, {0.45, 60, 60}, {0.45, 60, 180}};

/* Richter and others, "A Multi-perspective Analysis of Carrier-Grade NAT Deployment", IMC 2016.
 * Under 2 % of home boxes give each destination a port of its own, about 40 % of cellular carriers
 * do and about 20 % are full cones; timers run from 10 to 200 s, with medians of 65 s at home and
 * in cellular networks; carriers keep, count up or draw ports as 28 : 26 : 45.  Their homes'
 * other kinds are split here as in 2011, the carriers' by guess, as is the spread of the timers
 * around the median. */
static const struct shipped_part richter_home[] = {
    {"full_cone", 24}, {"port_restricted", 66}, {"address_restricted", 8}, {"symmetric", 2},
    {NULL, 0},
};
static const struct lab_nat_timer richter_home_timer[] = {
    {0.2, 30, 30}, {0.2, 60, 60}, {0.25, 65, 65}, {0.15, 65, 120}, {0.2, 65, 180}};
static const struct shipped_part richter_carrier[] = {
    {"full_cone", 20}, {"port_restricted", 30}, {"address_restricted", 10}, {"symmetric", 40},
    {NULL, 0},
};
static const struct lab_nat_timer richter_carrier_timer[] = {
    {0.05, 10, 10}, {0.2, 30, 30}, {0.2, 60, 60}, {0.25, 65, 65}, {0.2, 120, 120}, {0.1, 200, 200}};

/* Ford, Srisuresh and Kegel, "Peer-to-Peer Communication Across NATs", 2005: 80 of 335. */
#define HAIRPIN_SHARE 0.24

static void ship(struct lab_nat_side *side, const struct shipped_part *from,
                 const struct lab_nat_timer *timer, unsigned timers)
{
    for (; from->kind != NULL; from++) {
        struct lab_nat_part *part = &side->part[side->part_count++];
        part->kind = lab_nat_kind_find(from->kind);
        part->share = from->share;
        memcpy(part->timer, timer, timers * sizeof *timer);
        part->timer_count = timers;
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void ship_open(struct lab_population *population)
{
    static const struct shipped_part all_open[] = {{"open", 1}, {NULL, 0}};
    ship(&population->home, all_open, halkes_timer, 0);
}

static void ship_halkes(struct lab_population *population)
{
    ship(&population->home, halkes_home, halkes_timer, COUNT(halkes_timer));
    population->hairpin_share = HAIRPIN_SHARE;
}

/* Every second home is behind a carrier's box as well as its own: two in a row is the harder case
 * than a phone's one. */
static void ship_richter(struct lab_population *population)
{
    static const double carrier_ports[] = {28, 26, 45};
    ship(&population->home, richter_home, richter_home_timer, COUNT(richter_home_timer));
    ship(&population->carrier, richter_carrier, richter_carrier_timer,
         COUNT(richter_carrier_timer));
    memcpy(population->carrier.ports, carrier_ports, sizeof carrier_ports);
    population->carrier_share = 0.5;
    population->hairpin_share = HAIRPIN_SHARE;
}

static const struct {
    const char *name;
    void (*make)(struct lab_population *population);
} shipped[] = {{"open", ship_open}, {"halkes2011", ship_halkes}, {"cellular2016", ship_richter}};

const char *lab_population_name(unsigned number)
{
    return number < COUNT(shipped) ? shipped[number].name : NULL;
}

static bool ship_by_name(struct lab_population *population, const char *name)
{
    for (size_t i = 0; i < COUNT(shipped); i++)
        if (strcmp(shipped[i].name, name) == 0) {
            shipped[i].make(population);
            return true;
        }
    return false;
}

/* --- text ------------------------------------------------------------------------------------ */

struct reader {
    char *why;
    size_t why_size;
};

#define REFUSE(reader, ...) (snprintf((reader)->why, (reader)->why_size, __VA_ARGS__), HSAY_EINVAL)

/* The whole of `text`, with an optional % sign where `percent` is true.  False: it is no number. */
static bool read_number(const char *text, bool percent, double *out)
{
    char *end;
    if (*text == 0 || strchr("0123456789.", *text) == NULL)
        return false;
    *out = strtod(text, &end);
    if (percent && *end == '%') {
        *out /= 100;
        end++;
    }
    return *end == 0;
}

static bool is_timer(double seconds)
{
    return seconds >= 0.001 && seconds <= 1e6;
}

/* SECONDS or SECONDS/SECONDS */
static int read_timer(struct reader *reader, char *text, struct lab_nat_part *part)
{
    struct lab_nat_timer *timer = &part->timer[0];
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash = 0;
    if (!read_number(text, false, &timer->timeout_s) || !is_timer(timer->timeout_s))
        return REFUSE(reader, "'%s' is no time of a mapping in seconds", text);
    timer->stream_s = timer->timeout_s;
    if (slash != NULL && (!read_number(slash + 1, false, &timer->stream_s) ||
                          !is_timer(timer->stream_s) || timer->stream_s < timer->timeout_s))
        return REFUSE(reader, "'%s' is no time in seconds as long as the first", slash + 1);
    timer->share = 1;
    part->timer_count = 1;
    return 0;
}

static int refuse_kind(struct reader *reader, const char *name)
{
    char known[200] = "";
    for (unsigned i = 0; lab_nat_kind_number(i) != NULL; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, " %s", lab_nat_kind_number(i)->name);
    }
    return REFUSE(reader, "no NAT is called '%s'; known are:%s", name, known);
}

/* KIND, KIND:SHARE, KIND@TIMER:SHARE */
static int read_part(struct reader *reader, char *item, struct lab_nat_part *part)
{
    char *share = strchr(item, ':');
    part->share = 1;
    if (share != NULL)
        *share++ = 0;
    char *timer = strchr(item, '@');
    if (timer != NULL)
        *timer++ = 0;
    part->kind = lab_nat_kind_find(item);
    if (part->kind == NULL)
        return refuse_kind(reader, item);
    if (share != NULL && (!read_number(share, true, &part->share) || !(part->share <= 1)))
        return REFUSE(reader, "'%s' is no share of 0 to 1", share);
    if (timer == NULL)
        return 0;
    if (part->kind->open || part->kind->blocked)
        return REFUSE(reader, "'%s' has no timer", item);
    return read_timer(reader, timer, part);
}

static int read_parts(struct reader *reader, const char *text, struct lab_nat_side *side)
{
    for (;;) {
        size_t size = strcspn(text, ",");
        char item[ITEM_BYTES];
        if (size >= sizeof item)
            return REFUSE(reader, "'%.20s...' is too long", text);
        if (side->part_count == LAB_POPULATION_PARTS_MAX)
            return REFUSE(reader, "more than %d kinds of NAT", LAB_POPULATION_PARTS_MAX);
        memcpy(item, text, size);
        item[size] = 0;
        int rc = read_part(reader, item, &side->part[side->part_count++]);
        if (rc != 0 || text[size] == 0)
            return rc;
        text += size + 1;
    }
}

static int check_sum(struct reader *reader, const struct lab_nat_side *side)
{
    double sum = 0;
    for (unsigned i = 0; i < side->part_count; i++)
        sum += side->part[i].share;
    if (sum < 0.99 || sum > 1.01)
        return REFUSE(reader, "the shares add up to %g, not 1", sum);
    return 0;
}

int lab_population_parse(struct lab_population *population, const char *text, char *why,
                         size_t why_size)
{
    struct reader reader = {why, why_size};
    struct lab_population made = {.carrier_share = 0};
    if (!ship_by_name(&made, text)) {
        int rc = read_parts(&reader, text, &made.home);
        if (rc == 0)
            rc = check_sum(&reader, &made.home);
        if (rc != 0)
            return rc;
    }
    *population = made;
    return 0;
}

/* --- drawing --------------------------------------------------------------------------------- */

/* Which of the shares `unit` (0 to 1) falls into; the last, if rounding leads beyond it. */
static unsigned pick(const double *share, unsigned count, double unit)
{
    double sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += share[i];
    double left = unit * sum;
    unsigned at = 0;
    while (at + 1 < count && left >= share[at])
        left -= share[at++];
    return at;
}

static const struct lab_nat_part *draw_part(const struct lab_nat_side *side, double unit)
{
    double share[LAB_POPULATION_PARTS_MAX];
    for (unsigned i = 0; i < side->part_count; i++)
        share[i] = side->part[i].share;
    return &side->part[pick(share, side->part_count, unit)];
}

static void draw_timer(const struct lab_nat_part *part, double unit, struct lab_nat_kind *kind)
{
    double share[LAB_POPULATION_TIMERS_MAX];
    if (part->timer_count == 0)
        return;
    for (unsigned i = 0; i < part->timer_count; i++)
        share[i] = part->timer[i].share;
    const struct lab_nat_timer *timer = &part->timer[pick(share, part->timer_count, unit)];
    kind->timeout_ns = (uint64_t)(timer->timeout_s * 1e9 + 0.5);
    kind->stream_ns = (uint64_t)(timer->stream_s * 1e9 + 0.5);
}

static void draw_ports(const struct lab_nat_side *side, double unit, struct lab_nat_kind *kind)
{
    if (side->ports[0] + side->ports[1] + side->ports[2] > 0)
        kind->ports = (uint8_t)pick(side->ports, 3, unit);
}

static void draw_side(const struct lab_population *population, const struct lab_nat_side *side,
                      struct lab_chance *chance, struct lab_nat_kind *kind)
{
    enum { PART, TIMER, PORTS, HAIRPIN, REFRESH, DRAWS };
    double unit[DRAWS];
    for (unsigned i = 0; i < DRAWS; i++)
        unit[i] = lab_chance_unit(chance);
    if (side->part_count == 0) {
        *kind = *lab_nat_kind_find("open");
        return;
    }
    const struct lab_nat_part *part = draw_part(side, unit[PART]);
    *kind = *part->kind;
    if (kind->open || kind->blocked)
        return;
    draw_timer(part, unit[TIMER], kind);
    draw_ports(side, unit[PORTS], kind);
    kind->hairpin |= unit[HAIRPIN] < population->hairpin_share;
    kind->refresh_in |= unit[REFRESH] < population->refresh_in_share;
}

void lab_population_draw(const struct lab_population *population, struct lab_chance *chance,
                         struct lab_nat_draw *out)
{
    bool has_carrier = lab_chance_unit(chance) < population->carrier_share;
    struct lab_nat_kind carrier;
    draw_side(population, &population->home, chance, &out->kind[0]);
    draw_side(population, &population->carrier, chance, &carrier);
    out->boxes = out->kind[0].open ? 0 : 1;
    if (!has_carrier || carrier.open)
        return;
    /* It serves hundreds; but for that it is a box as others are. */
    carrier.mappings_max = CARRIER_MAPPINGS;
    carrier.filters_max = LAB_NAT_TABLE_MAX;
    out->kind[out->boxes++] = carrier;
}
