/* SPDX-License-Identifier: MIT */
/* The monitor's figures as a table. */
#include "pipe/meter.h"

#include "sched/panic.h"

#include <leat/go.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_COLUMNS 24

/* Three digits and a unit that fits. */
static const char *text_scaled(char text[16], double x, const char *const *units, int n)
{
	int unit = 0;

	for (; unit + 1 < n && x >= 999.5; unit++)
		x /= 1000;
	/* Whole numbers as they are. */
	if (x >= 1e6)
		snprintf(text, 16, "%.3g%s", x, units[unit]);
	else if (x >= 99.95 || x == (int)x)
		snprintf(text, 16, "%.0f%s", x, units[unit]);
	else
		snprintf(text, 16, "%.*f%s", x >= 9.995 ? 1 : 2, x, units[unit]);
	return text;
}

const char *leat__text_ns(char text[16], double ns)
{
	static const char *const units[] = {" ns", " us", " ms", " s"};

	return text_scaled(text, ns, units, 4);
}

const char *leat__text_count(char text[16], double n)
{
	static const char *const units[] = {"", " k", " M", " G"};

	return text_scaled(text, n, units, 4);
}

static int name_columns(const struct leat__figures *f)
{
	size_t most = 5;

	for (size_t i = 0; i < f->n; i++)
		if (strlen(f->stats[i].name) > most)
			most = strlen(f->stats[i].name);
	return most < NAME_MAX_COLUMNS ? (int)most : NAME_MAX_COLUMNS;
}

/* A terminal is not to obey it.  columns: of the table, 0 elsewhere. */
static void put_name(FILE *to, const char *name, int columns)
{
	int used = 0;

	for (; name[used] && used < NAME_MAX_COLUMNS; used++)
		fputc((unsigned char)name[used] < ' ' || name[used] == 0x7f ? '?' : name[used], to);
	if (used < columns)
		fprintf(to, "%*s", columns - used, "");
}

/* How far L is from lambda * W. */
static void put_check(FILE *to, double inside, double law)
{
	char text[16];

	if (inside <= 0 && law <= 0)
		fprintf(to, " %8s      ", "-");
	else if (inside <= 0 || law > 1000 * inside)
		fprintf(to, " %8s  off ", leat__text_count(text, law));
	else
		fprintf(to, " %8s %+4.0f%%", leat__text_count(text, law), (law / inside - 1) * 100);
}

static void put_stage(FILE *to, const leat_pipe_stats *s, int columns)
{
	char text[16];

	put_name(to, s->name, columns);
	fprintf(to, " %4d %10" PRId64 " %10" PRId64 " %8" PRId64, s->workers, s->arrivals,
	        s->departures, s->inside);
	fprintf(to, " %8s", leat__text_count(text, s->rate));
	fprintf(to, " %8s", leat__text_ns(text, s->service_ns));
	fprintf(to, " %3.0f%% %3.0f%% %3.0f%%", s->utilization * 100, s->blocked_in * 100,
	        s->blocked_out * 100);
	if (s->source) {
		fprintf(to, "\n");
		return;
	}
	if (s->queue_known)
		fprintf(to, " %8s", leat__text_count(text, s->mean_queued));
	else
		fprintf(to, " %8s", "?");
	if (s->cap >= 0)
		fprintf(to, " %6td", s->cap);
	else
		fprintf(to, " %6s", "-");
	fprintf(to, " %8s", leat__text_ns(text, s->mean_time_ns));
	fprintf(to, " %8s", leat__text_count(text, s->mean_inside));
	put_check(to, s->mean_inside, s->rate * s->mean_time_ns / 1e9);
	fprintf(to, "\n");
}

