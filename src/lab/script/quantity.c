#include "src/lab/script/quantity.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hearsay/error.h"

#define SECONDS_MAX 1e9

struct unit {
    const char *name;
    double factor;
};

static const struct unit count_unit[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {0}};

static const struct unit time_unit[] = {
    {"", 1},   {"s", 1},    {"sec", 1},  {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9},
    {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}, {0},
};

/* The same letters as the daemon's: without an i, thousands. */
static const struct unit byte_unit[] = {
    {"", 1},     {"B", 1},    {"k", 1e3},      {"M", 1e6},      {"G", 1e9},      {"kB", 1e3},
    {"MB", 1e6}, {"GB", 1e9}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {0},
};

static const struct unit share_unit[] = {{"", 1}, {"%", 0.01}, {0}};

int lab_quantity_decimal(const char *text, double *number, const char **rest)
{
    const char *digits = text + (*text == '-' || *text == '+');
    char *end;

    /* strtod would also take nan, inf and 0x1p3. */
    if (strspn(digits, "0123456789.") == 0 || (digits[0] == '0' && (digits[1] | 32) == 'x'))
        return HSAY_EINVAL;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value))
        return HSAY_EINVAL;
    *number = value;
    *rest = end;
    return 0;
}

static int unit_read(const char *text, const struct unit *unit, double *number)
{
    const char *rest;
    double value;
    if (lab_quantity_decimal(text, &value, &rest) != 0)
        return HSAY_EINVAL;
    for (; unit->name != NULL; unit++) {
        /* The case counts only where it makes a difference: 10K and 1S are clear enough. */
        if (strcasecmp(rest, unit->name) == 0 && isfinite(value * unit->factor)) {
            /* Division is exact where a factor such as 0.001 is not. */
            *number = unit->factor < 1 ? value / nearbyint(1 / unit->factor) : value * unit->factor;
            return 0;
        }
    }
    return HSAY_EINVAL;
}

/* m:s or h:m:s; behind a colon less than sixty. */
static int clock_read(const char *text, double *number)
{
    double total = 0;
    for (unsigned part = 0; part < 3; part++) {
        const char *rest;
        double value;
        if (lab_quantity_decimal(text, &value, &rest) != 0 || (part > 0 && value >= 60))
            return HSAY_EINVAL;
        total = total * 60 + value;
        if (*rest == '\0' && part > 0) {
            *number = total;
            return 0;
        }
        if (*rest != ':' || floor(value) != value)
            return HSAY_EINVAL;
        text = rest + 1;
    }
    return HSAY_EINVAL;
}

static int within(double value, double low, double high, double *number)
{
    if (!(value >= low && value <= high))
        return HSAY_EINVAL;
    *number = value;
    return 0;
}

static int seconds_read(const char *text, double *number)
{
    double value = -1;
    int rc = strpbrk(text, "-+") != NULL ? HSAY_EINVAL
             : strchr(text, ':') != NULL ? clock_read(text, &value)
                                         : unit_read(text, time_unit, &value);
    return rc != 0 ? rc : within(value, 0, SECONDS_MAX, number);
}

static int count_read(const char *text, double *number)
{
    double value;
    int rc = unit_read(text, count_unit, &value);
    if (rc != 0 || floor(value) != value)
        return HSAY_EINVAL;
    return within(value, 0, 0x1p53, number);
}

static int flag_read(const char *text, double *number)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *number = strcasecmp(text, yes[i]) == 0;
            return 0;
        }
    }
    return HSAY_EINVAL;
}

static int number_read(const char *text, double *number)
{
    const char *rest;
    double value;
    int rc = lab_quantity_decimal(text, &value, &rest);
    if (rc != 0 || *rest != '\0')
        return HSAY_EINVAL;
    *number = value;
    return 0;
}

static int bytes_read(const char *text, double *number)
{
    double value;
    int rc = unit_read(text, byte_unit, &value);
    if (rc != 0 || floor(value) != value)
        return HSAY_EINVAL;
    return within(value, 0, 0x1p53, number);
}

static int share_read(const char *text, double *number)
{
    return unit_read(text, share_unit, number);
}

static int text_read(const char *text, double *number)
{
    (void)text;
    *number = NAN;
    return 0;
}

static const struct {
    const char *name, *expected;
    int (*read)(const char *text, double *number);
} kind_row[] = {
    [LAB_KIND_TEXT] = {"text", "a text", text_read},
    [LAB_KIND_WORD] = {"word", "a word", text_read},
    [LAB_KIND_FLAG] = {"flag", "yes or no", flag_read},
    [LAB_KIND_NUMBER] = {"number", "a number", number_read},
    [LAB_KIND_COUNT] = {"count", "a whole number such as 10, 100k or 1M", count_read},
    [LAB_KIND_SECONDS] = {"seconds", "a time such as 30, 500ms, 5min, 2h or 1:30", seconds_read},
    [LAB_KIND_BYTES] = {"bytes", "a size such as 1200, 64k or 1MiB", bytes_read},
    [LAB_KIND_SHARE] = {"share", "a share such as 0.1 or 10%", share_read},
};

int lab_quantity_read(enum lab_kind kind, const char *text, double *number)
{
    return kind_row[kind].read(text, number);
}

const char *lab_quantity_expected(enum lab_kind kind)
{
    return kind_row[kind].expected;
}

int lab_quantity_kind(const char *name, size_t length, enum lab_kind *kind)
{
    for (size_t i = 0; i < sizeof kind_row / sizeof kind_row[0]; i++) {
        if (strlen(kind_row[i].name) == length && memcmp(kind_row[i].name, name, length) == 0) {
            *kind = (enum lab_kind)i;
            return 0;
        }
    }
    return HSAY_ENOENT;
}
