/* SPDX-License-Identifier: MIT */
/*
 * The monitor's figures as a graph, in SVG.
 *
 * A stage stands one layer to the right of the last of those that feed it (in a circle, as far as there are stages),
 * and in its layer as high as they on average.  Boxes are light, whatever is around them, with dark text;
 * what is outside of boxes is of a grey that can be read on white and on black.
 */
#include "pipe/meter.h"

#include "sched/panic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BOX_W = 204,
	BOX_H = 106,
	GAP_X = 104,
	GAP_Y = 44,
	MARGIN = 28,
	HEAD = 62, /* above the boxes: what the whole comes to */
	FOOT = 46,
	BAR_H = 8,
	NAME_BYTES = 18,
};

#define OUTSIDE   "#7d8790"
#define INK       "#1d2126"
#define ALARM     "#d6451b"
#define WORK_FILL "#2f6db3"
#define IN_FILL   "#b9c2cb"
#define OUT_FILL  "#e0a030"

struct node {
	size_t layer, row;
	double wish; /* how high it is to stand */
};

struct drawing {
	FILE *to;
	const struct leat__figures *f;
	struct node *node;
	size_t layers, rows;
};

/* Whether stage i feeds stage k, and by which inlet of k. */
static bool feeds(const struct leat__figures *f, size_t i, size_t k, unsigned *inlet)
{
	const struct leat__meter *from = f->meters[i], *to = f->meters[k];

	for (unsigned a = from->inlets; a < from->inlets + from->outlets; a++)
		for (unsigned b = 0; b < to->inlets; b++)
			if (from->tap[a].gauge == to->tap[b].gauge) {
				*inlet = b;
				return true;
			}
	return false;
}

static void find_layers(struct drawing *d)
{
	size_t n = d->f->n;
	bool moved = true;
	unsigned inlet;

	for (size_t round = 0; round < n && moved; round++) {
		moved = false;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < n; k++)
				if (i != k && d->node[k].layer <= d->node[i].layer && d->node[i].layer + 1 < n &&
				    feeds(d->f, i, k, &inlet)) {
					d->node[k].layer = d->node[i].layer + 1;
					moved = true;
				}
	}
	for (size_t i = 0; i < n; i++)
		if (d->node[i].layer + 1 > d->layers)
			d->layers = d->node[i].layer + 1;
}

/* Layer by layer: each stage below those of its layer that wish to stand higher, or were made before. */
static void find_rows(struct drawing *d)
{
	size_t n = d->f->n;
	unsigned inlet;

	for (size_t layer = 0; layer < d->layers; layer++) {
		for (size_t k = 0; k < n; k++) {
			double sum = 0;
			int count = 0;

			for (size_t i = 0; i < n && d->node[k].layer == layer; i++)
				if (d->node[i].layer < layer && feeds(d->f, i, k, &inlet)) {
					sum += (double)d->node[i].row;
					count++;
				}
			if (d->node[k].layer == layer)
				d->node[k].wish = count ? sum / count : 0;
		}
		for (size_t k = 0; k < n; k++) {
			struct node *node = &d->node[k];

			for (size_t i = 0; i < n && node->layer == layer; i++)
				if (d->node[i].layer == layer &&
				    (d->node[i].wish < node->wish || (d->node[i].wish == node->wish && i < k)))
					node->row++;
			if (node->layer == layer && node->row + 1 > d->rows)
				d->rows = node->row + 1;
		}
	}
}

static int left_of(const struct drawing *d, size_t i)
{
	return MARGIN + GAP_X / 2 + (int)d->node[i].layer * (BOX_W + GAP_X);
}

static int top_of(const struct drawing *d, size_t i)
{
	return HEAD + MARGIN + (int)d->node[i].row * (BOX_H + GAP_Y);
}

/* --- text */

/* The bytes of a character of UTF-8 at c, 1 for what is none. */
static int sequence(const unsigned char *c)
{
	int n = c[0] < 0xc2 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 1;

	for (int i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 1;
	return n;
}

static void put_text(FILE *to, const char *text, int most)
{
	const unsigned char *c = (const unsigned char *)text;

	for (int used = 0, n; *c; c += n, used += n) {
		n = sequence(c);
		if (used + n > most) {
			fputs("\xe2\x80\xa6", to);
			return;
		}
		if (*c == '&' || *c == '<' || *c == '>')
			fputs(*c == '&' ? "&amp;" : *c == '<' ? "&lt;" : "&gt;", to);
		else if (*c < ' ' || *c == 0x7f || (*c >= 0x80 && n == 1))
			fputc('?', to);
		else
			fwrite(c, 1, (size_t)n, to);
	}
}

static void text_at(FILE *to, int x, int y, const char *anchor, const char *fill, const char *style)
{
	fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" fill=\"%s\"%s>", x, y, anchor, fill,
	        style);
}

/* --- boxes and arrows */

