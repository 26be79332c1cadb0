/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 timeout=300 notsan noemulator */
/*
 * Goal: defers, catches, coroutines, panics and goexits inside each other do what Go's rules say.
 * Method: random trees of them are run in a goroutine of a forked child, and by a model that knows
 * the rules and nothing of stacks; the traces of the two are compared.  A coroutine is resumed
 * once, then freed, so that one that yields is stopped in mid-body.
 */
#include "test.h"

#include <stdarg.h>
#include <sys/wait.h>

enum { MAX_STEPS = 4, RETURNED = 0, PANICKED = 7 };

enum kind { TRACE, DEFER, CATCH, CATCH_WITH, COROUTINE, CALL, PANIC, GOEXIT, YIELD, KINDS };

/* One thing to do; steps are the body of what has one. */
struct step {
	enum kind kind;
	int id, count;
	struct step *steps[MAX_STEPS];
	struct step *handler; /* of CATCH_WITH: what the handler does, or NULL */
};

struct trace {
	char text[100000];
	size_t length;
};

/* --- the trees */

struct generator {
	uint64_t state;
	int ids;
};

/* Where a step is going to be. */
struct place {
	int depth; /* levels that may still be below */
	bool in_coroutine, in_defer;
};

static unsigned random_below(struct generator *r, unsigned n)
{
	r->state = r->state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(r->state >> 33) % n;
}

static enum kind random_kind(struct generator *r, struct place p)
{
	static const unsigned percent[2][KINDS] = {
	    {[TRACE] = 40, [PANIC] = 20, [GOEXIT] = 25, [YIELD] = 15},
	    {[TRACE] = 8,
	     [DEFER] = 30,
	     [CATCH] = 16,
	     [CATCH_WITH] = 6,
	     [COROUTINE] = 18,
	     [CALL] = 6,
	     [PANIC] = 7,
	     [GOEXIT] = 5,
	     [YIELD] = 4},
	};
	unsigned at = random_below(r, 100), kind = 0;

	while (at >= percent[p.depth > 0][kind])
		at -= percent[p.depth > 0][kind++];
	/* Whether a yield in a defer panics depends on why that runs: coro_panic.c has these. */
	if (kind == YIELD && (!p.in_coroutine || p.in_defer))
		return TRACE;
	return (enum kind)kind;
}

static bool has_body(enum kind kind)
{
	return kind != TRACE && kind != PANIC && kind != GOEXIT && kind != YIELD;
}

static struct step *random_step(struct generator *r, enum kind kind, struct place outer)
{
	struct place inner = {outer.depth - 1, outer.in_coroutine, outer.in_defer};
	struct step *s = calloc(1, sizeof *s);

	CHECK(s != NULL);
	s->kind = kind;
	s->id = ++r->ids;
	if (!has_body(kind))
		return s;
	if (kind == DEFER)
		inner.in_defer = true;
	if (kind == COROUTINE) {
		inner.in_coroutine = true;
		inner.in_defer = false;
	}
	s->count = 1 + (int)random_below(r, MAX_STEPS);
	for (int i = 0; i < s->count; i++)
		s->steps[i] = random_step(r, random_kind(r, inner), inner);
	if (kind == CATCH_WITH && random_below(r, 2)) {
		inner.in_defer = true;
		s->handler = random_step(r, CALL, inner);
	}
	return s;
}

static void free_step(struct step *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->count; i++)
		free_step(s->steps[i]);
	free_step(s->handler);
	free(s);
}

/* --- the model */

/* How a body ended: with none of them it returned. */
struct ending {
	int panic; /* the id of the newest panic that is under way, or 0 */
	bool goexit;
	bool stopped; /* the coroutine was freed when it had yielded */
};

__attribute__((format(printf, 2, 3))) static void model_log(struct trace *t, const char *format,
                                                            ...)
{
	size_t room = sizeof t->text - t->length;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->text + t->length, room, format, ap);
	va_end(ap);
	CHECK(n > 0 && (size_t)n < room);
	t->length += (size_t)n;
}

static bool leaves(struct ending e)
{
	return e.panic || e.goexit || e.stopped;
}

static struct ending model_body(struct trace *t, const struct step *body);

