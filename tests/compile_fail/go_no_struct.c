/* SPDX-License-Identifier: MIT */
/* A function without arguments is started with go0. */
/* ERROR: 'struct work' */
/* ERROR: go_no_struct\.c:11: */
#include <leat.h>

void work(void);

void f(void)
{
	go(work);
}
