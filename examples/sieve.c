/* SPDX-License-Identifier: MIT */
/*
 * sieve [N]: the first N primes (25 if not said), by a row of goroutines.
 *
 * The first goroutine counts: 2, 3, 4, ...  Whatever comes out first at the end of the row is a prime;
 * a filter is put there that lets pass only what this prime does not divide.  After N primes the row
 * is N + 1 goroutines long, each joined to the next by a channel without a buffer.
 *
 *	count -> filter 2 -> filter 3 -> filter 5 -> ... -> main
 *
 * None of them ever ends by itself.  They end because their scope does: it cancels, which each sees
 * in its select, and waits for them all.
 */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>

struct count {
	leat_scope *scope;
	send_chan(int) out;
};

static void count(struct count *a)
{
	for (int i = 2;; i++) {
		chan_select {
			case_send(a->out, i)
				break;
			case_recv(scope_done(a->scope))
				return;
		}
	}
}

struct filter {
	leat_scope *scope;
	recv_chan(int) in;
	send_chan(int) out;
	int prime;
};

static void filter(struct filter *a)
{
	for (;;) {
		int n = 0;

		chan_select {
			case_recv(a->in, number)
				n = number;
			case_recv(scope_done(a->scope))
				return;
		}
		if (n % a->prime == 0)
			continue;
		chan_select {
			case_send(a->out, n)
				break;
			case_recv(scope_done(a->scope))
				return;
		}
	}
}

int main(int argc, char **argv)
{
	int primes = argc > 1 ? atoi(argv[1]) : 25;

	scope(s, NULL);
	chan(int) end = scope_chan(s, int, 0); /* of the row, so far */

	scope_go(s, count, .scope = s, .out = chan_sender(end));
	for (int i = 0; i < primes; i++) {
		int prime = chan_recv(end);
		chan(int) next = scope_chan(s, int, 0);

		printf("%d\n", prime);
		scope_go(s, filter, .scope = s, .in = chan_receiver(end), .out = chan_sender(next),
		         .prime = prime);
		end = next;
	}
	return 0;
}
