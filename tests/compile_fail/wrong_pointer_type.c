/* SPDX-License-Identifier: MIT */
/* Pointers to different structs. */
/* ERROR-GCC: 'struct job \*' from incompatible pointer type 'struct result \*' */
/* ERROR-CLANG: 'struct job \*'.*'struct result \*' */
/* ERROR: wrong_pointer_type\.c:18: */
#include <leat.h>

struct job {
	int n;
};

struct result {
	int n;
};

void f(chan(struct job *) jobs, struct result *r)
{
	chan_send(jobs, r);
}
