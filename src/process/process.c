/* SPDX-License-Identifier: MIT */
/*
 * Processes that run.
 *
 * Each has a goroutine, its keeper, that waits for its end, ends it when the context says so, and clears away what is left.
 * So nothing depends on whether anybody waits.  All that can fail is done before the child is there, the keeper
 * included (leat__g_reserve).
 *
 * Numbers of processes come back: one may be used until the child was reaped, which happens once, under the lock.  A
 * child that leads a group is reaped last of all: until then neither its number nor that of its group is another's.
 *
 * Where the kernel has no descriptors for processes, or none is left, a second goroutine blocks its thread in waitid.
 *
 * Memory: refs counts the maker and the keeper.  What the keeper finds out is read by others once done is closed.
 *
 * The context is the program's again once nobody waits for the process: after done, or when a release returns, which wakes
 * the keeper for that: by a deadline in the past, or by a message beside the blocker's.  Under the lock either the keeper
 * learns that it is released, or the release that the keeper needs the context no more; so no deadline of the keeper's own,
 * which come later, is moved.
 */
#include "chan/chan.h"
#include "process/command.h"
#include "process/process_copy.h"
#include "process/signal.h"
#include "io/sock.h"
#include "os/poller.h"
#include "os/process.h"
#include "sched/panic.h"
#include "value/error.h"

#include <leat/blocking.h>
#include <leat/select.h>
#include <leat/time.h>
#include <leat/waitgroup.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct leat_process {
	_Atomic uint32_t refs;
	uint32_t forks; /* of whose process it is a child */
	int pid;
	bool group;
	int cancel_signal;
	int64_t wait_delay_ns;
	leat_mutex lock; /* reaped, ctx, watched and released, and their changes */
	bool reaped;
	leat_ctx *ctx;          /* NULL: none, or the keeper needs it no more.  He alone changes it */
	leat_waitgroup heeding; /* 1 while there is one */
	bool watched, released; /* he waits in the poller; he is to forget ctx */
	bool polled;            /* sock has a descriptor for it */
	struct leat__sock sock;
	struct leat__g *keeper, *blocker;
	LEAT_CHAN(char) gone; /* ENDED: the blocker has seen its end; RELEASED, once at most */
	struct leat__streams streams;
	bool piped[3]; /* streams.conn is the program's, not a copy's */
	struct leat__process_copy copies[3];
	LEAT_CHAN(char) copied; /* an event for each that is over */
	LEAT_CHAN(char) done;   /* closed when all that follows is known */
	leat_exit exit;
	int lost;                  /* 0, or why there is no exit */
	const leat_error *trouble; /* static; what to say if it ended well */
};

enum { ENDED = 1, RELEASED };

LEAT_ERROR_TYPE(leat_exit_error);
static LEAT_ERROR(wait_delay_expired, -ETIMEDOUT, "exec: WaitDelay expired before I/O complete");

/* --- made and freed */

static void delete_chan(void *c)
{
	if (c)
		leat__chan_delete(c);
}

static void leat__process_delete(struct leat_process *p, bool started)
{
	for (int i = 0; i < 3; i++)
		leat__process_copy_done(&p->copies[i], started);
	leat__streams_close(&p->streams);
	delete_chan(p->gone);
	delete_chan(p->copied);
	delete_chan(p->done);
	free(p);
}

static void leat__process_let_go(struct leat_process *p)
{
	leat__hb_release(&p->refs);
	if (fetch_add_acq_rel(&p->refs, (uint32_t)-1) != 1)
		return;
	leat__hb_acquire(&p->refs);
	leat__process_delete(p, true);
}

/* One that has no child. */
static void leat__process_unmake(void *arg)
{
	struct leat_process *p = arg;
	struct leat__m *m;

	if (!p)
		return;
	m = leat__enter();
	if (p->keeper)
		leat__g_unreserve(m, p->keeper);
	if (p->blocker)
		leat__g_unreserve(m, p->blocker);
	leat__leave(m);
	leat__process_delete(p, false);
}

static void leat__keep(void *arg);
static void leat__block(void *arg);

