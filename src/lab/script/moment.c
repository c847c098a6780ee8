#include "src/lab/script/moment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/quantity.h"

#define TERM_BYTES 64

struct parse {
    const char *text; /* all of it, for who is told that it is wrong */
    const struct lab_moment_base *base;
    char *why;
    size_t why_size;
};

static int bad(const struct parse *parse, const char *why)
{
    snprintf(parse->why, parse->why_size, "the time '%.60s' %s", parse->text, why);
    return HSAY_EINVAL;
}

static int term_read(const struct parse *parse, const char *text, size_t length, int64_t *ns)
{
    char term[TERM_BYTES];
    double seconds;
    if (length >= sizeof term)
        return bad(parse, "is too long");
    memcpy(term, text, length);
    term[length] = '\0';
    if (strcmp(term, "end") == 0) {
        *ns = (int64_t)parse->base->end_ns;
        return 0;
    }
    if (lab_quantity_read(LAB_KIND_SECONDS, term, &seconds) != 0)
        return bad(parse, "is none: expected 90, 1:30, 1.5min, +5, end or a sum of these");
    *ns = llrint(seconds * 1e9);
    return 0;
}

/* Ten thousand times the longest time there is: what is added stays far from the end of int64_t
 * because each term is checked against it. */
static int point_read(const struct parse *parse, const char *text, uint64_t *at_ns)
{
    const int64_t most = INT64_C(2000000000) * 1000000000;
    const char *at = text;
    int64_t sum = *at == '+' ? (int64_t)parse->base->before_ns : 0;
    int64_t sign = 1;
    at += *at == '+';
    for (;;) {
        size_t length = strcspn(at, "+-");
        int64_t ns;
        int rc = term_read(parse, at, length, &ns);
        if (rc != 0)
            return rc;
        sum += sign * ns;
        if (sum > most || sum < -most)
            return bad(parse, "is too late");
        if (at[length] == '\0')
            break;
        sign = at[length] == '+' ? 1 : -1;
        at += length + 1;
    }
    if (sum < 0)
        return bad(parse, "is before the beginning");
    *at_ns = (uint64_t)sum;
    return 0;
}

static int points_read(const struct parse *parse, char *text, struct lab_moment *moment)
{
    char *dots = strstr(text, "..");
    char *slash = dots != NULL ? strchr(dots, '/') : NULL;
    uint64_t every;
    if (dots == NULL) {
        int rc = point_read(parse, text, &moment->first_ns);
        moment->last_ns = moment->first_ns;
        return rc;
    }
    if (slash == NULL)
        return bad(parse, "lacks its step: expected FROM..TO/EVERY");
    *dots = '\0';
    *slash = '\0';
    int rc = point_read(parse, text, &moment->first_ns);
    if (rc == 0)
        rc = point_read(parse, dots + 2, &moment->last_ns);
    if (rc == 0)
        rc = point_read(parse, slash + 1, &every);
    if (rc != 0)
        return rc;
    if (moment->last_ns < moment->first_ns)
        return bad(parse, "ends before it begins");
    if (every == 0)
        return bad(parse, "has steps of nothing");
    moment->every_ns = every;
    return 0;
}

int lab_moment_read(struct lab_moment *moment, const char *text, const struct lab_moment_base *base,
                    char *why, size_t why_size)
{
    struct parse parse = {text, base, why, why_size};
    char copy[4 * TERM_BYTES];
    *moment = (struct lab_moment){0};
    if (strlen(text) >= sizeof copy)
        return bad(&parse, "is too long");
    strcpy(copy, text);
    return points_read(&parse, copy, moment);
}
