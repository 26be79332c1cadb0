/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A goroutine that follows a NULL pointer ends the process with Go's report, from where it faulted; nothing
   that was deferred runs. */
#include <leat.h>

#include <stdio.h>

struct node {
	char data[100];
	int value;
};

__attribute__((noinline)) static int value_of(const volatile struct node *n)
{
	return n->value;
}

struct worker {
	struct node *n;
};

static void worker(struct worker *a)
{
	defer(puts, "never");
	printf("%d\n", value_of(a->n));
}

int main(void)
{
	go(worker, NULL);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
