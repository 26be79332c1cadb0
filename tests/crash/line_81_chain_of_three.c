/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* Panics of deferred functions are reported with the first one, oldest first. */
#include <leat.h>

static void again(const char *message)
{
	leat_panic("%s", message);
}

int main(void)
{
	defer(again, "panic pt1");
	defer(again, "panic pt2");
	leat_panic("hello");
}
