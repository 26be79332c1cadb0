/* SPDX-License-Identifier: MIT */
/*
 * Measured against predicted speed-up as a picture in SVG: see scaling.h.
 *
 * Plain SVG 1.1 with a style sheet, whose colours follow the reader's light or dark scheme where the
 * viewer knows schemes; one that does not shows the light one.
 */
#include "scaling.h"
#include "utf8.h"

#include <math.h>
#include <string.h>

enum {
	WIDTH = 880,
	HEIGHT = 480,
	LEFT = 64, /* the plot's edges */
	RIGHT = 620,
	TOP = 72,
	BOTTOM = 424,
	LEGEND_STEP = 24,
	STEPS = 120,    /* of a curve */
	TITLE_MOST = 74 /* characters */
};

/* How much higher than all else the limit may be and still be in the picture. */
#define LIMIT_FITS 2.0

struct picture {
	const struct scaling *s;
	FILE *to;
	double most_procs, most_speedup;
	int legend_y; /* of the next line */
};

/* No variables of CSS: some viewers know none.  Lines have no fill, and what is filled no line. */
static const char style[] =
    "<style>\n"
    "text { font-family: system-ui, sans-serif; font-size: 13px; fill: #1f2328; }\n"
    ".title { font-size: 17px; font-weight: bold; }\n"
    ".faint { fill: #59636e; font-size: 12px; }\n"
    ".back { fill: #ffffff; }\n"
    ".line { fill: none; stroke-width: 2; }\n"
    ".grid { stroke: #d8dee4; stroke-width: 1; }\n"
    ".ideal { stroke: #818b98; stroke-width: 1.5; stroke-dasharray: 2 4; }\n"
    ".law { stroke: #bc4c00; }\n"
    ".range { fill: #bc4c00; fill-opacity: 0.18; }\n"
    ".limit { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 8 5; }\n"
    ".usl { stroke: #8250df; stroke-dasharray: 6 3; }\n"
    ".dot { fill: #0969da; stroke: #0969da; stroke-width: 2; }\n"
    ".hollow { fill: #ffffff; stroke: #0969da; stroke-width: 2; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "text { fill: #e6edf3; }\n"
    ".faint { fill: #9198a1; }\n"
    ".back { fill: #0d1117; }\n"
    ".grid { stroke: #30363d; }\n"
    ".law { stroke: #f0883e; }\n"
    ".range { fill: #f0883e; }\n"
    ".limit { stroke: #ff7b72; }\n"
    ".usl { stroke: #d2a8ff; }\n"
    ".dot { fill: #58a6ff; stroke: #58a6ff; }\n"
    ".hollow { fill: #0d1117; stroke: #58a6ff; }\n"
    "}\n"
    "</style>\n";

/* At most so many characters of what may be any bytes, so that XML can hold them. */
static void put_text(FILE *to, const char *text, size_t most)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at && most; most--) {
		size_t length = utf8_length(at);

		if (length == 0 || (*at < 0x20 && *at != '\t') || *at == 0x7f ||
		    memcmp(at, "\xef\xbf\xbe", 3) == 0 || memcmp(at, "\xef\xbf\xbf", 3) == 0)
			fputs("&#xfffd;", to);
		else if (strchr("&<>\"", *at))
			fprintf(to, "&#%d;", *at);
		else
			fwrite(at, 1, length, to);
		at += length ? length : 1;
	}
	if (*at)
		fputs("&#x2026;", to);
}

static double x_of(const struct picture *p, double procs)
{
	return LEFT + (RIGHT - LEFT) * (procs - 0.5) / p->most_procs;
}

static double y_of(const struct picture *p, double speedup)
{
	return BOTTOM - (BOTTOM - TOP) * speedup / p->most_speedup;
}

/* 1, 2 or 5 times a power of ten, so that there are `most` steps or fewer. */
static double nice_step(double span, int most)
{
	double step = pow(10, floor(log10(span / most)));

	for (int i = 0; step * most < span; i++)
		step *= i % 3 == 1 ? 2.5 : 2;
	return step;
}

