/* SPDX-License-Identifier: MIT */
/*
 * Workers: a queue of tasks, and goroutines that run them.
 *
 * A task goes to a worker that is started for it, while there are fewer than may be; else into the queue; else who brings
 * it waits with it in his hands.  A worker that has run its task takes the first of the queue, for which the first of
 * those who wait puts his in; and ends when there is none.
 *
 * Invariants (the lock)
 *  - workers counts those that were started and have not ended, and those about to be started, of which alive leaves
 *    out those whose start may still fail for want of memory.
 *  - While the queue is not empty, or somebody waits to submit, one worker is alive, and so all tasks are run.  So a task
 *    is not queued where none is: who brings it lets others run, until the starts of theirs have succeeded or failed.
 *    (A start that has succeeded is counted only by then; so alive may be below 0, for a moment.)
 *  - While somebody waits to submit, the queue is full and there are as many workers as may be.
 *  - pending counts tasks that were taken and have not ended.
 *
 * Lock order: beside a channel's; nothing is taken under it.
 */
#include "ctx/wait.h"
#include "sched/panic.h"

#include <leat/workers.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct task {
	struct task *next;
	void (*fn)(void *);
	_Alignas(16) char args[];
};

struct leat_workers {
	uint8_t lock;
	leat_scope *scope;
	leat_workers_opts opts; /* all but workers never changes */
	size_t workers, running, queued, submitting, pending, peak;
	ptrdiff_t alive;
	uint64_t done, rejected, panicked;
	struct task *first, **last;
	struct leat__waiters submitters, waiters;
};

/* One who waits to submit. */
struct submitter {
	struct leat__waiter w;
	struct task *task;
};

static struct leat__m *lock(leat_workers *w)
{
	struct leat__m *m = leat__enter();

	leat__lock(&w->lock);
	return m;
}

static void unlock(struct leat__m *m, leat_workers *w)
{
	leat__unlock(&w->lock);
	leat__leave(m);
}

static size_t at_least_one(size_t workers)
{
	return workers ? workers : (size_t)leat_procs(0);
}

leat_workers *leat_workers_make(leat_scope *s, const leat_workers_opts *opts)
{
	leat_workers *w = leat_scope_alloc(s, sizeof *w);

	w->scope = s;
	if (opts)
		w->opts = *opts;
	w->opts.workers = at_least_one(w->opts.workers);
	w->last = &w->first;
	return w;
}

/* --- locked */

static void put(leat_workers *w, struct task *t)
{
	*w->last = t;
	w->last = &t->next;
	w->queued++;
}

static struct task *take(leat_workers *w)
{
	struct task *t = w->first;

	if (!t)
		return NULL;
	w->first = t->next;
	if (!w->first)
		w->last = &w->first;
	w->queued--;
	return t;
}

/* There is room in the queue, or a worker has nothing to do: the first who waits puts his task in.  He is to be readied
   after the unlock. */
static struct leat__g *let_in(leat_workers *w)
{
	struct leat__waiter *first;

	first = leat__waiters_take(&w->submitters);
	if (!first)
		return NULL;
	put(w, container_of(first, struct submitter, w)->task);
	w->submitting--;
	w->pending++;
	return first->g;
}

/* --- workers */

struct worker {
	leat_workers *w;
	struct task *task; /* NULL: the first of the queue */
	leat__record on_exit;
	bool ended; /* it has let go of its task, and leaves */
};

/* What the worker runs next, NULL: it ends.  Locked. */
static struct task *next_task(leat_workers *w, struct leat__g **let)
{
	struct task *t = NULL;

	*let = NULL;
	if (w->workers <= w->opts.workers || w->alive <= 1) {
		t = take(w);
		*let = let_in(w);
		if (!t)
			t = take(w);
	}
	if (t) {
		w->running++;
		if (w->running > w->peak)
			w->peak = w->running;
	} else {
		w->workers--;
		w->alive--;
	}
	return t;
}

/* The task, if it had one, has ended; and the next one. */
static struct task *leat__workers_turn(leat_workers *w, struct task *ended, bool panicked)
{
	struct leat__waiters over = {0};
	struct leat__waiter *waiter;
	struct leat__g *let;
	struct leat__m *m;
	struct task *t;

