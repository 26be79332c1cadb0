/* SPDX-License-Identifier: MIT */
/* The arguments of a task are fields of its struct. */
/* ERROR-GCC: has no member named 'm' */
/* ERROR-CLANG: does not refer to any field */
/* ERROR: workers_submit_wrong_field\.c:16: */
#include <leat.h>

struct task {
	int n;
};

void task(struct task *a);

int f(leat_workers *w)
{
	return workers_try_submit(w, task, .m = 1);
}
