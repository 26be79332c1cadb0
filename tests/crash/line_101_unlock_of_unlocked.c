/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* Cannot be caught (line 94), and runs nothing that was deferred. */
#include <leat.h>

#include <stdio.h>

static void say(const char *s)
{
	puts(s);
}

static void unlock(void *m)
{
	defer(say, "never");
	leat_mutex_unlock(m);
	puts("never");
}

int main(void)
{
	leat_mutex m = {0};

	leat_mutex_lock(&m);
	leat_mutex_unlock(&m);
	puts("before");
	leat_catch(unlock, &m, NULL);
	puts("never");
	return 0;
}