static bool limit_fits(const struct scaling *s, double most)
{
	return s->has_law && amdahl_limit(s->p) <= LIMIT_FITS * most;
}

static void choose_scale(struct picture *p)
{
	const struct scaling *s = p->s;
	double most = 1.5;

	for (size_t i = 0; i < s->count; i++) {
		most = fmax(most, s->rows[0].median_s / s->rows[i].min_s);
		most = fmax(most, s->rows[i].predicted);
		p->most_procs = s->rows[i].count->procs;
	}
	if (limit_fits(s, most))
		most = fmax(most, amdahl_limit(s->p));
	p->most_speedup = 1.08 * most;
}

static void put_grid(struct picture *p)
{
	double x_step = fmax(1, nice_step(p->most_procs, 16)), y_step = nice_step(p->most_speedup, 8);

	for (double y = 0; y <= p->most_speedup; y += y_step) {
		fprintf(p->to, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", LEFT,
		        y_of(p, y), RIGHT, y_of(p, y));
		fprintf(p->to, "<text class=\"faint\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
		        LEFT - 8, y_of(p, y) + 4, y);
	}
	/* One processor, and then round numbers. */
	for (double x = 1; x <= p->most_procs; x = x == 1 && x_step > 1 ? x_step : x + x_step) {
		fprintf(p->to, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n",
		        x_of(p, x), BOTTOM, x_of(p, x), BOTTOM + 5);
		fprintf(p->to,
		        "<text class=\"faint\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
		        x_of(p, x), BOTTOM + 20, x);
	}
	fprintf(p->to, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">processors</text>\n",
	        (LEFT + RIGHT) / 2, BOTTOM + 42);
	fprintf(
	    p->to,
	    "<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">speed-up</text>\n",
	    (TOP + BOTTOM) / 2);
}

/* The points of a curve, from left to right or from right to left. */
static void put_points(const struct picture *p, struct amdahl_law law, bool backwards)
{
	for (int i = 0; i <= STEPS; i++) {
		double part = (double)(backwards ? STEPS - i : i) / STEPS;
		double procs = 1 + part * (p->most_procs - 1);

		fprintf(p->to, "%.1f,%.1f ", x_of(p, procs), y_of(p, amdahl_speedup(law, procs)));
	}
}

static void put_curve(const struct picture *p, const char *class, struct amdahl_law law)
{
	fprintf(p->to, "<polyline class=\"line %s\" points=\"", class);
	put_points(p, law, false);
	fputs("\"/>\n", p->to);
}

static struct amdahl_law of_p(double p)
{
	return (struct amdahl_law){1 - p, p, 0};
}

/* Begin a line of the legend, with a piece of the curve; the text and </text> are to follow. */
static void legend(struct picture *p, const char *class)
{
	p->legend_y += LEGEND_STEP;
	if (class)
		fprintf(p->to, "<line class=\"line %s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", class,
		        RIGHT + 24, p->legend_y - 4, RIGHT + 52, p->legend_y - 4);
	fprintf(p->to, "<text x=\"%d\" y=\"%d\">", RIGHT + 62, p->legend_y);
}

/* A further line of the same entry. */
static void legend_more(struct picture *p)
{
	p->legend_y += 17;
	fprintf(p->to, "<text class=\"faint\" x=\"%d\" y=\"%d\">", RIGHT + 62, p->legend_y);
}

static void put_laws(struct picture *p)
{
	const struct scaling *s = p->s;
	double limit = amdahl_limit(s->p);

	if (s->has_range) {
		fputs("<polygon class=\"range\" points=\"", p->to);
		put_points(p, of_p(s->range.high), false);
		put_points(p, of_p(s->range.low), true);
		fputs("\"/>\n", p->to);
	}
	put_curve(p, "law", s->law);
	if (s->usl_tells)
		put_curve(p, "usl", s->usl);
	fputs("</g>\n", p->to);
	legend(p, "law");
	fprintf(p->to, "Amdahl, p = %.3f</text>\n", s->p);
	if (s->has_range) {
		legend_more(p);
		fprintf(p->to, "95 %%: %.3f to %.3f</text>\n", s->range.low, s->range.high);
	}
	if (limit_fits(s, p->most_speedup)) {
		legend(p, "limit");
		fprintf(p->to, "limit 1/(1-p) = %.2f</text>\n", limit);
		fprintf(p->to, "<line class=\"line limit\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n",
		        LEFT, y_of(p, limit), RIGHT, y_of(p, limit));
	} else {
		legend(p, NULL);
		if (isinf(limit))
			fputs("no limit 1/(1-p)</text>\n", p->to);
		else
			fprintf(p->to, "limit 1/(1-p) = %.1f, above</text>\n", limit);
	}
	if (s->usl_tells) {
		legend(p, "usl");
		fprintf(p->to, "scalability law</text>\n");
		legend_more(p);
		fprintf(p->to, "coherency %.5f</text>\n", amdahl_coherency(s->usl));
	}
}

