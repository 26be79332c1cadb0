/* SPDX-License-Identifier: MIT */
/*
 * Of a multi handle's two interfaces curl_multi_poll waits itself: for one set of descriptors, all of which it goes through
 * each time, in a call that holds a thread.  This uses the other, curl_multi_socket_action, by which libcurl says what it
 * waits for, and is told what has come:
 *
 *	perform x N -- begin, cancel --> driver --- starts ---> watch x descriptor and direction
 *	      ^                          |    ^                          |
 *	      +---------- result --------+    +---------- ready ---------+
 *
 * The multi handle and all that is in it are the driver's goroutine's alone; so there is no lock.  libcurl asks for nothing
 * of the thread, so it may be another one at each call.
 *
 * A watch waits once, for one direction of one descriptor, and reports.  If libcurl still wants to know, the driver
 * starts another; it is that cheap.  So to want something else takes no waking: what is not wanted any more is dropped when
 * it comes.
 *
 * The descriptors are libcurl's, which opens and closes them as it likes, and may have the same number again at once: a name
 * server's answer, a second address, a connection that was closed.  Before it closes one it says CURL_POLL_REMOVE.  Then
 * nobody may begin to wait for it, which the context of its watches sees to, and nobody may be waiting, which
 * leat_forget_fd does.
 */
#include "driver.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* On the stack of who performs.  Once it has the result (or, after a cancel, one value more) it may be gone. */
struct transfer {
	CURL *easy; /* NULL: libcurl has let go of it */
	chan(CURLcode) result;
	struct transfer *next, **link; /* the driver's list of those under way */
};

enum direction { IN, OUT, DIRECTIONS };

static const int poll_event[DIRECTIONS] = {POLLIN, POLLOUT};
static const int curl_event[DIRECTIONS] = {CURL_CSELECT_IN, CURL_CSELECT_OUT};

/* A descriptor that libcurl waits for, from its first wish to CURL_POLL_REMOVE; then until its watches have reported. */
struct watched {
	curl_socket_t fd;
	leat_ctx *ctx; /* of its watches; cancelled when it is removed */
	bool removed;
	bool wanted[DIRECTIONS];
	bool watched[DIRECTIONS];
};

struct readiness {
	struct watched *of;
	enum direction direction;
	int revents; /* what leat_wait_fd gave */
};

struct driver {
	leat_scope *scope;
	CURLM *multi;
	chan(struct transfer *) begin;
	chan(struct transfer *) cancel;
	chan(struct readiness) ready;
	chan(leat_empty) gone; /* closed when nobody listens any more */
	struct transfer *under_way;
	int watches;     /* that have yet to report */
	int64_t wake_at; /* what libcurl wants to be called for; LEAT_FOREVER: nothing */
};

/* --- what libcurl waits for */

struct watch {
	struct driver *driver;
	struct watched *of;
	enum direction direction;
};

static void watch(struct watch *a)
{
	int revents = leat_wait_fd_ctx(a->of->fd, poll_event[a->direction], LEAT_FOREVER, a->of->ctx);

	chan_send(a->driver->ready, (struct readiness){a->of, a->direction, revents});
}

static void watch_what_is_wanted(struct driver *d, struct watched *w)
{
	for (enum direction i = IN; i < DIRECTIONS; i++)
		if (w->wanted[i] && !w->watched[i]) {
			w->watched[i] = true;
			d->watches++;
			scope_go(d->scope, watch, d, w, i);
		}
}

static void drop_if_unused(struct watched *w)
{
	if (w->removed && !w->watched[IN] && !w->watched[OUT]) {
		leat_ctx_free(w->ctx);
		free(w);
	}
}

static void forget(struct watched *w)
{
	leat_pin(); /* libcurl has called us: it goes on on the thread on which it did */
	w->removed = true;
	leat_ctx_cancel(w->ctx);
	leat_forget_fd(w->fd);
	drop_if_unused(w);
}

/* CURLMOPT_SOCKETFUNCTION. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *driver, void *watched)
{
	struct driver *d = driver;
	struct watched *w = watched;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			forget(w);
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof *w);
		if (!w)
			return -1; /* CURLM_ABORTED_BY_CALLBACK */
		w->fd = fd;
		w->ctx = leat_ctx_with_cancel(d->scope);
		curl_multi_assign(d->multi, fd, w);
	}
	w->wanted[IN] = what & CURL_POLL_IN;
	w->wanted[OUT] = what & CURL_POLL_OUT;
	watch_what_is_wanted(d, w);
	return 0;
}

/* CURLMOPT_TIMERFUNCTION. */
static int on_timer(CURLM *multi, long timeout_ms, void *driver)
{
	struct driver *d = driver;

	(void)multi;
	d->wake_at = timeout_ms < 0 ? LEAT_FOREVER : leat_now() + timeout_ms * LEAT_MILLISECOND;
	return 0;
}

/* --- what libcurl is told */

