/* SPDX-License-Identifier: MIT */
/*
 * Where one stage holds up the rest, let several goroutines do it: all receive from one channel (fan-out), and send on
 * one (fan-in), which whoever waits for all of them closes.  That is for stages for which order does not matter: the
 * primes come out as they are found.
 */
#include <leat.h>

#include <stdio.h>

struct find_primes {
	recv_chan(int) in;
	send_chan(int) out;
};

static void find_primes(struct find_primes *a)
{
	chan_range(n, a->in) {
		int divisor = 2;

		while (n % divisor != 0)
			divisor++;
		if (divisor == n)
			chan_send(a->out, n);
	}
}

struct feed {
	send_chan(int) out;
};

static void feed(struct feed *a)
{
	for (int n = 50000; n < 50050; n++)
		chan_send(a->out, n);
	chan_close(a->out);
}

struct fan_in {
	leat_waitgroup *finders;
	send_chan(int) primes;
};

static void fan_in(struct fan_in *a)
{
	leat_waitgroup_wait(a->finders);
	chan_close(a->primes);
}

int main(void)
{
	leat_waitgroup finders = {0};
	scope(s, NULL);
	chan(int) numbers = scope_chan(s, int, 0);
	chan(int) primes = scope_chan(s, int, 0);

	scope_go(s, feed, chan_sender(numbers));
	for (int i = 0; i < leat_procs(0); i++)
		wg_go(&finders, find_primes, chan_receiver(numbers), chan_sender(primes));
	scope_go(s, fan_in, &finders, chan_sender(primes));
	chan_range(prime, primes)
		printf("%d\n", prime);
}
