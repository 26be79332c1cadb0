/* SPDX-License-Identifier: MIT */
/* The figures of leat scale for programs: see scaling.h. */
#include "scaling.h"
#include "utf8.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* JSON is Unicode; arguments are bytes.  What is no character is shown as one that says so. */
static void put_string(FILE *to, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;

	fputc('"', to);
	while (*at) {
		size_t length = utf8_length(at);

		if (length == 0)
			fputs("\\ufffd", to);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(to, "\\u%04x", (unsigned)*at);
		else if (*at == '"' || *at == '\\')
			fprintf(to, "\\%c", *at);
		else
			fwrite(at, 1, length, to);
		at += length ? length : 1;
	}
	fputc('"', to);
}

/* What is infinite or not there is null. */
static void put_number(FILE *to, const char *name, double value)
{
	if (isfinite(value))
		fprintf(to, "\"%s\": %.9g", name, value);
	else
		fprintf(to, "\"%s\": null", name);
}

static void put_range(FILE *to, const char *name, bool has, struct amdahl_range range)
{
	if (has)
		fprintf(to, "\"%s\": [%.9g, %.9g]", name, range.low, range.high);
	else
		fprintf(to, "\"%s\": null", name);
}

static void put_array(FILE *to, const char *name, const double *values, size_t count)
{
	fprintf(to, "\"%s\": [", name);
	for (size_t i = 0; i < count; i++)
		fprintf(to, "%s%.9g", i ? ", " : "", values[i]);
	fputs("]", to);
}

static void put_row(FILE *to, const struct scaling *s, const struct scaling_row *row)
{
	fprintf(to, "    {\"procs\": %d, \"fitted\": %s, ", row->count->procs,
	        row->fitted ? "true" : "false");
	put_number(to, "median_s", row->median_s);
	fputs(", ", to);
	put_number(to, "min_s", row->min_s);
	fputs(", ", to);
	put_number(to, "max_s", row->max_s);
	fputs(", ", to);
	put_number(to, "cpu_median_s", row->cpu_s);
	fputs(",\n     ", to);
	put_number(to, "speedup", row->speedup);
	fputs(", ", to);
	put_number(to, "predicted", s->has_law ? row->predicted : NAN);
	fputs(", ", to);
	put_number(to, "efficiency", row->efficiency);
	fputs(",\n     ", to);
	put_array(to, "wall_s", row->count->wall_s, row->count->runs);
	fputs(",\n     ", to);
	put_array(to, "cpu_s", row->count->cpu_s, row->count->runs);
	fputs("}", to);
}

static void put_laws(FILE *to, const struct scaling *s)
{
	fputs("  \"amdahl\": ", to);
	if (s->has_law) {
		fputs("{", to);
		put_number(to, "p", s->p);
		fputs(", ", to);
		put_range(to, "p_95", s->has_range, s->range);
		fputs(", ", to);
		put_number(to, "serial", 1 - s->p);
		fputs(", ", to);
		put_number(to, "limit", amdahl_limit(s->p));
		fputs(", ", to);
		put_number(to, "one_s", amdahl_seconds(s->law, 1));
		fputs("},\n", to);
	} else {
		fputs("null,\n", to);
	}
	fputs("  \"usl\": ", to);
	if (s->has_usl) {
		fputs("{", to);
		put_number(to, "contention", 1 - amdahl_p(s->usl));
		fputs(", ", to);
		put_number(to, "coherency", amdahl_coherency(s->usl));
		fputs(", ", to);
		put_range(to, "coherency_95", true, s->coherency);
		fputs(", ", to);
		put_number(to, "fastest_at", amdahl_peak(s->usl));
		fprintf(to, ", \"tells\": %s},\n", s->usl_tells ? "true" : "false");
	} else {
		fputs("null,\n", to);
	}
}

void scaling_json(const struct scaling *s, FILE *to)
{
	static const char *const ends[] = {
	    [MEASURE_COMPLETE] = "complete",
	    [MEASURE_STOPPED] = "stopped",
	    [MEASURE_FAILED] = "failed",
	};
	const struct measure *m = s->measure;

	fputs("{\n  \"program\": ", to);
	put_string(to, m->name);
	fputs(",\n  \"arguments\": [", to);
	for (size_t i = 1; m->argv[i]; i++) {
		fputs(i > 1 ? ", " : "", to);
		put_string(to, m->argv[i]);
	}
	fprintf(to, "],\n  \"end\": \"%s\", \"cpus\": %d, \"runs\": %zu, \"warmup\": %s,\n",
	        ends[m->end], s->cpus, m->runs, m->warmup ? "true" : "false");
	fputs("  \"results\": [", to);
	for (size_t i = 0; i < s->count; i++) {
		fputs(i ? ",\n" : "\n", to);
		put_row(to, s, &s->rows[i]);
	}
	fputs("\n  ],\n", to);
	put_laws(to, s);
	fputs("  \"notes\": [", to);
	for (size_t i = 0; i < s->notes.count; i++) {
		fputs(i ? ",\n    " : "\n    ", to);
		put_string(to, s->notes.at[i]);
	}
	fputs(s->notes.count ? "\n  ]\n}\n" : "]\n}\n", to);
}
