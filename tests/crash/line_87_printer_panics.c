/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
/* A printer that panics ends the process, with its own panic, which nothing deferred can keep. */
#include <leat.h>

#include <stdio.h>

static void print(FILE *to, const void *value)
{
	fputs("half a text", to);
	leat_panic("printer of %d", *(const int *)value);
}

LEAT_TYPE(sad, int, .print = print);

static void say(const char *s)
{
	puts(s);
}

static void worker(void)
{
	defer(say, "deferred");
	leat_panic_any(any_of_type(sad, 7));
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
