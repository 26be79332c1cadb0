/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Not recovered, the panic of a deferred function ends the process as well; the newest is named. */
#include <leat.h>

static void again(const char *message)
{
	leat_panic("%s", message);
}

int main(void)
{
	defer(again, "newest");
	leat_panic("oldest");
}
