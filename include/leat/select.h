/* SPDX-License-Identifier: MIT */
/*
 * Select: wait for the first of several channel operations.
 *
 *	chan_select {
 *		case_recv(done)
 *			return;
 *		case_recv(in, v, ok)                  v and ok are declared here, typed from in
 *			use(v, ok);
 *		case_send(out, next())                evaluated once, on entry, chosen or not
 *			sent++;
 *		case_recv_if(spare > 0, jobs, job)    a guarded command: considered only if spare > 0
 *			start(job);
 *		case_timeout(LEAT_SECOND)             or case_default
 *			puts("quiet");
 *	}
 *
 * Channels, guards and values to send are evaluated once each, in source order, on entry; where a guard
 * is false the case's channel and value are not evaluated.  Among the
 * ready cases one is chosen at random, each with the same chance; when none is, case_default runs if
 * there is one, else the caller parks until a case becomes ready or the time is over.  A NULL channel
 * is never ready; a closed one is always ready to receive, and panics when a send on it is chosen.
 * Select without any case blocks for ever.  case_cond(c, m), in leat/cond.h, waits for a cond to be signalled, and
 * unlocks its mutex meanwhile.  A timeout of 0 or less is a default; of several timeouts the
 * last counts, and with a default none does.
 *
 * break and continue in a case leave the select; return and goto mean what they always do.
 * Only the braces may stand between chan_select and its cases: code between cases would run twice.
 *
 * Any goroutine, any thread.  Ordering as for the chosen operation alone.  Takes one lock when a case
 * is ready.  Up to 8 cases and 64 bytes of values need no allocation; beyond that it panics "out of
 * memory" when there is none.
 */
#ifndef LEAT_SELECT_H
#define LEAT_SELECT_H

#include <leat/chan.h>

LEAT__BEGIN

enum leat_dir { LEAT_RECV = 1, LEAT_SEND = 2 };

/* One case of the array form. */
typedef struct leat_case {
	leat_chan *chan; /* NULL: never ready */
	enum leat_dir dir;
	void *value; /* LEAT_RECV: where to, or NULL; LEAT_SEND: from where.  The caller's */
} leat_case;

#define LEAT_FOREVER     INT64_MAX
#define LEAT_SELECT_NONE (-1)

/*
 * Do one of n operations, the array form of select.  Returns the index of the chosen case, or
 * LEAT_SELECT_NONE when timeout_ns nanoseconds passed before any was ready; 0 or less is the form with
 * default (never parks), LEAT_FOREVER waits for ever.
 *
 * *ok (NULL: not wanted) is false exactly when the case is a receive on a closed and drained channel;
 * the value is then zeroed.  Values of cases that are not chosen are untouched, and so is *ok when none
 * is.
 * Cost grows linearly with n; more than 8 cases allocate when they must park.
 * After Go's reflect.Select.
 */
LEAT_API int leat_select(const leat_case *cases, size_t n, int64_t timeout_ns, bool *ok);

/* What chan_select is made of.  Private: use the macros. */
#define LEAT__SELECT_CASES 8
#define LEAT__SELECT_BYTES 64
#define LEAT__SELECT_SMALL 16
#define LEAT__DISCARD      SIZE_MAX /* in place of a size: nobody wants the value */

struct leat__select_chunk;

typedef struct leat__select {
	int count;     /* cases registered */
	int chosen;    /* the case to run */
	int dflt;      /* the case that is default, or -1 */
	int timeout;   /* the case that is the timeout, or -1 */
	bool ok;       /* a value was received */
	uint32_t used; /* of out.bytes[] */
	int64_t timeout_ns;
	struct leat__select_chunk *overflow; /* cases and values that do not fit below */
	leat_case *cases;
	leat_case inline_cases[LEAT__SELECT_CASES];
	union {
		char bytes[LEAT__SELECT_SMALL]; /* what is received, if small: one case is chosen */
		long double align;
	} in;
	union {
		char bytes[LEAT__SELECT_BYTES]; /* what is to be sent, and larger values */
		long double align;
	} out;
} leat__select;

LEAT_API bool leat__select_choose(leat__select *s);
LEAT_API bool leat__select_chose_overflowed(leat__select *s);
LEAT_API bool leat__select_add(leat__select *s, leat_chan *c, int dir, const void *value,
                               size_t bytes);
LEAT_API bool leat__select_add_default(leat__select *s);
LEAT_API bool leat__select_add_timeout(leat__select *s, int64_t timeout_ns);
LEAT_API void leat__select_take_slow(leat__select *s, void *to, size_t bytes);

LEAT__END

#ifndef __cplusplus

