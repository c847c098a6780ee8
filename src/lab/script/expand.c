#include "src/lab/script/expand.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/names.h"

struct expand {
    const struct lab_settings *settings;
    char *why;
    size_t why_size;
    size_t used;
    char out[LAB_EXPAND_MAX];
};

static const char key_first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
static const char key_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

static int bad(struct expand *expand, const char *why, const char *about)
{
    snprintf(expand->why, expand->why_size, "%s '%.63s'", why, about);
    return HSAY_EINVAL;
}

static int put(struct expand *expand, const char *text, size_t length)
{
    if (length >= sizeof expand->out - expand->used)
        return bad(expand, "too long a word:", text);
    memcpy(expand->out + expand->used, text, length);
    expand->used += length;
    return 0;
}

/* The setting with the key of this length; NULL and a sentence if there is none. */
static const struct lab_setting *setting_of(struct expand *expand, const char *key, size_t length)
{
    char name[LAB_NAME_BYTES] = "";
    if (length < sizeof name)
        memcpy(name, key, length);
    const struct lab_setting *setting = lab_settings_find(expand->settings, name);
    if (setting == NULL) {
        snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), key);
        lab_settings_unknown(expand->settings, name, expand->why, expand->why_size);
    }
    return setting;
}

/* --- arithmetic ------------------------------------------------------------------------------ */

/* A number or a setting that is one, without blanks around it. */
static int factor_read(struct expand *expand, const char **at, double *value)
{
    *at += strspn(*at, " ");
    size_t length = strspn(*at, key_letters);
    if (**at != '\0' && strchr(key_first, **at) != NULL) {
        const struct lab_setting *setting = setting_of(expand, *at, length);
        if (setting == NULL)
            return HSAY_EINVAL;
        if (isnan(setting->number))
            return bad(expand, "not a number:", setting->rule->key);
        *value = setting->number;
        *at += length;
    } else if (lab_quantity_decimal(*at, value, at) != 0) {
        return bad(expand, "expected a number or a setting at", *at);
    }
    *at += strspn(*at, " ");
    return 0;
}

static int term_read(struct expand *expand, const char **at, double *value)
{
    int rc = factor_read(expand, at, value);
    while (rc == 0 && (**at == '*' || **at == '/')) {
        char operation = *(*at)++;
        double right;
        rc = factor_read(expand, at, &right);
        if (rc != 0)
            return rc;
        if (operation == '/' && !(fabs(right) > 0))
            return bad(expand, "a division by zero before", *at);
        *value = operation == '*' ? *value * right : *value / right;
    }
    return rc;
}

static int sum_read(struct expand *expand, const char *text, double *value)
{
    const char *at = text;
    int rc = term_read(expand, &at, value);
    while (rc == 0 && (*at == '+' || *at == '-')) {
        char operation = *at++;
        double right;
        rc = term_read(expand, &at, &right);
        if (rc == 0)
            *value += operation == '+' ? right : -right;
    }
    if (rc == 0 && *at != '\0')
        return bad(expand, "expected + - * or / at", at);
    if (rc == 0 && !(fabs(*value) <= 1e15))
        return bad(expand, "too large a number:", text);
    return rc;
}

/* --- references ------------------------------------------------------------------------------ */

static int sum_put(struct expand *expand, const char *text)
{
    char digits[48];
    double value = 0;
    int rc = sum_read(expand, text, &value);
    if (rc != 0)
        return rc;
    /* Never in the form 1e-05, which peers and times do not know. */
    snprintf(digits, sizeof digits, "%.9f", value);
    size_t length = strlen(digits);
    while (digits[length - 1] == '0')
        length--;
    return put(expand, digits, length - (digits[length - 1] == '.'));
}

/* Behind "${"; *at comes to stand behind the "}". */
static int braced_put(struct expand *expand, const char **at)
{
    char inside[256];
    size_t length = strcspn(*at, "}");
    if ((*at)[length] == '\0' || length >= sizeof inside)
        return bad(expand, "expected ${KEY} at", *at);
    snprintf(inside, sizeof inside, "%.*s", (int)length, *at);
    *at += length + 1;
    const struct lab_setting *setting = lab_settings_find(expand->settings, inside);
    if (setting != NULL)
        return put(expand, setting->text, strlen(setting->text));
    int rc = sum_put(expand, inside);
    if (rc != 0 && lab_name_ok(inside)) /* with a dash in it, it was taken for a difference */
        (void)setting_of(expand, inside, length);
    return rc;
}

/* Behind a dollar. */
static int reference_put(struct expand *expand, const char **at)
{
    if (**at == '$')
        return put(expand, (*at)++, 1);
    if (**at == '{') {
        (*at)++;
        return braced_put(expand, at);
    }
    size_t length = strspn(*at, key_letters);
    if (length == 0)
        return bad(expand, "expected $KEY, ${...} or $$ at", *at);
    const struct lab_setting *setting = setting_of(expand, *at, length);
    *at += length;
    return setting != NULL ? put(expand, setting->text, strlen(setting->text)) : HSAY_EINVAL;
}

const char *lab_expand(const struct lab_settings *settings, struct lab_arena *arena,
                       const char *text, char *why, size_t why_size)
{
    struct expand expand;
    const char *at = text;
    int rc = 0;
    if (strchr(text, '$') == NULL)
        return text;
    expand.settings = settings;
    expand.why = why;
    expand.why_size = why_size;
    expand.used = 0;
    while (rc == 0 && *at != '\0') {
        size_t length = strcspn(at, "$");
        rc = put(&expand, at, length);
        at += length;
        if (rc == 0 && *at == '$') {
            at++;
            rc = reference_put(&expand, &at);
        }
    }
    return rc == 0 ? lab_arena_text_part(arena, expand.out, expand.used) : NULL;
}

/* --- who is referred to ---------------------------------------------------------------------- */

static bool is_key(const char *text, size_t length, const char *key)
{
    return strlen(key) == length && memcmp(text, key, length) == 0;
}

/* Inside of ${...}: the key, or a sum in which it stands. */
static bool braces_name(const struct lab_settings *settings, const char *text, size_t length,
                        const char *key)
{
    char inside[256] = "";
    if (is_key(text, length, key))
        return true;
    if (length < sizeof inside)
        memcpy(inside, text, length);
    if (lab_settings_find(settings, inside) != NULL)
        return false;
    for (const char *at = inside; *at != '\0';) {
        size_t word = strspn(at, key_letters);
        if (word > 0 && is_key(at, word, key))
            return true;
        at += word > 0 ? word : 1;
    }
    return false;
}

bool lab_expand_names(const struct lab_settings *settings, const char *text, const char *key)
{
    for (const char *at = text; (at = strchr(at, '$')) != NULL;) {
        at++;
        size_t length = *at == '{' ? strcspn(at + 1, "}") : strspn(at, key_letters);
        if (*at == '{' ? braces_name(settings, at + 1, length, key) : is_key(at, length, key))
            return true;
        at += *at == '$' || *at == '{' ? length + 1 : length;
    }
    return false;
}
