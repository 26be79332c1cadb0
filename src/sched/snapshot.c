/* SPDX-License-Identifier: MIT */
/*
 * Looking at goroutines that others run, without stopping them.
 *
 * One that is off its stack.  Its stack is copied, then checked not to have run meanwhile, as a reader
 * of a sequence lock does, and only the checked copy is given to the unwinder:
 *
 *	who looks                               who runs the goroutine
 *	stopped |= SEEN (CAS)                   resume:  sp = 0
 *	sp, not 0                                        its frames change
 *	copy the stack                          stop:    stopped = the time, without SEEN
 *	sp and stopped as before?                        sp = where
 *
 * If the copy has a word that the goroutine wrote after it was resumed, then sp = 0 is visible to the
 * second look, which comes later in the order of the program (x86: stores are seen in order, loads are
 * done in order; elsewhere the heavy fence between copy and look stands for both).  If sp is not 0 by
 * then, the goroutine has stopped anew, perhaps at the same address; then its store of stopped, which
 * came before that of sp, is visible too, and SEEN is gone.  Nobody but the one who has the turn sets
 * SEEN.  So resuming costs nothing, and stopping one store (leat__stamp), which gives the time as well.
 *
 * Its stack cannot be unmapped under the copy: leat__stack_hold.  The descriptor itself is never
 * unmapped; that it is still the same goroutine's is told by the id, which comes last when one is
 * made, but for kind, which goes first when one ends.
 *
 * One that runs.  Its thread is interrupted by a signal; the handler, on the thread's alternate stack,
 * finds the goroutine's stack at rest below it and copies it.  It takes no lock and waits for nobody.
 * Should another goroutine run there by now, it says so.  One that is stopped (stop.c) is still on its
 * thread, whose handler then finds where it is in what that one's handler left; one that has the
 * scheduler context do something for it is where it called that.
 *
 * One that is off its stack at one look and on it at the next, and does so for ever: each look has a
 * fair chance (a copy takes 100 ns; the thread that is interrupted is one that just ran it), so a
 * few dozen of them are enough.  What cannot be caught at all (the thread has the signal blocked) is
 * said to be running, without a trace, as Go does it.
 *
 * In the copy every word that points into the original is moved along, whatever it is: frame pointers
 * and saved stack pointers are among them, and other words do not matter to an unwinder.
 *
 * Rejected: claiming the goroutine while walking its stack, which takes an atomic exchange, or a second
 * look, where goroutines are resumed; unwinding in the signal handler, since libunwind takes the
 * loader's lock; walking the live stack, since what changes meanwhile can send the unwinder anywhere.
 */
#include "sched/snapshot.h"

#include "os/signal.h"
#include "sched/scheduler.h"

#define COPY_MAX     ((size_t)64 << 20)
#define COPY_SMALL   ((size_t)64 << 10)
#define COPY_KEPT    ((size_t)1 << 20)
#define ATTEMPTS     200
#define PATIENCE_NS  ((int64_t)2000000000) /* for one thread to come to its signal handler */
#define PATIENCE_ALL (3 * PATIENCE_NS)     /* for all of one dump */

enum { SEEN = ~LEAT__SECONDS_MASK };

static struct {
	char *to;
	size_t room;         /* 0: there is none yet */
	size_t most;         /* of it that was ever used */
	int64_t patience_ns; /* left */
	bool can_interrupt;
} copying;

/* What the handler is asked for. */
enum { IDLE, ASKED, COPYING, DONE, MISSED };

static struct {
	_Atomic uint32_t state; /* futex; ASKED publishes the rest, DONE the copy */
	struct leat__g *g;
	struct leat__snapshot *into;
} request;

/* --- copying a stack */

static uint64_t moved(uint64_t word, uintptr_t from, size_t bytes, uintptr_t to)
{
	return word - from < bytes ? word - from + to : word;
}

/* Word by word, since the stack may be changing, and without ASan, since variables of frames lie there
   that it guards. */