#define LEAT__INLINE static inline __attribute__((always_inline))

/* The header alone: clearing all of it would cost more than the select. */
LEAT__INLINE void leat__select_begin(leat__select *s)
{
	s->count = 0;
	s->dflt = -1;
	s->timeout = -1;
	s->ok = false;
	s->used = 0;
	s->timeout_ns = 0;
	s->overflow = (struct leat__select_chunk *)0;
	s->cases = s->inline_cases;
}

/* Is there this round? */
LEAT__INLINE bool leat__select_round(leat__select *s, int round)
{
	return round == 1 || (round == 2 && leat__select_choose(s));
}

/* Sizes and n, the number of the case, are constants here, so of each of these little remains: a call for
   each case, or an index, is what a select over a few ready channels would cost most. */
LEAT__INLINE bool leat__select_recv(leat__select *s, int n, leat_chan *c, size_t bytes)
{
	if (n >= LEAT__SELECT_CASES || (bytes > LEAT__SELECT_SMALL && bytes != LEAT__DISCARD)) {
		leat__select_add(s, c, LEAT_RECV, (void *)0, bytes);
	} else {
		s->inline_cases[n].chan = c;
		s->inline_cases[n].dir = LEAT_RECV;
		s->inline_cases[n].value = bytes == LEAT__DISCARD ? (void *)0 : s->in.bytes;
	}
	s->count = n + 1;
	return false;
}

LEAT__INLINE bool leat__select_send(leat__select *s, int n, leat_chan *c, const void *value,
                                    size_t bytes)
{
	if (n >= LEAT__SELECT_CASES || bytes > 8 || s->used > LEAT__SELECT_BYTES - 8) {
		leat__select_add(s, c, LEAT_SEND, value, bytes);
	} else {
		__builtin_memcpy(s->out.bytes + s->used, value, bytes);
		s->inline_cases[n].chan = c;
		s->inline_cases[n].dir = LEAT_SEND;
		s->inline_cases[n].value = s->out.bytes + s->used;
		s->used += 8;
	}
	s->count = n + 1;
	return false;
}

/* In round 2: is n the chosen case? */
LEAT__INLINE bool leat__select_mine(leat__select *s, int n)
{
	return n == s->chosen && (!s->overflow || leat__select_chose_overflowed(s));
}

LEAT__INLINE void leat__select_take(leat__select *s, void *to, size_t bytes)
{
	if (bytes > LEAT__SELECT_SMALL || s->chosen >= LEAT__SELECT_CASES || s->overflow)
		leat__select_take_slow(s, to, bytes);
	else
		__builtin_memcpy(to, s->in.bytes, bytes);
}

/*
 * A loop of two rounds over the cases.  In round 1 every case registers itself and is false; then
 * leat__select_round makes the choice; in round 2 the chosen case is true, once.  The round, and the number of
 * a case, which begins anew in each round, are in variables of their own whose address nobody has: so the
 * compiler knows their values at each case, and a case takes four or five instructions.
 */
#define LEAT__SELECT_ROUNDS                                                                        \
	for (int leat__chan_round = 1; leat__select_round(&leat__chan_select, leat__chan_round);       \
	     leat__chan_round++)                                                                       \
		for (int leat__chan_case = 0; leat__chan_case >= 0; leat__chan_case = -1)
#define LEAT_CHAN_SELECT                                                                           \
	LEAT__QUIET_SHADOW(                                                                            \
	    for (leat__select leat__chan_select,                                                       \
	         *leat__chan_selecting = (leat__select_begin(&leat__chan_select), &leat__chan_select); \
	         leat__chan_selecting; leat__chan_selecting = NULL) LEAT__SELECT_ROUNDS)

#define LEAT__RECV_CASE(g, c, bytes)                                                               \
	__extension__({                                                                                \
		LEAT__CAN_RECV(c);                                                                         \
		int leat__n = leat__chan_case++;                                                           \
		leat__chan_round == 2                                                                      \
		    ? leat__select_mine(&leat__chan_select, leat__n)                                       \
		    : leat__select_recv(&leat__chan_select, leat__n, (g) ? LEAT__RAW(c) : NULL, (bytes));  \
	})

#define LEAT__SEND_CASE(g, c, ...)                                                                 \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		int leat__n = leat__chan_case++;                                                           \
		bool leat__m = false;                                                                      \
		if (leat__chan_round == 2) {                                                               \
			leat__m = leat__select_mine(&leat__chan_select, leat__n);                              \
		} else if (!(g)) {                                                                         \
			leat__select_recv(&leat__chan_select, leat__n, NULL, LEAT__DISCARD);                   \
		} else {                                                                                   \
			leat_chan *leat__c = LEAT__RAW(c);                                                     \
			LEAT__ELEM(c) leat__v = __VA_ARGS__;                                                   \
			leat__select_send(&leat__chan_select, leat__n, leat__c, &leat__v, sizeof leat__v);     \
		}                                                                                          \
		leat__m;                                                                                   \
	})

