/* SPDX-License-Identifier: MIT */
/*
 * A machine with store buffers (x86), on which every interleaving of a small model is tried.
 *
 * A model is a few threads, each a list of steps on shared bytes; a store goes into the thread's buffer
 * and reaches memory later, in order; locked steps and fences wait for the own buffer to drain.
 * membarrier(2) makes every other thread drain at some instant between its beginning and its end, not all
 * at the same one.
 */
#ifndef TESTS_LITMUS_TSO_H
#define TESTS_LITMUS_TSO_H

#include "test.h"

/* A step says only what it needs. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum { THREADS = 3, BYTES = 8, BUFFER = 3, STEPS = 60 };

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

#endif