	free(ended);
	leat__hb_release(w);
	m = lock(w);
	if (ended) {
		w->running--;
		w->done++;
		w->panicked += panicked;
		if (--w->pending == 0)
			while ((waiter = leat__waiters_take(&w->waiters)))
				leat__waiters_add(&over, waiter);
	}
	t = next_task(w, &let);
	leat__unlock(&w->lock);
	if (let)
		leat__ready(m, let, false);
	while ((waiter = over.first)) {
		leat__waiters_remove(&over, waiter); /* on the sleeper's stack, gone once it runs */
		leat__ready(m, waiter->g, false);
	}
	leat__leave(m);
	return t;
}

static void leat__workers_call(void *arg)
{
	struct task *t = arg;

	leat__hb_acquire(t);
	t->fn(t->args);
}

static void leat__workers_start(leat_workers *w, struct task *t);

/* The worker ends, by whichever way.  One that panics ends the process: until it does, nobody who waits for the task
   may think that it has ended. */
static void leat__workers_exit(void *arg)
{
	struct worker *self = arg;
	struct task *t;

	if (self->ended || leat__current()->panics)
		return;
	t = leat__workers_turn(self->w, self->task, false);
	if (t)
		leat__workers_start(self->w, t);
}

static void leat__workers_run(void *arg)
{
	struct worker self = *(struct worker *)arg;
	leat_workers *w = self.w;
	leat_panic_info info;

	self.on_exit = (leat__record){.fn = leat__workers_exit, .arg = &self};
	leat__record_push(&self.on_exit);
	if (!self.task)
		self.task = leat__workers_turn(w, NULL, false);
	while (self.task) {
		bool panicked = false;

		if (!w->opts.panicked) {
			leat__workers_call(self.task);
		} else if (leat_catch(leat__workers_call, self.task, &info)) {
			panicked = true;
			w->opts.panicked(&info, w->opts.arg);
		}
		self.task = leat__workers_turn(w, self.task, panicked);
	}
	self.ended = true;
	leat__record_leave(&self.on_exit);
}

/* A worker begins, with a task of its own, which runs already as far as is counted, or none. */
static void leat__workers_start(leat_workers *w, struct task *t)
{
	struct worker self = {.w = w, .task = t};
	leat_go_opts opts = {
	    .name = w->opts.name, .stack_bytes = w->opts.stack_bytes, .scope = w->scope};

	leat_go_with(&opts, leat__workers_run, &self, sizeof self);
}

/* A start that is not counted as alive yet, and what becomes of it. */
struct start {
	leat_workers *w;
	struct task *task;
	bool succeeded;
};

static void leat__workers_started(void *arg)
{
	struct start *s = arg;
	leat_workers *w = s->w;
	struct leat__m *m = lock(w);

	if (s->succeeded) {
		w->alive++;
	} else {
		w->workers--;
		if (s->task) {
			w->running--;
			w->pending--;
		}
	}
	unlock(m, w);
	if (!s->succeeded)
		free(s->task);
}

/* The same for one that is counted among the workers, but not as alive. */
static void leat__workers_add(leat_workers *w, struct task *t)
{
	struct start s = {.w = w, .task = t};
	LEAT_DEFER(leat__workers_started, &s);

	leat__workers_start(w, t);
	s.succeeded = true;
}

/* --- submitting */

static struct task *new_task(void (*fn)(void *), const void *args, size_t args_bytes)
{
	struct task *t;

	leat__go_check(fn, args_bytes);
	t = malloc(sizeof *t + args_bytes);
	if (!t)
		leat__panic_runtime("out of memory");
	*t = (struct task){.fn = fn};
	if (args_bytes)
		memcpy(t->args, args, args_bytes);
	leat__hb_release(t);
	return t;
}

/* Locked until it has parked.  0: the task was taken by who let it in. */
static int leat__workers_await(struct leat__m *m, leat_workers *w, struct task *t, leat_ctx *ctx)
{
	struct submitter s = {.task = t};
	int err;

	w->submitting++;
	leat__queue(m, &w->submitters, &s.w, ctx, LEAT__WAIT_SEMAPHORE);
	leat__unlock(&w->lock);
	m = leat__await_ctx(m, ctx, &err);
	if (err) {
		leat__lock(&w->lock);
		leat__unqueue(&w->submitters, &s.w);
		w->submitting--;
		leat__unlock(&w->lock);
	}
	leat__leave(m);
	return err;
}

