/* Verbs that tell how the node is and change nothing. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "bloom/bloom.h"
#include "src/common/hex.h"
#include "src/daemon/ctl_conn.h"
#include "src/daemon/json_value.h"
#include "src/daemon/loop.h"
#include "src/wire/message.h"
#include "version.h"

/* ---- pieces --------------------------------------------------------------------------------- */

/* 64 bits as 16 digits: JSON's readers keep 53 bits of a number. */
static json_t *json_fingerprint(uint64_t fingerprint)
{
    char text[17];

    snprintf(text, sizeof text, "%016llx", (unsigned long long)fingerprint);
    return json_string(text);
}

static json_int_t uptime_seconds(struct daemon *d)
{
    return (json_int_t)(hsay_time_ms_between(d->started, clock_now(&d->clock).mono) / 1000);
}

/* What is resident less what is mapped from files: the mapped store is the kernel's to drop. */
static uint64_t resident_bytes(void)
{
    unsigned long long size, resident, shared;
    FILE *file = fopen("/proc/self/statm", "re");
    int got = file ? fscanf(file, "%llu %llu %llu", &size, &resident, &shared) : 0;

    if (file) {
        fclose(file);
    }
    return got == 3 ? (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* ---- overlays ------------------------------------------------------------------------------- */

static size_t book_count(struct daemon *d, const struct overlay *overlay)
{
    struct hsay_peer peer;
    size_t count = 0;

    while (!hsay_node_book_at(d->node, overlay->number, count, &peer)) {
        count++;
    }
    return count;
}

static json_t *json_peers(struct daemon *d, const struct overlay *overlay,
                          const struct hsay_overlay_status *status)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:I}",                                //
                     "trusted", status->bucket_count[HSAY_BUCKET_TRUSTED],       //
                     "contacted", status->bucket_count[HSAY_BUCKET_CONTACTED],   //
                     "requested", status->bucket_count[HSAY_BUCKET_REQUESTED],   //
                     "introduced", status->bucket_count[HSAY_BUCKET_INTRODUCED], //
                     "book", (json_int_t)book_count(d, overlay));
}

static json_t *json_overlay(struct daemon *d, const struct overlay *overlay)
{
    struct hsay_now now = clock_now(&d->clock);
    struct hsay_overlay_status status;
    char why[256];
    const char *health;
    json_t *contact = json_null();
    int rc = hsay_node_overlay_status(d->node, now, overlay->number, &status);

    if (rc) {
        return NULL;
    }
    if (status.ever_contacted) {
        contact = json_real((double)hsay_time_ms_between(status.last_contact, now.mono) / 1000);
    }
    health = ctl_why(d, overlay, &status, why, sizeof why);
    return json_pack(
        "{s:s, s:o, s:s, s:b, s:o, s:o, s:o, s:b, s:o, s:o, s:b, s:s, s:s, s:o, s:o, s:o, s:o}",
        "name", overlay->name, "key", json_hex(overlay->join.overlay.byte, HSAY_KEY_BYTES),
        "policy", conf_policy_name(overlay->config.policy), "secret", overlay->join.has_secret,
        "bundles", json_number(status.store.bundles), "bundle_bytes",
        json_number(status.store.bundle_bytes), "quota_bytes", json_number(overlay->quota_bytes),
        "full", status.store.full, "global_time", json_number(status.global_time), "fingerprint",
        json_fingerprint(status.fingerprint), "synced", status.synced, "why", why, "health", health,
        "missing_estimate", json_number(status.missing_estimate), "named",
        json_number(names_count(d, overlay)), "peers", json_peers(d, overlay, &status),
        "last_contact_seconds", contact);
}

enum ctl_result ctl_on_overlays(struct ctl_conn *conn, const struct request *request)
{
    (void)request;
    for (struct overlay *o = NULL; (o = overlays_next(conn->d, o));) {
        ctl_put(conn, json_overlay(conn->d, o));
    }
    return CTL_DONE;
}

/* Who may only read is not shown how to get in. */
enum ctl_result ctl_on_overlay_show(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    char join[JOIN_TEXT_BYTES];
    json_t *object;

    if (!overlay) {
        return CTL_REFUSED;
    }
    object = json_overlay(conn->d, overlay);
    join_format(join, &overlay->join);
    if (conn->may_change || !overlay->join.has_secret) {
        json_object_set_new(object, "join", json_string(join));
    }
    ctl_put(conn, object);
    return CTL_DONE;
}

/* ---- the node ------------------------------------------------------------------------------- */

enum ctl_result ctl_on_version(struct ctl_conn *conn, const struct request *request)
{
    (void)request;
    ctl_put(conn,
            json_pack("{s:s, s:i, s:i, s:I}", "version", HSAY_VERSION, "api", HSAY_API_VERSION,
                      "pid", (int)getpid(), "uptime_seconds", uptime_seconds(conn->d)));
    return CTL_DONE;
}

