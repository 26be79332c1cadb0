/* SPDX-License-Identifier: MIT */
/*
 * All goroutines, one block each, the oldest first.
 *
 * The roll, descriptors with the ids they had, is drawn up once, without stopping anybody: who starts
 * later is not on it, who ends meanwhile is no longer found under his id and passed over.  In a
 * process that dies its memory comes from the kernel, since somebody may have died inside malloc.
 *
 * A dump of a living process is written a block at a time, without the turn, so that a reader who is
 * slow to take it holds up nobody else; the stream's own lock keeps dumps on one stream apart.  The
 * block of a caller on a small stack is made on another one, but not by the scheduler context, which would
 * keep a processor from a goroutine that was stopped inside malloc.
 */
#include <leat/dump.h>

#include "sched/debugger.h"
#include "sched/panic.h"
#include "sched/scheduler.h"
#include "sched/snapshot.h"

#include <stdlib.h>

#define ROOM ((size_t)256 << 10)

struct entry {
	uint64_t id;
	struct leat__g *g;
};

struct roll {
	struct entry *of;
	size_t count, room;
};

static void leat__enrol(struct leat__g *g, void *arg)
{
	struct roll *r = arg;

	if (load_acquire(&g->kind) != LEAT__GOROUTINE)
		return;
	if (r->count < r->room)
		r->of[r->count] = (struct entry){__atomic_load_n(&g->id, __ATOMIC_RELAXED), g};
	r->count++;
}

/* Heapsort: libc's qsort allocates. */
static void sift(struct entry *of, size_t i, size_t n)
{
	struct entry e = of[i];

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && of[child + 1].id > of[child].id)
			child++;
		if (of[child].id <= e.id)
			break;
		of[i] = of[child];
	}
	of[i] = e;
}

static void sort(struct entry *of, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(of, i, n);
	while (n > 1) {
		struct entry last = of[--n];

		of[n] = of[0];
		of[0] = last;
		sift(of, 0, n);
	}
}

/* If memory is out, as many as there is room for in `few`. */
static void leat__draw_up(struct roll *r, struct entry *few, size_t few_room)
{
	size_t room = 0;

	*r = (struct roll){0};
	leat__g_each(leat__enrol, r);
	/* Again, should more have come meanwhile than there is room for. */
	while (r->count > r->room) {
		if (room)
			leat__os_unmap(r->of, room * sizeof *r->of);
		room = 2 * r->count + 256;
		r->of = leat__os_map(room * sizeof *r->of);
		r->room = room;
		if (!r->of) {
			r->of = few;
			r->room = few_room;
		}
		r->count = 0;
		leat__g_each(leat__enrol, r);
		if (r->of == few && r->count > r->room)
			r->count = r->room;
	}
	sort(r->of, r->count);
}

/* The linker takes from the static library what somebody refers to: debuggers are served wherever
   there are reports. */
__attribute__((used)) static const struct leat__debugger *const served = &leat__debugger;

static void discard(struct roll *r, const struct entry *few)
{
	if (r->room && r->of != few)
		leat__os_unmap(r->of, r->room * sizeof *r->of);
}

_Atomic uint32_t leat__reported;

static void leat__report_goroutines(uint64_t except, bool first)
{
	static struct entry few[64];
	static struct leat__snapshot s;
	struct leat__m *m = leat__self();
	struct leat__g *own = m ? leat__asker(m) : NULL;
	struct leat__text err = {0};
	struct roll r;

	leat__draw_up(&r, few, ARRAY_LEN(few));
	leat__snapshots_begin();
	for (size_t i = 0; i < r.count; i++) {
		if (r.of[i].id == except ||
		    (r.of[i].g != own && !leat__snapshot(r.of[i].g, r.of[i].id, &s)))
			continue;
		if (!first)
			leat__put(&err, "\n");
		first = false;
		if (r.of[i].g == own)
			leat__put_self(&err);
		else
			leat__put_snapshot(&err, &s);
		fetch_add_relaxed(&leat__reported, 1);
	}
	leat__snapshots_end();
	discard(&r, few);
}

void leat__report_all(void)
{
	leat__report_goroutines(0, true);
}

void leat__report_others(uint64_t id)
{
	leat__report_goroutines(id, false);
}

struct block {
	struct leat__text *to;
	const struct entry *e;
};

/* One block, with the turn. */
static void leat__dump_one(void *arg)
{
	struct leat__text *to = ((struct block *)arg)->to;
	const struct entry *e = ((struct block *)arg)->e;
	struct leat__snapshot s;

	/* Who reports the process's end waits for the turn as well, and must not find that we do. */
	leat__report_wait();
	leat__turn_take(INT64_MAX);
	if (e->g == leat__asker(leat__self())) {
		leat__put_self(to);
	} else {
		leat__snapshots_begin();
		if (leat__snapshot(e->g, e->id, &s))
			leat__put_snapshot(to, &s);
		leat__snapshots_end();
	}
	leat__turn_give();
}

void leat_dump(FILE *f)
{
	struct entry few[16];
	struct leat__text text = {.to_memory = true};
	struct roll r;
	bool first = true, cramped;
	char *room = NULL;

	leat__current(); /* the first call of all */
	cramped = leat__cramped(leat__self());
	if (cramped)
		room = leat__os_map(ROOM);
	leat__draw_up(&r, few, ARRAY_LEN(few));
	leat__turn_take(INT64_MAX);
	leat__names_forget();
	leat__turn_give();
	flockfile(f);
	for (size_t i = 0; i < r.count; i++) {
		text.length = 0;
		if (likely(!cramped))
			leat__dump_one(&(struct block){&text, &r.of[i]});
		else if (room)
			leat__call_on(room + ROOM, leat__dump_one, &(struct block){&text, &r.of[i]});
		if (!text.length)
			continue;
		if (!first)
			fputc('\n', f);
		first = false;
		fwrite(text.at, 1, text.length, f);
	}
	fflush(f);
	funlockfile(f);
	discard(&r, few);
	free(text.at);
	if (room)
		leat__os_unmap(room, ROOM);
}
