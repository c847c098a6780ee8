/* Is the program well, and does the system give it what it needs? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/cli/bytes.h"
#include "src/cli/doctor.h"
#include "src/cli/out.h"
#include "version.h"

enum {
    PATIENCE_S = 60,      /* an answer comes in less, if one comes at all */
    REFUSED_PERCENT = 10, /* of the datagrams sent: more is no passing trouble */
    FREE_LEAST_BYTES = 1 << 20,
    FREE_FEW_BYTES = 64 << 20,
    QUOTA_NEAR_PERCENT = 90,
    DAY_S = 86400,
};

/* No clock that is right shows these: Hearsay is younger, and we shall not live to see the other.
 */
#define YEAR_2025_S UINT64_C(1735689600)
#define YEAR_2100_S UINT64_C(4102444800)

/* ---- daemon ------------------------------------------------------------------------------- */

void doctor_daemon(struct doctor *doctor)
{
    const char *version = field_text(doctor->status, "version");
    const char *up = out_seconds(field_real(doctor->status, "uptime_seconds"));
    uint64_t pid = field_number(doctor->status, "pid");
    if (strcmp(version, HSAY_VERSION) == 0)
        doctor_find(doctor, VERDICT_OK, "daemon", NULL, "hearsayd %s, pid %" PRIu64 ", up %s",
                    version, pid, up);
    else
        doctor_find(doctor, VERDICT_WARNING, "daemon",
                    "start hearsayd again if it was updated since",
                    "hearsayd is %s, this client %s; pid %" PRIu64 ", up %s", version, HSAY_VERSION,
                    pid, up);
}

/* ---- socket ------------------------------------------------------------------------------- */

static bool is_loopback(const char *addr)
{
    return strncmp(addr, "127.", 4) == 0 || strncmp(addr, "[::1]", 5) == 0;
}

/* Where it listens; true if others than this machine can come there. */
static bool name_sockets(const json_t *status, char **names)
{
    bool outside = false;
    size_t i;
    json_t *one;
    *names = must_print("%s", "");
    json_array_foreach(json_object_get(status, "listen"), i, one)
    {
        const char *addr = json_string_value(one);
        char *longer = must_print("%s%s%s", *names, i ? ", " : "", addr ? addr : "?");
        free(*names);
        *names = longer;
        outside = outside || !is_loopback(addr ? addr : "");
    }
    return outside;
}

void doctor_socket(struct doctor *doctor)
{
    uint64_t in = field_number(doctor->status, "datagrams_in");
    uint64_t out = field_number(doctor->status, "datagrams_out");
    uint64_t refused = field_number(doctor->stats, "daemon.datagrams_refused");
    char *names;
    bool outside = name_sockets(doctor->status, &names);
    if (out && !in && field_real(doctor->status, "uptime_seconds") >= PATIENCE_S)
        doctor_find(doctor, VERDICT_PROBLEM, "socket",
                    "let UDP through the firewall, in both directions; and see 'peers' below",
                    "%s: %s datagrams sent, and none has come", names, out_number(out));
    else if (refused * 100 > out * REFUSED_PERCENT)
        doctor_find(doctor, VERDICT_PROBLEM, "socket",
                    "see 'ip route' and the firewall: is there a way out?",
                    "%s: the system refused %s datagrams and took %s", names, out_number(refused),
                    out_number(out));
    else if (!outside)
        doctor_find(doctor, VERDICT_WARNING, "socket",
                    "to be reached by others, change 'listen' in hearsay.conf",
                    "%s: only this machine can reach it; %s datagrams in, %s out", names,
                    out_number(in), out_number(out));
    else
        doctor_find(doctor, VERDICT_OK, "socket", NULL, "%s: %s datagrams in, %s out", names,
                    out_number(in), out_number(out));
    free(names);
    uint64_t lost = field_number(doctor->stats, "daemon.datagrams_overflowed");
    if (lost * 100 > in)
        doctor_find(doctor, VERDICT_WARNING, "socket", "raise net.core.rmem_max",
                    "%s datagrams came faster than they were read, and are lost", out_number(lost));
}