__attribute__((no_sanitize("address"))) static void copy_words(uint64_t *to, const uint64_t *from,
                                                               size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = moved(__atomic_load_n(&from[i], __ATOMIC_RELAXED), (uintptr_t)from,
		              n * sizeof *from, (uintptr_t)to);
}

/* Copy what lies above regs->sp into s.  In a signal handler, perhaps. */
static void copy_stack(struct leat__snapshot *s, const struct leat__regs *regs, uintptr_t high)
{
	uintptr_t from = (uintptr_t)regs->sp & ~(uintptr_t)7, to = (uintptr_t)copying.to;
	size_t bytes = (high - from) & ~(size_t)7;
	/* Of every CPU's registers. */
	const uint64_t *words = (const uint64_t *)regs;
	uint64_t *moved_words = (uint64_t *)&s->regs;

	s->cut = bytes > copying.room;
	if (s->cut)
		bytes = copying.room;
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	copy_words((uint64_t *)to, (const uint64_t *)from, bytes / sizeof(uint64_t));
	for (size_t i = 0; i < sizeof *regs / sizeof *words; i++)
		moved_words[i] = moved(words[i], from, bytes, to);
	s->regs.sp = regs->sp - from + to;
	s->stack = to;
	s->bytes = bytes;
	if (bytes > copying.most)
		copying.most = bytes;
}

static uintptr_t high_end(const struct leat__stack *stack)
{
	return (uintptr_t)stack->san.low + stack->san.bytes;
}

static bool lies_on(const struct leat__stack *stack, uintptr_t address)
{
	return address - (uintptr_t)stack->san.low < stack->san.bytes;
}

/* It is not what another stack's overflow has made of it: the usable part ends where the header begins. */
static bool is_sound(const struct leat__g *g, const struct leat__stack *stack)
{
	return __atomic_load_n(&g->id, __ATOMIC_RELAXED) == 1 || high_end(stack) == (uintptr_t)stack;
}

/* g's own, below those of the coroutines that it is in.  It may be anything, if g runs on: but these stacks are
   not unmapped either, and what is below each says whose it is. */
static const struct leat__stack *own_stack(const struct leat__g *g, const struct leat__stack *stack)
{
	const struct leat__resumer *r;

	while ((r = __atomic_load_n(&stack->resumer, __ATOMIC_RELAXED)) != NULL) {
		const struct leat__stack *below;

		if (r != (const struct leat__resumer *)(const void *)stack - 1)
			return NULL;
		below = __atomic_load_n(&r->stack, __ATOMIC_RELAXED);
		if (!below || !is_sound(g, below))
			return NULL;
		stack = below;
	}
	return stack;
}

/* What is said of it besides. */
static void copy_head(struct leat__snapshot *s, const struct leat__g *g,
                      const struct leat__stack *stack)
{
	size_t n = 0;

	s->name[0] = '\0';
	s->locked = __atomic_load_n(&g->special, __ATOMIC_RELAXED) & LEAT__LOCKED;

	stack = own_stack(g, stack);
	if (!stack)
		return;
	if (stack->name && lies_on(stack, (uintptr_t)stack->name))
		while (n < sizeof s->name - 1 && stack->name[n]) {
			s->name[n] = stack->name[n];
			n++;
		}
	s->name[n] = '\0';
}

/* --- off its stack */

static struct leat__stack *stack_of(struct leat__g *g)
{
	return __atomic_load_n(&g->stack, __ATOMIC_RELAXED);
}

static bool same(struct leat__g *g, uint64_t id)
{
	return load_acquire(&g->kind) == LEAT__GOROUTINE &&
	       __atomic_load_n(&g->id, __ATOMIC_RELAXED) == id;
}

static bool unmoved(struct leat__g *g, uint64_t id, void *sp, uint32_t stamp)
{
	return __atomic_load_n(&g->sp, __ATOMIC_ACQUIRE) == sp && load_relaxed(&g->stopped) == stamp &&
	       same(g, id);
}

