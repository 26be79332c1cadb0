/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: a snapshot is of one instant, however fast its goroutine stops, resumes, ends and starts anew.
 *
 * Method: goroutines fill an array in a frame with one number, another each time, and stop only when
 * it is full.  So in a snapshot of one that is off its stack all words are the same; a copy that was
 * mixed of two instants shows.  They stop in each way there is, and deeper and less deep.
 */
#include "sched/snapshot.h"

#include "sched/report.h"
#include "sched/scheduler.h"

#include "test.h"

#define ROOM  256
#define MAGIC UINT64_C(0x736e617073686f74)

/* Found in a copy by its first two words; self points into the copy then.  Wiped out before its frame
   is left, since parts of old frames remain on a stack. */
struct room {
	uint64_t magic;
	struct room *self;
	uint64_t words[ROOM];
};

static _Atomic bool stop;

static __attribute__((noinline)) void fill(struct room *room, uint64_t n)
{
	room->self = room;
	for (int i = 0; i < ROOM; i++)
		__atomic_store_n(&room->words[i], n, __ATOMIC_RELAXED);
	__atomic_store_n(&room->magic, MAGIC, __ATOMIC_RELEASE);
}

static __attribute__((noinline)) void wipe(struct room *room)
{
	__atomic_store_n(&room->magic, 0, __ATOMIC_RELAXED);
}

/* Every way to stop. */
struct stopper {
	send_chan(int) to;
	recv_chan(int) from;
};

static __attribute__((noinline)) void stop_here(struct stopper *a, uint64_t n)
{
	struct room room;

	fill(&room, n);
	switch (n % 4) {
	case 0:
	case 1:
		leat_yield();
		break;
	case 2:
		leat_sleep(1);
		break;
	default:
		stop_here(a, n + 1);
	}
	fill(&room, n + 2);
	leat_yield();
	wipe(&room);
}

static void stopper(struct stopper *a)
{
	for (uint64_t n = 0; !load_relaxed(&stop); n++)
		stop_here(a, n);
}

static __attribute__((noinline)) void player(struct stopper *a)
{
	struct room room;
	int ball;

	for (uint64_t n = 0; chan_recv_ok(a->from, &ball); n++) {
		fill(&room, n);
		if (load_relaxed(&stop))
			break;
		chan_send(a->to, ball);
	}
	wipe(&room);
	chan_close(a->to);
}

static void short_lived(void)
{
	struct room room;

	fill(&room, 7);
	leat_yield();
	wipe(&room);
}

/* Every room in the copy is full of one number; how many there are. */
static int check(const struct leat__snapshot *s)
{
	int rooms = 0;

	CHECK((uintptr_t)s->regs.sp - s->stack < s->bytes);
	for (uintptr_t at = s->stack; at + sizeof(struct room) <= s->stack + s->bytes; at += 8) {
		const struct room *room = (const struct room *)at; /* NOLINT(performance-no-int-to-ptr) */

		if (room->magic != MAGIC || room->self != room)
			continue;
		for (int i = 1; i < ROOM; i++)
			CHECK_EQ(room->words[i], room->words[0]);
		rooms++;
	}
	return rooms;
}

struct tally {
	int resting, running, gone, uncaught, rooms;
};

static void look(struct leat__g *g, void *arg)
{
	struct tally *t = arg;
	struct leat__snapshot s;

	if (load_acquire(&g->kind) != LEAT__GOROUTINE || g == leat__self()->g)
		return;
	if (!leat__snapshot(g, __atomic_load_n(&g->id, __ATOMIC_RELAXED), &s)) {
		t->gone++;
	} else if (s.exact) {
		t->running++;
	} else if (s.bytes) {
		t->resting++;
		t->rooms += check(&s);
	} else if (!s.fresh) {
		t->uncaught++;
	}
}

static void look_at_all(struct tally *t)
{
	CHECK(leat__turn_take(INT64_MAX));
	leat__snapshots_begin();
	leat__g_each(look, t);
	leat__snapshots_end();
	leat__turn_give();
}