/* A panic raised while a goexit or a stop was under way is caught, and then that goes on. */
static struct ending model_catch(struct trace *t, const struct step *s)
{
	struct ending e = model_body(t, s);
	int caught = e.panic;

	e.panic = 0;
	if (!caught)
		return e;
	if (s->kind == CATCH_WITH) {
		model_log(t, "handler%d(%d) ", s->id, caught);
		if (s->handler) {
			struct ending of_handler = model_body(t, s->handler);

			e.panic = of_handler.panic;
			e.goexit |= of_handler.goexit;
		}
	}
	if (!leaves(e))
		model_log(t, "caught%d(%d) ", s->id, caught);
	return e;
}

static struct ending model_step(struct trace *t, const struct step *s)
{
	struct ending e = {0};

	switch (s->kind) {
	case CATCH:
	case CATCH_WITH:
		return model_catch(t, s);
	case CALL:
		return model_body(t, s);
	case COROUTINE:
		e = model_body(t, s);
		if (e.stopped) /* a goexit in what the stop runs is of the coroutine only */
			e.stopped = e.goexit = false;
		return e;
	case PANIC:
		model_log(t, "panic%d ", s->id);
		e.panic = s->id;
		return e;
	case GOEXIT:
		model_log(t, "goexit%d ", s->id);
		e.goexit = true;
		return e;
	case YIELD:
		model_log(t, "yield%d ", s->id);
		e.stopped = true;
		return e;
	default:
		model_log(t, "trace%d ", s->id);
		return e;
	}
}

static struct ending model_body(struct trace *t, const struct step *body)
{
	const struct step *deferred[MAX_STEPS];
	struct ending e = {0};
	int n = 0;

	for (int i = 0; i < body->count && !leaves(e); i++) {
		if (body->steps[i]->kind == DEFER)
			deferred[n++] = body->steps[i];
		else
			e = model_step(t, body->steps[i]);
	}
	while (n > 0) {
		const struct step *s = deferred[--n];
		struct ending d;

		model_log(t, "deferred%d ", s->id);
		d = model_body(t, s);
		if (d.goexit || d.panic) /* a goexit abandons the panic under way, a panic replaces it */
			e.panic = d.panic;
		e.goexit |= d.goexit;
	}
	return e;
}

static void model_goroutine(struct trace *t, const struct step *top)
{
	struct ending e = model_body(t, top);

	if (e.panic)
		model_log(t, "uncaught(%d)", e.panic);
	else
		model_log(t, "%s", e.goexit ? "exited" : "returned");
}

/* --- the real thing, in a child; its standard output is the trace */

struct running {
	const struct step *step;
	leat_coro *coroutine; /* the innermost that it is in */
};

__attribute__((format(printf, 1, 2))) static void real_log(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CHECK(vdprintf(STDOUT_FILENO, format, ap) > 0);
	va_end(ap);
}

static void real_body(const struct step *body, int from, leat_coro *coroutine);

static void run_body(void *arg)
{
	struct running *r = arg;

	real_body(r->step, 0, r->coroutine);
}

static void run_deferred(struct running *r)
{
	real_log("deferred%d ", r->step->id);
	run_body(r);
}

struct handled {
	struct running running;
	char message[sizeof((leat_panic_info *)0)->message];
};

static void run_handler(const leat_panic_info *info, void *arg)
{
	struct handled *h = arg;
	const struct step *s = h->running.step;

	strcpy(h->message, info->message);
	real_log("handler%d(%s) ", s->id, info->message);
	if (s->handler)
		real_body(s->handler, 0, h->running.coroutine);
}

static void real_catch(struct running r)
{
	struct handled h = {.running = r};
	leat_panic_info info;

	if (r.step->kind == CATCH_WITH) {
		if (leat_catch_with(run_body, &r, run_handler, &h))
			real_log("caught%d(%s) ", r.step->id, h.message);
	} else if (leat_catch(run_body, &r, &info)) {
		real_log("caught%d(%s) ", r.step->id, info.message);
	}
}

static void run_coroutine(leat_coro *c, void *arg)
{
	struct running *r = arg;

	real_body(r->step, 0, c);
}

