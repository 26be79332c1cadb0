/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: leat's protocols that order a store before a load of another thread's word are right on a
 * machine with store buffers (x86), and for the reasons that are given for them.
 *
 * Method: every interleaving of small models is tried.  A model is a few threads, each a list of
 * steps on shared bytes; a store goes into the thread's buffer and reaches memory later, in order;
 * locked steps and fences wait for the own buffer to drain.  membarrier(2) makes every other thread
 * drain at some instant between its beginning and its end, not all at the same one.  Each protocol is
 * then tried without one of its parts, and the model must find the mistake: so the parts are needed,
 * and the model can fail.
 *
 * The models say what the code says; sched/machine.h, sched/work.c, sched/processor.h, sched/timer.c,
 * sched/polldesc.c and sync/mutex.c argue the same in words.
 */
#include "test.h"

/* A step says only what it needs. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum { THREADS = 3, BYTES = 8, BUFFER = 3, STEPS = 40 };

enum op {
	END,        /* and so is what is left of the program */
	STORE,      /* byte = value, by the buffer */
	LOAD,       /* reg = byte, out of the own buffer first */
	SWAP,       /* locked: reg = byte, byte = value */
	CAS,        /* locked: if byte == expected then byte = value, else to */
	ADD,        /* locked: byte += value */
	FENCE,      /* the own buffer is empty */
	MEMBARRIER, /* every other buffer was empty at some instant since */
	IF,         /* to, if reg == value */
	TO,
	LOOP,  /* to, so many times as value says */
	SLEEP, /* until byte is value: a futex, so not lost once it is that */
	OWN,   /* what only one thread may do at a time begins, and ends */
	DISOWN,
	WRONG, /* must not be reached */
};

struct step {
	uint8_t op, byte, value, expected, to;
};
/* One chosen by a condition; the others are initializers. */
#define STEP(...) ((struct step){__VA_ARGS__})

struct model {
	const char *name;
	int threads;
	struct step program[THREADS][STEPS];
	uint8_t memory[BYTES]; /* at the start */
};

struct thread {
	uint8_t pc, reg, turns;
	uint8_t hit; /* threads that a membarrier has reached */
	uint8_t buffered;
	struct {
		uint8_t byte, value;
	} buffer[BUFFER];
};

struct state {
	uint8_t memory[BYTES];
	uint8_t owners;
	struct thread t[THREADS];
};

/* --- the search */

static struct state *seen; /* an open hash table, and who is in it */
static uint8_t *full;
static uint32_t *pending; /* places in seen still to be continued from */
static size_t room = (size_t)1 << 20, states, unfinished;

