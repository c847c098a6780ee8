/*
 * "Why am I not syncing?": the one question that operators of every such system ask, and that none
 * of them answers.  The first cause that applies, in the order in which they stand in each other's
 * way, and what to do about it.
 */
#include <stdio.h>

#include "src/daemon/ctl_conn.h"

enum { PATIENCE_MS = 60000, PATIENCE_STEPS = 4 };

/* In sync with whom?  Who is asked less often is silent for longer. */
static bool has_nobody_left(const struct overlay *overlay, uint64_t silent_ms)
{
    return silent_ms > PATIENCE_MS + (uint64_t)PATIENCE_STEPS * overlay->config.step_ms;
}

static unsigned peers_known(const struct hsay_overlay_status *status)
{
    unsigned sum = 0;

    for (int i = HSAY_BUCKET_TRUSTED; i < HSAY_BUCKET_COUNT; i++) {
        sum += status->bucket_count[i];
    }
    return sum;
}

const char *ctl_why(struct daemon *d, const struct overlay *overlay,
                    const struct hsay_overlay_status *status, char *text, size_t size)
{
    hsay_time now = clock_now(&d->clock).mono;
    uint64_t silent_ms =
        hsay_time_ms_between(status->ever_contacted ? status->last_contact : d->started, now);
    unsigned long long quota_mb = (unsigned long long)overlay->quota_bytes / 1000000;

    if (d->turn.failing) {
        snprintf(text, size,
                 "the disk takes nothing more: make room in %.120s; it goes on by "
                 "itself",
                 d->state);
        return "problem";
    }
    if (status->store.full) {
        snprintf(text, size, "store full: quota of %llu MB reached; raise quota, or leave overlays",
                 quota_mb);
        return "problem";
    }
    if (!status->ever_contacted && !peers_known(status) && !names_count(d, overlay)) {
        snprintf(text, size, "no peers known: give one with --peer or `hearsay peer add`");
        return "problem";
    }
    if (!status->ever_contacted && silent_ms < PATIENCE_MS) {
        snprintf(text, size, "asking peers; none has answered yet");
        return "warning";
    }
    if (!status->ever_contacted) {
        snprintf(text, size,
                 "peers known but none has answered in %llu s: check that they run, "
                 "their address, the firewall, and the overlay's secret",
                 (unsigned long long)silent_ms / 1000);
        return "problem";
    }
    if (silent_ms > PATIENCE_MS && !status->synced) {
        snprintf(text, size, "no peer has answered for %llu s: is the network down?",
                 (unsigned long long)silent_ms / 1000);
        return "problem";
    }
    if (status->synced && has_nobody_left(overlay, silent_ms)) {
        snprintf(text, size, "in sync until %llu s ago; no peer has answered since",
                 (unsigned long long)silent_ms / 1000);
        return "warning";
    }
    if (status->synced) {
        snprintf(text, size, "in sync");
        return "ok";
    }
    if (status->missing_estimate) {
        snprintf(text, size, "catching up: about %llu bundles behind",
                 (unsigned long long)status->missing_estimate);
    } else {
        snprintf(text, size, "comparing with peers");
    }
    return "warning";
}