/* Green, yellow, red. */
static void put_colour(FILE *to, double share)
{
	static const double stops[3][3] = {{214, 234, 212}, {252, 235, 170}, {245, 176, 150}};
	int i = share < 0.5 ? 0 : 1;
	double part = share * 2 - i;

	fprintf(to, "#%02x%02x%02x", (unsigned)(stops[i][0] + (stops[i + 1][0] - stops[i][0]) * part),
	        (unsigned)(stops[i][1] + (stops[i + 1][1] - stops[i][1]) * part),
	        (unsigned)(stops[i][2] + (stops[i + 1][2] - stops[i][2]) * part));
}

/* How the workers spend their time. */
static void put_bar(FILE *to, int x, int y, const leat_pipe_stats *s)
{
	const double shares[] = {s->utilization, s->blocked_in, s->blocked_out};
	static const char *const fills[] = {WORK_FILL, IN_FILL, OUT_FILL};
	double at = x, width = BOX_W - 20;

	fprintf(to, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#ffffff\"/>\n", x, y,
	        width, BAR_H);
	for (int i = 0; i < 3; i++) {
		double w = width * shares[i];

		if (at + w > x + width)
			w = x + width - at;
		if (w > 0)
			fprintf(to, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
			        at, y, w, BAR_H, fills[i]);
		at += w;
	}
}

static void put_marks(const struct drawing *d, size_t i, int x, int y)
{
	const leat_pipe_stats *s = &d->f->stats[i];
	const leat_pipe_totals *t = &d->f->totals;
	char text[16];

	if (t->bottleneck == (int)i) {
		text_at(d->to, x, y - 7, "start", ALARM, " font-weight=\"bold\"");
		fputs(t->beyond > 0   ? "bottleneck: who receives"
		      : t->beyond < 0 ? "bottleneck: who sends"
		                      : "bottleneck",
		      d->to);
		if (t->beyond == 0 && s->fan_out > s->workers)
			fprintf(d->to, "; even with %d workers", s->fan_out);
		fputs("</text>\n", d->to);
	}
	if (s->unstable) {
		text_at(d->to, x, y + BOX_H + 15, "start", ALARM, " font-weight=\"bold\"");
		fprintf(d->to, "unstable: %s/s too many</text>\n", leat__text_count(text, s->growth));
	}
}

static void put_stage(const struct drawing *d, size_t i)
{
	const leat_pipe_stats *s = &d->f->stats[i];
	int x = left_of(d, i), y = top_of(d, i);
	bool marked = d->f->totals.bottleneck == (int)i && d->f->totals.beyond == 0;
	char a[16], b[16];

	fprintf(d->to, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\" fill=\"", x, y,
	        BOX_W, BOX_H);
	put_colour(d->to, s->utilization);
	fprintf(d->to, "\" stroke=\"%s\" stroke-width=\"%s\"/>\n", marked ? ALARM : OUTSIDE,
	        marked ? "4" : "1.2");
	text_at(d->to, x + 10, y + 20, "start", INK, " font-weight=\"bold\" font-size=\"14\"");
	put_text(d->to, s->name, NAME_BYTES);
	fputs("</text>\n", d->to);
	text_at(d->to, x + BOX_W - 10, y + 20, "end", INK, "");
	if (s->workers > 1)
		fprintf(d->to, "\xc3\x97 %d", s->workers);
	fputs("</text>\n", d->to);
	text_at(d->to, x + 10, y + 40, "start", INK, "");
	fprintf(d->to, "\xce\xbb %s/s, own work %s</text>\n", leat__text_count(a, s->rate),
	        leat__text_ns(b, s->service_ns));
	text_at(d->to, x + 10, y + 57, "start", INK, "");
	if (s->source)
		fprintf(d->to, "%" PRId64 " made", s->departures);
	else
		fprintf(d->to, "W %s, L %s", leat__text_ns(a, s->mean_time_ns),
		        leat__text_count(b, s->mean_inside));
	fputs("</text>\n", d->to);
	text_at(d->to, x + 10, y + 74, "start", INK, "");
	fprintf(d->to, "at work %.0f%%", s->utilization * 100);
	if (!s->source)
		fprintf(d->to, ", %" PRId64 " inside", s->inside);
	fputs("</text>\n", d->to);
	put_bar(d->to, x + 10, y + BOX_H - 22, s);
	put_marks(d, i, x, y);
}

static void put_arrow(const struct drawing *d, int x1, int y1, int x2, int y2)
{
	int bend = x2 > x1 ? (x2 - x1) / 2 : GAP_X / 2;

	fprintf(d->to,
	        "<path d=\"M%d %d C%d %d %d %d %d %d\" fill=\"none\" stroke=\"" OUTSIDE
	        "\" stroke-width=\"1.8\" marker-end=\"url(#head)\"/>\n",
	        x1, y1, x1 + bend, y1, x2 - bend - 9, y2, x2 - 9, y2);
}