/* What was read before comes before what is read after, against who writes in the opposite order. */
static void between_looks(void)
{
#if defined __x86_64__
	compiler_barrier();
#else
	leat__fence_heavy();
#endif
}

static bool at_rest(struct leat__g *g, struct leat__snapshot *s)
{
	uint32_t stamp = load_relaxed(&g->stopped);
	struct leat__regs regs;
	struct leat__stack *stack;
	bool copied = false;
	void *sp;

	if (!(stamp & SEEN)) {
		if (!cas_acq_rel(&g->stopped, &stamp, stamp | SEEN))
			return false;
		stamp |= SEEN;
	}
	sp = __atomic_load_n(&g->sp, __ATOMIC_ACQUIRE);
	if (!sp || !leat__stack_hold())
		return false;
	/* Looked at before: should the goroutine end meanwhile, and another begin, this one stays. */
	stack = stack_of(g);
	if (stack && unmoved(g, s->id, sp, stamp) && is_sound(g, stack) &&
	    lies_on(stack, (uintptr_t)sp)) {
		copied = true;
		s->wait = load_relaxed(&g->wait);
		copy_head(s, g, stack);
		leat__context_regs(sp, &regs);
		s->fresh = regs.ip == (uintptr_t)leat__context_start;
		if (!s->fresh)
			copy_stack(s, &regs, high_end(stack));
	}
	leat__stack_release();
	between_looks();
	if (!copied || !unmoved(g, s->id, sp, stamp))
		return false;
	s->exact = false;
	s->state = s->wait == LEAT__RUNNABLE ? LEAT__STATE_RUNNABLE : LEAT__STATE_WAITING;
	s->blocked_s = (leat__seconds_at(leat__os_now()) - stamp) & LEAT__SECONDS_MASK;
	return true;
}

/* --- on its stack */

static bool is_on(const struct leat__m *m, const struct leat__g *g)
{
	return __atomic_load_n(&m->g, __ATOMIC_RELAXED) == g ||
	       __atomic_load_n(&m->caller, __ATOMIC_RELAXED) == g;
}

/* Where g is, the goroutine of m, which is this thread: as interrupted, or where it was stopped in the
   middle of its code, or where it has had the scheduler context do something for it.  False around a
   switch, where m says another one than whose stack this is. */
static bool find_place(const struct leat__m *m, const struct leat__g *g,
                       const struct leat__regs *interrupted, struct leat__snapshot *s,
                       struct leat__regs *regs)
{
	if (!m || !is_on(m, g) || !g->stack || !is_sound(g, g->stack))
		return false;
	s->exact = true;
	*regs = *interrupted;
	if (m->stopped_at) {
		leat__signal_regs(m->stopped_at, regs);
		s->stopped = true;
	} else if (m->caller == g && m->caller_sp && !lies_on(g->stack, (uintptr_t)regs->sp)) {
		leat__context_regs(m->caller_sp, regs);
		s->exact = false;
	}
	return lies_on(g->stack, (uintptr_t)regs->sp);
}

static void on_interrupt(const struct leat__regs *interrupted)
{
	struct leat__m *m = leat__self();
	uint32_t asked = ASKED;
	struct leat__regs regs;
	struct leat__g *g;
	bool here;

	if (!cas_acq_rel(&request.state, &asked, COPYING))
		return;
	g = request.g;
	here = find_place(m, g, interrupted, request.into, &regs);
	if (here) {
		copy_head(request.into, g, g->stack);
		copy_stack(request.into, &regs, high_end(g->stack));
	}
	store_release(&request.state, here ? DONE : MISSED);
	leat__os_wake(&request.state, 1);
}

static struct leat__m *who_runs(const struct leat__g *g)
{
	struct leat__m *m = load_acquire(&leat__sched.all_m);

