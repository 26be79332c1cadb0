/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Timers are pending: leat_after, a select, a scope. */
#include <leat.h>

#include <stdio.h>

struct waiter {
	leat_scope *s;
};

static void waiter(struct waiter *a)
{
	chan_recv(scope_done(a->s));
}

int main(void)
{
	recv_chan(int64_t) after = leat_after(100 * LEAT_MILLISECOND);
	chan(int) never = NULL;

	chan_recv(after);
	chan_free(after);
	chan_select {
		case_recv(never) {
		}
		case_timeout(100 * LEAT_MILLISECOND) {
		}
	}
	{
		scope(s, NULL);
		scope_go(s, waiter, s);
		scope_timeout(s, 100 * LEAT_MILLISECOND);
		scope_wait(s);
	}
	puts("alive");
	return 0;
}