/* All that a child needs; false with *error.  Panics "out of memory". */
static bool leat__process_prepare(struct leat_process *p, const leat_command *c,
                                  const leat_error **error)
{
	const leat_stdio *io[3] = {&c->in, &c->out, &c->err};
	struct leat__m *m;
	int err = 0;

	p->gone = LEAT_CHAN_MAKE(char, 2);
	p->copied = LEAT_CHAN_MAKE(char, 3);
	p->done = LEAT_CHAN_MAKE(char, 0);
	m = leat__enter();
	p->keeper = leat__g_reserve(m, leat__keep, p, __builtin_return_address(0));
	p->blocker = leat__g_reserve(m, leat__block, p, __builtin_return_address(0));
	leat__leave(m);
	if (!p->keeper || !p->blocker)
		leat__panic_runtime("out of memory");
	if (!leat__streams_open(&p->streams, c, error))
		return false;
	for (int i = 0; i < 3 && !err; i++) {
		p->piped[i] = io[i]->kind == LEAT_STDIO_PIPE;
		if (io[i]->kind == LEAT_STDIO_BYTES || io[i]->kind == LEAT_STDIO_CAPTURE)
			err = leat__process_copy_init(&p->copies[i], io[i], p->streams.conn[i],
			                              LEAT__RAW(p->copied));
	}
	if (err)
		leat__panic_runtime("out of memory");
	return true;
}

static void leat__start(struct leat__g **g)
{
	struct leat__m *m = leat__enter();

	leat__hb_release(*g);
	leat__g_enroll(m, *g);
	leat__ready(m, *g, false);
	leat__leave(m);
	*g = NULL;
}

/* The child is there: nothing fails any more. */
static void leat__process_attend(struct leat_process *p)
{
	int fd = leat__os_process_fd(p->pid);
	struct leat__m *m;

	leat__streams_part(&p->streams);
	p->polled = fd >= 0 && leat__sock_open(&p->sock, fd, "process") == 0;
	if (fd >= 0 && !p->polled)
		leat__os_fd_close(fd);
	if (p->polled) {
		m = leat__enter();
		leat__g_unreserve(m, p->blocker);
		leat__leave(m);
		p->blocker = NULL;
	} else {
		leat__start(&p->blocker);
	}
	for (int i = 0; i < 3; i++)
		if (p->copies[i].conn)
			leat__process_copy_start(&p->copies[i]);
	leat__start(&p->keeper);
}

leat_process *leat_process_start(const leat_command *c, leat_any_ctx ctx, const leat_error **error)
{
	leat__record cleanup = {.fn = leat__process_unmake};
	struct leat_process *p;
	char *path;

	leat__command_check(c);
	if (leat_ctx_err(ctx)) {
		if (error)
			*error = leat_ctx_error(ctx);
		return NULL;
	}
	p = leat__san_fresh_memory(sizeof *p);
	if (!p)
		leat__panic_runtime("out of memory");
	p->forks = leat__sched.forks;
	p->group = c->group;
	p->cancel_signal = c->cancel_signal ? c->cancel_signal : SIGKILL;
	p->wait_delay_ns = c->wait_delay_ns;
	p->ctx = ctx.leat__ctx;
	if (p->ctx)
		leat_waitgroup_add(&p->heeding, 1);
	store_relaxed(&p->refs, 2);
	cleanup.arg = p;
	leat__record_push(&cleanup);
	p->pid = -1;
	path = leat__process_prepare(p, c, error) ? leat__command_path(c, error) : NULL;
	if (path)
		p->pid = leat__command_spawn(c, path, &p->streams, error);
	free(path);
	if (p->pid >= 0)
		cleanup.arg = NULL;
	else
		p = NULL;
	leat__record_leave(&cleanup);
	if (p)
		leat__process_attend(p);
	return p;
}

/* --- its end */

static void leat__reap(struct leat_process *p)
{
	struct leat__os_exit e;

	leat_mutex_lock(&p->lock);
	p->lost = leat__os_process_wait(p->pid, true, false, &e);
	p->reaped = true;
	leat_mutex_unlock(&p->lock);
	if (!p->lost)
		p->exit = (leat_exit){.exited = !e.signal,
		                      .code = e.signal ? -1 : e.code,
		                      .signal = e.signal,
		                      .core = e.core,
		                      .usage = e.usage};
}

/* The context is done.  Until when it may still run, as far as that matters. */
static int64_t leat__cancel(struct leat_process *p)
{
	p->trouble = leat_ctx_error((leat_any_ctx)p->ctx);
	leat_process_signal(p, p->cancel_signal);
	return p->wait_delay_ns > 0 ? leat__deadline(p->wait_delay_ns) : LEAT_FOREVER;
}

static bool has_ended(const struct leat_process *p)
{
	struct leat__os_exit e;

	return leat__os_process_wait(p->pid, false, false, &e) != -EAGAIN;
}

/* The context counts no more, and may be gone from now on. */
static void leat__heed_no_more(struct leat_process *p)
{
	bool heeded;

	leat_mutex_lock(&p->lock);
	heeded = p->ctx != NULL;
	p->ctx = NULL;
	leat_mutex_unlock(&p->lock);
	if (heeded)
		leat_waitgroup_done(&p->heeding);
}