/* What the disk has left for us; null if it does not tell. */
static json_t *json_free(const struct daemon *d)
{
    struct statvfs disk;

    return statvfs(d->state, &disk) ? json_null()
                                    : json_number((uint64_t)disk.f_bavail * disk.f_frsize);
}

/* Behind the making of the node's key, a clock can not be right. */
static json_t *json_clock(struct daemon *d)
{
    char path[PATH_MAX];
    struct stat key;
    bool known;

    snprintf(path, sizeof path, "%.*s/node.key", PATH_MAX - 16, d->state);
    known = !stat(path, &key);
    return json_pack("{s:I, s:b, s:o}", "unix_seconds", (json_int_t)time(NULL), "trusted",
                     clock_now(&d->clock).wall_s != 0, "created_seconds",
                     known ? json_integer(key.st_mtime) : json_null());
}

static json_t *json_store(struct daemon *d)
{
    struct hsay_lmdb_info info;
    char path[PATH_MAX];
    uint64_t quota_bytes = 0;
    bool full = false;

    hsay_lmdb_info(d->overlays.lmdb, &info);
    snprintf(path, sizeof path, "%.*s/store", PATH_MAX - 16, d->state);
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        struct hsay_store_info one;

        o->store.ops->info(o->store.self, &one);
        full = full || one.full;
        quota_bytes += o->quota_bytes;
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:b}", "path", path, "disk_bytes",
                     json_number(info.file_bytes), "free_bytes", json_free(d), "map_bytes",
                     json_number(info.map_bytes), "quota_bytes", json_number(quota_bytes), "full",
                     full, "read_only", d->turn.failing);
}

enum ctl_result ctl_on_status(struct ctl_conn *conn, const struct request *request)
{
    struct daemon *d = conn->d;
    const struct hsay_key *key = hsay_node_key(d->node);
    json_t *overlays = json_array();

    (void)request;
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        json_array_append_new(overlays, json_overlay(d, o));
    }
    ctl_put(conn,
            json_pack("{s:s, s:i, s:I, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, "
                      "s:o, s:o, s:o, s:o}",
                      "version", HSAY_VERSION, "pid", (int)getpid(), "uptime_seconds",
                      uptime_seconds(d), "node_key", json_hex(key->byte, sizeof key->byte),
                      "author_key", json_hex(d->author.byte, sizeof d->author.byte), "clock",
                      json_clock(d), "listen", nat_listen_json(d), "address", "ip4",
                      nat_address_json(d, HSAY_ADDR_IP4), "ip6", nat_address_json(d, HSAY_ADDR_IP6),
                      "port_mapping", portmap_json(d), "wakeups",
                      json_number(loop_wakeups(d->loop)), "datagrams_in",
                      json_number(d->udp.count.datagrams_in), "datagrams_out",
                      json_number(d->udp.count.datagrams_out), "bytes_in",
                      json_number(d->udp.count.bytes_in), "bytes_out",
                      json_number(d->udp.count.bytes_out), "rss_bytes",
                      json_number(resident_bytes()), "store", json_store(d), "overlays", overlays));
    return CTL_DONE;
}

enum ctl_result ctl_on_stats(struct ctl_conn *conn, const struct request *request)
{
    struct daemon *d = conn->d;
    const struct hsay_node_stats *stats = hsay_node_stats(d->node);
    json_t *counters = json_object();
    json_t *drops = json_object();
    struct rusage usage;

