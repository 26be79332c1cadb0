/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* A panic in the function of a stage, whose options do not make it an error, ends the process; the report names it. */
#include <leat.h>

static void halve(const int *in, int *out)
{
	if (*in % 2)
		leat_panic("odd");
	*out = *in / 2;
}

int main(void)
{
	static const int numbers[] = {4, 6, 7, 8};
	scope(s, NULL);

	chan_range(v, pipe_map_ordered0(s, pipe_from_array(s, numbers, 4), int, halve))
		(void)v;
	return 0;
}