static void reach(const struct state *s)
{
	const unsigned char *bytes = (const unsigned char *)s;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t at;

	for (size_t i = 0; i < sizeof *s; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	for (at = (hash ^ hash >> 32) % room; full[at]; at = (at + 1) % room)
		if (memcmp(&seen[at], s, sizeof *s) == 0)
			return;
	CHECK(++states < room / 2);
	full[at] = 1;
	seen[at] = *s;
	pending[unfinished++] = (uint32_t)at;
}

static uint8_t visible(const struct state *s, const struct thread *t, uint8_t byte)
{
	for (int i = t->buffered; i-- > 0;)
		if (t->buffer[i].byte == byte)
			return t->buffer[i].value;
	return s->memory[byte];
}

/* Thread i performs the step, if it can; false when it cannot now. */
static bool perform(struct state *s, int i, const struct step *k, int threads)
{
	struct thread *t = &s->t[i];
	bool locked = k->op == SWAP || k->op == CAS || k->op == ADD || k->op == FENCE;
	uint8_t others = (uint8_t)(((1 << threads) - 1) & ~(1 << i));

	if (locked && t->buffered)
		return false;
	t->pc++;
	switch (k->op) {
	case STORE:
		if (t->buffered == BUFFER)
			return false;
		t->buffer[t->buffered].byte = k->byte;
		t->buffer[t->buffered++].value = k->value;
		return true;
	case LOAD:
		t->reg = visible(s, t, k->byte);
		return true;
	case SWAP:
		t->reg = s->memory[k->byte];
		s->memory[k->byte] = k->value;
		return true;
	case CAS:
		if (s->memory[k->byte] == k->expected)
			s->memory[k->byte] = k->value;
		else
			t->pc = k->to;
		return true;
	case ADD:
		s->memory[k->byte] = (uint8_t)(s->memory[k->byte] + k->value);
		return true;
	case MEMBARRIER:
		if (t->hit != others)
			return false;
		t->hit = 0;
		return true;
	case IF:
		if (t->reg == k->value)
			t->pc = k->to;
		return true;
	case TO:
		t->pc = k->to;
		return true;
	case LOOP:
		if (t->turns++ < k->value)
			t->pc = k->to;
		return true;
	case SLEEP:
		return s->memory[k->byte] == k->value;
	case OWN:
		s->owners++;
		return true;
	case DISOWN:
		s->owners--;
		return true;
	default: /* FENCE */
		return true;
	}
}

/* Continue from s in every way; false when it is wrong. */
static bool expand(const struct model *m, struct state s)
{
	bool moved = false, ended = true;

	if (s.owners > 1)
		return false;
	for (int i = 0; i < m->threads; i++) {
		const struct step *k = &m->program[i][s.t[i].pc];
		struct state next = s;

		if (k->op == WRONG)
			return false;
		ended &= k->op == END && !s.t[i].buffered;
		if (s.t[i].buffered) { /* the oldest store reaches memory */
			struct thread *t = &next.t[i];

			next.memory[t->buffer[0].byte] = t->buffer[0].value;
			t->buffered--;
			memmove(t->buffer, t->buffer + 1, sizeof t->buffer - sizeof t->buffer[0]);
			memset(&t->buffer[t->buffered], 0, sizeof t->buffer[0]);
			reach(&next);
			moved = true;
		}
		/* It begins with a fence of its own; then it reaches each thread when that one's buffer is
		   empty. */
		if (k->op == MEMBARRIER && !s.t[i].buffered)
			for (int other = 0; other < m->threads; other++)
				if (other != i && !s.t[other].buffered && !(s.t[i].hit >> other & 1)) {
					next = s;
					next.t[i].hit |= (uint8_t)(1 << other);
					reach(&next);
					moved = true;
				}
		next = s;
		if (k->op != END && perform(&next, i, k, m->threads)) {
			reach(&next);
			moved = true;
		}
	}
	return moved || ended; /* else somebody sleeps for ever */
}

/* Is the model right in all its interleavings? */
static bool holds(const struct model *m)
{
	struct state start;
	bool right = true;

	if (!seen) {
		seen = malloc(room * sizeof *seen);
		full = malloc(room);
		pending = malloc(room * sizeof *pending);
		CHECK(seen && full && pending);
	}
	memset(full, 0, room);
	memset(&start, 0, sizeof start);
	memcpy(start.memory, m->memory, sizeof start.memory);
	states = unfinished = 0;
	reach(&start);
	while (unfinished && right)
		right = expand(m, seen[pending[--unfinished]]);
	fprintf(stderr, "  %-48s %8zu states: %s\n", m->name, states, right ? "right" : "wrong");
	return right;
}

/* --- the two forms of a pair of fences */

enum form { MEMBARRIERS, FENCES, NO_HEAVY, NO_LIGHT, FORMS };

static const char *const form_names[FORMS] = {"membarrier", "fenced", "nothing for the heavy fence",
                                              "fenced, nothing for the light fence"};

static bool sound(enum form f)
{
	return f == MEMBARRIERS || f == FENCES;
}

/* A step that does nothing. */
#define NOTHING(next)                                                                              \
	{                                                                                              \
		TO, .to = (next)                                                                           \
	}
#define LIGHT(f, next)                                                                             \
	{                                                                                              \
		(f) == FENCES ? FENCE : TO, .to = (next)                                                   \
	}
#define HEAVY(f, next)                                                                             \
	{                                                                                              \
		(f) == MEMBARRIERS ? MEMBARRIER : (f) == NO_HEAVY ? TO : FENCE, .to = (next)               \
	}

static const char *name(const char *protocol, const char *variant)
{
	static char text[80];

	snprintf(text, sizeof text, "%s, %s", protocol, variant);
	return text;
}

/* --- retake: a goroutine enters and leaves the runtime while the monitor takes its processor */

enum { REQUESTED = 1, TAKEN = 2 };

static bool retake(enum form f, bool monitor_cas, bool goroutine_cas)
{
	enum { RETAKE, IN_RUNTIME, DATA };
	struct model m = {
	    .name = name("retake", !monitor_cas     ? "the monitor stores its verdict"
	                           : !goroutine_cas ? "the goroutine stores its refusal"
	                                            : form_names[f]),
	    .threads = 2,
	    .program =
	        {{
	             /* Enters three times; what it does inside with the processor is one store. */
	             [0] = {STORE, IN_RUNTIME, 1},
	             [1] = LIGHT(f, 2),
	             [2] = {LOAD, RETAKE},
	             [3] = {IF, .value = 0, .to = 8},
	             [4] = {IF, .value = TAKEN, .to = 20}, /* queues for another processor */
	             [5] = goroutine_cas ? STEP(CAS, RETAKE, 0, REQUESTED, .to = 2)
	                                 : STEP(STORE, .byte = RETAKE, .value = 0),
	             [6] = NOTHING(8),
	             [8] = {OWN},
	             [9] = {STORE, DATA, 1},
	             [10] = {DISOWN},
	             [11] = {STORE, IN_RUNTIME, 0},
	             [12] = {LOOP, .value = 2, .to = 0},
	             [13] = {END},
	             [20] = {END},
	         },
	         {
	             [0] = {CAS, RETAKE, REQUESTED, 0, .to = 20},
	             [1] = HEAVY(f, 2),
	             [2] = {LOAD, IN_RUNTIME},
	             [3] = {IF, .value = 1, .to = 10},
	             [4] = monitor_cas ? STEP(CAS, RETAKE, TAKEN, REQUESTED, .to = 20)
	                               : STEP(STORE, .byte = RETAKE, .value = TAKEN),
	             [5] = {OWN}, /* for good */
	             [6] = {END},
	             [10] = {CAS, RETAKE, 0, REQUESTED, .to = 20},
	             [20] = {END},
	         }},
	};

	return holds(&m);
}

TEST(retake_gives_a_processor_to_one_side)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(retake(f, true, true), sound(f));
	CHECK(!retake(MEMBARRIERS, false, true));
	CHECK(!retake(MEMBARRIERS, true, false));
}

