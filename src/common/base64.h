/* Bytes as base64 (RFC 4648 part 4, with padding) and back.  Pure. */
#ifndef HEARSAY_COMMON_BASE64_H
#define HEARSAY_COMMON_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters that `size` bytes become, the final 0 included. */
#define BASE64_TEXT_BYTES(size) (((size) + 2) / 3 * 4 + 1)

void base64_format(char *text, const void *bytes, size_t size);

/* Returns the number of bytes, at most `size`; HSAY_EBAD: what no encoder writes; HSAY_ENOSPC. */
int base64_parse(void *bytes, size_t size, const char *text);

#endif
