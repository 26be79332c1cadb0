/* SPDX-License-Identifier: MIT */
/*
 * The search.
 *
 * A state is what the machine is in when all that has only one outcome has been done (settle): steps
 * are fetched, decided branches are struck, fences pass when they can.  From there each access that
 * may be performed is a move.  A guess that turns out wrong, and a read-modify-write whose byte another
 * thread stores to in the middle, end their branch of the search: the machine would go back and try
 * again, which is another branch.
 */
#include "machine.h"

#include "../../test.h"

enum {
	WAITING,
	READ,
	DONE
}; /* progress; READ: half of a read-modify-write, a membarrier has begun */

static const struct model *model;
static bool wrong;

/* --- states seen, and those still to be continued from */

static struct {
	struct state *states;
	uint32_t *index; /* an open hash table of 1 + the number of a state */
	uint32_t count, room, next;
} seen;

static uint64_t hash_of(const struct state *s)
{
	const unsigned char *bytes = (const unsigned char *)s;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof *s; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

/* Where the state's number is or belongs. */
static uint32_t *place_of(const struct state *s)
{
	size_t mask = 2 * (size_t)seen.room - 1, at = hash_of(s) & mask;

	while (seen.index[at] && memcmp(&seen.states[seen.index[at] - 1], s, sizeof *s) != 0)
		at = (at + 1) & mask;
	return &seen.index[at];
}

static void grow(void)
{
	seen.room = seen.room ? 2 * seen.room : 1 << 12;
	seen.states = realloc(seen.states, seen.room * sizeof *seen.states);
	free(seen.index);
	seen.index = calloc(2 * (size_t)seen.room, sizeof *seen.index);
	CHECK(seen.states && seen.index);
	for (uint32_t i = 0; i < seen.count; i++)
		*place_of(&seen.states[i]) = i + 1;
}

static void reach(const struct state *s)
{
	uint32_t *place;

	if (seen.count == seen.room)
		grow();
	place = place_of(s);
	if (*place)
		return;
	seen.states[seen.count] = *s;
	*place = ++seen.count;
}

/* --- what a step is */

static const struct step *step_of(int i, const struct slot *slot)
{
	return &model->program[i][slot->pc];
}

static bool is_rmw(const struct step *k)
{
	return k->op == SWAP || k->op == CAS || k->op == ADD || k->op == LOCK;
}

static bool is_load(const struct step *k)
{
	return k->op == LOAD || k->op == AWAIT;
}

static bool is_store(const struct step *k)
{
	return k->op == STORE || k->op == STORE_NEXT;
}

static bool sets_reg(const struct step *k)
{
	return is_load(k) || k->op == SWAP || k->op == ADD;
}

/* Its outcome decides what comes next. */
static bool is_branch(const struct step *k)
{
	return k->op == IF || k->op == CAS || k->op == LOCK || k->op == AWAIT;
}

/* The value of reg for the slot at k of thread i, if it is known. */
static bool reg_at(const struct state *s, int i, int k, uint8_t *value)
{
	const struct thread *t = &s->t[i];

	*value = t->reg;
	while (k-- > 0)
		if (sets_reg(step_of(i, &t->window[k]))) {
			*value = t->window[k].value;
			return t->window[k].progress != WAITING;
		}
	return true;
}

/* --- settling: all that has one outcome only */

static void settle(struct state *s, int i);

static struct slot *fetch(struct thread *t)
{
	struct slot *slot = &t->window[t->fetched++];

	*slot = (struct slot){.pc = t->pc++};
	return slot;
}

/* Fetch what branches, both ways; the second way continues here. */
static void fetch_branch(struct state *s, int i)
{
	const struct step *k = &model->program[i][s->t[i].pc];
	struct state other = *s;

	fetch(&other.t[i])->guess = 1;
	if (k->op == IF)
		other.t[i].pc = k->to;
	settle(&other, i);
	fetch(&s->t[i]);
	if (k->op == CAS)
		s->t[i].pc = k->to;
}

/* Fetch one step of thread i; false when there is none, or no room. */
static bool fetch_next(struct state *s, int i)
{
	struct thread *t = &s->t[i];
	const struct step *k = &model->program[i][t->pc];
	uint8_t reg;

	switch (k->op) {
	case END:
		return false;
	case TO:
		t->pc = k->to;
		return true;
	case LOOP:
		t->pc = t->turns++ < k->value ? k->to : t->pc + 1;
		return true;
	case IF:
		if (reg_at(s, i, t->fetched, &reg)) {
			t->pc = reg == k->value ? k->to : t->pc + 1;
			return true;
		}
		break;
	default:
		break;
	}
	if (t->fetched == WINDOW)
		return false;
	if (k->op == IF || k->op == CAS)
		fetch_branch(s, i);
	else
		fetch(t);
	return true;
}

/* Take the oldest slot out if it is done. */
static bool retire(struct state *s, int i)
{
	struct thread *t = &s->t[i];
	struct slot *oldest = &t->window[0];
	const struct step *k = step_of(i, oldest);

	if (!t->fetched)
		return false;
	if (k->op == WRONG)
		wrong = true;
	if (k->op == COUNT)
		t->count++;
	else if (oldest->progress != DONE)
		return false;
	if (sets_reg(k))
		t->reg = oldest->value;
	t->fetched--;
	memmove(oldest, oldest + 1, t->fetched * sizeof *oldest);
	memset(&t->window[t->fetched], 0, sizeof *oldest);
	return true;
}

/* All accesses before slot k are done, or at least the loads among them. */
static bool done_before(const struct state *s, int i, int k, bool loads_only)
{
	const struct thread *t = &s->t[i];

	for (int j = 0; j < k; j++) {
		const struct step *e = step_of(i, &t->window[j]);
		uint8_t progress = t->window[j].progress;

		if (e->op == COUNT || e->op == WRONG || (loads_only && is_store(e)))
			continue;
		if (loads_only && is_rmw(e) ? progress == WAITING : progress != DONE)
			return false;
	}
	return true;
}

/* Decide branches and pass fences; false when a guess was wrong. */
static bool decide(struct state *s, int i, bool *changed)
{
	struct thread *t = &s->t[i];

	for (int k = 0; k < t->fetched; k++) {
		struct slot *slot = &t->window[k];
		const struct step *e = step_of(i, slot);
		uint8_t reg;

		if (slot->progress != WAITING)
			continue;
		if (e->op == IF && reg_at(s, i, k, &reg)) {
			if ((reg == e->value) != slot->guess)
				return false;
		} else if (!((e->op == FENCE || e->op == LOAD_FENCE) &&
		             done_before(s, i, k, e->op == LOAD_FENCE))) {
			continue;
		}
		slot->progress = DONE;
		*changed = true;
	}
	return true;
}

/* Settle the threads from i on. */
static void settle(struct state *s, int i)
{
	for (; i < model->threads; i++)
		for (bool changed = true; changed;) {
			changed = false;
			if (!decide(s, i, &changed))
				return;
			while (retire(s, i))
				changed = true;
			while (fetch_next(s, i))
				changed = true;
		}
	reach(s);
}

/* --- moves */

/* Thread i's slot k may be performed as far as order goes; *own: the latest store before it that is not
   in memory yet, if it is a load that this store answers. */
static bool in_order(const struct state *s, int i, int k, bool writes, const struct slot **own)
{
	const struct thread *t = &s->t[i];
	const struct step *me = step_of(i, &t->window[k]);

	*own = NULL;
	for (int j = 0; j < k; j++) {
		const struct slot *slot = &t->window[j];
		const struct step *e = step_of(i, slot);
		bool loads = is_load(e) || is_rmw(e), same = (loads || is_store(e)) && e->byte == me->byte;

		if (slot->progress == DONE)
			continue;
		if (e->op == FENCE || e->op == LOAD_FENCE || e->op == MEMBARRIER)
			return false;
		if (loads && (e->order & ACQUIRE) && slot->progress == WAITING)
			return false;
		if (writes && is_branch(e) && slot->progress == WAITING)
			return false;
		if (!same)
			continue;
		if (!is_load(me) || !is_store(e))
			return false;
		*own = slot;
	}
	return !writes || !(me->order & RELEASE) || done_before(s, i, k, false);
}

/* byte = value for all; false when that ends another's read-modify-write. */
static bool put(struct state *s, int i, uint8_t byte, uint8_t value)
{
	for (int other = 0; other < model->threads; other++)
		for (int k = 0; other != i && k < s->t[other].fetched; k++) {
			const struct slot *slot = &s->t[other].window[k];
			const struct step *e = step_of(other, slot);

			if (is_rmw(e) && slot->progress == READ && e->byte == byte)
				return false;
		}
	s->memory[byte] = value;
	return true;
}

static void load(struct state *s, int i, int k, const struct slot *own)
{
	struct slot *slot = &s->t[i].window[k];
	const struct step *e = step_of(i, slot);

	slot->value = s->memory[e->byte];
	if (own) {
		const struct step *from = step_of(i, own);
		uint8_t reg = 0;

		if (from->op == STORE_NEXT && !reg_at(s, i, (int)(own - s->t[i].window), &reg))
			return;
		slot->value = (uint8_t)(from->value + reg);
	}
	if (e->op == AWAIT && slot->value != e->value)
		slot->value = 0;
	else
		slot->progress = DONE;
}

/* The reading half; false when the guess was wrong. */
static bool begin_rmw(struct state *s, int i, int k)
{
	struct slot *slot = &s->t[i].window[k];
	const struct step *e = step_of(i, slot);
	uint8_t value = s->memory[e->byte];

	if (e->op == LOCK && value)
		return true;
	slot->value = value;
	slot->progress = READ;
	if (e->op != CAS)
		return true;
	if (value != e->expected)
		slot->progress = DONE;
	return slot->guess == (value == e->expected);
}

/* The writing half, or a store; false when another's read-modify-write does not live through it. */
static bool store(struct state *s, int i, int k)
{
	struct slot *slot = &s->t[i].window[k];
	const struct step *e = step_of(i, slot);
	uint8_t value = e->value, reg;

	if (e->op == STORE_NEXT) {
		if (!reg_at(s, i, k, &reg))
			return true;
		value = (uint8_t)(value + reg);
	} else if (e->op == ADD) {
		value = (uint8_t)(value + slot->value);
	} else if (e->op == LOCK) {
		value = 1;
	}
	slot->progress = DONE;
	return put(s, i, e->byte, value);
}

/* Nothing of thread i's that it has not finished has been begun: it can be stopped here. */
static bool between_steps(const struct state *s, int i)
{
	for (int k = 0; k < s->t[i].fetched; k++)
		if (s->t[i].window[k].progress != WAITING &&
		    step_of(i, &s->t[i].window[k])->op != MEMBARRIER)
			return false;
	return true;
}

/* Perform slot k of thread i, if that is possible: the move is made on a copy.  True when it is a move,
   even to nowhere. */
static bool move(const struct state *from, int i, int k)
{
	struct state s = *from;
	struct slot *slot = &s.t[i].window[k];
	const struct step *e = step_of(i, slot);
	const struct slot *own;
	bool writes = is_store(e) || (is_rmw(e) && slot->progress == READ), lives = true;

	if (slot->progress == DONE || !(is_load(e) || is_store(e) || is_rmw(e)) ||
	    !in_order(&s, i, k, writes, &own))
		return false;
	if (is_load(e))
		load(&s, i, k, own);
	else if (writes)
		lives = store(&s, i, k);
	else
		lives = begin_rmw(&s, i, k);
	if (lives && memcmp(&s, from, sizeof s) == 0)
		return false;
	if (lives)
		settle(&s, 0);
	return true;
}

/* Let a membarrier begin, or reach a thread, in every way. */
static bool move_membarrier(const struct state *from, int i, int k)
{
	uint8_t others = (uint8_t)(((1 << model->threads) - 1) & ~(1 << i));
	const struct slot *slot = &from->t[i].window[k];
	bool moved = false;

	if (slot->progress == DONE || !done_before(from, i, k, false))
		return false;
	for (int other = 0; other < model->threads; other++) {
		struct state s = *from;
		struct slot *mine = &s.t[i].window[k];

		if (!(others >> other & 1) || slot->value >> other & 1 || !between_steps(from, other))
			continue;
		mine->value |= (uint8_t)(1 << other);
		mine->progress = mine->value == others ? DONE : READ;
		settle(&s, 0);
		moved = true;
	}
	return moved;
}

/* Continue from the state in every way. */
static void expand(struct state s)
{
	bool moved = false, ended = true;

	for (int i = 0; i < model->threads; i++) {
		ended &= !s.t[i].fetched;
		for (int k = 0; k < s.t[i].fetched; k++)
			if (step_of(i, &s.t[i].window[k])->op == MEMBARRIER)
				moved |= move_membarrier(&s, i, k);
			else
				moved |= move(&s, i, k);
	}
	if (ended)
		wrong |= model->right && !model->right(&s);
	else
		wrong |= !moved; /* somebody waits for ever */
}

bool machine_holds(const struct model *m, unsigned *states)
{
	struct state start;

	model = m;
	wrong = false;
	seen.count = seen.next = 0;
	if (seen.index)
		memset(seen.index, 0, 2 * (size_t)seen.room * sizeof *seen.index);
	memset(&start, 0, sizeof start);
	memcpy(start.memory, m->memory, sizeof start.memory);
	settle(&start, 0);
	while (seen.next < seen.count && !wrong)
		expand(seen.states[seen.next++]);
	*states = seen.count;
	return !wrong;
}
