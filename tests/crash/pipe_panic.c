/* SPDX-License-Identifier: MIT */
/* A panic in a stage's function ends the process, and the report begins with that function. */
#include <leat.h>

struct parse {
	int at;
};

static void parse(const int *in, int *out, struct parse *a)
{
	if (*in == a->at)
		leat_panic("cannot parse %d", *in);
	*out = *in;
}

struct count_up {
	int next;
};

static bool count_up(int *out, struct count_up *a)
{
	*out = a->next++;
	return true;
}

int main(void)
{
	scope(s, NULL);

	chan_range(v, pipe_map(s, pipe_from(s, int, count_up, .next = 0), int, parse, .at = 3))
		(void)v;
	return 0;
}
