/* SPDX-License-Identifier: MIT */
/*
 * For any_types.sh, which compiles it three times: MAKER, a library that defines a type; READER, one that
 * knows it from a header; else the program that uses both.
 */
#include <leat.h>

struct point {
	int x, y;
};
LEAT_TYPE_DECLARE(point, struct point);

#define SHOWN __attribute__((visibility("default")))

SHOWN leat_any make_point(int x, int y);
SHOWN leat_any make_int(int n);
SHOWN int sum_of(leat_any a);

#ifdef MAKER

LEAT_TYPE(point, struct point);

leat_any make_point(int x, int y)
{
	return any_of_type(point, {x, y});
}

leat_any make_int(int n)
{
	return any_of(n);
}

#elif defined READER

int sum_of(leat_any a)
{
	any_switch(a) {
		any_case(point, p)
			return p.x + p.y;
		any_case(int, n)
			return n;
	}
	return -1;
}

#else

int main(void)
{
	leat_any ours = any_of_type(point, {3, 4});

	if (!any_is(point, make_point(1, 2)) || sum_of(make_point(1, 2)) != 3 || sum_of(ours) != 7)
		return 1;
	if (!any_is(int, make_int(5)) || sum_of(make_int(5)) != 5 || sum_of(any_of(6)) != 6)
		return 2;
	return sum_of(any_of("text")) == -1 ? 0 : 3;
}

#endif
