/*
 * What is wrong with settings although each is right by itself: a moment behind the end of the run,
 * an end before its beginning.  Such a run would pass, and say nothing of what was asked of it.
 *
 * A moment is told of only if what it is about is on, or if somebody said it for this run: a
 * scenario may well say when an attack begins, and leave the attackers to a variant.
 */
#include <stdarg.h>
#include <stdio.h>

#include "hearsay/error.h"
#include "src/lab/config.h"

/* At the line that said `key`, or, if it was an option, without a line. */
__attribute__((format(printf, 4, 5))) static int wrong(const struct lab_settings *settings,
                                                       struct lab_faults *faults, const char *key,
                                                       const char *format, ...)
{
    const struct lab_setting *setting = lab_settings_find(settings, key);
    struct lab_script_place place = setting->at;
    char text[LAB_FAULT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (place.line == 0)
        place.file = "hearsay-lab";
    lab_faults_add(faults, &place, "%s is %s, but %s", key, setting->text, text);
    return HSAY_EINVAL;
}

static double number(const struct lab_settings *settings, const char *key)
{
    return lab_settings_number(settings, key);
}

static bool was_given(const struct lab_settings *settings, const char *key)
{
    return lab_settings_find(settings, key)->origin == LAB_SETTING_GIVEN;
}

/* A beginning must lie before the end of the run. */
static int begins(const struct lab_settings *settings, const char *key, bool on,
                  struct lab_faults *faults)
{
    if (!(number(settings, key) > 0) || number(settings, key) < number(settings, "duration") ||
        !(on || was_given(settings, key)))
        return 0;
    return wrong(settings, faults, key, "the run ends at %s, its duration",
                 lab_settings_text(settings, "duration"));
}

static int ends(const struct lab_settings *settings, const char *until, const char *from,
                struct lab_faults *faults)
{
    if (!(number(settings, until) > 0) || number(settings, until) > number(settings, from))
        return 0;
    return wrong(settings, faults, until, "%s is %s: it would be over before it begins", from,
                 lab_settings_text(settings, from));
}

static int heals(const struct lab_settings *settings, struct lab_faults *faults)
{
    if (number(settings, "heal") <= number(settings, "duration"))
        return 0;
    return wrong(settings, faults, "heal", "the run ends at %s, its duration",
                 lab_settings_text(settings, "duration"));
}

static int victims(const struct lab_settings *settings, struct lab_faults *faults)
{
    bool said = lab_settings_find(settings, "victims")->origin != LAB_SETTING_FALLBACK;
    if (!said || number(settings, "victims") <= number(settings, "nodes"))
        return 0;
    return wrong(settings, faults, "victims", "there are only %s nodes",
                 lab_settings_text(settings, "nodes"));
}

static int seeds(const struct lab_settings *settings, struct lab_faults *faults)
{
    if (number(settings, "seed") <= (double)LAB_SEED_MAX - (number(settings, "seeds") - 1))
        return 0;
    return wrong(settings, faults, "seeds", "the last of them would be above %lld",
                 (long long)LAB_SEED_MAX);
}

static bool has_faults(const struct lab_settings *settings)
{
    struct lab_fault_config fault;
    lab_config_fault(settings, &fault);
    return fault.crash > 0 || fault.commit_fail > 0 || fault.put_fail > 0 ||
           fault.clock_jump_s > 0 || fault.full > 0;
}

int lab_config_check(const struct lab_settings *settings, struct lab_faults *faults)
{
    struct lab_churn_config churn;
    lab_config_churn(settings, &churn);
    int rc[] = {
        heals(settings, faults),
        begins(settings, "attack_from", number(settings, "attackers") > 0, faults),
        begins(settings, "fault_from", has_faults(settings), faults),
        begins(settings, "churn_from", churn.kind != LAB_CHURN_OFF, faults),
        ends(settings, "fault_until", "fault_from", faults),
        ends(settings, "churn_until", "churn_from", faults),
        victims(settings, faults),
        seeds(settings, faults),
    };
    for (size_t i = 0; i < sizeof rc / sizeof rc[0]; i++) {
        if (rc[i] != 0)
            return rc[i];
    }
    return 0;
}
