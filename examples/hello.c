/* SPDX-License-Identifier: MIT */
/*
 * hello: some goroutines, and a channel on which each says what it has to say.
 *
 * They run concurrently, on several processors, and end in any order.  Each sends its greeting
 * together with its number; main puts the greetings where they belong and prints them in order.
 */
#include <leat.h>

#include <stdio.h>

struct greeting {
	int number;
	char text[32];
};

/* The arguments of a goroutine are a struct of the same name, copied when it is started. */
struct greet {
	send_chan(struct greeting) out; /* this end can only send: the compiler sees to it */
	int number;
	const char *whom;
};

static void greet(struct greet *a)
{
	struct greeting g = {.number = a->number};

	snprintf(g.text, sizeof g.text, "hello, %s", a->whom);
	chan_send(a->out, g);
}

int main(void)
{
	static const char *const whom[] = {"miller", "river", "wheel", "stone", "world"};
	enum { COUNT = sizeof whom / sizeof whom[0] };
	struct greeting all[COUNT];

	/* All that is made in the scope is gone at the end of its block. */
	scope(s, NULL);
	chan(struct greeting) greetings = scope_chan(s, struct greeting, 0);

	for (int i = 0; i < COUNT; i++)
		scope_go(s, greet, .out = chan_sender(greetings), .number = i, .whom = whom[i]);

	for (int i = 0; i < COUNT; i++) {
		struct greeting g = chan_recv(greetings);

		all[g.number] = g;
	}
	for (int i = 0; i < COUNT; i++)
		printf("%s\n", all[i].text);
	return 0;
}