static void tell(struct driver *d, const struct readiness *r)
{
	struct watched *w = r->of;
	int running, events = curl_event[r->direction];

	d->watches--;
	if (r->revents < 0 || r->revents & (POLLERR | POLLNVAL))
		events |= CURL_CSELECT_ERR;
	/* Counted as watched meanwhile, for libcurl may remove it in this call. */
	if (w->wanted[r->direction] && !w->removed)
		curl_multi_socket_action(d->multi, w->fd, events, &running);
	w->watched[r->direction] = false;
	if (w->removed)
		drop_if_unused(w);
	else
		watch_what_is_wanted(d, w);
}

static void tell_time(struct driver *d)
{
	int running;

	d->wake_at = LEAT_FOREVER; /* unless it says so again */
	curl_multi_socket_action(d->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

/* --- transfers */

static void finish(struct driver *d, struct transfer *t, CURLcode code)
{
	curl_multi_remove_handle(d->multi, t->easy);
	t->easy = NULL;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	chan_send(t->result, code); /* it has room: never waits */
}

static void begin(struct driver *d, struct transfer *t)
{
	t->next = d->under_way;
	t->link = &d->under_way;
	if (t->next)
		t->next->link = &t->next;
	d->under_way = t;
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	if (curl_multi_add_handle(d->multi, t->easy) != CURLM_OK)
		finish(d, t, CURLE_FAILED_INIT);
}

static void cancel(struct driver *d, struct transfer *t)
{
	if (t->easy)
		finish(d, t, CURLE_ABORTED_BY_CALLBACK);
	chan_send(t->result, CURLE_OK); /* from here on t may be gone */
}

static void finish_what_is_done(struct driver *d)
{
	struct transfer *t;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(d->multi, &left)) != NULL) {
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		finish(d, t, code);
	}
}

/* --- the driver */

/* s is done: nobody is left waiting, neither for a result nor for a descriptor. */
static void stop(struct driver *d)
{
	chan_close(d->gone);
	while (d->under_way)
		finish(d, d->under_way, CURLE_ABORTED_BY_CALLBACK);
	curl_multi_cleanup(d->multi);
	while (d->watches) {
		struct readiness r = chan_recv(d->ready);

		d->watches--;
		r.of->watched[r.direction] = false;
		drop_if_unused(r.of);
	}
}

struct drive {
	struct driver *driver;
};

static void drive(struct drive *a)
{
	struct driver *d = a->driver;

	while (!scope_err(d->scope)) {
		int64_t left = d->wake_at == LEAT_FOREVER ? LEAT_FOREVER : d->wake_at - leat_now();

		chan_select {
			case_recv(d->begin, t)
				begin(d, t);
			case_recv(d->cancel, t)
				cancel(d, t);
			case_recv(d->ready, r)
				tell(d, &r);
			case_recv(scope_done(d->scope))
				;
			case_timeout(left)
				tell_time(d);
		}
		finish_what_is_done(d);
	}
	stop(d);
}

struct driver *driver_start(leat_scope *s)
{
	struct driver *d = scope_alloc(s, struct driver, 1);

	d->multi = curl_multi_init();
	if (!d->multi)
		return NULL;
	curl_multi_setopt(d->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(d->multi, CURLMOPT_SOCKETDATA, d);
	curl_multi_setopt(d->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(d->multi, CURLMOPT_TIMERDATA, d);
	d->scope = s;
	d->wake_at = LEAT_FOREVER;
	d->begin = scope_chan(s, struct transfer *, 0);
	d->cancel = scope_chan(s, struct transfer *, 0);
	d->ready = scope_chan(s, struct readiness, 0);
	d->gone = scope_chan(s, leat_empty, 0);
	scope_go(s, drive, d);
	return d;
}

/* --- who performs */

/* t was begun. */
static CURLcode await(struct driver *d, struct transfer *t, leat_any_ctx ctx)
{
	CURLcode code;

	chan_select {
		case_recv(t->result, c)
			return c;
		case_recv(leat_ctx_done(ctx))
			;
	}
	chan_select {
		case_recv(t->result, c)
			return c; /* it was done already */
		case_send(d->cancel, t)
			;
	}
	/* The result, which may be that of a transfer that was quicker; and that the driver will not look at t again. */
	code = chan_recv(t->result);
	chan_recv(t->result);
	return code;
}

CURLcode driver_perform(struct driver *d, CURL *easy, leat_any_ctx ctx)
{
	struct transfer t = {.easy = easy};
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;

	if (!leat_ctx_err(ctx)) {
		t.result = chan_make(CURLcode, 2);
		chan_select {
			case_send(d->begin, &t)
				code = await(d, &t, ctx);
			case_recv(d->gone)
				;
			case_recv(leat_ctx_done(ctx))
				;
		}
		chan_free(t.result);
	}
	if (code == CURLE_ABORTED_BY_CALLBACK && leat_ctx_err(ctx) == -ETIMEDOUT)
		code = CURLE_OPERATION_TIMEDOUT;
	return code;
}
