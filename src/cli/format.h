/*
 * What to print of a bundle: -F of sub and show.
 *
 *   %i id        %a author   %q sequence   %t global time   %T type   %e expiry, Unix seconds
 *   %p payload   %x payload in hex         %l payload bytes  %% percent
 *   \n \t \0 \\
 */
#ifndef HEARSAY_CLI_FORMAT_H
#define HEARSAY_CLI_FORMAT_H

#include "src/cli/out.h"

/* False, and one line on stderr, for a letter that means nothing. */
bool format_check(const char *format);
void format_print(const struct out *out, const char *format, const json_t *bundle);

/* The payload of a bundle as bytes; free() it. */
char *format_payload(const json_t *bundle, size_t *size);

#endif
