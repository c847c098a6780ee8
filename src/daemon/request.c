#include "src/daemon/request.h"

#include <string.h>

#include "hearsay/error.h"
#include "src/daemon/value.h"

int request_parse(struct request *request, const char *line, size_t size)
{
    request->word_count = 0;
    request->body = (struct hsay_span){0};
    if (size == 0 || size >= REQUEST_LINE_MAX_BYTES) {
        return HSAY_EBAD;
    }
    memcpy(request->line, line, size);
    request->line[size] = 0;
    for (size_t i = 0; i < size; i++) {
        bool first = i == 0 || request->line[i - 1] == 0;

        if (line[i] == ' ') {
            if (first || i + 1 == size) {
                return HSAY_EBAD;
            }
            request->line[i] = 0;
        } else if (line[i] < 33 || line[i] > 126) {
            return HSAY_EBAD;
        } else if (first) {
            if (request->word_count == REQUEST_WORDS_MAX) {
                return HSAY_EBAD;
            }
            request->word[request->word_count++] = request->line + i;
        }
    }
    return 0;
}

int request_number(const char *word, uint64_t max, uint64_t *out)
{
    uint64_t number;

    if (value_number(&number, word) || number > max) {
        return HSAY_EBAD;
    }
    *out = number;
    return 0;
}