/* Locked, which it ends.  -EAGAIN: it can only wait; -EBUSY: it is to be seen whether a start succeeds. */
static int leat__workers_offer(struct leat__m *m, leat_workers *w, struct task *t)
{
	bool start = w->workers < w->opts.workers;
	int err = 0;

	if (start) {
		w->workers++;
		w->running++;
		if (w->running > w->peak)
			w->peak = w->running;
		w->pending++;
	} else if (w->alive < 1) {
		err = -EBUSY;
	} else if (w->queued < w->opts.queue) {
		w->pending++;
		put(w, t);
	} else {
		return -EAGAIN;
	}
	unlock(m, w);
	if (start)
		leat__workers_add(w, t);
	return err;
}

/* With a context that is being watched, if need be. */
static int leat__workers_submit(leat_workers *w, struct task *t, leat_ctx *ctx, bool wait)
{
	struct leat__m *m = lock(w);
	int err;

	while ((err = leat__workers_offer(m, w, t)) == -EBUSY) {
		leat_yield();
		m = lock(w);
	}
	if (!err)
		return 0;
	if (wait)
		return leat__workers_await(m, w, t, ctx);
	w->rejected++;
	unlock(m, w);
	return err;
}

int leat_workers_submit_ctx(leat_workers *w, void (*fn)(void *), const void *args,
                            size_t args_bytes, leat_any_ctx ctx)
{
	struct task *t;
	int err = leat_ctx_err(ctx);

	if (err)
		return err;
	t = new_task(fn, args, args_bytes);
	err = leat__ctx_begin_wait(ctx.leat__ctx);
	if (!err) {
		err = leat__workers_submit(w, t, ctx.leat__ctx, w->opts.full == LEAT_WORKERS_BLOCK);
		leat__ctx_end_wait(ctx.leat__ctx);
	}
	if (err)
		free(t);
	return err;
}

int leat_workers_submit(leat_workers *w, void (*fn)(void *), const void *args, size_t args_bytes)
{
	return leat_workers_submit_ctx(w, fn, args, args_bytes, (leat_any_ctx)(leat_ctx *)NULL);
}

int leat_workers_try_submit(leat_workers *w, void (*fn)(void *), const void *args,
                            size_t args_bytes)
{
	struct task *t = new_task(fn, args, args_bytes);
	int err = leat__workers_submit(w, t, NULL, false);

	if (err)
		free(t);
	return err;
}

/* --- the rest */

int leat_workers_wait_ctx(leat_workers *w, leat_any_ctx ctx)
{
	struct leat__waiter waiter;
	struct leat__m *m;
	int err = leat__ctx_begin_wait(ctx.leat__ctx);

	if (err)
		return err;
	m = leat__enter();
	leat__lock(&w->lock);
	if (!w->pending) {
		leat__unlock(&w->lock);
	} else {
		leat__queue(m, &w->waiters, &waiter, ctx.leat__ctx, LEAT__WAIT_WAITGROUP);
		leat__unlock(&w->lock);
		m = leat__await_ctx(m, ctx.leat__ctx, &err);
		if (err) {
			leat__lock(&w->lock);
			leat__unqueue(&w->waiters, &waiter);
			leat__unlock(&w->lock);
		}
	}
	leat__leave(m);
	leat__ctx_end_wait(ctx.leat__ctx);
	if (!err)
		leat__hb_acquire(w);
	return err;
}

void leat_workers_wait(leat_workers *w)
{
	(void)!leat_workers_wait_ctx(w, (leat_any_ctx)(leat_ctx *)NULL);
}

void leat_workers_resize(leat_workers *w, size_t workers)
{
	struct leat__m *m;
	size_t wanted;
	bool more;

	workers = at_least_one(workers);
	m = lock(w);
	w->opts.workers = workers;
	wanted = w->queued + w->submitting;
	unlock(m, w);
	for (more = true; more && wanted > 0; wanted--) {
		m = lock(w);
		more = w->workers < w->opts.workers && (w->first || w->submitters.first);
		w->workers += more;
		unlock(m, w);
		if (more)
			leat__workers_add(w, NULL);
	}
}

leat_workers_stats leat_workers_get_stats(leat_workers *w)
{
	struct leat__m *m = lock(w);
	leat_workers_stats s = {.workers = w->opts.workers,
	                        .running = w->running,
	                        .queued = w->queued,
	                        .submitting = w->submitting,
	                        .peak = w->peak,
	                        .done = w->done,
	                        .rejected = w->rejected,
	                        .panicked = w->panicked};

	unlock(m, w);
	return s;
}
