/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4,8 */
/* Main leaves by goexit; the others go on, and with the last of them the program dies. */
#include <leat.h>

#include <stdio.h>

struct worker {
	int ms;
	const char *text;
};

static void worker(struct worker *a)
{
	leat_sleep(a->ms * LEAT_MILLISECOND);
	puts(a->text);
}

static void say(const char *s)
{
	puts(s);
}

int main(void)
{
	defer(say, "main's defer");
	go(worker, 60, "last");
	go(worker, 20, "first");
	leat_goexit();
}
