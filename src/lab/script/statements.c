/* The lines of a scenario that begin with a word.  See scenario.h. */
#include <stdio.h>
#include <string.h>

#include "src/lab/script/names.h"
#include "src/lab/script/reader.h"
#include "src/lab/script/heap.h"

/* --- helpers --------------------------------------------------------------------------------- */

static const char *word(const struct lab_reader *reader, size_t i)
{
    return reader->words.word[i].text;
}

/* A word that outlives its line. */
static const char *kept(struct lab_reader *reader, size_t i)
{
    return lab_arena_text(&reader->scenario->arena, word(reader, i));
}

static bool name_ok(struct lab_reader *reader, const char *name, const char *what)
{
    if (lab_name_ok(name))
        return true;
    lab_reader_fault(reader,
                     "'%.63s' is no name for %s: a letter, then letters, digits, '_' and '-'", name,
                     what);
    return false;
}

static void twice(struct lab_reader *reader, const char *what, const char *name,
                  const struct lab_script_place *before)
{
    lab_reader_fault(reader, "%s %s is defined already at %s:%u", what, name, before->file,
                     before->line);
}

/* The words from the i-th on, with one blank between them. */
static const char *rest(struct lab_reader *reader, size_t i)
{
    size_t size = 1;
    for (size_t n = i; n < reader->words.count; n++)
        size += strlen(word(reader, n)) + 1;
    char *text = lab_arena_alloc(&reader->scenario->arena, size);
    char *to = text;
    for (size_t n = i; n < reader->words.count; n++)
        to = stpcpy(stpcpy(to, n > i ? " " : ""), word(reader, n));
    return text;
}

/* --- settings -------------------------------------------------------------------------------- */

static void read_set(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    if (lab_reader_full(reader, s->set_count))
        return;
    s->set = lab_script_grow(s->set, s->set_count, sizeof *s->set);
    s->set[s->set_count++] =
        (struct lab_scenario_param){kept(reader, 1), kept(reader, 2), NULL, reader->at};
}

static void read_param(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    const char *key = word(reader, 1);
    if (lab_reader_full(reader, s->param_count) || !name_ok(reader, key, "a setting"))
        return;
    for (size_t i = 0; i < s->param_count; i++) {
        if (strcmp(s->param[i].key, key) == 0) {
            twice(reader, "the setting", key, &s->param[i].at);
            return;
        }
    }
    s->param = lab_script_grow(s->param, s->param_count, sizeof *s->param);
    s->param[s->param_count++] =
        (struct lab_scenario_param){kept(reader, 1), kept(reader, 2), rest(reader, 3), reader->at};
}

/* KEY=VALUE from the i-th word on; NULL after a fault. */
static const struct lab_scenario_pair *pairs_read(struct lab_reader *reader, size_t i)
{
    struct lab_arena *arena = &reader->scenario->arena;
    struct lab_scenario_pair *pair =
        lab_arena_alloc(arena, (reader->words.count - i) * sizeof *pair);
    for (size_t n = 0; i + n < reader->words.count; n++) {
        size_t length;
        const char *value = lab_word_pair(&reader->words.word[i + n], &length);
        if (value == NULL) {
            lab_reader_fault(reader, "'%.63s': expected KEY=VALUE", word(reader, i + n));
            return NULL;
        }
        pair[n].key = lab_arena_text_part(arena, word(reader, i + n), length);
        pair[n].value = lab_arena_text(arena, value);
    }
    return pair;
}

/* main has no settings of its own: words are all that can be said of it. */
static void read_main(struct lab_reader *reader, const char *help)
{
    struct lab_scenario_variant *plain = &reader->scenario->variant[0];
    if (help == NULL || reader->words.count > 3)
        lab_reader_fault(reader, "main is the run without settings of its own");
    else if (plain->help[0] != 0)
        twice(reader, "the variant", plain->name, &plain->at);
    else
        *plain = (struct lab_scenario_variant){.name = "main", .help = help, .at = reader->at};
}

/* Seeds are the same in all variants and at all points, so that these can be compared. */
static bool is_seed(struct lab_reader *reader, const char *key)
{
    if (strcmp(key, "seed") != 0 && strcmp(key, "seeds") != 0)
        return false;
    lab_reader_fault(reader,
                     "%s is the same for all variants and points: say it by `set`, or on "
                     "the command line",
                     key);
    return true;
}