static void put_whole(FILE *to, const leat_pipe_totals *t)
{
	char text[16];

	fprintf(to, "pipeline of %zu stages: %" PRId64 " came in %s, %" PRId64 " inside\n", t->stages,
	        t->arrivals, leat__text_ns(text, t->elapsed_ns), t->inside);
	fprintf(to, "  lambda %s/s, ", leat__text_count(text, t->rate));
	fprintf(to, "W %s, ", leat__text_ns(text, t->mean_time_ns));
	fprintf(to, "L %s, lambda * W", leat__text_count(text, t->mean_inside));
	put_check(to, t->mean_inside, t->rate * t->mean_time_ns / 1e9);
	fprintf(to, "\n");
}

static void put_bottleneck(FILE *to, const leat_pipe_stats *s, int beyond)
{
	fputs(beyond > 0   ? "bottleneck: who receives from "
	      : beyond < 0 ? "bottleneck: who sends to "
	                   : "bottleneck: ",
	      to);
	put_name(to, s->name, 0);
	if (beyond > 0)
		fprintf(to, ", which waits for that %.0f%% of the time\n", s->blocked_out * 100);
	else if (beyond < 0)
		fprintf(to, ", which waits for that %.0f%% of the time\n", s->blocked_in * 100);
	else if (s->fan_out > s->workers)
		fprintf(to, ", at work %.0f%% of the time; as quick as the next slowest with %d workers\n",
		        s->utilization * 100, s->fan_out);
	else
		fprintf(to, ", at work %.0f%% of the time; others are about as slow\n",
		        s->utilization * 100);
}

static void put_unstable(FILE *to, const leat_pipe_stats *s)
{
	char text[16];

	fputs("unstable: ", to);
	put_name(to, s->name, 0);
	fprintf(to, ": %s/s come", leat__text_count(text, s->rate));
	fprintf(to, ", %s/s too many; %" PRId64 " inside; would keep up with %d workers\n",
	        leat__text_count(text, s->growth), s->inside, s->fan_out);
}

static void put_findings(FILE *to, const struct leat__figures *f)
{
	const leat_pipe_totals *t = &f->totals;
	double work = 0;

	if (t->bottleneck >= 0)
		put_bottleneck(to, &f->stats[t->bottleneck], t->beyond);
	for (size_t i = 0; i < f->n; i++) {
		work += f->stats[i].utilization * f->stats[i].workers;
		if (f->stats[i].unstable)
			put_unstable(to, &f->stats[i]);
	}
	fprintf(to, "%.1f workers are at work on average, on %d processors\n", work, leat_procs(0));
}

char *leat__report_text(const struct leat__figures *f, int *lines)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *to = open_memstream(&text, &bytes);
	int columns = name_columns(f);
	bool bad;

	if (!to)
		return NULL;
	put_whole(to, &f->totals);
	fprintf(to, "%-*s %4s %10s %10s %8s %8s %8s %4s %4s %4s %8s %6s %8s %8s %14s\n", columns,
	        "stage", "by", "came", "left", "inside", "lambda/s", "service", "work", "in", "out",
	        "queued", "of", "W", "L", "lambda * W");
	for (size_t i = 0; i < f->n; i++)
		put_stage(to, &f->stats[i], columns);
	put_findings(to, f);
	bad = ferror(to);
	/* glibc's fclose may have had no memory for the text, and not say so. */
	if (fclose(to) != 0 || bad || !text) {
		free(text);
		return NULL;
	}
	*lines = 0;
	for (const char *c = text; *c; c++)
		*lines += *c == '\n';
	return text;
}

bool leat__monitor_report(struct leat__monitor *mon, FILE *to)
{
	struct leat__figures f;
	char *text;
	int lines;

	if (!leat__figures(mon, &f))
		return false;
	text = leat__report_text(&f, &lines);
	leat__figures_free(&f);
	if (!text)
		return false;
	fputs(text, to);
	fflush(to);
	free(text);
	return true;
}

void leat_pipe_report(leat_scope *s, FILE *to)
{
	struct leat__monitor *mon = leat__monitor_of(s);

	if (!mon || !__atomic_load_n(&mon->on, __ATOMIC_ACQUIRE))
		fputs("no pipeline is watched here\n", to);
	else if (!leat__monitor_report(mon, to))
		leat__panic_runtime("out of memory");
}