TEST(snapshots_under_load_are_never_torn)
{
	struct tally t = {0};
	chan(int) ping = chan_make(int, 0);
	chan(int) pong = chan_make(int, 1);

	for (int i = 0; i < 4; i++)
		go(stopper);
	go_as(stopper, player, .from = chan_receiver(ping), .to = chan_sender(pong));
	go_as(stopper, player, .from = chan_receiver(pong), .to = chan_sender(ping));
	chan_send(ping, 1);
	for (int i = 0; i < test_count(2000); i++) {
		go0(short_lived);
		look_at_all(&t);
		if (i % 16 == 0)
			leat_yield();
	}
	store_relaxed(&stop, true);
	test_goroutines(1);
	/* Nearly all were caught, most of them at rest. */
	CHECK(t.resting > 0 && t.rooms > 0);
	CHECK(t.uncaught * 20 <= t.resting + t.running);
	chan_free(ping);
	chan_free(pong);
}

/* --- a large stack, mapped for its goroutine alone, vanishes with it */

#define LARGE ((size_t)512 << 10)

/* Copying it takes a while. */
static void large(void *arg)
{
	volatile char much[LARGE];

	(void)arg;
	much[0] = 1;
	leat_yield();
	much[LARGE - 1] = much[0];
}

TEST(stacks_are_not_unmapped_under_a_copy)
{
	struct tally t = {0};

	for (int i = 0; i < test_count(5000); i++) {
		for (int k = 0; k < 4; k++)
			leat_go_with(&(leat_go_opts){.stack_bytes = 2 * LARGE}, large, NULL, 0);
		look_at_all(&t);
		leat_yield();
	}
	test_goroutines(1);
	CHECK(t.resting + t.gone > 0);
}

/* --- for how long */

struct blocked {
	recv_chan(int) on;
};

static void blocked(struct blocked *a)
{
	chan_recv(a->on);
}

static void find_other(struct leat__g *g, void *arg)
{
	struct leat__g **found = arg;

	if (load_acquire(&g->kind) == LEAT__GOROUTINE && g->id != 1)
		*found = g;
}

/* What a dump says at this moment. */
static char *dump(void)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	CHECK(f != NULL);
	leat_dump(f);
	fclose(f);
	return text;
}

TEST(line_164_says_for_how_many_minutes)
{
	chan(int) c = chan_make(int, 0);
	static const struct {
		uint32_t seconds;
		const char *words;
	} rows[] = {
	    {0, "[chan receive]:"},
	    {57, "[chan receive]:"},
	    {62, "[chan receive, 1 minutes]:"},
	    {125, "[chan receive, 2 minutes]:"},
	    {86405, "[chan receive, 1440 minutes]:"},
	};
	struct leat__g *g = NULL;
	uint32_t stamp;
	char *text;

	go(blocked, .on = chan_receiver(c));
	test_parked(1);
	leat__g_each(find_other, &g);
	stamp = load_relaxed(&g->stopped);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		store_relaxed(&g->stopped, (stamp - rows[i].seconds) & LEAT__SECONDS_MASK);
		text = dump();
		if (!strstr(text, rows[i].words)) {
			fprintf(stderr, "\"%s\" is missing in:\n%s", rows[i].words, text);
			exit(1);
		}
		free(text);
	}
	/* It runs, and has waited for no time at all when it stops next. */
	chan_send(c, 1);
	test_goroutines(1);
	go(blocked, .on = chan_receiver(c));
	test_parked(1);
	text = dump();
	CHECK(strstr(text, "[chan receive]:") != NULL);
	free(text);
	chan_send(c, 1);
	test_goroutines(1);
	chan_free(c);
}

/* All sleep for so long that the monitor does too; who parks then is stamped with the time of then. */
TEST(line_164_the_clock_is_right_after_an_idle_time)
{
	chan(int) c = chan_make(int, 0);

	for (int i = 0; i < 3; i++) {
		struct leat__g *g = NULL;
		uint32_t before, stamp;

		leat_sleep(1500 * LEAT_MILLISECOND);
		before = leat__seconds_at(leat__os_now());
		go(blocked, .on = chan_receiver(c));
		test_parked(1);
		leat__g_each(find_other, &g);
		stamp = load_relaxed(&g->stopped) & LEAT__SECONDS_MASK;
		/* At the turn of a second the clock may be behind by as much as the monitor looks late. */
		CHECK((int32_t)(stamp - before) >= -1);
		chan_send(c, 1);
		test_goroutines(1);
	}
	chan_free(c);
}

TEST_MAIN