static void real_coroutine(struct running r)
{
	leat_coro *c = leat_coro_make(NULL, 0, run_coroutine, &r, sizeof r);

	defer(leat_coro_free, c);
	leat_coro_next(c, NULL);
}

static void real_step(const struct step *s, leat_coro *coroutine)
{
	struct running r = {s, coroutine};

	switch (s->kind) {
	case CATCH:
	case CATCH_WITH:
		real_catch(r);
		break;
	case CALL:
		run_body(&r);
		break;
	case COROUTINE:
		real_coroutine(r);
		break;
	case PANIC:
		real_log("panic%d ", s->id);
		leat_panic("%d", s->id);
	case GOEXIT:
		real_log("goexit%d ", s->id);
		leat_goexit();
	case YIELD:
		real_log("yield%d ", s->id);
		leat_coro_yield(coroutine, NULL);
		real_log("resumed%d ", s->id);
		break;
	default:
		real_log("trace%d ", s->id);
		break;
	}
}

/* The steps from this one on: a defer's block is what follows it. */
static void real_body(const struct step *body, int from, leat_coro *coroutine)
{
	for (int i = from; i < body->count; i++) {
		struct running r = {body->steps[i], coroutine};

		if (r.step->kind == DEFER) {
			defer(run_deferred, &r);
			real_body(body, i + 1, coroutine);
			return;
		}
		real_step(r.step, coroutine);
	}
}

struct top {
	const struct step *step;
	bool *returned;
};

static void run_top(void *arg)
{
	struct top *top = arg;

	real_body(top->step, 0, NULL);
	*top->returned = true;
}

static void end_uncaught(const leat_panic_info *info, void *arg)
{
	(void)arg;
	real_log("uncaught(%s)", info->message);
	_exit(PANICKED);
}

__attribute__((noreturn)) static void real_goroutine(const struct step *step)
{
	leat_waitgroup wg = {0};
	bool returned = false;
	struct top top = {step, &returned};

	alarm(60);
	leat_on_panic(end_uncaught, NULL);
	leat_waitgroup_go(&wg, run_top, &top, sizeof top);
	leat_waitgroup_wait(&wg);
	real_log("%s", returned ? "returned" : "exited");
	_exit(RETURNED);
}

/* The status of the child, and its trace. */
static int real_in_child(struct trace *t, const struct step *top)
{
	int fd[2], status;
	ssize_t n;
	pid_t pid;

	CHECK_EQ(pipe(fd), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK_EQ(dup2(fd[1], STDOUT_FILENO), STDOUT_FILENO);
		real_goroutine(top);
	}
	CHECK_EQ(close(fd[1]), 0);
	do {
		CHECK(t->length < sizeof t->text - 1);
		n = read(fd[0], t->text + t->length, sizeof t->text - 1 - t->length);
		CHECK(n >= 0);
		t->length += (size_t)n;
	} while (n > 0);
	CHECK_EQ(close(fd[0]), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool same(unsigned seed)
{
	struct trace *model = calloc(1, sizeof *model), *real = calloc(1, sizeof *real);
	struct generator r = {seed * UINT64_C(7919) + 1, 0};
	struct place place;
	struct step *top;
	int status, want;
	bool is_same;

	CHECK(model && real);
	random_below(&r, 2); /* the first depends little on the seed */
	place = (struct place){3 + (int)random_below(&r, 3), false, false};
	top = random_step(&r, CALL, place);
	model_goroutine(model, top);
	want = strstr(model->text, "uncaught") ? PANICKED : RETURNED;
	status = real_in_child(real, top);
	is_same = status == want && strcmp(model->text, real->text) == 0;
	if (!is_same)
		fprintf(stderr, "seed %u, exit status %d, not %d\nmodel: %s\nreal:  %s\n", seed, status,
		        want, model->text, real->text);
	free_step(top);
	free(model);
	free(real);
	return is_same;
}

TEST(random_trees_do_what_the_model_says)
{
	unsigned n = (unsigned)test_count(3000), differ = 0;

	for (unsigned seed = 0; seed < n && differ < 5; seed++)
		differ += !same(seed);
	CHECK_EQ(differ, 0);
}

TEST_MAIN
