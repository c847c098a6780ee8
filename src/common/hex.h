/* Bytes as lower-case hex digits and back.  Pure. */
#ifndef HEARSAY_COMMON_HEX_H
#define HEARSAY_COMMON_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes 2 * size digits and a final 0 to text. */
void hex_format(char *text, const void *bytes, size_t size);

/* Reads exactly 2 * size digits of either case up to the end of the text.  HSAY_EBAD, and `bytes`
 * untouched, for anything else. */
int hex_parse(void *bytes, size_t size, const char *text);

#endif
