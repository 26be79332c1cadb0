/* SPDX-License-Identifier: MIT */
/* A program that knows the installed library only: goroutines, a typed channel, a scope, select. */
#include <leat.h>

#include <stdio.h>

struct squares {
	send_chan(int) out;
	int n;
};

static void squares(struct squares *a)
{
	for (int i = 0; i < a->n; i++)
		chan_send(a->out, i * i);
	chan_close(a->out);
}

int main(void)
{
	int sum = 0;
	bool more = true;

	scope(s, NULL);
	chan(int) c = scope_chan(s, int, 3);

	scope_go(s, squares, .out = chan_sender(c), .n = 10);
	while (more) {
		chan_select {
			case_recv(c, v, ok) {
				sum += v;
				more = ok;
			}
			case_timeout(LEAT_MINUTE) {
				return 1;
			}
		}
	}
	printf("%d from leat %d.%d.%d\n", sum, LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
	       LEAT_VERSION_PATCH);
	return 0;
}
