/* SPDX-License-Identifier: MIT */
#include "any_help.h"

static LEAT_TYPE(local, int);

leat_any other_point(int x, int y)
{
	return any_of_type(point, {x, y});
}

int other_x(leat_any a)
{
	return any_must(point, a).x;
}

leat_any other_int(int n)
{
	return any_of(n);
}

leat_any other_string(const char *text)
{
	return any_of(text);
}

bool other_is_string(leat_any a)
{
	return any_is(const char *, a);
}

leat_any other_local(int n)
{
	return any_of_type(local, n);
}
