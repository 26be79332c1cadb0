/* SPDX-License-Identifier: MIT */
/* Errors of files in the words of Go's packages os and fs. */
#include "file/file.h"

#include <errno.h>
#include <string.h>

static const leat_error *made(const char *op, const char *path, const char *words, int err)
{
	leat_error *e = leat_errorf(NULL, "%s %s: %s", op, path, words);

	leat_error_set_code(e, err);
	return e;
}

const leat_error *leat__path_error(const char *op, const char *path, int err)
{
	char words[LEAT__IO_WORDS];

	return made(op, path, leat__system_words(err, words), err);
}

int leat__path_failed(const char *op, const char *path, int err, const leat_error **error)
{
	if (err && error)
		*error = leat__path_error(op, path, err);
	return err;
}

const leat_error *leat_file_error(const leat_file *f, const char *op, int err)
{
	char words[LEAT__IO_WORDS];

	if (!err)
		return NULL;
	if (err == -EBADF) /* else it is not open for that */
		return load_acquire(&f->sock.closed) ? made(op, f->name, "file already closed", err)
		                                     : leat__path_error(op, f->name, err);
	if (err == -ENOTSUP && f->kind != LEAT__FILE_STREAM && strstr(op, "deadline"))
		return made(op, f->name, "file type does not support deadline", err);
	return made(op, f->name, leat__io_words(err, words), err);
}
