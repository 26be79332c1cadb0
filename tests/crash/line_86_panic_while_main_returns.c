/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Main returns because of a panic's deferred function; the report still comes, and the status. */
#include <leat.h>

struct worker {
	chan(int) out;
};

static void let_main_return(void *c)
{
	chan(int) typed = c;

	chan_send(typed, 1);
}

static void worker(struct worker *a)
{
	defer(let_main_return, (void *)a->out);
	leat_panic("must be seen");
}

int main(void)
{
	chan(int) c = chan_make(int, 0);

	go(worker, c);
	chan_recv(c);
	return 0;
}
