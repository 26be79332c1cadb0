/* SPDX-License-Identifier: MIT */
/* A task takes the struct of its name. */
/* ERROR: incompatible (pointer|function pointer) type */
/* ERROR: workers_submit_other_argument_struct\.c:19: */
#include <leat.h>

struct task {
	int n;
};

struct other {
	int n;
};

void task(struct other *a);

int f(leat_workers *w)
{
	return workers_submit(w, task, .n = 1);
}
