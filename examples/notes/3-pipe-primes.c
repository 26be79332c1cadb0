/* SPDX-License-Identifier: MIT */
/*
 * All of it together: random numbers without end, a worker for each processor that finds the primes among them, and
 * the first ten are taken.  Leaving the block ends the rest, though each of the others still has a number in hand.
 */
#include <leat.h>

#include <stdio.h>

struct random_number {
	uint64_t state;
};

/* Below a million; from a linear congruence, of which the low bits are the worst. */
static void random_number(int *out, struct random_number *a)
{
	a->state = a->state * 6364136223846793005 + 1442695040888963407;
	*out = (int)((a->state >> 33) % 1000000);
}

/* The slow way, so that there is something to do. */
static bool is_prime(const int *n)
{
	int divisor = 2;

	while (divisor < *n && *n % divisor != 0)
		divisor++;
	return divisor == *n;
}

static bool has_divisor(int n)
{
	for (int divisor = 2; divisor * divisor <= n; divisor++) {
		if (n % divisor == 0)
			return true;
	}
	return n < 2;
}

int main(void)
{
	int found = 0, wrong = 0;
	scope(s, NULL);
	leat_pipe_opts finders = {.scope = s, .workers = leat_procs(0)};
	recv_chan(int) numbers = pipe_repeat_fn(s, int, random_number, (uint64_t)leat_now());

	chan_range(prime, pipe_take(s, pipe_filter0(&finders, numbers, is_prime), 10)) {
		found++;
		wrong += has_divisor(prime);
	}
	printf("%d numbers, of which %d are no primes\n", found, wrong);
}
