/* SPDX-License-Identifier: MIT */
/*
 * Replicated requests: the same question to several at once, and the first answer counts.  The others are told that
 * they need not go on, and are waited for: none is left behind, stuck with an answer that nobody takes.
 */
#include <leat.h>

#include <stdio.h>

struct handle {
	leat_scope *scope;
	int number;
	int64_t takes;
	send_chan(int) answer;
};

static _Atomic int cancelled;

static void handle(struct handle *a)
{
	if (leat_sleep_ctx(a->takes, a->scope) || chan_send_ctx(a->answer, a->number, a->scope))
		cancelled++;
}

int main(void)
{
	scope(s, NULL);
	chan(int) answer = scope_chan(s, int, 0);

	for (int i = 0; i < 10; i++)
		scope_go(s, handle, s, i, i == 7 ? LEAT_MILLISECOND : LEAT_HOUR, chan_sender(answer));
	printf("an answer from #%d\n", chan_recv(answer));
	scope_cancel(s);
	scope_wait(s);
	printf("%d others were cancelled\n", cancelled);
}
