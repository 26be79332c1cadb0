/* SPDX-License-Identifier: MIT */
/* A type assertion that fails panics in Go's words, and the report begins with who asserted. */
#include <leat.h>

#include <stdio.h>

struct point {
	int x, y;
};

static LEAT_TYPE(point, struct point);

struct reader {
	leat_any a;
};

__attribute__((noinline)) static int read_x(leat_any a)
{
	return any_must(point, a).x;
}

static void reader(struct reader *r)
{
	printf("%d\n", read_x(r->a));
}

int main(void)
{
	go(reader, any_of("a text"));
	leat_sleep(LEAT_MINUTE);
	return 0;
}
