/* SPDX-License-Identifier: MIT */
/* Files: whole, in part, in several parts, or only whether they have changed. */
#define _GNU_SOURCE
#include "range.h"
#include "server.h"
#include "target.h"
#include "types.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	int fd;
	uint64_t bytes;
	const char *type;
	struct validators validators;
};

int files_status(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
	case -ENAMETOOLONG:
	case -ELOOP: /* a link that is not followed */
	case -EXDEV: /* or that leads out */
	case -ENXIO: /* a socket */
		return 404;
	case -EACCES:
	case -EPERM:
		return 403;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return 503;
	default:
		return 500;
	}
}

static void close_file(const struct file *f)
{
	if (f->fd >= 0)
		close(f->fd);
}

/* Nanoseconds are in the tag: two states of a file that are a second apart or less are told apart. */
static void describe(struct file *f, const struct stat *st, const char *name)
{
	f->bytes = (uint64_t)st->st_size;
	f->type = type_of(name);
	f->validators.modified = st->st_mtim.tv_sec;
	snprintf(f->validators.etag, sizeof f->validators.etag, "\"%" PRIx64 "-%lx-%" PRIx64 "\"",
	         (uint64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, f->bytes);
}

/* What all answers about the file have. */
static void describing_fields(struct reply *r, const struct file *f)
{
	char date[DATE_BYTES];

	date_text(f->validators.modified, date);
	reply_field(r, "Last-Modified", date);
	reply_field(r, "ETag", f->validators.etag);
	reply_text(r, "Accept-Ranges: bytes\r\n");
}

/* --- answers */

static void not_modified(struct reply *r, const struct file *f)
{
	reply_begin(r, 304);
	describing_fields(r, f);
	reply_end_head(r);
}

static void whole(struct reply *r, const struct file *f)
{
	reply_begin(r, 200);
	reply_field(r, "Content-Type", f->type);
	reply_length(r, f->bytes);
	describing_fields(r, f);
	reply_end_head(r);
	reply_file(r, f->fd, 0, f->bytes);
}

static void content_range(struct reply *r, const struct file *f, const struct range *part)
{
	reply_fieldf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->from,
	             part->from + part->n - 1, f->bytes);
}

static void one_part(struct reply *r, const struct file *f, const struct range *part)
{
	reply_begin(r, 206);
	reply_field(r, "Content-Type", f->type);
	content_range(r, f, part);
	reply_length(r, part->n);
	describing_fields(r, f);
	reply_end_head(r);
	reply_file(r, f->fd, (int64_t)part->from, part->n);
}

static void not_there(struct reply *r, const struct file *f)
{
	reply_begin(r, 416);
	reply_fieldf(r, "Content-Range", "bytes */%" PRIu64, f->bytes);
	reply_length(r, 0);
	reply_end_head(r);
}

/* --- several parts */

enum { BOUNDARY_BYTES = 33, PART_BYTES = 256 };

/* One that no file has in it, but by a chance of 2^-128. */
static void make_boundary(char boundary[BOUNDARY_BYTES])
{
	uint64_t random[2] = {0};

	while (getrandom(random, sizeof random, 0) < 0 && errno == EINTR)
		;
	snprintf(boundary, BOUNDARY_BYTES, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

static size_t part_head(char text[PART_BYTES], const char *boundary, const struct file *f,
                        const struct range *part)
{
	return (size_t)snprintf(text, PART_BYTES,
	                        "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: bytes %" PRIu64
	                        "-%" PRIu64 "/%" PRIu64 "\r\n\r\n",
	                        boundary, f->type, part->from, part->from + part->n - 1, f->bytes);
}

static void many_parts(struct reply *r, const struct file *f, const struct range *parts, int n)
{
	char boundary[BOUNDARY_BYTES], text[PART_BYTES];
	uint64_t bytes;

	make_boundary(boundary);
	bytes = strlen(boundary) + 8; /* the end */
	for (int i = 0; i < n; i++)
		bytes += part_head(text, boundary, f, &parts[i]) + parts[i].n;
	reply_begin(r, 206);
	reply_fieldf(r, "Content-Type", "multipart/byteranges; boundary=%s", boundary);
	reply_length(r, bytes);
	describing_fields(r, f);
	reply_end_head(r);
	for (int i = 0; i < n; i++) {
		reply_body(r, text, part_head(text, boundary, f, &parts[i]));
		reply_file(r, f->fd, (int64_t)parts[i].from, parts[i].n);
	}
	reply_body(r, text, (size_t)snprintf(text, sizeof text, "\r\n--%s--\r\n", boundary));
}

/* --- which of them */

static int serve_file(struct session *s, const struct file *f)
{
	struct reply *r = &s->out;
	struct range parts[MOST_RANGES];
	int n = 0;

	switch (conditions(s->head, &f->validators)) {
	case 304:
		not_modified(r, f);
		return 0;
	case 412:
		return 412;
	default:
		break;
	}
	if (s->head->method == METHOD_GET)
		n = ranges(s->head, &f->validators, f->bytes, parts);
	if (n < 0)
		not_there(r, f);
	else if (n == 0)
		whole(r, f);
	else if (n == 1)
		one_part(r, f, parts);
	else
		many_parts(r, f, parts, n);
	return 0;
}

/* A folder's name ends in a slash, or what its pages refer to is looked for beside it. */
static void add_slash(struct session *s)
{
	const char *target = s->head->target;
	size_t n;

	if (*target == '/') /* several would name another host */
		target += strspn(target, "/") - 1;
	n = strcspn(target, "?#");
	reply_begin(&s->out, 301);
	reply_text(&s->out, "Location: ");
	reply_put(&s->out, target, n);
	reply_text(&s->out, "/");
	reply_text(&s->out, target + n);
	reply_text(&s->out, "\r\n");
	reply_length(&s->out, 0);
	reply_end_head(&s->out);
}

/* The page of a folder, whose name comes behind the folder's. */
static int open_index(struct session *s, char *path)
{
	char *name = path + strlen(path);
	int fd;

	_Static_assert(sizeof "index.html" <= PATH_SPARE, "no room");
	memcpy(name, "index.html", sizeof "index.html");
	fd = target_open(s->server->root, path, s->server->follow);
	if (fd < 0)
		*name = '\0';
	return fd;
}

int files_serve(struct session *s, char *path)
{
	struct file f = {.fd = s->server->root < 0
	                           ? -ENOENT
	                           : target_open(s->server->root, path, s->server->follow)};
	struct stat st;

	if (f.fd < 0)
		return files_status(f.fd);
	defer(close_file, &f);
	if (fstat(f.fd, &st))
		return files_status(-errno);
	if (S_ISDIR(st.st_mode)) {
		int index;

		if (path[strlen(path) - 1] != '/') {
			add_slash(s);
			return 0;
		}
		index = open_index(s, path);
		if (index == -ENOENT)
			return s->server->list ? list_serve(s, f.fd, path) : 403;
		if (index < 0)
			return files_status(index);
		close(f.fd);
		f.fd = index;
		if (fstat(f.fd, &st))
			return files_status(-errno);
	}
	if (!S_ISREG(st.st_mode))
		return 403;
	describe(&f, &st, path);
	return serve_file(s, &f);
}