/* --- announced: a goroutine comes back from a call while the monitor takes its processor for it */

/* Past the end of the call the processor is the goroutine's, unless it was taken before. */
static bool announced(enum form f, bool monitor_looks_again, bool goroutine_looks)
{
	enum { RETAKE, ANNOUNCED };
	struct model m = {
	    .name = name("announced", !monitor_looks_again ? "the monitor trusts its first look"
	                              : !goroutine_looks   ? "the goroutine sees no request"
	                                                   : form_names[f]),
	    .threads = 2,
	    .program = {{
	                    [0] = {STORE, ANNOUNCED, 0},
	                    [1] = LIGHT(f, 2),
	                    [2] = {LOAD, RETAKE},
	                    [3] = {IF, .value = 0, .to = 8},
	                    [4] = {IF, .value = TAKEN, .to = 20}, /* queues for another processor */
	                    [5] = goroutine_looks ? STEP(CAS, RETAKE, 0, REQUESTED, .to = 2)
	                                          : STEP(TO, .to = 8),
	                    [8] = {OWN},
	                    [9] = {DISOWN},
	                    [20] = {END},
	                },
	                {
	                    [0] = {LOAD, ANNOUNCED},
	                    [1] = {IF, .value = 0, .to = 20},
	                    [2] = {CAS, RETAKE, REQUESTED, 0, .to = 20},
	                    [3] = HEAVY(f, 4),
	                    [4] = monitor_looks_again ? STEP(LOAD, ANNOUNCED) : STEP(TO, .to = 6),
	                    [5] = {IF, .value = 0, .to = 10},
	                    [6] = {CAS, RETAKE, TAKEN, REQUESTED, .to = 20},
	                    [7] = {OWN}, /* for good */
	                    [8] = {END},
	                    [10] = {CAS, RETAKE, 0, REQUESTED, .to = 20},
	                    [20] = {END},
	                }},
	    .memory = {[ANNOUNCED] = 1},
	};

	return holds(&m);
}

TEST(announced_ends_with_the_call)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(announced(f, true, true), sound(f));
	CHECK(!announced(MEMBARRIERS, true, false));
	CHECK(!announced(MEMBARRIERS, false, true));
}

/* --- idle: a processor goes to sleep while another one makes work available */

