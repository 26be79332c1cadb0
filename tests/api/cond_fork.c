/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: in the child of a fork a cond passes over the waits that were left behind, of every kind: they take no
 * signal along.
 * Method: as fork.c.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { FINE = 42, LEFT_BEHIND = 3 };

struct shared {
	leat_mutex mutex;
	leat_cond cond;
	int waiting, woken,
	    ended; /* under the mutex: so many wait, were signalled, had their context end */
	leat_ctx *ctx;
};

struct waits {
	struct shared *s;
};

static void back(struct shared *s, int err)
{
	s->waiting--;
	CHECK(err == 0 || err == -ECANCELED);
	if (err)
		s->ended++;
	else
		s->woken++;
}

static void waits(struct waits *a)
{
	with_lock(&a->s->mutex);
	a->s->waiting++;
	leat_cond_wait(&a->s->cond, &a->s->mutex);
	back(a->s, 0);
}

static void waits_with_context(struct waits *a)
{
	with_lock(&a->s->mutex);
	a->s->waiting++;
	back(a->s, leat_cond_wait_ctx(&a->s->cond, &a->s->mutex, a->s->ctx));
}

static void selects(struct waits *a)
{
	with_lock(&a->s->mutex);
	a->s->waiting++;
	chan_select {
		case_cond(&a->s->cond, &a->s->mutex)
			back(a->s, 0);
		case_recv(leat_ctx_done(a->s->ctx))
			back(a->s, -ECANCELED);
	}
}

static bool are(struct shared *s, int waiting, int woken, int ended)
{
	with_lock(&s->mutex);
	return s->waiting == waiting && s->woken == woken && s->ended == ended;
}

static void start_all(struct shared *s)
{
	go_as(waits, waits, s);
	go_as(waits, waits_with_context, s);
	go_as(waits, selects, s);
}

/* One signal, one wake-up, and nobody else. */
static void signal_to_the_child(struct shared *s)
{
	start_all(s);
	test_until(are(s, LEFT_BEHIND + 3, 0, 0));
	leat_cond_signal(&s->cond);
	test_until(are(s, LEFT_BEHIND + 2, 1, 0));
	leat_cond_signal(&s->cond);
	leat_cond_signal(&s->cond);
	test_until(are(s, LEFT_BEHIND, 3, 0));
	leat_cond_signal(&s->cond);
	test_goroutines(1);
}

static void broadcast_to_the_child(struct shared *s)
{
	start_all(s);
	test_until(are(s, LEFT_BEHIND + 3, 0, 0));
	leat_cond_broadcast(&s->cond);
	test_until(are(s, LEFT_BEHIND, 3, 0));
	leat_cond_broadcast(&s->cond);
	test_goroutines(1);
}

/* Those that were left behind may be told of their context's end, too. */
static void cancel_in_the_child(struct shared *s)
{
	start_all(s);
	test_until(are(s, LEFT_BEHIND + 3, 0, 0));
	leat_ctx_cancel(s->ctx);
	test_until(are(s, LEFT_BEHIND + 1, 0, 2));
	leat_cond_signal(&s->cond);
	test_until(are(s, LEFT_BEHIND, 1, 2));
	test_goroutines(1);
}

static void in_a_child(struct shared *s, void (*fn)(struct shared *))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		fn(s);
		_exit(FINE);
	}
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), FINE);
}

TEST(waits_left_behind_by_a_fork_take_no_signal)
{
	struct shared s = {.ctx = leat_ctx_with_cancel(leat_ctx_background())};

	start_all(&s);
	test_until(are(&s, LEFT_BEHIND, 0, 0));
	test_parked(LEFT_BEHIND);
	in_a_child(&s, signal_to_the_child);
	in_a_child(&s, broadcast_to_the_child);
	in_a_child(&s, cancel_in_the_child);
	leat_cond_signal(&s.cond);
	test_until(are(&s, LEFT_BEHIND - 1, 1, 0));
	leat_cond_broadcast(&s.cond);
	test_until(are(&s, 0, LEFT_BEHIND, 0));
	test_goroutines(1);
	leat_ctx_free(s.ctx);
}

TEST_MAIN
