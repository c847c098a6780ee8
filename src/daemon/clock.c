#include "src/daemon/clock.h"

#include <time.h>

enum {
    JUMP_S = 86400,
    DISTRUST_MS = 3600000,
    SLEEP_S = 5,
};

static uint64_t read_ns(clockid_t id)
{
    struct timespec at;

    clock_gettime(id, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static int64_t read_wall_s(void)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME_COARSE, &at);
    return at.tv_sec > 0 ? at.tv_sec : 0;
}

void clock_init(struct clock *clock)
{
    uint64_t boot_ns = read_ns(CLOCK_BOOTTIME);

    *clock = (struct clock){
        .wall_offset_s = read_wall_s() - (int64_t)(boot_ns / 1000000000u),
        .asleep_ns = (int64_t)(boot_ns - read_ns(CLOCK_MONOTONIC)),
    };
}

struct hsay_now clock_now(struct clock *clock)
{
    struct hsay_now now = {.mono = {read_ns(CLOCK_BOOTTIME)}};
    int64_t wall_s = read_wall_s();
    int64_t offset_s = wall_s - (int64_t)(now.mono.ns / 1000000000u);
    int64_t moved_s = offset_s - clock->wall_offset_s;

    clock->wall_offset_s = offset_s;
    if (moved_s > JUMP_S || moved_s < -JUMP_S) {
        clock->distrust_until = hsay_time_add_ms(now.mono, DISTRUST_MS);
    }
    if (!hsay_time_before(now.mono, clock->distrust_until)) {
        now.wall_s = (uint64_t)wall_s;
    }
    return now;
}

bool clock_slept(struct clock *clock)
{
    /* Read one after the other, so a machine that never slept may seem to have slept for -1 us. */
    uint64_t boot_ns = read_ns(CLOCK_BOOTTIME);
    int64_t asleep_ns = (int64_t)(boot_ns - read_ns(CLOCK_MONOTONIC));
    bool slept = asleep_ns > clock->asleep_ns + SLEEP_S * INT64_C(1000000000);

    clock->asleep_ns = asleep_ns;
    return slept;
}