/* The one that pushes goes on with something long: the work is the other one's. */
static bool idle(enum form f, bool looks_again)
{
	enum { WORK, SEARCHING, IDLE, WOKEN };
	struct model m = {
	    .name = name("idle", looks_again ? form_names[f] : "no last look"),
	    .threads = 2,
	    .program = {{
	                    [0] = {STORE, WORK, 1},
	                    [1] = LIGHT(f, 2),
	                    [2] = {LOAD, IDLE},
	                    [3] = {IF, .value = 0, .to = 20},
	                    [4] = {LOAD, SEARCHING},
	                    [5] = {IF, .value = 1, .to = 20},  /* that one will find it */
	                    [6] = {CAS, IDLE, 0, 1, .to = 20}, /* takes it off the idle list */
	                    [7] = {STORE, WOKEN, 1},
	                    [20] = {END},
	                },
	                {
	                    [0] = {LOAD, WORK}, /* the search, fruitless or not */
	                    [1] = {IF, .value = 1, .to = 20},
	                    [2] = {ADD, SEARCHING, (uint8_t)-1},
	                    [3] = {SWAP, IDLE, 1}, /* under the scheduler's lock */
	                    [4] = HEAVY(f, 5),
	                    [5] = looks_again ? STEP(LOAD, .byte = WORK) : STEP(TO, .to = 10),
	                    [6] = {IF, .value = 0, .to = 10},
	                    [7] = {CAS, IDLE, 0, 1, .to = 10}, /* takes up its processor again */
	                    [8] = {END},
	                    [10] = {SLEEP, WOKEN, 1},
	                    [20] = {END},
	                }},
	    .memory = {[SEARCHING] = 1},
	};

	return holds(&m);
}

TEST(idle_loses_no_wake_up)
{
	/* The idler's own steps are locked ones, so the heavy fence matters for the other's buffer. */
	CHECK(idle(MEMBARRIERS, true));
	CHECK(idle(FENCES, true));
	CHECK(!idle(NO_HEAVY, true));
	CHECK(!idle(NO_LIGHT, true));
	CHECK(!idle(MEMBARRIERS, false));
}

/* --- mutex: the unlock's plain store against those who go to sleep */

enum { LOCKED, WAITERS, INNER, QUEUED, WOKEN };

/* Locks, owns, unlocks, once.  n: of the thread, whose words to sleep on are QUEUED + 2n and the next
   (two threads: the one never waits for more than the other). */
static void mutex_user(struct step *p, enum form f, int n, bool marks_first)
{
	uint8_t mine = (uint8_t)(QUEUED + (n ? 2 : 0)), other = (uint8_t)(QUEUED + (n ? 0 : 2));
	const struct step program[STEPS] = {
	    [0] = {SWAP, LOCKED, 1},
	    [1] = {IF, .value = 0, .to = 14},
	    /* sleep, or get it instead */
	    [2] = {CAS, INNER, 1, 0, .to = 2},
	    [3] = marks_first ? STEP(STORE, .byte = WAITERS, .value = 1) : STEP(TO, .to = 4),
	    [4] = HEAVY(f, 5),
	    [5] = {SWAP, LOCKED, 1},
	    [6] = {IF, .value = 0, .to = 12},
	    [7] = {STORE, WAITERS, 1},
	    [8] = {STORE, mine, 1},
	    [9] = {STORE, INNER, 0},
	    [10] = {SLEEP, (uint8_t)(mine + 1), 1},
	    [11] = {TO, .to = 0},
	    [12] = {STORE, WAITERS, 0}, /* the only other one holds the lock no more */
	    [13] = {STORE, INNER, 0},
	    [14] = {OWN},
	    [15] = {DISOWN},
	    /* unlock */
	    [16] = {STORE, LOCKED, 0},
	    [17] = LIGHT(f, 18),
	    [18] = {LOAD, WAITERS},
	    [19] = {IF, .value = 0, .to = 30},
	    [20] = {CAS, INNER, 1, 0, .to = 20},
	    [21] = {LOAD, other},
	    [22] = {STORE, WAITERS, 0},
	    [23] = {STORE, other, 0},
	    [24] = {STORE, INNER, 0},
	    [25] = {IF, .value = 0, .to = 30},
	    [26] = {STORE, (uint8_t)(other + 1), 1},
	    [30] = {END},
	};

	memcpy(p, program, sizeof program);
}

static bool mutex(enum form f, bool marks_first)
{
	struct model m = {
	    .name = name("mutex", marks_first ? form_names[f] : "looks, then says that it waits"),
	    .threads = 2,
	};

	mutex_user(m.program[0], f, 0, marks_first);
	mutex_user(m.program[1], f, 1, marks_first);
	return holds(&m);
}