static bool has_seed(struct lab_reader *reader, const struct lab_scenario_pair *pair, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_seed(reader, pair[i].key))
            return true;
    }
    return false;
}

static void read_variant(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    const char *name = word(reader, 1);
    size_t same = lab_scenario_variant_find(s, name);
    bool has_help = reader->words.word[2].kind == LAB_WORD_QUOTED;
    size_t first = has_help ? 3 : 2;
    if (lab_reader_full(reader, s->variant_count) || !name_ok(reader, name, "a variant"))
        return;
    if (same == 0) {
        read_main(reader, has_help ? kept(reader, 2) : NULL);
        return;
    }
    if (same < s->variant_count) {
        twice(reader, "the variant", name, &s->variant[same].at);
        return;
    }
    if (reader->words.count == first) {
        lab_reader_fault(reader, "the variant '%.63s' has no settings", name);
        return;
    }
    const struct lab_scenario_pair *pair = pairs_read(reader, first);
    if (pair == NULL || has_seed(reader, pair, reader->words.count - first))
        return;
    s->variant = lab_script_grow(s->variant, s->variant_count, sizeof *s->variant);
    s->variant[s->variant_count++] =
        (struct lab_scenario_variant){kept(reader, 1), has_help ? kept(reader, 2) : "", pair,
                                      reader->words.count - first, reader->at};
}

static void read_sweep(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    size_t count = reader->words.count - 2;
    if (lab_reader_full(reader, s->sweep_count) || is_seed(reader, word(reader, 1)))
        return;
    for (size_t i = 0; i < s->sweep_count; i++) {
        if (strcmp(s->sweep[i].key, word(reader, 1)) == 0) {
            twice(reader, "the sweep of", s->sweep[i].key, &s->sweep[i].at);
            return;
        }
    }
    const char **value = lab_arena_alloc(&s->arena, count * sizeof *value);
    for (size_t i = 0; i < count; i++) {
        value[i] = kept(reader, i + 2);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(value[k], value[i]) == 0) {
                lab_reader_fault(reader, "%s=%.63s is there twice", word(reader, 1), value[i]);
                return;
            }
        }
    }
    s->sweep = lab_script_grow(s->sweep, s->sweep_count, sizeof *s->sweep);
    s->sweep[s->sweep_count++] =
        (struct lab_scenario_sweep){kept(reader, 1), value, count, reader->at};
}

/* --- peers, results, the rest ---------------------------------------------------------------- */

static void read_peers(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    const char *name = word(reader, 1);
    if (lab_reader_full(reader, s->peers_count) || !name_ok(reader, name, "a peer set"))
        return;
    if (strcmp(name, "all") == 0 || strcmp(name, "any") == 0) {
        lab_reader_fault(reader, "'%s' has a meaning of its own in a peer set", name);
        return;
    }
    if (reader->words.word[2].kind != LAB_WORD_SET) {
        lab_reader_fault(reader, "expected a peer set in braces behind %s", name);
        return;
    }
    for (size_t i = 0; i < s->peers_count; i++) {
        if (strcmp(s->peers[i].name, name) == 0) {
            twice(reader, "the peer set", name, &s->peers[i].at);
            return;
        }
    }
    s->peers = lab_script_grow(s->peers, s->peers_count, sizeof *s->peers);
    s->peers[s->peers_count++] =
        (struct lab_scenario_peers){kept(reader, 1), kept(reader, 2), reader->at};
}

/* "main.steps" or a number. */
static bool operand_read(struct lab_reader *reader, const char *text, struct lab_operand *operand)
{
    const char *dot = strchr(text, '.');
    *operand = (struct lab_operand){.text = lab_arena_text(&reader->scenario->arena, text)};
    if (lab_quantity_read(LAB_KIND_NUMBER, text, &operand->number) == 0)
        return true;
    if (dot == NULL || !lab_name_ok(dot + 1)) {
        lab_reader_fault(reader, "'%.63s': expected VARIANT.FIELD, such as main.steps, or a number",
                         text);
        return false;
    }
    operand->variant = lab_arena_text_part(&reader->scenario->arena, text, (size_t)(dot - text));
    operand->field = lab_arena_text(&reader->scenario->arena, dot + 1);
    return true;
}

