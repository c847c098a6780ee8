/* The request line of the control socket: words with single blanks between.  Pure. */
#ifndef HEARSAY_DAEMON_REQUEST_H
#define HEARSAY_DAEMON_REQUEST_H

#include "hearsay/types.h"

enum { REQUEST_LINE_MAX_BYTES = 4096, REQUEST_WORDS_MAX = 8 };

struct request {
    char line[REQUEST_LINE_MAX_BYTES];
    const char *word[REQUEST_WORDS_MAX]; /* into line; the first is the verb */
    size_t word_count;
    struct hsay_span body;
};

/* `size` bytes without the newline.  HSAY_EBAD: empty, too long, other than printable ASCII, too
 * many words, or blanks in the wrong places. */
int request_parse(struct request *request, const char *line, size_t size);

/* A whole number from 0 to `max`.  HSAY_EBAD. */
int request_number(const char *word, uint64_t max, uint64_t *out);

#endif