TEST(mutex_loses_no_sleeper)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(mutex(f, true), sound(f));
	CHECK(!mutex(MEMBARRIERS, false));
}

/* --- ring: the owner of a full one moves its older half away while a thief takes from it */

enum ring_part { RING_ALL, RING_LOOKS_ONCE, RING_NO_CAS };

/* Two slots hold goroutines 0 and 1: head is 0, tail 2.  The owner puts number 2, for which it moves the
   older half, one, to the global queue, and then takes what there is.  The thief takes half twice, by a
   tail that it read before.  Who takes number n swaps a word that only one may find 0, and a third thread
   waits for all. */
static bool ring(enum ring_part without)
{
	static const char *const names[] = {"with all its parts", "full by an older look at the head",
	                                    "the thief stores the head"};
	enum { HEAD, TAIL, SLOT_0, SLOT_1, TAKEN_0, TAKEN_1, TAKEN_2 };
	bool looks = without != RING_LOOKS_ONCE, by_cas = without != RING_NO_CAS;
	struct model m = {
	    .name = name("ring", names[without]),
	    .threads = 3,
	    .program = {{
	                    [0] = {LOAD, HEAD},
	                    [1] = {IF, .value = 0, .to = 5},
	                    [2] = {STORE, SLOT_0, 2}, /* there is room */
	                    [3] = {STORE, TAIL, 3},
	                    [4] = {TO, .to = 24},
	                    /* full by that look: the older half by this one */
	                    [5] = {LOAD, HEAD},
	                    [6] = {IF, .value = 1, .to = looks ? 0 : 11},
	                    [7] = {IF, .value = 2, .to = looks ? 0 : 14},
	                    [8] = {LOAD, SLOT_0},
	                    [9] = {CAS, HEAD, 1, 0, .to = 0},
	                    [10] = {TO, .to = 16},
	                    [11] = {LOAD, SLOT_1},
	                    [12] = {CAS, HEAD, 2, 1, .to = 0},
	                    [13] = {TO, .to = 16},
	                    [14] = {LOAD, SLOT_0},
	                    [15] = {CAS, HEAD, 3, 2, .to = 0},
	                    [16] = {IF, .value = 1, .to = 20},
	                    [17] = {SWAP, TAKEN_0, 1},
	                    [18] = {IF, .value = 1, .to = 39},
	                    [19] = {TO, .to = 22},
	                    [20] = {SWAP, TAKEN_1, 1},
	                    [21] = {IF, .value = 1, .to = 39},
	                    [22] = {SWAP, TAKEN_2, 1},
	                    [23] = {IF, .value = 1, .to = 39},
	                    /* what is left */
	                    [24] = {LOAD, HEAD},
	                    [25] = {IF, .value = 3, .to = 38},
	                    [26] = {IF, .value = 2, .to = 31},
	                    [27] = {CAS, HEAD, 2, 1, .to = 24},
	                    [28] = {SWAP, TAKEN_1, 1},
	                    [29] = {IF, .value = 1, .to = 39},
	                    [30] = {TO, .to = 24},
	                    [31] = {LOAD, TAIL},
	                    [32] = {IF, .value = 2, .to = 38},
	                    [33] = {CAS, HEAD, 3, 2, .to = 24},
	                    [34] = {SWAP, TAKEN_2, 1},
	                    [35] = {IF, .value = 1, .to = 39},
	                    [38] = {END},
	                    [39] = {WRONG},
	                },
	                {
	                    [0] = {LOAD, HEAD},
	                    [1] = {IF, .value = 0, .to = 5},
	                    [2] = {IF, .value = 1, .to = 8},
	                    [3] = {END}, /* nothing before its limit */
	                    [5] = {LOAD, SLOT_0},
	                    [6] = by_cas ? STEP(CAS, HEAD, 1, 0, .to = 0)
	                                 : STEP(STORE, .byte = HEAD, .value = 1),
	                    [7] = {TO, .to = 10},
	                    [8] = {LOAD, SLOT_1},
	                    [9] = by_cas ? STEP(CAS, HEAD, 2, 1, .to = 0)
	                                 : STEP(STORE, .byte = HEAD, .value = 2),
	                    [10] = {IF, .value = 1, .to = 15},
	                    [11] = {IF, .value = 2, .to = 39}, /* it came after the limit */
	                    [12] = {SWAP, TAKEN_0, 1},
	                    [13] = {IF, .value = 1, .to = 39},
	                    [14] = {TO, .to = 17},
	                    [15] = {SWAP, TAKEN_1, 1},
	                    [16] = {IF, .value = 1, .to = 39},
	                    [17] = {LOOP, .value = 1, .to = 0},
	                    [18] = {END},
	                    [39] = {WRONG},
	                },
	                {
	                    [0] = {SLEEP, TAKEN_0, 1},
	                    [1] = {SLEEP, TAKEN_1, 1},
	                    [2] = {SLEEP, TAKEN_2, 1},
	                }},
	    .memory = {[TAIL] = 2, [SLOT_1] = 1},
	};

	return holds(&m);
}

