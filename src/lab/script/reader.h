/*
 * Inside the reading of a scenario: what its parts share.  See scenario.h.
 */
#ifndef HEARSAY_LAB_READER_H
#define HEARSAY_LAB_READER_H

#include "src/lab/script/scenario.h"
#include "src/lab/script/words.h"

enum { LAB_WHY_BYTES = 768 };

/* A file that is being read: how far, and who it is, so that it is not read inside itself. */
struct lab_source {
    const struct lab_scenario_file *file;
    const char *identity;
    const char *path; /* NULL for a shipped one */
    size_t used;
    unsigned line;
};

struct lab_reader {
    struct lab_scenario *scenario;
    struct lab_faults *faults;
    struct lab_script_place at;
    const char *line; /* without its end */
    size_t size;
    struct lab_words words; /* of the line */
    struct lab_source source[LAB_SCENARIO_DEPTH_MAX];
    unsigned depth;
    char why[LAB_WHY_BYTES];
};

/* Adds a fault at the line that is read. */
__attribute__((format(printf, 2, 3))) void lab_reader_fault(struct lab_reader *reader,
                                                            const char *format, ...);

/* Whether a list has reached its bound; a fault if so. */
bool lab_reader_full(struct lab_reader *reader, size_t count);

/* --- source.c: lines out of files ------------------------------------------------------------ */

/* Begins with a file.  0, or an error and a fault. */
int lab_source_open(struct lab_reader *reader, const char *path);
int lab_source_open_text(struct lab_reader *reader, const char *name, const char *path,
                         const char *text, size_t size);

/* From the line being read. */
void lab_source_include(struct lab_reader *reader, const char *name);

/* The next line into the reader; false at the end of all. */
bool lab_source_next(struct lab_reader *reader);

/* --- statements.c, figure.c: what lines say -------------------------------------------------- */

/* The words of the line, of which there is at least one, and which does not begin with @. */
void lab_statement_read(struct lab_reader *reader);

void lab_statement_action(struct lab_reader *reader);

void lab_statement_figure(struct lab_reader *reader);

/* --- call.c: a verb and what it is given ----------------------------------------------------- */

/* Checks words[first ..] of an action or a measure, as far as that can be done before $KEY is
 * known.  The verb, or NULL and a sentence. */
const struct lab_verb *lab_call_check(const struct lab_verbs *verbs, const char *what,
                                      const struct lab_words *words, size_t first, char *why,
                                      size_t why_size);

/* The same words with $KEY filled in: words first, then keys.  They have been checked. */
struct lab_script_call {
    const struct lab_verb *verb;
    struct lab_arg *arg;
    size_t word_count, arg_count;
    const char *set; /* NULL without one */
};

int lab_call_make(struct lab_script_call *call, const struct lab_verb *verb,
                  const struct lab_words *words, size_t first, const struct lab_settings *settings,
                  struct lab_arena *arena, char *why, size_t why_size);

#endif
