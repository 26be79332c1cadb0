/* SPDX-License-Identifier: MIT */
/*
 * A pool keeps what is dear to make and used for a moment only.  Four goroutines need a buffer for each of their tasks,
 * and few are ever made.  What comes out of a pool is as its last user left it: nothing may be expected of it.
 */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>

struct buffer {
	char text[4096];
};

static _Atomic int made, printed;

static void *make_buffer(void *arg)
{
	(void)arg;
	made++;
	return malloc(sizeof(struct buffer));
}

static leat_pool buffers = {.make = make_buffer};

static void work(void)
{
	for (int i = 0; i < 250; i++) {
		struct buffer *b = leat_pool_get(&buffers);

		printed += snprintf(b->text, sizeof b->text, "task %03d", i);
		leat_pool_put(&buffers, b);
	}
}

int main(void)
{
	scope(s, NULL);

	for (int i = 0; i < 4; i++)
		scope_go0(s, work);
	scope_wait(s);
	printf("%d bytes written, in %s buffers\n", printed, made < 100 ? "few" : "many");
	leat_pool_trim(&buffers);
}
