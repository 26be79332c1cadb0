/* SPDX-License-Identifier: MIT */
/*
 * The table while the pipeline works: a goroutine that draws it again and again.
 *
 * On a terminal the table stands in the last rows of the screen.  The rows above are made the scrolling region, so
 * what others write scrolls there and never meets the table; each drawing is one write, which saves the cursor,
 * draws, and puts the cursor back.  The rows are come by as any text comes by them: by moving down and, at the bottom,
 * scrolling, then up again, the column being kept.  Rejected: moving up over the last table, which overwrites what
 * others have written since.
 *
 * The goroutine is not one of the scope's: who waits for these does not wait for it.  It ends when the scope is
 * done; the scope's end joins it.
 */
#include "pipe/meter.h"

#include "os/terminal.h"
#include "sched/panic.h"

#include <leat/go.h>
#include <leat/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERMINAL_NS (LEAT_SECOND / 4)
#define OTHER_NS    (10 * LEAT_SECOND)
#define ROWS_LEFT   4 /* that others have at least */

struct leat__live {
	struct leat__monitor *monitor;
	FILE *to;
	int64_t interval_ns;
	leat_chan *ended; /* closed by the goroutine */
	bool began;
	bool terminal; /* and this is who draws on it */
	int rows, columns, table;
};

/* --- on a terminal */

static void put_restore(char restore[LEAT__RESTORE_BYTES], const struct leat__live *live)
{
	snprintf(restore, LEAT__RESTORE_BYTES, "\0337\033[%d;1H\033[J\033[r\0338",
	         live->rows - live->table + 1);
}

/* Give the table so many rows, and what is above them to the others. */
static void put_region(FILE *to, struct leat__live *live, int table)
{
	for (int i = live->table; i < table; i++)
		fputs("\033D", to);
	if (table > live->table)
		fprintf(to, "\033[%dA", table - live->table);
	fprintf(to, "\0337\033[1;%dr\0338", live->rows - table);
	live->table = table;
}

static void put_table(FILE *to, const struct leat__live *live, const char *text)
{
	fputs("\0337", to);
	for (int row = live->rows - live->table + 1; row <= live->rows; row++) {
		size_t bytes = strcspn(text, "\n");

		fprintf(to, "\033[%d;1H", row);
		/* The last column would wrap. */
		fwrite(text, 1, bytes < (size_t)live->columns ? bytes : (size_t)live->columns - 1, to);
		fputs("\033[K", to);
		text += bytes + (text[bytes] == '\n');
	}
	fputs("\0338", to);
}

/* Below what is there, where it cannot be redrawn; false: the screen has no room. */
static bool draw(struct leat__live *live, const char *text, int lines)
{
	char *drawing = NULL, restore[LEAT__RESTORE_BYTES];
	size_t bytes = 0;
	int rows = 24, columns = 80;
	FILE *to;

	leat__os_terminal_size(fileno(live->to), &rows, &columns);
	if (lines + ROWS_LEFT > rows)
		return false;
	to = open_memstream(&drawing, &bytes);
	if (!to)
		return true; /* the next time, perhaps */
	if (live->table && (rows != live->rows || columns != live->columns)) {
		put_restore(restore, live);
		fputs(restore, to);
		live->table = 0;
	}
	live->rows = rows;
	live->columns = columns;
	if (lines > live->table)
		put_region(to, live, lines);
	put_table(to, live, text);
	put_restore(restore, live);
	if (fclose(to) == 0 && drawing) {
		fflush(live->to);
		leat__os_terminal_draw(drawing, bytes, restore);
	}
	free(drawing);
	return true;
}

/* --- anywhere */

static void show(struct leat__live *live)
{
	struct leat__figures f;
	char *text;
	int lines;

	if (!leat__figures(live->monitor, &f))
		return;
	text = leat__report_text(&f, &lines);
	leat__figures_free(&f);
	if (!text)
		return;
	if (!live->terminal || !draw(live, text, lines)) {
		fputs(text, live->to);
		fflush(live->to);
	}
	free(text);
}

static void leat__live_run(void *arg)
{
	struct leat__live *live = *(struct leat__live **)arg;
	leat_scope *s = live->monitor->pipe->scope;

	while (leat_sleep_ctx(live->interval_ns, (leat_any_ctx)s) == 0)
		show(live);
	if (live->terminal)
		leat__os_terminal_give();
	leat_chan_close(live->ended);
}

void leat__live_begin(struct leat__monitor *mon, FILE *to, int64_t interval_ns)
{
	leat_scope *s = mon->pipe->scope;
	struct leat__live *live, *none = NULL;
	const char *term = getenv("TERM");
	leat_chan *ended;
	bool dumb;

	if (__atomic_load_n(&mon->live, __ATOMIC_ACQUIRE))
		return;
	live = leat_scope_alloc(s, sizeof *live);
	ended = leat_scope_chan(s, 0, 0);
	if (!__atomic_compare_exchange_n(&mon->live, &none, live, false, __ATOMIC_ACQ_REL,
	                                 __ATOMIC_ACQUIRE))
		return;
	live->monitor = mon;
	live->to = to;
	dumb = !term || strcmp(term, "dumb") == 0 || !leat__os_is_terminal(fileno(to));
	live->interval_ns = interval_ns > 0 ? interval_ns : dumb ? OTHER_NS : TERMINAL_NS;
	live->terminal = !dumb && leat__os_terminal_take(fileno(to));
	live->ended = ended;
	leat_go(leat__live_run, &live, sizeof(struct leat__live *)); /* may panic */
	live->began = true;
}

void leat__live_end(struct leat__monitor *mon)
{
	struct leat__live *live = __atomic_load_n(&mon->live, __ATOMIC_ACQUIRE);

	if (live && live->began)
		leat_chan_recv(live->ended, NULL);
	else if (live && live->terminal)
		leat__os_terminal_give();
}
