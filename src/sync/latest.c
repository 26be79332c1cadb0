/* SPDX-License-Identifier: MIT */
/*
 * Latest values: a broadcast that drops the oldest, whose subscriptions have room for one value, and that keeps what
 * was sent last for those who ask and those who come later.  All under the broadcast's mutex.
 */
#include "sched/panic.h"
#include "sync/broadcast.h"

#include <leat/latest.h>

#include <errno.h>
#include <stdlib.h>

struct leat_latest {
	struct leat_broadcast all;
	_Alignas(16) char newest[];
};

leat_latest *leat_latest_make(size_t elem_bytes)
{
	const char *wrong = leat__chan_size_error(elem_bytes, 1);
	leat_latest *l;

	if (wrong)
		leat__panic_runtime(wrong);
	l = calloc(1, sizeof *l + elem_bytes);
	if (!l)
		leat__panic_runtime("out of memory");
	leat__broadcast_init(&l->all, elem_bytes, 1, LEAT_BROADCAST_DROP_OLDEST);
	l->all.newest = l->newest;
	return l;
}

void leat_latest_free(leat_latest *l)
{
	if (l && !leat__broadcast_end(&l->all))
		leat__panic_runtime("latest_free: goroutines are waiting on a subscription");
	free(l);
}

void leat_latest_set(leat_latest *l, const void *elem)
{
	if (leat__broadcast_send(&l->all, elem, NULL))
		leat__panic_runtime("set of closed latest value");
}

bool leat_latest_get(leat_latest *l, void *elem)
{
	bool sent;

	leat_mutex_lock(&l->all.lock);
	sent = l->all.sent;
	leat__copy(elem, l->newest, l->all.elem_bytes);
	leat_mutex_unlock(&l->all.lock);
	return sent;
}

leat_chan *leat_latest_subscribe(leat_latest *l)
{
	return leat__broadcast_subscribe(&l->all);
}

void leat_latest_unsubscribe(leat_latest *l, leat_chan *subscription)
{
	int err = leat__broadcast_unsubscribe(&l->all, subscription);

	if (err)
		leat__panic_runtime(err == -EBUSY
		                        ? "latest_unsubscribe: goroutines are waiting on the subscription"
		                        : "latest_unsubscribe: not a subscription of this cell");
}

void leat_latest_close_with(leat_latest *l, const leat_error *reason)
{
	if (!leat__broadcast_close(&l->all, reason))
		leat__panic_runtime("close of closed latest value");
}

void leat_latest_close(leat_latest *l)
{
	leat_latest_close_with(l, NULL);
}
