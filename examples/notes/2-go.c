/* SPDX-License-Identifier: MIT */
/*
 * A call with go before it does not wait for its end.  The three words come in any order, and the last line after all
 * of them, since the scope is waited for.
 */
#include <leat.h>

#include <stdio.h>

struct say {
	const char *word;
};

static void say(struct say *a)
{
	printf("%s\n", a->word);
}

int main(void)
{
	const char *const words[] = {"go", "rust", "c"};
	scope(s, NULL);

	for (int i = 0; i < 3; i++)
		scope_go(s, say, .word = words[i]);
	scope_wait(s);
	printf("that was all\n");
}
