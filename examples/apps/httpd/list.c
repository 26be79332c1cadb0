/* SPDX-License-Identifier: MIT */
/* A page of what is in a folder, by name, for people. */
#define _GNU_SOURCE
#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct page {
	char *text;
	size_t n;
	FILE *stream;
};

static void put_html(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text))
			fprintf(to, "&#%d;", *text);
		else
			putc(*text, to);
	}
}

static void put_link(FILE *to, const char *name)
{
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~/", c))
			putc(c, to);
		else
			fprintf(to, "%%%02X", c);
	}
}

/* A link is none: what it leads to tells itself. */
static bool is_folder(int folder, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* --- the names */

/* With a slash behind those of folders. */
struct names {
	char **all;
	size_t n, room;
};

static bool add(struct names *names, int folder, const struct dirent *e)
{
	char *name;

	if (names->n == names->room) {
		size_t room = names->room ? names->room * 2 : 64;
		char **all = realloc(names->all, room * sizeof *all);

		if (!all)
			return false;
		names->all = all;
		names->room = room;
	}
	if (asprintf(&name, "%s%s", e->d_name, is_folder(folder, e) ? "/" : "") < 0)
		return false;
	names->all[names->n++] = name;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* 0, or a negative errno code. */
static int read_names(struct names *names, int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int err = 0;

	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err && (errno = 0, e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !add(names, folder, e))
			err = -ENOMEM;
	if (!err)
		err = -errno;
	closedir(dir);
	if (names->n)
		qsort(names->all, names->n, sizeof *names->all, by_name);
	return err;
}

static void drop_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->all[i]);
	free(names->all);
}

/* --- the page */

static void put_page(FILE *to, const char *path, const struct names *names)
{
	fputs("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>", to);
	put_html(to, path);
	fputs("</title>\n<h1>", to);
	put_html(to, path);
	fputs("</h1>\n<ul>\n", to);
	if (strcmp(path, "/") != 0)
		fputs("<li><a href=\"../\">../</a>\n", to);
	for (size_t i = 0; i < names->n; i++) {
		fputs("<li><a href=\"./", to);
		put_link(to, names->all[i]);
		fputs("\">", to);
		put_html(to, names->all[i]);
		fputs("</a>\n", to);
	}
	fputs("</ul>\n", to);
}

/* The page, which is the caller's: 0, or a negative errno code. */
static int make_page(struct page *p, const char *path, int folder)
{
	struct names names = {0};
	int err = read_names(&names, folder);

	if (!err && (p->stream = open_memstream(&p->text, &p->n))) {
		put_page(p->stream, path, &names);
		err = fclose(p->stream) == 0 ? 0 : -ENOMEM;
	} else if (!err) {
		err = -ENOMEM;
	}
	drop_names(&names);
	return err;
}

int list_serve(struct session *s, int folder, const char *path)
{
	struct page p = {0};
	int err = make_page(&p, path, folder);

	if (err) {
		free(p.text);
		return files_status(err);
	}
	defer(free, p.text);
	reply_begin(&s->out, 200);
	reply_field(&s->out, "Content-Type", "text/html; charset=utf-8");
	reply_length(&s->out, p.n);
	reply_end_head(&s->out);
	reply_body(&s->out, p.text, p.n);
	return 0;
}
