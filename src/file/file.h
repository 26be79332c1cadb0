/* SPDX-License-Identifier: MIT */
/* An open file. */
#ifndef LEAT_FILE_FILE_H
#define LEAT_FILE_FILE_H

#include "file/disk.h"
#include "io/sock.h"

#include <leat/file.h>

enum leat__file_kind {
	LEAT__FILE_STREAM, /* what the poller can wait for */
	LEAT__FILE_DISK,   /* what has positions: one turn for both directions, for they share it */
	LEAT__FILE_OTHER,  /* directories, /dev/null and the like: plain calls */
};

extern const char leat__file_mark; /* by which leat_copy knows files */

struct leat_file {
	const char *mark; /* leat__file_mark */
	struct leat__sock sock;
	struct leat__disk disk; /* DISK */
	enum leat__file_kind kind;
	bool blocking; /* STREAM: it is in blocking mode, as others share it */
	bool append;
	char name[];
};

/* --- file_temp.c: a number that is likely to be nobody else's */
uint32_t leat__temp_number(void);

/* --- path_error.c */

/* "OP PATH: WHY" with the code err, which is the system's. */
const leat_error *leat__path_error(const char *op, const char *path, int err);

/* Store that in *error, if it is wanted and err is none of 0; err. */
int leat__path_failed(const char *op, const char *path, int err, const leat_error **error);

#endif
