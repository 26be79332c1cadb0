/* SPDX-License-Identifier: MIT */
/* Files of thumb.c, whole.  Errors are the caller's, with words for people. */
#ifndef THUMB_FILES_H
#define THUMB_FILES_H

#include <leat.h>

/* All of a regular file, of at most `most` bytes; to be freed. */
const leat_error *file_read(const char *name, size_t most, unsigned char **bytes, size_t *length);

/*
 * Make folder/name of these bytes, instead of what was there: all of it, or, on failure, nothing.  source, which it
 * is made from, is not to be overwritten.
 */
const leat_error *file_write(const char *folder, const char *name, const char *source,
                             const unsigned char *bytes, size_t length);

#endif