    (void)request;
    for (int i = 0; i < HSAY_COUNTER_COUNT; i++) {
        json_object_set_new(counters, hsay_counter_name((enum hsay_counter)i),
                            json_number(stats->count[i]));
    }
    for (int i = 0; i < HSAY_DROP_COUNT; i++) {
        json_object_set_new(drops, hsay_drop_name((enum hsay_drop)i), json_number(stats->drop[i]));
    }
    getrusage(RUSAGE_SELF, &usage);
    ctl_put(conn,
            json_pack("{s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:o, s:o, s:f}}", "counters",
                      counters, "drops", drops, "punctures", nat_punctures_json(stats), "daemon",
                      "wakeups", json_number(loop_wakeups(d->loop)), "turns",
                      json_number(d->turn.turns), "commits_failed",
                      json_number(d->turn.commits_failed), "datagrams_refused",
                      json_number(d->udp.count.refused_out), "datagrams_overflowed",
                      json_number(udp_overflows(&d->udp)), "rss_bytes",
                      json_number(resident_bytes()), "cpu_seconds",
                      (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
                          (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6));
    return CTL_DONE;
}

/* ---- one overlay ---------------------------------------------------------------------------- */

static json_t *known_key(const struct hsay_key *key)
{
    static const struct hsay_key none;

    return memcmp(key, &none, sizeof none) ? json_hex(key->byte, HSAY_KEY_BYTES) : json_null();
}

/* How long ago, or null if it never was: the clock's beginning stands for that. */
static json_t *known_ms(uint64_t ms, struct hsay_now now)
{
    return ms >= now.mono.ns / 1000000 ? json_null() : json_number(ms);
}

enum ctl_result ctl_on_peers(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    struct hsay_now now = clock_now(&conn->d->clock);
    struct hsay_peer_status peer;

    if (!overlay) {
        return CTL_REFUSED;
    }
    for (size_t i = 0; !hsay_node_peer_at(conn->d->node, now, overlay->number, i, &peer); i++) {
        ctl_put(conn,
                json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:i, s:b, s:b, s:b}", "addr",
                          json_addr(&peer.peer.addr), "key", known_key(&peer.peer.key), "bucket",
                          hsay_bucket_name((enum hsay_bucket)peer.bucket), "age_ms",
                          known_ms(peer.age_ms, now), "asked_ms", known_ms(peer.asked_ms, now),
                          "rtt_us", peer.rtt_us ? json_number(peer.rtt_us) : json_null(),
                          "timeouts", (int)peer.timeouts, "token", peer.token, "symmetric",
                          peer.symmetric, "answered", peer.answered));
    }
    return CTL_DONE;
}

enum ctl_result ctl_on_sum(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    struct hsay_overlay_status status;
    int rc;

    if (!overlay) {
        return CTL_REFUSED;
    }
    rc = hsay_node_overlay_status(conn->d->node, clock_now(&conn->d->clock), overlay->number,
                                  &status);
    if (rc) {
        return ctl_refuse_rc(conn, rc);
    }
    ctl_put(conn, json_pack("{s:o, s:o}", "count", json_number(status.sum.count), "fingerprint",
                            json_fingerprint(status.fingerprint)));
    return CTL_DONE;
}

static json_t *json_range(const struct hsay_range *range)
{
    static const char *const slicing[] = {"none", "digest", "time"};

    return json_pack("{s:o, s:o, s:I, s:I, s:s}", "time_low", json_number(range->time_low),
                     "time_high", json_number(range->time_high), "modulo",
                     (json_int_t)range->modulo, "offset", (json_int_t)range->offset, "slicing",
                     range->slicing < 3 ? slicing[range->slicing] : "unknown");
}

/* How a filter of that size and content does; all zero for claims without one. */
static void explain(const struct hsay_claim_status *claim, struct hsay_bloom_shape *shape,
                    struct hsay_bloom_facts *facts)
{
    struct hsay_bloom bloom;

    *shape = (struct hsay_bloom_shape){0};
    *facts = (struct hsay_bloom_facts){0};
    if (claim->kind == HSAY_CLAIM_BLOOM &&
        !hsay_bloom_view(&bloom, claim->bits, claim->hashes, claim->salt)) {
        hsay_bloom_shape(shape, (uint32_t)claim->bits.size, 10000);
        hsay_bloom_explain(&bloom, facts);
    }
}

enum ctl_result ctl_on_claim(struct ctl_conn *conn, const struct request *request)
{
    static const char *const kind[] = {"none", "sum", "bloom", "empty"};
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    uint8_t bits[HSAY_FILTER_MAX_BYTES];
    struct hsay_claim_status claim;
    struct hsay_bloom_shape shape;
    struct hsay_bloom_facts facts;
    int rc;

    if (!overlay) {
        return CTL_REFUSED;
    }
    rc = hsay_node_claim_preview(conn->d->node, clock_now(&conn->d->clock), overlay->number, bits,
                                 &claim);
    if (rc) {
        return ctl_refuse_rc(conn, rc);
    }
    if (claim.kind != HSAY_CLAIM_BLOOM) {
        claim.bits = (struct hsay_span){bits, 0};
    }
    explain(&claim, &shape, &facts);
    ctl_put(conn,
            json_pack("{s:s, s:o, s:o, s:I, s:o, s:i, s:I, s:I, s:I, s:o, s:o}", "kind",
                      claim.kind < 4 ? kind[claim.kind] : "unknown", "range",
                      json_range(&claim.range), "count", json_number(claim.count), "capacity",
                      (json_int_t)shape.capacity, "salt", json_fingerprint(claim.salt), "hashes",
                      (int)claim.hashes, "filter_bytes", (json_int_t)claim.bits.size,
                      "fill_permille", (json_int_t)facts.fill_permille,
                      "expected_false_positive_ppm", (json_int_t)facts.error_ppm, "fingerprint",
                      json_fingerprint(claim.fingerprint), "bits_hex",
                      json_hex(claim.bits.data, claim.bits.size)));
    return CTL_DONE;
}
