/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *  - The entries of a day are the first count of each of its pages.  All its pages but the first are full.
 *  - place[slot] of each is PLACE_NOTED and where it is: the page's number times 8, and its line there.
 *  - Of each day, no entry is before least[DAYS + day]; where that is INT64_MAX it has none.  Above it,
 *    least[i] is the lesser of least[2i] and least[2i + 1], down from least[1].
 *  - Pages in use: at most a full one for each PER_PAGE entries and one more for each day.
 *
 * Why: a million timers in one heap miss the caches at each of its ten levels, and once more for the
 * place of each that moves.  Here a page of seven is written once and read once, and a day's
 * timers fit the first caches.  After Brown, "Calendar queues", CACM 31 (1988), whose days are
 * sorted lists, of a length that changes.
 *
 * Rejected: a hierarchy of wheels (Varghese and Lauck, 1987), as its upper wheels' spokes are dealt out all at once:
 * 40 ms for a million timers in which the lock is held.  Here the day's own are all that moves: 25 ns each,
 * and 3 for those of later years.  So a million that are due within one millisecond do hold it, for 25 ms.
 */
#include "sched/timer_calendar.h"

#define DAYS     UINT32_C(4096)
#define PER_PAGE 7
#define FEW      4 /* pages are read to learn a day's least anew */

struct leat__calendar_page {
	struct leat__timer_entry entry[PER_PAGE];
	uint32_t next, count;
} ON_LINE;

_Static_assert(sizeof(struct leat__calendar_page) == (size_t)2 * CACHE_LINE, "no line in vain");

#define LEAST_BYTES (2 * DAYS * sizeof(int64_t))
#define DAY_BYTES   (DAYS * sizeof(uint32_t))

size_t leat__calendar_bytes(uint32_t timers)
{
	return LEAST_BYTES + DAY_BYTES +
	       (timers / PER_PAGE + DAYS + (size_t)2) * sizeof(struct leat__calendar_page);
}

static void place_in(struct leat__calendar *c, void *memory)
{
	c->least = memory;
	c->day = (uint32_t *)(void *)((char *)memory + LEAST_BYTES);
	c->pages = (struct leat__calendar_page *)(void *)((char *)memory + LEAST_BYTES + DAY_BYTES);
}

void leat__calendar_begin(struct leat__calendar *c, void *memory)
{
	*c = (struct leat__calendar){.taken = INT64_MIN};
	place_in(c, memory);
	for (uint32_t i = 0; i < 2 * DAYS; i++)
		c->least[i] = INT64_MAX;
	for (uint32_t i = 0; i < DAYS; i++)
		c->day[i] = 0;
}

void leat__calendar_move(struct leat__calendar *c, void *memory)
{
	struct leat__calendar old = *c;

	place_in(c, memory);
	for (uint32_t i = 0; i < 2 * DAYS; i++)
		c->least[i] = old.least[i];
	for (uint32_t i = 0; i < DAYS; i++)
		c->day[i] = old.day[i];
	for (uint32_t i = 1; i <= c->used; i++)
		c->pages[i] = old.pages[i];
}

/* --- the least of all */

static uint32_t day_of(int64_t when)
{
	return (uint32_t)(when >> LEAT__DAY_BITS) & (DAYS - 1);
}

static void set_least(struct leat__calendar *c, uint32_t day, int64_t when)
{
	int64_t *least = c->least;

	least[DAYS + day] = when;
	for (uint32_t i = (DAYS + day) / 2; i > 0; i /= 2) {
		int64_t lesser = least[2 * i] < least[2 * i + 1] ? least[2 * i] : least[2 * i + 1];

		if (least[i] == lesser)
			break;
		least[i] = lesser;
	}
}

/* The day that comes first. */
static uint32_t first_day(const struct leat__calendar *c)
{
	uint32_t i = 1;

	while (i < DAYS)
		i = 2 * i + (c->least[2 * i + 1] < c->least[2 * i]);
	return i - DAYS;
}

/* --- pages */

static uint32_t new_page(struct leat__calendar *c)
{
	uint32_t page = c->free;

	if (!page)
		return ++c->used;
	c->free = c->pages[page].next;
	return page;
}

static void write_entry(struct leat__calendar *c, uint32_t page, uint32_t line,
                        struct leat__timer_entry e, uint32_t *place)
{
	c->pages[page].entry[line] = e;
	place[e.slot] = LEAT__PLACE_NOTED | (8 * page + line);
}

void leat__calendar_note(struct leat__calendar *c, struct leat__timer_entry e, uint32_t *place)
{
	uint32_t day = day_of(e.when), page = c->day[day];

	if (!page || c->pages[page].count == PER_PAGE) {
		uint32_t next = page;

		page = new_page(c);
		c->pages[page].next = next;
		c->pages[page].count = 0;
		c->day[day] = page;
	}
	write_entry(c, page, c->pages[page].count++, e, place);
	if (e.when < c->least[DAYS + day])
		set_least(c, day, e.when);
}

struct leat__timer_entry *leat__calendar_at(const struct leat__calendar *c, uint32_t where)
{
	where &= ~LEAT__PLACE_NOTED;
	return &c->pages[where / 8].entry[where % 8];
}

/* The day's last entry takes the place of the one there. */
static void strike(struct leat__calendar *c, uint32_t day, uint32_t page, uint32_t line,
                   uint32_t *place)
{
	uint32_t first = c->day[day];
	struct leat__calendar_page *p = &c->pages[first];

	p->count--;
	if (first != page || line != p->count)
		write_entry(c, page, line, p->entry[p->count], place);
	if (p->count > 0)
		return;
	c->day[day] = p->next;
	p->next = c->free;
	c->free = first;
}

/* The least of a day, if it has few pages; else what is told for it, which may be less. */
static int64_t least_of(const struct leat__calendar *c, uint32_t day)
{
	int64_t least = INT64_MAX;
	uint32_t page = c->day[day];

	for (int i = 0; page; i++, page = c->pages[page].next) {
		if (i == FEW)
			return c->least[DAYS + day];
		for (uint32_t line = 0; line < c->pages[page].count; line++)
			if (c->pages[page].entry[line].when < least)
				least = c->pages[page].entry[line].when;
	}
	return least;
}

void leat__calendar_strike(struct leat__calendar *c, uint32_t where, uint32_t *place)
{
	int64_t when = leat__calendar_at(c, where)->when;
	uint32_t day = day_of(when);

	where &= ~LEAT__PLACE_NOTED;
	strike(c, day, where / 8, where % 8, place);
	if (when <= c->least[DAYS + day] || !c->day[day])
		set_least(c, day, least_of(c, day));
}

uint32_t leat__calendar_take(struct leat__calendar *c, struct leat__timer_entry *to,
                             uint32_t *place)
{
	uint32_t day = first_day(c), n = 0, next;
	int64_t least = INT64_MAX;

	c->taken = c->least[1] | (((int64_t)1 << LEAT__DAY_BITS) - 1);
	/* What moves to where one is taken from was on the first page, which is read before the others. */
	for (uint32_t page = c->day[day]; page; page = next) {
		next = c->pages[page].next;
		__builtin_prefetch(&c->pages[next]);
		for (uint32_t line = c->pages[page].count; line-- > 0;) {
			struct leat__timer_entry e = c->pages[page].entry[line];

			if (e.when <= c->taken) {
				to[n++] = e;
				__builtin_prefetch(&place[e.slot], 1);
				strike(c, day, page, line, place);
			} else if (e.when < least) {
				least = e.when;
			}
		}
	}
	set_least(c, day, least);
	return n;
}