static void put_dot(const struct picture *p, const struct scaling_row *row)
{
	double x = x_of(p, row->count->procs), one_s = p->s->rows[0].median_s;
	char median[16], min[16], max[16];

	fprintf(p->to, "<g><title>%d: %.2f times; %s, from %s to %s</title>\n", row->count->procs,
	        row->speedup, scaling_time(median, row->median_s), scaling_time(min, row->min_s),
	        scaling_time(max, row->max_s));
	fprintf(p->to, "<line class=\"dot\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x,
	        y_of(p, one_s / row->min_s), x, y_of(p, one_s / row->max_s));
	fprintf(p->to, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/></g>\n",
	        row->fitted ? "dot" : "hollow", x, y_of(p, row->speedup));
}

/* Begin an entry of the legend that is about dots. */
static void legend_dot(struct picture *p, const char *class)
{
	fprintf(p->to, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"4.5\"/>\n", class, RIGHT + 38,
	        p->legend_y + LEGEND_STEP - 4);
	legend(p, NULL);
}

static void put_measured(struct picture *p)
{
	bool hollow = false;

	for (size_t i = 0; i < p->s->count; i++) {
		put_dot(p, &p->s->rows[i]);
		hollow |= !p->s->rows[i].fitted;
	}
	legend_dot(p, "dot");
	fputs("measured: median</text>\n", p->to);
	legend_more(p);
	fputs("and fastest to slowest run</text>\n", p->to);
	if (!hollow)
		return;
	legend_dot(p, "hollow");
	fputs("more than CPUs, not fitted</text>\n", p->to);
}

void scaling_svg(const struct scaling *s, FILE *to)
{
	struct picture p = {.s = s, .to = to, .most_procs = 2, .legend_y = TOP - 12};

	choose_scale(&p);
	fprintf(to,
	        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d "
	        "%d\">\n",
	        WIDTH, HEIGHT, WIDTH, HEIGHT);
	fputs("<title>Speed-up of ", to);
	put_text(to, s->measure->title, TITLE_MOST);
	fprintf(to, "</title>\n%s<rect class=\"back\" width=\"%d\" height=\"%d\"/>\n", style, WIDTH,
	        HEIGHT);
	fputs("<text class=\"title\" x=\"20\" y=\"32\">Speed-up of ", to);
	put_text(to, s->measure->title, TITLE_MOST);
	fprintf(to,
	        "</text>\n<text class=\"faint\" x=\"20\" y=\"52\">%d CPU%s, at most %zu run%s "
	        "each</text>\n",
	        s->cpus, s->cpus == 1 ? "" : "s", s->measure->runs, s->measure->runs == 1 ? "" : "s");
	put_grid(&p);
	fprintf(
	    to,
	    "<clipPath id=\"plot\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>\n",
	    LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP);
	fprintf(to, "<g clip-path=\"url(#plot)\">\n");
	fprintf(to, "<line class=\"line ideal\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
	        x_of(&p, 1), y_of(&p, 1), x_of(&p, p.most_procs), y_of(&p, p.most_procs));
	if (s->has_law)
		put_laws(&p);
	else
		fputs("</g>\n", to);
	legend(&p, "ideal");
	fputs("ideal: no serial part</text>\n", to);
	put_measured(&p);
	fputs("</svg>\n", to);
}
