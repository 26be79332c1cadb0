/* SPDX-License-Identifier: MIT */
/*
 * Fan-out by the library: with .workers several goroutines do one stage.  pipe_map sends results as they are found;
 * pipe_map_ordered does the same work at the same time, and keeps them in the order of the input.
 */
#include <leat.h>

#include <stdio.h>

static void least_factor(const int *in, int *out)
{
	*out = 2;
	while (*in % *out != 0)
		++*out;
}

int main(void)
{
	static const int numbers[] = {49999, 50021, 50023, 50031, 50033, 50047};
	int i = 0;
	scope(s, NULL);
	recv_chan(int) in = pipe_from_array(s, numbers, 6);

	chan_range(factor, pipe_map_ordered0(pipe_at(s, .workers = 4), in, int, least_factor)) {
		printf("%d is %s\n", numbers[i], factor == numbers[i] ? "a prime" : "none");
		i++;
	}
}
