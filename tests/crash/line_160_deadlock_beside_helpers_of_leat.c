/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
/* leat's own threads, however many it has made and whatever they did, hide nothing. */
#include <leat.h>

#include <unistd.h>

static void blocks(void)
{
	usleep(20000);
}

static void sleeps(void)
{
	leat_sleep(5 * LEAT_MILLISECOND);
}

int main(void)
{
	chan(int) c = chan_make(int, 0);

	{
		scope(s, NULL);
		for (int i = 0; i < 20; i++) {
			leat_scope_go(s, (void (*)(void *))(void (*)(void))blocks, NULL, 0);
			leat_scope_go(s, (void (*)(void *))(void (*)(void))sleeps, NULL, 0);
		}
	}
	chan_recv(c);
	return 0;
}