	while (m && !is_on(m, g))
		m = m->all_next;
	return m;
}

/* Wait for the handler's answer, so long at most. */
static bool await_handler(int64_t patience_ns)
{
	int64_t begun = leat__os_now(), end = begun + patience_ns;
	uint32_t state;

	while ((state = load_acquire(&request.state)) < DONE) {
		if (leat__os_now() < end || state == COPYING) {
			leat__os_wait(&request.state, state, state == COPYING ? INT64_MAX : end);
			continue;
		}
		/* Take it back; a handler that comes late finds nothing to do, or the next request. */
		if (cas_acq_rel(&request.state, &state, IDLE)) {
			copying.patience_ns -= leat__os_now() - begun;
			return false;
		}
	}
	return true;
}

/* False: it was not there, or no longer, and should be looked for again. */
static bool in_flight(struct leat__g *g, struct leat__snapshot *s, bool *unreachable)
{
	struct leat__m *m = who_runs(g);
	int tid = m ? __atomic_load_n(&m->tid, __ATOMIC_RELAXED) : 0;
	int64_t patience_ns = copying.patience_ns;
	bool asleep;

	if (!tid)
		return false;
	asleep = leat__os_thread_state(tid) == LEAT__OS_ASLEEP;
	request.g = g;
	request.into = s;
	store_release(&request.state, ASKED);
	if (patience_ns > PATIENCE_NS)
		patience_ns = PATIENCE_NS;
	if (!copying.can_interrupt || leat__os_interrupt(tid) != 0)
		patience_ns = 0;
	if (!await_handler(patience_ns)) {
		/* It was on that thread before, and still is. */
		*unreachable = is_on(m, g);
		return false;
	}
	s->state = s->stopped ? LEAT__STATE_RUNNABLE
	           : asleep   ? LEAT__STATE_SYSCALL
	                      : LEAT__STATE_RUNNING;
	return load_relaxed(&request.state) == DONE;
}

/* --- all of it */

static bool describe(struct leat__g *g, uint64_t id, struct leat__snapshot *s)
{
	*s = (struct leat__snapshot){
	    .id = id,
	    .parent = __atomic_load_n(&g->parent, __ATOMIC_RELAXED),
	    .created_at = __atomic_load_n(&g->created_at, __ATOMIC_RELAXED),
	    .fn = __atomic_load_n(&g->fn, __ATOMIC_RELAXED),
	    .fresh = stack_of(g) == NULL,
	    .state = LEAT__STATE_RUNNABLE,
	};
	between_looks();
	return same(g, id);
}

bool leat__snapshot(struct leat__g *g, uint64_t id, struct leat__snapshot *s)
{
	bool unreachable = false;

	for (unsigned attempt = 0; attempt < ATTEMPTS && !unreachable; attempt++) {
		if (!describe(g, id, s))
			return false;
		if (s->fresh || at_rest(g, s) || in_flight(g, s, &unreachable))
			return same(g, id) || s->bytes;
		if (attempt > 20)
			leat__os_backoff(attempt);
	}
	s->state = LEAT__STATE_RUNNING;
	s->bytes = 0;
	return same(g, id);
}

void leat__snapshots_begin(void)
{
	static _Alignas(16) char small[COPY_SMALL];

	if (copying.room != COPY_MAX) {
		copying.room = COPY_MAX;
		copying.to = leat__os_map(COPY_MAX);
		if (!copying.to) {
			copying.to = small;
			copying.room = sizeof small;
		}
	}
	copying.patience_ns = PATIENCE_ALL;
	copying.can_interrupt = leat__os_on_interrupt(on_interrupt);
}

void leat__snapshots_end(void)
{
	/* A dump does this for every goroutine, so the room stays, unless much of it is in use now. */
	if (copying.room == COPY_MAX && copying.most > COPY_KEPT) {
		leat__os_unmap(copying.to, COPY_MAX);
		copying.room = copying.most = 0;
	}
}
