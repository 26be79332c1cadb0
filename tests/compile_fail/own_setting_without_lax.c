/* SPDX-License-Identifier: MIT */
/* Only LEAT_LAX keeps what the program had set before; tests/api/go_lax.c is the other half. */
/* ERROR: incompatible pointer type */
/* ERROR: own_setting_without_lax\.c:10: */
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types"
#include <leat.h>

void f(chan(struct job *) jobs, struct result *r)
{
	chan_send(jobs, r);
}