/* ---- clock -------------------------------------------------------------------------------- */

void doctor_clock(struct doctor *doctor)
{
    static const char set_it[] = "set the clock, best by NTP: bundles expire by it";
    uint64_t now = field_number(doctor->status, "clock.unix_seconds");
    uint64_t created = field_number(doctor->status, "clock.created_seconds");
    char text[64] = "";
    time_t seconds = (time_t)now;
    struct tm utc;
    if (gmtime_r(&seconds, &utc))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    if (now < YEAR_2025_S || now >= YEAR_2100_S)
        doctor_find(doctor, VERDICT_PROBLEM, "clock", set_it, "it is not %s", text);
    else if (created > now + DAY_S)
        doctor_find(doctor, VERDICT_PROBLEM, "clock", set_it,
                    "%s, which is before the node's key was made", text);
    else if (!field_true(doctor->status, "clock.trusted"))
        doctor_find(doctor, VERDICT_WARNING, "clock", NULL,
                    "%s; it jumped by more than a day, so for an hour nothing expires", text);
    else
        doctor_find(doctor, VERDICT_OK, "clock", NULL, "%s", text);
}

/* ---- store -------------------------------------------------------------------------------- */

void doctor_store(struct doctor *doctor)
{
    const json_t *store = json_object_get(doctor->status, "store");
    const char *path = field_text(store, "path");
    const char *used = out_size(field_number(store, "disk_bytes"));
    const json_t *left = json_object_get(store, "free_bytes");
    uint64_t free_bytes = field_number(store, "free_bytes");
    if (field_true(store, "read_only"))
        doctor_find(doctor, VERDICT_PROBLEM, "store",
                    "make room on the disk; the node goes on by itself then",
                    "%s: the disk takes nothing more, %s are free", path, out_size(free_bytes));
    else if (json_is_null(left))
        doctor_find(doctor, VERDICT_OK, "store", NULL, "%s: %s", path, used);
    else if (free_bytes < FREE_FEW_BYTES)
        doctor_find(doctor, free_bytes < FREE_LEAST_BYTES ? VERDICT_PROBLEM : VERDICT_WARNING,
                    "store", "make room on the disk, or lower 'quota' in hearsay.conf",
                    "%s: %s, and only %s left on the disk", path, used, out_size(free_bytes));
    else
        doctor_find(doctor, VERDICT_OK, "store", NULL, "%s: %s, %s free", path, used,
                    out_size(free_bytes));
}

/* ---- quota -------------------------------------------------------------------------------- */

static void quota_of(struct doctor *doctor, const json_t *overlay)
{
    const char *name = field_text(overlay, "name");
    uint64_t quota = field_number(overlay, "quota_bytes");
    uint64_t bytes = field_number(overlay, "bundle_bytes");
    double percent = quota ? 100 * (double)bytes / (double)quota : 0;
    if (field_true(overlay, "full"))
        doctor_find(doctor, VERDICT_PROBLEM, "quota",
                    "raise 'quota' in hearsay.conf and start hearsayd again, or leave the overlay",
                    "%s: full, nothing new is stored; the quota is %s", name, out_size(quota));
    else if (!quota)
        doctor_find(doctor, VERDICT_OK, "quota", NULL, "%s: %s of bundles, no bound", name,
                    out_size(bytes));
    else
        doctor_find(doctor, percent >= QUOTA_NEAR_PERCENT ? VERDICT_WARNING : VERDICT_OK, "quota",
                    percent >= QUOTA_NEAR_PERCENT ? "raise 'quota' in hearsay.conf" : NULL,
                    "%s: %s of bundles, %.1f %% of %s", name, out_size(bytes), percent,
                    out_size(quota));
}

void doctor_quota(struct doctor *doctor)
{
    size_t i;
    json_t *overlay;
    json_array_foreach(json_object_get(doctor->status, "overlays"), i, overlay)
        quota_of(doctor, overlay);
}
