/* SPDX-License-Identifier: MIT */
/*
 * Alarms: what timers and tickers are made of.  An alarm goes off at an instant, once or periodically;
 * then a value can be received from its channel, or a function starts in a goroutine of its own.
 */
#ifndef LEAT_CHAN_ALARM_H
#define LEAT_CHAN_ALARM_H

#include "chan/chan.h"
#include "sched/timer.h"

struct leat__alarm {
	struct leat__timer timer; /* kept; armed while the alarm is set and somebody waits */
	/* The channel's lock, and to write also the timer's; without a channel the timer's alone. */
	int64_t at; /* when it goes off; INT64_MAX: never */
	union {
		int64_t period; /* 0: once */
		void *token;    /* a function's: of who set it, for the thread sanitizer */
	};
	bool set; /* it has yet to go off, or did and the value was not received */
	/* These never change. */
	bool owned;      /* the channel belongs to a timer or a ticker, which frees it */
	leat_chan *chan; /* NULL: a function */
	void (*fn)(void *);
	void *arg;
	void *created_at; /* where the function's goroutines are said to come from, and by whom */
	uint64_t creator;
	/* The timer's lock. */
	uint32_t waiters; /* parked receivers; for a function 1, for ever */
};

/* --- for timers and tickers: outside the runtime */

/* An alarm with a channel, set for at, and every period_ns from then on if that is not 0; one that starts fn at at.
   Panic when out of memory. */
struct leat__alarm *leat__alarm_chan(bool owned, int64_t at, int64_t period_ns);
struct leat__alarm *leat__alarm_func(void (*fn)(void *), void *arg, int64_t at, void *created_at);

/* Set a anew, or (set false) for never.  What has not been received is gone.  True when it was set. */
bool leat__alarm_set(struct leat__alarm *a, bool set, int64_t at, int64_t period_ns);

/* Does anybody wait on its channel?  For misuse: the next moment it may be otherwise. */
bool leat__alarm_awaited(struct leat__alarm *a);

/* Free a, and its channel, on which nobody waits; a function that was started goes on. */
void leat__alarm_free(struct leat__alarm *a);

/* --- for channels and selects: in the runtime */

/* Would a receive on the channel be served now?  Locked. */
bool leat__alarm_due(const struct leat__alarm *a);

/* The caller has queued a receiver on the channel, and is about to park; it is off the queue again, with
   the value or without it. */
void leat__alarm_await(struct leat__m *m, struct leat__alarm *a);
void leat__alarm_unawait(struct leat__alarm *a, bool received);

#endif
