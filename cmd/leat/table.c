/* SPDX-License-Identifier: MIT */
/* The figures of leat scale for people, on stdout: see scaling.h. */
#include "scaling.h"

#include <math.h>
#include <string.h>

const char *scaling_time(char text[16], double seconds)
{
	static const struct {
		double seconds;
		const char *unit;
	} units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}};
	size_t unit = 0;
	double value;
	int digits;

	/* What would be written as 1000 is 1 of the next unit. */
	while (unit < 2 && seconds < 0.9995 * units[unit].seconds)
		unit++;
	value = seconds / units[unit].seconds;
	digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	snprintf(text, 16, "%.*f %s", digits, value, units[unit].unit);
	return text;
}

static void print_head(const struct scaling *s)
{
	const struct measure *m = s->measure;
	const struct scaling_row *last = &s->rows[s->count - 1];
	size_t least = m->runs, most = 0;

	for (size_t i = 0; i < m->count; i++) {
		least = m->counts[i].runs < least ? m->counts[i].runs : least;
		most = m->counts[i].runs > most ? m->counts[i].runs : most;
	}
	printf("%s at 1 to %d processors, ", m->title, last->count->procs);
	if (least == most)
		printf("%zu run%s each, ", least, least == 1 ? "" : "s");
	else
		printf("%zu to %zu runs each, ", least, most);
	printf("%d CPU%s\n\n", s->cpus, s->cpus == 1 ? "" : "s");
}

static void print_row(const struct scaling *s, const struct scaling_row *row)
{
	char median[16], min[16], max[16], cpu[16], predicted[16] = "-";

	if (s->has_law)
		snprintf(predicted, sizeof predicted, "%.2f", row->predicted);
	printf("%5d%s %9s %9s %9s %9.2f %10s %10.0f%% %9s\n", row->count->procs,
	       row->fitted ? " " : "*", scaling_time(median, row->median_s),
	       scaling_time(min, row->min_s), scaling_time(max, row->max_s), row->speedup, predicted,
	       100 * row->efficiency, scaling_time(cpu, row->cpu_s));
}

static void print_limit(double limit)
{
	if (isinf(limit))
		fputs("none", stdout);
	else
		printf("%.*f", limit < 9.95 ? 2 : limit < 99.5 ? 1 : 0, limit);
}

static void print_law(const struct scaling *s)
{
	printf("\nparallel share p   %.3f", s->p);
	if (s->has_range)
		printf("   (95 %%: %.3f to %.3f)", s->range.low, s->range.high);
	printf("\nserial share 1-p   %.3f", 1 - s->p);
	if (s->has_range)
		printf("   (95 %%: %.3f to %.3f)", 1 - s->range.high, 1 - s->range.low);
	printf("\nlimit 1/(1-p)      ");
	print_limit(amdahl_limit(s->p));
	if (s->has_range) {
		fputs(" times (95 %: ", stdout);
		print_limit(amdahl_limit(s->range.low));
		fputs(" to ", stdout);
		print_limit(amdahl_limit(s->range.high));
		fputs(")", stdout);
	}
	fputs("\n", stdout);
	if (s->usl_tells) {
		double peak = fmax(1, amdahl_peak(s->usl));

		printf("scalability law    contention %.3f, coherency %.5f (95 %%: %.5f to %.5f)",
		       1 - amdahl_p(s->usl), amdahl_coherency(s->usl), s->coherency.low, s->coherency.high);
		printf(", fastest at %.0f processor%s\n", peak, peak < 1.5 ? "" : "s");
	}
}

void scaling_table(const struct scaling *s)
{
	if (!s->count)
		return;
	print_head(s);
	printf("procs     median       min       max  speed-up  predicted  efficiency  CPU time\n");
	for (size_t i = 0; i < s->count; i++)
		print_row(s, &s->rows[i]);
	if (s->has_law)
		print_law(s);
	if (s->notes.count)
		fputs("\n", stdout);
	for (size_t i = 0; i < s->notes.count; i++)
		printf("note: %s\n", s->notes.at[i]);
}

void scaling_line(const struct scaling *s)
{
	if (!s->has_law)
		return;
	printf("p %.3f", s->p);
	if (s->has_range)
		printf(" (95 %%: %.3f to %.3f)", s->range.low, s->range.high);
	fputs("\n", stdout);
}
