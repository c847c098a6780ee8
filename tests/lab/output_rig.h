/* A folder for a test's files, gone at its end; and looks into what was written there. */
#ifndef HEARSAY_TESTS_OUTPUT_RIG_H
#define HEARSAY_TESTS_OUTPUT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/file.h"
#include "src/lab/output/heap.h"

static char work[] = "/tmp/hearsay-lab-output.XXXXXX";

static inline int set_up(void **state)
{
    (void)state;
    return mkdtemp(work) == NULL ? -1 : 0;
}

static inline int tear_down(void **state)
{
    char *command = lab_heap_format("rm -rf '%s'", work);
    (void)state;
    int rc = system(command);
    free(command);
    return rc;
}

static inline const char *at(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", work, name);
    return path;
}

static inline char *read_text(const char *name)
{
    char *text;
    size_t size;
    assert_int_equal(file_read(at(name), 64 << 20, &text, &size), 0);
    return text;
}

static inline size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *found = text; (found = strstr(found, word)) != NULL; found += strlen(word))
        count++;
    return count;
}

static inline void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in: %.2000s", part, text);
}

#endif
