#include "src/lab/nat/kept.h"

#include <math.h>
#include <string.h>

#include "src/lab/nat/world.h"
#include "src/lab/output/number.h"

static double field(const struct lab_result *result, const char *name)
{
    const struct lab_field *f = lab_result_field(result, name);
    return f != NULL ? f->number : NAN;
}

static void add_flush(struct natlab_kept *kept, const struct lab_result *result)
{
    double answer = field(result, "flush_answer_steps"),
           bundle = field(result, "flush_bundle_steps");
    if (isnan(answer))
        return;
    kept->flushes++;
    kept->flows += field(result, "flushed_flows");
    kept->flush_looks += field(result, "flush_looks");
    kept->shut += field(result, "flush_shut");
    kept->answered_in_time += answer <= NATLAB_FLUSH_STEPS;
    kept->bundles_in_time += bundle <= NATLAB_FLUSH_STEPS;
    kept->answer_steps_sum += answer;
    kept->bundle_steps_sum += bundle;
    kept->answer_steps_worst = fmax(kept->answer_steps_worst, answer);
    kept->bundle_steps_worst = fmax(kept->bundle_steps_worst, bundle);
    kept->bundle_ms_worst = fmax(kept->bundle_ms_worst, field(result, "flush_bundle_ms"));
}

void natlab_kept_add(struct natlab_kept *kept, const struct lab_result *result)
{
    double looks = field(result, "held_looks");
    kept->answers += field(result, "held_answers");
    kept->losses += field(result, "held_losses");
    kept->gap_longest_s = fmax(kept->gap_longest_s, field(result, "held_gap_s"));
    add_flush(kept, result);
    if (looks == 0)
        return;
    kept->trials++;
    kept->looks += looks;
    kept->open += field(result, "held_open");
    kept->unknown += field(result, "held_unknown");
    kept->whole += field(result, "held_whole");
    kept->throughout += field(result, "held_whole") == NATLAB_PEERS;
    kept->tried += field(result, "held_tried");
    kept->came += field(result, "held_came");
    kept->doubted += field(result, "held_doubted");
    kept->shut_longest_s = fmax(kept->shut_longest_s, field(result, "held_shut_s"));
}

void natlab_kept_percentiles(struct natlab_kept *kept,
                             struct natlab_percentile list[NATLAB_KEPT_PERCENTILES])
{
    const struct natlab_percentile of[NATLAB_KEPT_PERCENTILES] = {
        {"held_shut_s", "held_looks", &kept->shut_p99_s},
        {"flush_answer_steps", "flushed", &kept->answer_steps_p99},
        {"flush_bundle_steps", "flushed", &kept->bundle_steps_p99},
        {"flush_bundle_ms", "flushed", &kept->bundle_ms_p99},
    };
    memcpy(list, of, sizeof of);
}

double natlab_kept_share(const struct natlab_kept *kept)
{
    return kept->looks > 0 ? kept->open / kept->looks : NAN;
}

/* --- for programs ---------------------------------------------------------------------------- */

