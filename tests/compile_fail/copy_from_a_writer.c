/* SPDX-License-Identifier: MIT */
/* From a writer nothing can be read, and it is the second. */
/* ERROR-GCC: incompatible type for argument 2 of */
/* ERROR-CLANG: 'leat_writer \*'.*incompatible type 'leat_source' */
/* ERROR: copy_from_a_writer\.c:10: */
#include <leat.h>

int f(leat_reader *r, leat_writer *w)
{
	return leat_copy(w, r, NULL, NULL) + leat_copy(w, w, NULL, NULL);
}