/* A wait ended before the process.  Where both the context's end and a release are there, the former came first. */
static void leat__heed(struct leat_process *p, int64_t *until)
{
	if (leat_ctx_err((leat_any_ctx)p->ctx))
		*until = leat__cancel(p);
	leat__heed_no_more(p);
}

static void wake_polled(struct leat_process *p)
{
	leat__sock_set_deadline(&p->sock, LEAT__POLL_READ, 0);
}

/* Until it has ended; *until: as cancel says. */
static void leat__await_polled(struct leat_process *p, int64_t *until)
{
	/* Nobody closes it, has the turn, or sets a deadline before it is watched. */
	leat__sock_begin(&p->sock, LEAT__POLL_READ, NULL);
	leat_mutex_lock(&p->lock);
	p->watched = true;
	if (p->ctx && p->released)
		wake_polled(p);
	leat_mutex_unlock(&p->lock);
	while (!has_ended(p)) {
		if (leat__sock_wait(&p->sock, LEAT__POLL_READ, p->ctx) == 0)
			continue;
		if (p->ctx) {
			leat__heed(p, until);
			if (leat__sock_set_deadline(&p->sock, LEAT__POLL_READ, *until) == 0)
				continue;
		}
		leat_process_kill(p);
		leat__sock_set_deadline(&p->sock, LEAT__POLL_READ, LEAT_FOREVER);
	}
	leat__sock_end(&p->sock, LEAT__POLL_READ);
}

static void leat__block(void *arg)
{
	struct leat_process *p = arg;
	struct leat__os_exit e;

	{
		LEAT_BLOCKING();
		leat__os_process_wait(p->pid, false, true, &e);
	}
	LEAT_CHAN_SEND(p->gone, ENDED);
}

static int64_t time_until(int64_t at)
{
	int64_t now = leat_now();

	return at == LEAT_FOREVER ? LEAT_FOREVER : at > now ? at - now : 0;
}

static void leat__await_blocked(struct leat_process *p, int64_t *until)
{
	int64_t kill_at;
	char what = 0;

	if (leat_chan_recv_ctx(LEAT__RAW(p->gone), &what, (leat_any_ctx)p->ctx) != 0 || what != ENDED)
		leat__heed(p, until);
	kill_at = *until;
	while (what != ENDED) {
		bool late = false;

		LEAT_CHAN_SELECT {
			LEAT_CASE_RECV(p->gone, got)
				what = got;
			LEAT_CASE_TIMEOUT(time_until(kill_at))
				late = true;
		}
		if (late) {
			leat_process_kill(p);
			kill_at = LEAT_FOREVER;
		}
	}
}

static void close_copies(struct leat_process *p)
{
	for (int i = 0; i < 3; i++)
		if (p->copies[i].conn)
			leat_conn_close(p->copies[i].conn);
}

/* Until all is copied, or so long. */
static void leat__await_copies(struct leat_process *p, int64_t until)
{
	int left = 0;

	for (int i = 0; i < 3; i++)
		left += p->copies[i].conn != NULL;
	while (left) {
		bool late = false;

		LEAT_CHAN_SELECT {
			LEAT_CASE_RECV(p->copied)
				left--;
			LEAT_CASE_TIMEOUT(time_until(until))
				late = true;
		}
		if (!late)
			continue;
		until = LEAT_FOREVER;
		if (!p->trouble)
			p->trouble = &wait_delay_expired;
		if (p->group)
			leat_process_kill(p);
		close_copies(p);
	}
	for (int i = 0; i < 3; i++)
		if (load_relaxed(&p->copies[i].failed) && !p->trouble)
			p->trouble = &leat_out_of_memory;
}

static void leat__keep(void *arg)
{
	struct leat_process *p = arg;
	int64_t until = LEAT_FOREVER;

	if (p->polled)
		leat__await_polled(p, &until);
	else
		leat__await_blocked(p, &until);
	leat__heed_no_more(p);
	if (until == LEAT_FOREVER && p->wait_delay_ns > 0)
		until = leat__deadline(p->wait_delay_ns);
	if (!p->group)
		leat__reap(p);
	leat__await_copies(p, until);
	if (p->group)
		leat__reap(p);
	if (p->polled)
		leat__sock_close(&p->sock);
	LEAT_CHAN_CLOSE(p->done);
	leat__process_let_go(p);
}

/* --- for the program */

/* In the child of a fork it is nobody of ours, and its keeper is not there. */
static bool is_ours(const struct leat_process *p)
{
	return p->forks == leat__sched.forks;
}