TEST(ring_gives_each_goroutine_to_one)
{
	CHECK(ring(RING_ALL));
	CHECK(!ring(RING_LOOKS_ONCE));
	CHECK(!ring(RING_NO_CAS));
}

/* --- deque: the owner's pop without a full fence against two thieves */

/* Two goroutines, 0 and 1; bottom is 2.  The owner pops once; each thief steals once.  Who takes number
   n swaps a word that only one may find 0. */
static bool deque(enum form f, bool last_by_cas)
{
	enum { TOP, BOTTOM, TAKEN_0, TAKEN_1 };
	const struct step thief[STEPS] = {
	    [0] = {LOAD, TOP},
	    [1] = {IF, .value = 1, .to = 10},
	    [2] = {IF, .value = 2, .to = 30},
	    /* top is 0 */
	    [3] = HEAVY(f, 4),
	    [4] = {LOAD, BOTTOM},
	    [5] = {IF, .value = 0, .to = 30},
	    [6] = {CAS, TOP, 1, 0, .to = 30},
	    [7] = {SWAP, TAKEN_0, 1},
	    [8] = {IF, .value = 1, .to = 31},
	    [9] = {END},
	    /* top is 1 */
	    [10] = HEAVY(f, 11),
	    [11] = {LOAD, BOTTOM},
	    [12] = {IF, .value = 1, .to = 30},
	    [13] = {CAS, TOP, 2, 1, .to = 30},
	    [14] = {SWAP, TAKEN_1, 1},
	    [15] = {IF, .value = 1, .to = 31},
	    [30] = {END},
	    [31] = {WRONG},
	};
	struct model m = {
	    .name = name("deque", last_by_cas ? form_names[f] : "the last one without a CAS"),
	    .threads = 3,
	    .program = {{
	        [0] = {STORE, BOTTOM, 1},
	        [1] = LIGHT(f, 2),
	        [2] = {LOAD, TOP},
	        [3] = {IF, .value = 0, .to = 10}, /* others are left: no thief comes here */
	        [4] = {IF, .value = 2, .to = 8},
	        [5] = last_by_cas ? STEP(CAS, TOP, 2, 1, .to = 8) : STEP(TO, .to = 6),
	        [6] = {STORE, BOTTOM, 2},
	        [7] = {TO, .to = 10},
	        [8] = {STORE, BOTTOM, 2},
	        [9] = {END},
	        [10] = {SWAP, TAKEN_1, 1},
	        [11] = {IF, .value = 1, .to = 31},
	        [12] = {END},
	        [31] = {WRONG},
	    }},
	    .memory = {[BOTTOM] = 2},
	};

	memcpy(m.program[1], thief, sizeof thief);
	memcpy(m.program[2], thief, sizeof thief);
	return holds(&m);
}

TEST(deque_gives_each_goroutine_to_one)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(deque(f, true), sound(f));
	CHECK(!deque(MEMBARRIERS, false));
}

/* --- poller: the word of a direction, on which a waiter meets an edge, and a close or a deadline */

enum poll_part { POLL_ALL, POLL_NO_READY, POLL_PUSH_ASIDE, POLL_NO_FENCE, POLL_NO_LAST_LOOK };

