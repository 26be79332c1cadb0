/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced locks noemulator */
/* From a stack of 2 KiB, on which the report would not fit. */
#include <leat.h>

#include <threads.h>

struct small {
	chan(int) one, two;
	mtx_t *mutex;
};

static void small(struct small *a)
{
	mtx_lock(a->mutex);
	chan_select {
		case_recv(a->one)
			return;
		case_recv(a->two)
			return;
	}
}

int main(void)
{
	leat_go_opts opts = {.stack_bytes = 2048, .name = "small"};
	mtx_t mutex;

	mtx_init(&mutex, mtx_recursive);
	go_with(&opts, small, chan_make(int, 0), chan_make(int, 0), &mutex);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
