/* SPDX-License-Identifier: MIT */
/*
 * The two places where a queue pays, as calls.  pipe_reject is the entrance: who finds no room is turned away at once,
 * and told so.  pipe_batch gathers values for a step that is cheaper for many: up to four here, and no longer than a
 * minute; at the end the last ones come without delay.
 */
#include <leat.h>

#include <stdio.h>

struct batch {
	size_t n;
	int items[4];
};

struct turn_away {
	int *count;
};

static void turn_away(const int *request, struct turn_away *a)
{
	(void)request;
	++*a->count;
}

struct request {
	int last;
};

static bool request(int *out, struct request *a)
{
	*out = ++a->last;
	return a->last <= 10;
}

int main(void)
{
	int rejected = 0;
	scope(s, NULL);
	recv_chan(int) entrance = pipe_reject(s, pipe_from(s, int, request), 3, turn_away, &rejected);

	scope_wait(s);
	printf("%zu requests let in, %d turned away\n", chan_len(entrance), rejected);
	chan_range(rows, pipe_batch(s, pipe_from(s, int, request), struct batch, LEAT_MINUTE))
		printf("%zu rows, from %d on\n", rows.n, rows.items[0]);
}