static bool poll_word(enum poll_part without, bool edge, bool closes)
{
	static const char *const names[] = {"with all its parts", "an edge with no waiter is forgotten",
	                                    "the waiter pushes READY aside", "no fence after the flag",
	                                    "no look at the flag after the push"};
	enum { WORD, DATA, FLAG, CALLED };
	enum { NIL, READY, WAITER };
	struct model m = {
	    .name =
	        name(edge ? closes ? "poller, both" : "poller, edge" : "poller, close", names[without]),
	    .threads = 3,
	    .program = {{
	        [0] = {LOAD, DATA},
	        [1] = {IF, .value = 1, .to = 20}, /* there is something to read */
	        [2] = without == POLL_PUSH_ASIDE ? STEP(SWAP, .byte = WORD, .value = WAITER)
	                                         : STEP(CAS, WORD, WAITER, NIL, .to = 10),
	        [3] = {LOAD, FLAG},
	        [4] = {IF, .value = 0, .to = 7},
	        [5] = without == POLL_NO_LAST_LOOK ? STEP(TO, .to = 7)
	                                           : STEP(CAS, WORD, NIL, WAITER, .to = 7),
	        [6] = {END}, /* it has taken itself back */
	        [7] = {SLEEP, CALLED, 1},
	        [10] = {CAS, WORD, NIL, READY, .to = 2},
	        [11] = {TO, .to = 0}, /* an edge: tries again */
	    }},
	};
	const struct step poller[STEPS] = {
	    [0] = {STORE, DATA, 1},
	    [1] = {FENCE}, /* by way of the kernel */
	    [2] = without == POLL_NO_READY ? STEP(CAS, WORD, NIL, WAITER, .to = 20)
	                                   : STEP(SWAP, .byte = WORD, .value = READY),
	    [3] = without == POLL_NO_READY ? STEP(TO, .to = 5) : STEP(IF, .value = WAITER, .to = 5),
	    [5] = {STORE, CALLED, 1},
	};
	const struct step closer[STEPS] = {
	    [0] = {STORE, FLAG, 1},
	    [1] = {without == POLL_NO_FENCE ? TO : FENCE, .to = 2},
	    [2] = {LOAD, WORD},
	    [3] = {IF, .value = WAITER, .to = 5},
	    [5] = {CAS, WORD, NIL, WAITER, .to = 20},
	    [6] = {STORE, CALLED, 1},
	};

	if (edge)
		memcpy(m.program[1], poller, sizeof poller);
	if (closes)
		memcpy(m.program[2], closer, sizeof closer);
	return holds(&m);
}

/* Two wait for one descriptor, for different edges, and register it at once; what the kernel is told
   last counts. */
static bool poll_interest(bool looks_again)
{
	enum { WAITS, INTEREST = 2, DONE };
	struct model m = {
	    .name = name("poller, registering", looks_again ? "with all its parts" : "no second look"),
	    .threads = 2,
	};

	for (uint8_t me = 0; me < 2; me++) {
		const struct step waiter[STEPS] = {
		    [0] = {STORE, (uint8_t)(WAITS + me), 1},
		    [1] = {LOAD, (uint8_t)(WAITS + 1 - me)},
		    [2] = {IF, .value = 1, .to = 10},
		    [3] = {SWAP, INTEREST, (uint8_t)(1 + me)}, /* and a fence */
		    [4] = looks_again ? STEP(LOAD, .byte = (uint8_t)(WAITS + 1 - me)) : STEP(TO, .to = 11),
		    [5] = {IF, .value = 0, .to = 11},
		    [6] = {TO, .to = 10},
		    [10] = {SWAP, INTEREST, 3},
		    [11] = {ADD, DONE, 1},
		    [12] = {LOAD, DONE},
		    [13] = {IF, .value = 2, .to = 15},
		    [15] = {LOAD, INTEREST},
		    [16] = {IF, .value = 3, .to = 14},
		    [17] = {WRONG},
		};

		memcpy(m.program[me], waiter, sizeof waiter);
	}
	return holds(&m);
}

TEST(poller_is_told_of_all_that_is_waited_for)
{
	CHECK(poll_interest(true));
	CHECK(!poll_interest(false));
}

TEST(poller_wakes_who_has_a_reason)
{
	CHECK(poll_word(POLL_ALL, true, false));
	CHECK(poll_word(POLL_ALL, false, true));
	CHECK(poll_word(POLL_ALL, true, true));
	CHECK(!poll_word(POLL_NO_READY, true, false));
	CHECK(!poll_word(POLL_PUSH_ASIDE, true, false));
	CHECK(!poll_word(POLL_NO_FENCE, false, true));
	CHECK(!poll_word(POLL_NO_LAST_LOOK, false, true));
}

TEST_MAIN
