/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A cond that was used, and copied. */
#include <leat.h>

int main(void)
{
	leat_cond c = {0}, copy;

	leat_cond_signal(&c);
	copy = c;
	leat_cond_signal(&copy); /* here */
	return 0;
}
