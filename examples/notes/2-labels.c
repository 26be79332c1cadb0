/* SPDX-License-Identifier: MIT */
/*
 * Loops in loops.  A label says which of them to continue or to leave; in C that is a goto.  In a select break leaves
 * the select alone, as in Go, and so a loop around it needs a label as well, or a condition.
 */
#include <leat.h>

#include <stdio.h>

static void primes(send_chan(int) out)
{
	for (int n = 2; n < 30; n++) {
		for (int divisor = 2; divisor * divisor <= n; divisor++) {
			if (n % divisor == 0)
				goto next;
		}
		chan_send(out, n);
	next:;
	}
	chan_close(out);
}

int main(void)
{
	scope(s, NULL);
	chan(int) numbers = scope_chan(s, int, 10);

	primes(chan_sender(numbers));
	for (;;) {
		chan_select {
			case_recv(numbers, n, ok) {
				if (!ok)
					goto done;
				if (n % 10 != 3)
					break;
				printf("%d is a prime that ends in 3\n", n);
			}
		}
	}
done:
	printf("that is all\n");
}
