/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 nofenced */
/* The hook may be set by anybody at any time: a hook gets the argument that was set with it. */
#include <leat.h>

#include <stdatomic.h>
#include <stdio.h>

enum { SETTERS = 8, TIMES = 2000 };

static void hook_a(const leat_panic_info *info, void *arg)
{
	(void)info;
	puts(*(char *)arg == 'a' ? "right" : "torn");
}

static void hook_b(const leat_panic_info *info, void *arg)
{
	(void)info;
	puts(*(char *)arg == 'b' ? "right" : "torn");
}

struct setter {
	int i;
	atomic_bool *stop;
};

static void setter(struct setter *a)
{
	while (!atomic_load(a->stop)) {
		if (a->i % 2)
			leat_on_panic(hook_a, "a");
		else
			leat_on_panic(hook_b, "b");
		leat_yield();
	}
}

int main(void)
{
	static atomic_bool stop;

	leat_on_panic(hook_a, "a");
	for (int i = 0; i < SETTERS; i++)
		go(setter, i, &stop);
	for (int i = 0; i < TIMES; i++)
		leat_yield();
	leat_panic("while they set it");
}