static void read_result(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    struct lab_scenario_result result = {.at = reader->at};
    const char *field = word(reader, 1);
    bool both = reader->words.count == 6;
    if (lab_reader_full(reader, s->result_count) || !name_ok(reader, field, "a result"))
        return;
    if (strcmp(word(reader, 2), "=") != 0 || (!both && reader->words.count != 4) ||
        (both && (strlen(word(reader, 4)) != 1 || strchr("+-*/", *word(reader, 4)) == NULL))) {
        lab_reader_fault(reader, "expected: result FIELD = A, or FIELD = A + B, with + - * or /");
        return;
    }
    for (size_t i = 0; i < s->result_count; i++) {
        if (strcmp(s->result[i].field, field) == 0) {
            twice(reader, "the result", field, &s->result[i].at);
            return;
        }
    }
    result.field = kept(reader, 1);
    result.operation = both ? *word(reader, 4) : '\0';
    if (!operand_read(reader, word(reader, 3), &result.left) ||
        (both && !operand_read(reader, word(reader, 5), &result.right)))
        return;
    s->result = lab_script_grow(s->result, s->result_count, sizeof *s->result);
    s->result[s->result_count++] = result;
}

static void read_measure(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    if (lab_reader_full(reader, s->measure_count))
        return;
    const struct lab_verb *verb = lab_call_check(&s->language->measures, "measure", &reader->words,
                                                 1, reader->why, sizeof reader->why);
    if (verb == NULL) {
        lab_reader_fault(reader, "%s", reader->why);
        return;
    }
    s->measure = lab_script_grow(s->measure, s->measure_count, sizeof *s->measure);
    s->measure[s->measure_count++] =
        (struct lab_scenario_line){reader->line, reader->size, reader->at, verb};
}

static void read_include(struct lab_reader *reader)
{
    lab_source_include(reader, word(reader, 1));
}

void lab_statement_action(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    if (reader->words.count < 2) {
        lab_reader_fault(reader, "expected: @TIME ACTION [word...] [KEY=VALUE...] [{SET}]");
        return;
    }
    const struct lab_verb *verb = lab_call_check(&s->language->actions, "action", &reader->words, 1,
                                                 reader->why, sizeof reader->why);
    if (verb == NULL) {
        lab_reader_fault(reader, "%s", reader->why);
        return;
    }
    s->action = lab_script_grow(s->action, s->action_count, sizeof *s->action);
    s->action[s->action_count++] =
        (struct lab_scenario_line){reader->line, reader->size, reader->at, verb};
}

/* --- which it is ----------------------------------------------------------------------------- */

struct statement {
    const char *name, *usage;
    size_t words_min, words_max; /* the first included */
    void (*read)(struct lab_reader *reader);
};

enum { MANY = LAB_SCENARIO_WORDS_MAX };

static const struct statement statement[] = {
    {"set", "set KEY VALUE", 3, 3, read_set},
    {"param", "param KEY VALUE [help...]", 3, MANY, read_param},
    {"include", "include FILE", 2, 2, read_include},
    {"peers", "peers NAME {SET}", 3, 3, read_peers},
    {"variant", "variant NAME [\"WORDS\"] KEY=VALUE...", 3, MANY, read_variant},
    {"result", "result FIELD = A [+ B]", 4, 6, read_result},
    {"sweep", "sweep KEY VALUE...", 3, MANY, read_sweep},
    {"figure", "figure \"Title\" table=NAME x=COLUMN:\"Label\" y=COLUMN:\"Label\" ...", 2, MANY,
     lab_statement_figure},
    {"measure", "measure NAME [KEY=VALUE...]", 2, MANY, read_measure},
};

static const char *statement_name(const void *list, size_t i)
{
    return ((const struct statement *)list)[i].name;
}

void lab_statement_read(struct lab_reader *reader)
{
    const size_t count = sizeof statement / sizeof statement[0];
    size_t words = reader->words.count;
    for (size_t i = 0; i < count; i++) {
        const struct statement *s = &statement[i];
        if (strcmp(s->name, word(reader, 0)) != 0)
            continue;
        if (words >= s->words_min && words <= s->words_max)
            s->read(reader);
        else
            lab_reader_fault(reader, "too %s words; expected: %s",
                             words < s->words_min ? "few" : "many", s->usage);
        return;
    }
    struct lab_names known = {statement, count, statement_name};
    lab_names_unknown(reader->why, sizeof reader->why, "statement", word(reader, 0), &known);
    lab_reader_fault(reader, "%s, @TIME", reader->why);
}