static void put(json_t *object, const char *name, double number)
{
    json_object_set_new(object, name, lab_number_json(number));
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static void put_flush(json_t *object, const struct natlab_kept *kept)
{
    double flushes = kept->flushes;
    put(object, "flushes", flushes);
    put(object, "flushed_flows", ratio(kept->flows, flushes));
    put(object, "flush_shut_share", ratio(kept->shut, kept->flush_looks));
    put(object, "flush_steps_mean", ratio(kept->answer_steps_sum, flushes));
    put(object, "flush_steps_worst", flushes > 0 ? kept->answer_steps_worst : NAN);
    put(object, "flush_steps_p99", kept->answer_steps_p99);
    put(object, "flush_answered_share", ratio(kept->answered_in_time, flushes));
    put(object, "flush_bundle_steps_mean", ratio(kept->bundle_steps_sum, flushes));
    put(object, "flush_bundle_steps_worst", flushes > 0 ? kept->bundle_steps_worst : NAN);
    put(object, "flush_bundle_steps_p99", kept->bundle_steps_p99);
    put(object, "flush_bundle_ms_p99", kept->bundle_ms_p99);
    put(object, "flush_bundle_ms_worst", flushes > 0 ? kept->bundle_ms_worst : NAN);
    put(object, "flush_bundle_share", ratio(kept->bundles_in_time, flushes));
}

void natlab_kept_put(json_t *object, const struct natlab_kept *kept)
{
    put(object, "held_requests", kept->answers + kept->losses);
    put(object, "kept", ratio(kept->answers, kept->answers + kept->losses));
    put(object, "held", kept->trials);
    put(object, "kept_share", natlab_kept_share(kept));
    put(object, "kept_unknown_share", ratio(kept->unknown, kept->looks));
    put(object, "kept_throughout_share", ratio(kept->whole, 2.0 * kept->trials));
    put(object, "kept_end_share", ratio(kept->came, kept->tried));
    put(object, "kept_end_doubted", kept->doubted);
    put(object, "shut_longest_s", kept->trials > 0 ? kept->shut_longest_s : NAN);
    put(object, "shut_p99_s", kept->shut_p99_s);
    put(object, "gap_longest_s", kept->gap_longest_s > 0 ? kept->gap_longest_s : NAN);
    put_flush(object, kept);
}

/* --- for people ------------------------------------------------------------------------------ */

void natlab_kept_print_head(bool flush, FILE *out)
{
    if (flush)
        fprintf(out, "%9s%9s%9s%12s%9s%9s%13s%9s%9s\n", "flushes", "flows", "shut", "in 2 steps",
                "p99", "worst", "bundle in 2", "p99", "worst");
    else
        fprintf(out, "%9s%9s%12s%9s%12s%9s%12s%11s\n", "held", "open", "throughout", "at end",
                "shut for", "p99", "unanswered", "answered");
}

static void print_share(double share, int columns, FILE *out)
{
    if (isnan(share))
        fprintf(out, "%*s", columns, "-");
    else
        fprintf(out, "%*.1f %%", columns - 2, 100 * share);
}

static void print_number(double number, int columns, const char *unit, FILE *out)
{
    if (isinf(number))
        fprintf(out, "%*s", columns, "never");
    else
        fprintf(out, "%*.0f%s", columns - (int)(unit[0] != '\0') * 2, number, unit);
}

static void print_flush(const struct natlab_kept *kept, FILE *out)
{
    fprintf(out, "%9u%9.1f", kept->flushes, ratio(kept->flows, kept->flushes));
    print_share(ratio(kept->shut, kept->flush_looks), 9, out);
    print_share(ratio(kept->answered_in_time, kept->flushes), 12, out);
    print_number(kept->answer_steps_p99, 9, "", out);
    print_number(kept->answer_steps_worst, 9, "", out);
    print_share(ratio(kept->bundles_in_time, kept->flushes), 13, out);
    print_number(kept->bundle_steps_p99, 9, "", out);
    print_number(kept->bundle_steps_worst, 9, "", out);
    fputc('\n', out);
}

void natlab_kept_print(const struct natlab_kept *kept, bool flush, FILE *out)
{
    if (flush) {
        print_flush(kept, out);
        return;
    }
    fprintf(out, "%9u", kept->trials);
    print_share(natlab_kept_share(kept), 9, out);
    print_share(ratio(kept->whole, 2.0 * kept->trials), 12, out);
    print_share(ratio(kept->came, kept->tried), 9, out);
    print_number(kept->shut_longest_s, 12, " s", out);
    print_number(kept->shut_p99_s, 9, " s", out);
    print_number(kept->gap_longest_s, 12, " s", out);
    print_share(ratio(kept->answers, kept->answers + kept->losses), 11, out);
    fputc('\n', out);
}
