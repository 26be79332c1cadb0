/* SPDX-License-Identifier: MIT */
/* The minus was forgotten. */
/* ERROR: the code of an error is a negative errno code: -EIO, not EIO */
/* ERROR: error_of_a_positive_code\.c:9: */
#include <leat.h>

#include <errno.h>

static LEAT_ERROR(bad, EIO, "printer: out of paper");

const leat_error *f(void)
{
	return &bad;
}