/* Every case is a for of at most one turn: an if would leave a dangling else. */
#define LEAT__ONCE(n, cond)                                                                        \
	LEAT__QUIET_SHADOW(for (bool LEAT__CAT(leat__o, n) = (cond); LEAT__CAT(leat__o, n);            \
	                        LEAT__CAT(leat__o, n) = false))

#define LEAT__RECV2(n, g, c, v)                                                                    \
	for (bool LEAT__CAT(leat__o, n) = LEAT__RECV_CASE(g, c, sizeof(LEAT__ELEM(c)));                \
	     LEAT__CAT(leat__o, n);)                                                                   \
		for (LEAT__ELEM(c) v; LEAT__CAT(leat__o, n) &&                                             \
		                      (leat__select_take(&leat__chan_select, (void *)&v, sizeof v),        \
		                       LEAT__CAT(leat__o, n) = false, true);)
#define LEAT__RECV3(n, g, c, v, okv)                                                               \
	for (bool LEAT__CAT(leat__o, n) = LEAT__RECV_CASE(g, c, sizeof(LEAT__ELEM(c))),                \
	                             okv = leat__chan_select.ok;                                       \
	     LEAT__CAT(leat__o, n);)                                                                   \
		for (LEAT__ELEM(c) v; LEAT__CAT(leat__o, n) &&                                             \
		                      (leat__select_take(&leat__chan_select, (void *)&v, sizeof v),        \
		                       LEAT__CAT(leat__o, n) = false, true);)

#define LEAT__RECV_IF1(g, c)            LEAT__ONCE(__COUNTER__, LEAT__RECV_CASE(g, c, LEAT__DISCARD))
#define LEAT__RECV_IF2(g, c, v)         LEAT__RECV2(__COUNTER__, g, c, v)
#define LEAT__RECV_IF3(g, c, v, okv)    LEAT__RECV3(__COUNTER__, g, c, v, okv)
#define LEAT__PICK3(a, b, c, name, ...) name

/* LEAT_CASE_RECV(c), LEAT_CASE_RECV(c, v), LEAT_CASE_RECV(c, v, ok) */
#define LEAT_CASE_RECV(...) LEAT_CASE_RECV_IF(true, __VA_ARGS__)
#define LEAT_CASE_RECV_IF(g, ...)                                                                  \
	LEAT__PICK3(__VA_ARGS__, LEAT__RECV_IF3, LEAT__RECV_IF2, LEAT__RECV_IF1, 0)(g, __VA_ARGS__)
#define LEAT_CASE_SEND(c, ...)       LEAT__ONCE(__COUNTER__, LEAT__SEND_CASE(true, c, __VA_ARGS__))
#define LEAT_CASE_SEND_IF(g, c, ...) LEAT__ONCE(__COUNTER__, LEAT__SEND_CASE(g, c, __VA_ARGS__))
/* adds: registers the case in round 1. */
#define LEAT__OTHER_CASE(adds)                                                                     \
	__extension__({                                                                                \
		int leat__n = leat__chan_case++;                                                           \
		leat__chan_round == 2 ? leat__select_mine(&leat__chan_select, leat__n) : (adds);           \
	})
#define LEAT_CASE_DEFAULT                                                                          \
	LEAT__ONCE(__COUNTER__, LEAT__OTHER_CASE(leat__select_add_default(&leat__chan_select)))
#define LEAT_CASE_TIMEOUT(ns)                                                                      \
	LEAT__ONCE(__COUNTER__, LEAT__OTHER_CASE(leat__select_add_timeout(&leat__chan_select, (ns))))

#ifndef LEAT_NO_SHORT_NAMES
#define chan_select       LEAT_CHAN_SELECT
#define case_recv(...)    LEAT_CASE_RECV(__VA_ARGS__)
#define case_recv_if(...) LEAT_CASE_RECV_IF(__VA_ARGS__)
#define case_send(...)    LEAT_CASE_SEND(__VA_ARGS__)
#define case_send_if(...) LEAT_CASE_SEND_IF(__VA_ARGS__)
#define case_default      LEAT_CASE_DEFAULT
#define case_timeout(ns)  LEAT_CASE_TIMEOUT(ns)
#endif

#endif /* !__cplusplus */

#endif
