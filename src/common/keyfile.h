/*
 * Secrets on disk: one line of 64 hex digits in a file that only its owner can read.
 */
#ifndef HEARSAY_COMMON_KEYFILE_H
#define HEARSAY_COMMON_KEYFILE_H

#include <stdint.h>

enum { KEYFILE_BYTES = 32 };

/* HSAY_ENOENT; HSAY_EBAD: not 64 hex digits; HSAY_EINVAL: others than its owner can read it;
 * HSAY_EIO with errno. */
int keyfile_read(const char *path, uint8_t secret[KEYFILE_BYTES]);

/* Mode 0600, atomically.  HSAY_EIO with errno. */
int keyfile_write(const char *path, const uint8_t secret[KEYFILE_BYTES]);

#endif
