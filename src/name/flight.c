/* SPDX-License-Identifier: MIT */
/*
 * Lookups that are under way, and who waits for them.
 *
 * A lookup is done in a goroutine of its own, the flight's, for those who ask for it, come later and ask for the same, or
 * leave.  So it has a context of its own, which ends when the last of them has left: nothing is looked up for nobody.  (Go
 * does so, too.  leat_singleflight will not do: there a flight goes on when all have left.)  The goroutine has a stack of the
 * usual size, whatever the callers have: c-ares and the C library want some.
 *
 * Invariants (the lock)
 *  - A flight is listed from before it departs until it has landed or is cancelled, as the last leaves.  Where there is no
 *    memory for its goroutine it lands at once, for those who have joined it by then, too.
 *  - held counts who waits and the goroutine; who drops it to 0 frees the flight.
 *  - Who leaves last waits for the end, which is near, unless the flight is in a call that cannot be ended: either it says so
 *    first (blocking), or finds that it is cancelled.  Such a flight stays listed: who comes then may still have what it brings,
 *    and those who come, and leave, and come again do not take a thread each time.
 *  - Flights of a process that this one was forked from do not land here: they are forgotten.
 *
 * The lock is taken inside the runtime alone, so that no fork finds it held.
 */
#include "name/lookup.h"

#include "sched/scheduler.h"

#include <leat/defer.h>
#include <leat/go.h>
#include <leat/waitgroup.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 64

struct flight {
	struct flight *next;
	uint64_t hash;
	leat_resolver r; /* its strings and name are in text; as key */
	const char *name;

	unsigned waiting, held;
	bool listed, landed, cancelled, blocking;
	char server[LEAT__SERVER_TEXT];

	leat_ctx *ctx;
	leat_waitgroup running;
	int err;                    /* and answer: the goroutine's until it has landed */
	struct leat__answer answer; /* its kind is of the key */
	char text[];
};

static struct {
	uint8_t lock;
	unsigned forks;
	struct flight *bucket[BUCKETS];
} flights;

static struct leat__m *lock(void)
{
	struct leat__m *m = leat__enter();

	leat__lock(&flights.lock);
	return m;
}

static void unlock(struct leat__m *m)
{
	leat__unlock(&flights.lock);
	leat__leave(m);
}

/* --- keys */

#define STRINGS 5

static void strings_of(const leat_resolver *r, const char *name, const char *all[STRINGS])
{
	all[0] = name;
	all[1] = r->servers;
	all[2] = r->resolv_conf;
	all[3] = r->hosts;
	all[4] = r->services;
}

static uint64_t hash_of(const leat_resolver *r, enum leat__lookup_kind kind, const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) + (uint64_t)kind; /* FNV-1a */
	const char *all[STRINGS];

	strings_of(r, name, all);
	for (int i = 0; i < STRINGS; i++)
		for (const char *s = all[i] ? all[i] : ""; *s; s++)
			hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

