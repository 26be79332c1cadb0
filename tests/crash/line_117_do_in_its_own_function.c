/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The function waits for itself to end. */
#include <leat.h>

static leat_once once;

static void again(void *arg)
{
	leat_once_do(&once, again, arg);
	__asm__ volatile("");
}

int main(void)
{
	leat_once_do(&once, again, NULL);
	return 0;
}