/* The arrows to stage k: one from each that feeds it, and one from outside for what no stage feeds. */
static void put_arrows(const struct drawing *d, size_t k)
{
	const leat_pipe_stats *s = &d->f->stats[k];
	const struct leat__meter *mt = d->f->meters[k];
	int x = left_of(d, k), y = top_of(d, k) + BOX_H / 2;
	bool labelled = false;
	unsigned inlet;
	char text[16];

	for (size_t i = 0; i < d->f->n; i++) {
		if (!feeds(d->f, i, k, &inlet))
			continue;
		put_arrow(d, left_of(d, i) + BOX_W, top_of(d, i) + BOX_H / 2, x, y);
		labelled = true;
	}
	for (unsigned i = 0; i < mt->inlets; i++)
		if (mt->tap[i].gauge && !mt->tap[i].gauge->feeders)
			put_arrow(d, x - GAP_X / 2, y, x, y);
	for (unsigned i = mt->inlets; i < mt->inlets + mt->outlets; i++)
		if (!mt->tap[i].gauge->takers)
			put_arrow(d, x + BOX_W, y, x + BOX_W + GAP_X / 2, y);
	if (!labelled)
		return;
	text_at(d->to, x - 12, y - 9, "end", OUTSIDE, "");
	fprintf(d->to, "%s", leat__text_count(text, s->mean_queued));
	if (s->cap >= 0)
		fprintf(d->to, " of %s", leat__text_count(text, (double)s->cap));
	fputs("</text>\n", d->to);
}

static void put_key(FILE *to, int x, int y)
{
	static const char *const fills[] = {WORK_FILL, IN_FILL, OUT_FILL};
	static const char *const words[] = {"at work", "waits for input", "waits to send"};

	for (int i = 0; i < 3; i++, x += 128) {
		fprintf(to, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"%d\" fill=\"%s\"/>\n", x,
		        y - BAR_H, BAR_H, fills[i]);
		text_at(to, x + 18, y, "start", OUTSIDE, "");
		fprintf(to, "%s</text>\n", words[i]);
	}
}

static void put_all(const struct drawing *d)
{
	const leat_pipe_totals *t = &d->f->totals;
	int width = 2 * MARGIN + (int)d->layers * (BOX_W + GAP_X);
	int height = HEAD + 2 * MARGIN + (int)d->rows * (BOX_H + GAP_Y) + FOOT;
	char text[16];

	if (width < 460)
		width = 460;
	fprintf(d->to,
	        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d "
	        "%d\" font-family=\"sans-serif\" font-size=\"12\">\n",
	        width, height, width, height);
	fputs("<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"1\" refY=\"5\" markerWidth=\"6\" "
	      "markerHeight=\"6\" orient=\"auto\"><path d=\"M0 0 L10 5 L0 10 z\" fill=\"" OUTSIDE
	      "\"/></marker></defs>\n",
	      d->to);
	text_at(d->to, MARGIN, 30, "start", OUTSIDE, " font-size=\"14\" font-weight=\"bold\"");
	fprintf(d->to, "%" PRId64 " came in %s</text>\n", t->arrivals,
	        leat__text_ns(text, t->elapsed_ns));
	text_at(d->to, MARGIN, 50, "start", OUTSIDE, "");
	fprintf(d->to, "\xce\xbb %s/s, ", leat__text_count(text, t->rate));
	fprintf(d->to, "W %s, ", leat__text_ns(text, t->mean_time_ns));
	fprintf(d->to, "L %s, ", leat__text_count(text, t->mean_inside));
	fprintf(d->to, "\xce\xbbW %s</text>\n",
	        leat__text_count(text, t->rate * t->mean_time_ns / 1e9));
	for (size_t i = 0; i < d->f->n; i++)
		put_arrows(d, i);
	for (size_t i = 0; i < d->f->n; i++)
		put_stage(d, i);
	put_key(d->to, MARGIN, height - 22);
	fputs("</svg>\n", d->to);
}

static bool draw(struct leat__figures *f, FILE *to)
{
	struct drawing d = {.to = to, .f = f, .node = calloc(f->n + 1, sizeof *d.node)};

	if (d.node) {
		find_layers(&d);
		find_rows(&d);
		put_all(&d);
		fflush(to);
	}
	free(d.node);
	leat__figures_free(f);
	return d.node != NULL;
}

bool leat__monitor_svg(struct leat__monitor *mon, FILE *to)
{
	struct leat__figures f;

	return leat__figures(mon, &f) && draw(&f, to);
}

void leat_pipe_svg(leat_scope *s, FILE *to)
{
	struct leat__monitor *mon = leat__monitor_of(s);
	struct leat__figures none = {.totals.bottleneck = -1};
	bool drawn;

	if (mon && __atomic_load_n(&mon->on, __ATOMIC_ACQUIRE))
		drawn = leat__monitor_svg(mon, to);
	else
		drawn = draw(&none, to);
	if (!drawn)
		leat__panic_runtime("out of memory");
}
