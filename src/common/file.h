/*
 * Small files: read whole, written so that a crash leaves the old or the new one, never a half.
 * All return 0 or HSAY_EIO with errno set, unless said otherwise.
 */
#ifndef HEARSAY_COMMON_FILE_H
#define HEARSAY_COMMON_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* The whole file on the heap with a 0 behind it; free() it.  HSAY_ENOENT when there is none;
 * HSAY_ENOSPC when it is larger than size_max. */
int file_read(const char *path, size_t size_max, char **text, size_t *size);

/* Writes to PATH.tmp, syncs, renames, syncs the folder. */
int file_write(const char *path, const void *bytes, size_t size, mode_t mode);

/* Makes a folder and those above it; one that is there already is fine and keeps its mode. */
int file_make_folder(const char *path, mode_t mode);

#endif