int leat_process_signal(leat_process *p, int signal)
{
	int err = -ESRCH;

	if (!is_ours(p))
		return err;
	leat_mutex_lock(&p->lock);
	if (!p->reaped)
		err = leat__os_process_signal(p->pid, p->polled ? p->sock.fd : -1, p->group, signal);
	leat_mutex_unlock(&p->lock);
	return err;
}

int leat_process_kill(leat_process *p)
{
	return leat_process_signal(p, SIGKILL);
}

int leat_process_id(const leat_process *p)
{
	return p->pid;
}

static leat_conn *pipe_of(const leat_process *p, int i)
{
	return p->piped[i] ? p->streams.conn[i] : NULL;
}

leat_conn *leat_process_stdin(leat_process *p)
{
	return pipe_of(p, 0);
}

leat_conn *leat_process_stdout(leat_process *p)
{
	return pipe_of(p, 1);
}

leat_conn *leat_process_stderr(leat_process *p)
{
	return pipe_of(p, 2);
}

static bool is_done(const leat_process *p)
{
	return LEAT_CHAN_CLOSED(p->done);
}

/* How it ended, as an error; NULL: well. */
static const leat_error *verdict(const leat_process *p)
{
	char text[80];
	leat_error *e;

	if (p->lost) {
		e = leat_errorf(NULL, "wait: %s", leat__system_words(p->lost, text));
		leat_error_set_code(e, p->lost);
		return e;
	}
	if (p->exit.exited && p->exit.code == 0)
		return p->trouble;
	leat_exit_string(&p->exit, text, sizeof text);
	e = leat_errorf(NULL, "%s", text);
	if (leat__error_of(e))
		e->leat__type = &leat_exit_error;
	return e;
}

const leat_error *leat_process_wait(leat_process *p, leat_any_ctx ctx, leat_exit *exit)
{
	/* What is known already is told, whatever the context says. */
	if (!is_done(p) && leat_chan_recv_ctx(LEAT__RAW(p->done), NULL, ctx) != -EPIPE)
		return leat_ctx_error(ctx);
	leat_chan_recv(LEAT__RAW(p->done), NULL); /* after all that the keeper did */
	if (exit && !p->lost)
		*exit = p->exit;
	return verdict(p);
}

char *leat__process_take(leat_process *p, int i, size_t *n, bool *cut)
{
	struct leat__process_copy *c = &p->copies[i];
	char *text = c->to;

	*n = text ? c->n : 0;
	*cut = c->cut;
	c->to = NULL;
	return text;
}

static const char *leat__captured(const leat_process *p, int i, size_t *n, bool *cut)
{
	const struct leat__process_copy *c = &p->copies[i];

	if (!c->to || !is_done(p))
		return NULL;
	leat_chan_recv(LEAT__RAW(p->done), NULL);
	if (n)
		*n = c->n;
	if (cut)
		*cut = c->cut;
	return c->to;
}

const char *leat_process_captured_out(const leat_process *p, size_t *n, bool *cut)
{
	return leat__captured(p, 1, n, cut);
}

const char *leat_process_captured_err(const leat_process *p, size_t *n, bool *cut)
{
	return leat__captured(p, 2, n, cut);
}

void leat_process_free(leat_process *p)
{
	if (!p)
		return;
	if (!is_ours(p)) {
		if (p->polled)
			leat__sock_close(&p->sock);
		leat__process_delete(p, true);
		return;
	}
	if (!is_done(p)) {
		leat_process_kill(p);
		close_copies(p);
	}
	leat_chan_recv(LEAT__RAW(p->done), NULL);
	leat__process_let_go(p);
}

/* The keeper lets go of the context, which is the program's again. */
static void leat__process_disregard(struct leat_process *p)
{
	leat_mutex_lock(&p->lock);
	p->released = true;
	if (p->ctx && !p->polled)
		LEAT_CHAN_SEND(p->gone, RELEASED); /* there is room */
	else if (p->ctx && p->watched)
		wake_polled(p);
	leat_mutex_unlock(&p->lock);
	leat_waitgroup_wait(&p->heeding);
}

void leat_process_release(leat_process *p)
{
	if (!p)
		return;
	if (!is_ours(p)) {
		leat_process_free(p);
		return;
	}
	for (int i = 0; i < 3; i++) {
		store_relaxed(&p->copies[i].dropped, true);
		if (p->piped[i] && p->streams.conn[i])
			leat_conn_close(p->streams.conn[i]);
	}
	leat__process_disregard(p);
	leat__process_let_go(p);
}
