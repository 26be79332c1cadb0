/* SPDX-License-Identifier: MIT */
/*
 * Errors as people and the log see them.
 *
 * All is written piece by piece, to a stream or into memory that grows.  Names of frames are looked up under the
 * turn of those who do that (sched/report.h), into memory, since whoever reads a stream may be slow to take it.
 */
#include "value/error.h"

#include "sched/report.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOT_OURS "There was an unexpected issue; please report this as a bug."

struct sink {
	FILE *f;  /* or NULL: */
	char *at; /* from malloc */
	size_t length, room;
	bool failed; /* memory is out */
};

static void put(struct sink *to, const char *text, size_t n)
{
	if (to->f) {
		fwrite(text, 1, n, to->f);
		return;
	}
	if (to->length + n + 1 > to->room) {
		size_t room = 2 * (to->length + n) + 256;
		char *at = to->failed ? NULL : realloc(to->at, room);

		if (!at) {
			to->failed = true;
			return;
		}
		to->at = at;
		to->room = room;
	}
	memcpy(to->at + to->length, text, n);
	to->length += n;
	to->at[to->length] = '\0';
}

static void put_string(struct sink *to, const char *text)
{
	put(to, text, strlen(text));
}

/* For numbers and the like, of a length that is known. */
static void LEAT__PRINTF(2, 3) put_short(struct sink *to, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	put_string(to, text);
}

/* Each further line of text begins with what is given. */
static void put_lines(struct sink *to, const char *text, const char *begin)
{
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		put(to, text, (size_t)(end - text) + 1);
		put_string(to, begin);
	}
	put_string(to, text);
}

/* --- for people */

/* What is to be shown. */
struct job {
	struct sink to;
	const leat_error *e; /* not NULL */
	const leat_error_type *type;
	uint64_t log_id;
};

/* To f, in one piece; where there is no stack for more, the message. */
static void print(FILE *f, void (*fn)(void *), const leat_error *e, const leat_error_type *type,
                  uint64_t log_id)
{
	struct job job = {{.f = f}, e, type, log_id};
	int error = errno; /* libraries that are loaded change it */

	if (!e)
		return;
	flockfile(f);
	if (!leat__error_with_room(fn, &job)) {
		fputs(leat_error_message(e), f);
		fputs("\n", f);
	}
	funlockfile(f);
	errno = error;
}

static char *text(void (*fn)(void *), const leat_error *e, const leat_error_type *type,
                  uint64_t log_id)
{
	struct job job = {{0}, e, type, log_id};
	int error = errno;

	if (!e)
		return calloc(1, 1);
	if (!leat__error_with_room(fn, &job) || job.to.failed) {
		free(job.to.at);
		job.to.at = NULL;
	}
	errno = error;
	return job.to.at;
}

static void leat__error_show(void *arg)
{
	struct job *job = arg;
	struct sink *to = &job->to;
	const leat_error *e = job->e;
	const char *help = leat_error_help(e);
	uint64_t log_id = job->log_id ? job->log_id : leat_error_log_id(e);

	if (log_id)
		put_short(to, "[%llu] ", (unsigned long long)log_id);
	if (job->type && leat_error_type_of(e) != job->type) {
		put_string(to, NOT_OURS "\n");
		return;
	}
	put_string(to, leat_error_message(e));
	put_string(to, "\n");
	if (help) {
		put_string(to, "See ");
		put_string(to, help);
		put_string(to, "\n");
	}
}

void leat_error_print(FILE *f, const leat_error *e, const leat_error_type *type, uint64_t log_id)
{
	print(f, leat__error_show, e, type, log_id);
}

char *leat_error_text(const leat_error *e, const leat_error_type *type, uint64_t log_id)
{
	return text(leat__error_show, e, type, log_id);
}

/* --- for the log */

/* Of one who reports the process's end nobody must wait for the turn; see sched/dump.c. */
static void put_trace(struct sink *to, const struct leat__error *h)
{
	struct leat__text names = {.to_memory = true};
	char *line, *end;

	leat__report_wait();
	leat__turn_take(INT64_MAX);
	leat__names_forget();
	leat__put_trace(&names, h->trace, h->trace_n);
	leat__turn_give();
	line = names.at;
	for (; names.length && (end = memchr(line, '\n', names.length)); line = end + 1) {
		size_t n = (size_t)(end - line) + 1;

		put_string(to, "\t");
		put(to, line, n);
		names.length -= n;
	}
	free(names.at);
}

static void put_time(struct sink *to, int64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000);
	struct tm t;

	if (!time_ns || !gmtime_r(&seconds, &t))
		return;
	put_short(to, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
	          t.tm_hour, t.tm_min, t.tm_sec, (int)(time_ns % 1000000000 / 1000));
}

/* What is known of an error on the heap but its message. */
static void put_details(struct sink *to, const struct leat__error *h)
{
	if (h->help) {
		put_string(to, "\thelp: ");
		put_lines(to, h->help, "\t\t");
		put_string(to, "\n");
	}
	for (const struct leat__extra *x = h->extras; x; x = x->next) {
		put_string(to, "\t");
		put_string(to, x->text);
		put_string(to, ": ");
		put_lines(to, x->value, "\t\t");
		put_string(to, "\n");
	}
	if (h->file) {
		put_string(to, "\tat ");
		put_string(to, h->function ? h->function : "?");
		put_string(to, " (");
		put_string(to, h->file);
		put_short(to, ":%d)\n", h->line);
	}
	if (h->trace_n)
		put_trace(to, h);
}

static void leat__error_show_all(void *arg)
{
	struct job *job = arg;
	struct sink *to = &job->to;
	uint64_t log_id = job->log_id ? job->log_id : leat_error_log_id(job->e);
	struct leat__error_walk w;

	for (leat__error_walk(&w, job->e); w.at; leat__error_next(&w)) {
		const struct leat__error *h = leat__error_of(w.at);

		if (log_id)
			put_short(to, "[logID: %llu] ", (unsigned long long)log_id);
		if (w.count)
			put_string(to, "caused by: ");
		put_time(to, leat_error_time(w.at));
		if (w.at->leat__type) {
			put_string(to, w.at->leat__type->name);
			put_string(to, ": ");
		}
		if (h && h->joins)
			put_short(to, "%zu joined errors", h->causes_n);
		else
			put_lines(to, leat_error_message(w.at), "\t");
		put_string(to, "\n");
		if (h)
			put_details(to, h);
	}
}

void leat_error_log(FILE *f, const leat_error *e, uint64_t log_id)
{
	print(f, leat__error_show_all, e, NULL, log_id);
}

char *leat_error_log_text(const leat_error *e, uint64_t log_id)
{
	return text(leat__error_show_all, e, NULL, log_id);
}

uint64_t leat_error_report(const leat_error *e, const leat_error_type *type, FILE *user, FILE *log)
{
	uint64_t log_id = leat_error_log_id(e);

	if (!e)
		return 0;
	if (!log_id)
		log_id = leat_error_new_log_id();
	if (log) {
		leat_error_log(log, e, log_id);
		fflush(log);
	}
	if (user)
		leat_error_print(user, e, type, log_id);
	return log_id;
}