/* By hand, for the thread sanitizer looks over strcmp's shoulder. */
static bool same_text(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static bool same(const struct flight *f, const leat_resolver *r, enum leat__lookup_kind kind,
                 const char *name)
{
	const char *here[STRINGS], *there[STRINGS];

	if (f->answer.kind != kind || f->r.timeout_ns != r->timeout_ns || f->r.attempts != r->attempts)
		return false;
	strings_of(&f->r, f->name, here);
	strings_of(r, name, there);
	for (int i = 0; i < STRINGS; i++)
		if (!same_text(here[i], there[i]))
			return false;
	return true;
}

/* --- the list.  Locked */

static struct flight **place_of(uint64_t hash)
{
	if (unlikely(flights.forks != leat__sched.forks)) {
		flights.forks = leat__sched.forks;
		for (int i = 0; i < BUCKETS; i++)
			flights.bucket[i] = NULL;
	}
	return &flights.bucket[hash % BUCKETS];
}

static void unlist(struct flight *f)
{
	struct flight **at = place_of(f->hash);

	if (!f->listed)
		return;
	f->listed = false;
	while (*at && *at != f)
		at = &(*at)->next;
	if (*at)
		*at = f->next;
}

/* The flight that is listed for this, with one more who waits. */
static struct flight *board(uint64_t hash, const leat_resolver *r, enum leat__lookup_kind kind,
                            const char *name)
{
	for (struct flight *f = *place_of(hash); f; f = f->next) {
		if (f->hash == hash && same(f, r, kind, name)) {
			f->waiting++;
			f->held++;
			return f;
		}
	}
	return NULL;
}

/* --- one flight */

static void discard(struct flight *f)
{
	leat_ctx_free(f->ctx);
	free(f->answer.block);
	free(f);
}

static void discard_at(struct flight **f)
{
	if (*f)
		discard(*f);
}

static void release(struct flight *f)
{
	struct leat__m *m;
	bool last;

	leat__hb_release(f);
	m = lock();
	last = --f->held == 0;
	unlock(m);
	if (last) {
		leat__hb_acquire(f);
		discard(f);
	}
}

/* All of the goroutine's part is done, or will never be. */
static void land(struct flight *f)
{
	struct leat__m *m = lock();

	f->landed = true;
	unlist(f);
	unlock(m);
	leat_waitgroup_done(&f->running);
	release(f);
}

struct leat__fly {
	struct flight *f;
};

static void leat__fly(void *arg)
{
	struct flight *f = ((struct leat__fly *)arg)->f;

	f->err = leat__resolve(&f->r, f->name, f->ctx, &f->answer);
	land(f);
}

/* NULL: no memory. */
static struct flight *make(uint64_t hash, const leat_resolver *r, enum leat__lookup_kind kind,
                           const char *name)
{
	const char *all[STRINGS], *copy[STRINGS] = {NULL};
	size_t bytes = 0;
	struct flight *f;
	char *at;

	strings_of(r, name, all);
	for (int i = 0; i < STRINGS; i++)
		bytes += all[i] ? strlen(all[i]) + 1 : 0;
	f = calloc(1, sizeof *f + bytes);
	if (!f)
		return NULL;
	at = f->text;
	for (int i = 0; i < STRINGS; i++)
		if (all[i])
			copy[i] = leat__answer_text(&at, all[i]);
	f->r = (leat_resolver){copy[1], copy[2], copy[3], copy[4], r->timeout_ns, r->attempts};
	f->name = copy[0];
	f->hash = hash;
	f->answer.kind = kind;
	f->waiting = 1;
	f->held = 2;
	return f;
}

static void leat__disembark(struct flight *f)
{
	struct leat__m *m = lock();
	bool last = --f->waiting == 0 && !f->landed && !f->blocking;

	if (last) {
		unlist(f);
		f->cancelled = true;
	}
	unlock(m);
	if (last) {
		leat_ctx_cancel((leat_any_ctx)f->ctx);
		leat_waitgroup_wait(&f->running);
	}
	release(f);
}

/* There was no memory for its goroutine. */
static void leat__never_depart(struct flight **at)
{
	struct flight *f = *at;

	if (!f)
		return;
	f->err = -ENOMEM;
	land(f);
	leat__disembark(f);
}

/* A flight for the caller: the one that somebody else has listed meanwhile, or a new one. */
static struct flight *leat__depart(uint64_t hash, const leat_resolver *r,
                                   enum leat__lookup_kind kind, const char *name)
{
	static const leat_go_opts opts = {.name = "lookup"};
	struct flight *f = make(hash, r, kind, name), *unlisted = f, *waiting = NULL, *other, **at;
	struct leat__m *m;
	LEAT_DEFER(discard_at, &unlisted); /* what follows panics where memory is out */
	LEAT_DEFER(leat__never_depart, &waiting);

	if (!f)
		return NULL;
	f->ctx = leat_ctx_with_cancel((leat_any_ctx)leat_ctx_background());
	leat_waitgroup_add(&f->running, 1);
	m = lock();
	other = board(hash, r, kind, name);
	if (!other) {
		at = place_of(hash);
		f->next = *at;
		*at = f;
		f->listed = true;
	}
	unlock(m);
	if (other)
		return other;
	unlisted = NULL;
	waiting = f;
	leat_go_with(&opts, leat__fly, &(struct leat__fly){f}, sizeof(struct leat__fly));
	waiting = NULL;
	return f;
}

/* --- copies of answers */

static void move_text(const char **text, const char *to, const char *from)
{
	if (*text)
		*text = to + (*text - from);
}

/* What the elements point to lies in the block. */
static int copy(struct leat__answer *to, const struct leat__answer *from)
{
	const char *old = from->block;
	char *new = malloc(from->bytes);

	if (!new)
		return -ENOMEM;
	memcpy(new, old, from->bytes);
	to->block = new;
	to->n = from->n;
	to->bytes = from->bytes;
	for (size_t i = 0; i < to->n; i++) {
		switch (to->kind) {
		case LEAT__LOOKUP_IP:
		case LEAT__LOOKUP_IP4:
		case LEAT__LOOKUP_IP6:
			break;
		case LEAT__LOOKUP_MX:
			move_text(&((leat_mx *)to->block)[i].host, new, old);
			break;
		case LEAT__LOOKUP_SRV:
			move_text(&((leat_srv *)to->block)[i].host, new, old);
			break;
		default:
			move_text(&((const char **)to->block)[i], new, old);
		}
	}
	return 0;
}

/* --- for others */

static int leat__await(struct flight *f, leat_ctx *ctx, struct leat__answer *a)
{
	LEAT_DEFER(leat__disembark, f);
	struct leat__m *m;
	int err = leat_waitgroup_wait_ctx(&f->running, (leat_any_ctx)ctx);

	m = lock();
	for (size_t i = 0; i < sizeof a->server; i++)
		a->server[i] = f->server[i];
	unlock(m);
	if (!err)
		err = f->err ? f->err : copy(a, &f->answer);
	return err;
}

int leat__flight_lookup(const leat_resolver *r, enum leat__lookup_kind kind, const char *name,
                        leat_ctx *ctx, struct leat__answer *a)
{
	uint64_t hash = hash_of(r, kind, name);
	int err = leat_ctx_err((leat_any_ctx)ctx);
	struct leat__m *m;
	struct flight *f;

	*a = (struct leat__answer){.kind = kind};
	if (err)
		return err;
	m = lock();
	f = board(hash, r, kind, name);
	unlock(m);
	if (!f)
		f = leat__depart(hash, r, kind, name);
	return f ? leat__await(f, ctx, a) : -ENOMEM;
}

void leat__flight_asks(struct leat__answer *a, const char *server)
{
	struct flight *f = container_of(a, struct flight, answer);
	struct leat__m *m = lock();
	size_t i;

	for (i = 0; i + 1 < sizeof f->server && server[i]; i++)
		f->server[i] = server[i];
	f->server[i] = '\0'; /* who asks once more may ask another, of a shorter name */
	unlock(m);
}

bool leat__flight_blocks(struct leat__answer *a)
{
	struct flight *f = container_of(a, struct flight, answer);
	struct leat__m *m = lock();
	bool wanted = !f->cancelled;

	f->blocking = wanted;
	unlock(m);
	return wanted;
}
