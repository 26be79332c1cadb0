/* SPDX-License-Identifier: MIT */
/*
 * Stewards: keep a goroutine, its ward, alive.  A ward that gives no more beats, or ends too early, is cancelled,
 * waited for, and started anew.
 *
 *	static int poll_mail(leat_ward *w)
 *	{
 *		while (!leat_ctx_err(w->scope) && poll(w->arg) == 0)
 *			leat_heartbeat_beat(w->heartbeat);
 *		return -EIO;
 *	}
 *
 *	leat_steward s = {.ward = poll_mail, .arg = box, .timeout_ns = LEAT_MINUTE, .hook = log_restart};
 *	err = leat_steward_run(&s, ctx);
 *
 * There are never two wards at a time: the next one starts when the one before has returned, and all that it had
 * started in its scope with it; so what they share by arg needs no lock.  A ward that does not end though it was
 * cancelled cannot be done away with, as no goroutine can; that is what the reason LEAT_STEWARD_STUCK tells the
 * hook, again and again.  Nothing is left behind at a restart.
 *
 * Where a ward gives a stream, let it make a channel at each start, and send that on a channel of channels which
 * outlasts it: who reads one after the other sees one stream.  Channels of an outer scope (scope_chan) stay until that
 * ends, one for each start.  One of chan_make may be freed by who has read it to its end, when the next one has come, or
 * the steward has returned: not earlier, as the ward may be in the midst of closing it.
 *
 * A steward can be a ward: leat_steward_ward runs one, and beats for as long as it has its own ward in hand.  After
 * chapter 5 of the book Concurrency in Go, and the supervisors of Erlang.
 */
#ifndef LEAT_STEWARD_H
#define LEAT_STEWARD_H

#include <leat/heartbeat.h>
#include <leat/panic.h>
#include <leat/scope.h>

LEAT__BEGIN

/* What a ward is given at a start.  Its own until it returns. */
typedef struct leat_ward {
	leat_scope *scope;         /* its context, and joined before the ward is over */
	leat_heartbeat *heartbeat; /* a new one, due every interval; closed for it when it is over */
	uint64_t start;            /* how often it was started before */
	void *arg;                 /* the steward's */
} leat_ward;

/* Why the hook is called. */
enum leat_steward_reason {
	LEAT_STEWARD_STALLED = 1, /* no beat within the time-out */
	LEAT_STEWARD_FAILED,      /* it returned an error, or could not be started (-ENOMEM) */
	LEAT_STEWARD_ENDED,       /* it returned 0, under `always`; or ended by leat_goexit */
	LEAT_STEWARD_CLOSED,      /* it closed its heartbeat and went on */
	LEAT_STEWARD_PANICKED,    /* under catch_panics */
	LEAT_STEWARD_STUCK,       /* it was cancelled, and does not end */
};

typedef struct leat_steward_event {
	enum leat_steward_reason reason;
	uint64_t start; /* which ward: how often it was started before */
	int err;        /* what it returned; -ETIME: stalled; -EPIPE: closed, or ended by goexit;
	                   -ENOTRECOVERABLE: panicked; 0 for a stuck one */
	const leat_panic_info *panic; /* what was caught, or NULL; valid during the call */
	bool gives_up;                /* there were too many restarts; leat_steward_run returns err */
	int64_t delay_ns;             /* else the next start comes after so long */
	int64_t waited_ns;            /* stuck: since it was cancelled */
} leat_steward_event;

/* A steward's instructions.  Read while it runs; zero-initialised, each but ward has its default. */
typedef struct leat_steward {
	int (*ward)(leat_ward *w); /* see leat_steward_run */
	void *arg;

	/* No beat for so long: stalled.  0: two intervals, or where there is no interval, never. */
	int64_t timeout_ns;
	/* Of the ward's heartbeat.  0: half the time-out, if there is one. */
	int64_t interval_ns;
	/* Cancelled so long ago: stuck.  0: as the time-out, or where there is none, a second. */
	int64_t grace_ns;

	/* At most so many restarts within the window.  0: any number, -1: none. */
	int max_restarts;
	/* 0: a minute. */
	int64_t window_ns;
	/* Wait before the first restart in a window; twice that before the second, and so on, up to backoff_max_ns; less a
	   random share of up to a half, lest many restart at once.  0: 10 ms, and 10 s at most; -1: do not wait. */
	int64_t backoff_ns, backoff_max_ns;

	bool always;       /* restart a ward that has returned 0, too */
	bool catch_panics; /* restart one that panicked; else that ends the process, as anywhere */
	void (*hook)(const leat_steward_event *e, void *hook_arg); /* NULL: none; see below */
	void *hook_arg;
} leat_steward;

/*
 * Run s->ward in a goroutine of its own, again and again, until it has returned 0, or ctx (NULL: none) is done, or
 * there were too many restarts.  Returns when the last ward has ended:
 *
 *	0               it has returned 0, while ctx was not done, and s->always is not set
 *	-ECANCELED, -ETIMEDOUT
 *	                ctx is done, whatever the ward returned
 *	another error   too many restarts; as in the last event, -EPIPE where that is 0
 *
 * A ward is to beat at least every timeout_ns from its start on, and to return when its scope is done.  It returns 0
 * when its work is finished for good, and a negative errno code otherwise; what it returns after it was found
 * stalled does not count.
 *
 * The hook is called before each restart, and in place of it when the steward gives up; for a stuck ward when grace_ns
 * has passed since it was cancelled, and each grace_ns from then on.  It runs in the goroutine that called this, which
 * meanwhile does not watch.  What leads to no restart it is not told, but a panic that was caught when ctx was done.
 *
 * Panics "steward: no ward" and "steward: negative time"; and "out of memory" when there is none for the steward itself
 * or a timer, with the ward cancelled and joined.  A restart that finds no memory counts as a ward that fails with
 * -ENOMEM.
 * Any goroutine, any thread.  What a ward did happens before the hook's call, the next start and the return.
 */
LEAT_API int leat_steward_run(const leat_steward *s, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * A steward as a ward: to be the ward of another, whose arg is this one's leat_steward *.
 *
 * It beats while it watches, and waits before a restart; not while its ward is stuck or its hook runs, so that the
 * steward above gets to know.  The other's time-out must be longer than the hook takes.
 */
LEAT_API int leat_steward_ward(leat_ward *w);

/* leat_steward_run, in a goroutine of scope, with scope as its context; *s must last as long.  When it gives up that
   is a leat_scope_fail of scope.  Panics "out of memory". */
LEAT_API void leat_steward_go(leat_scope *scope, const leat_steward *s);

/* "stalled", "failed", "ended", "closed its heartbeat", "panicked", "stuck": for logs.  Static. */
LEAT_API const char *leat_steward_reason_string(enum leat_steward_reason reason);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_steward_run(...) __extension__ leat_steward_run(__VA_ARGS__)
#endif

#endif
