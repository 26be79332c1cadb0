/* SPDX-License-Identifier: MIT */
/* Where errno is: see arch.h. */
#include "arch/arch.h"

#include <errno.h>

ptrdiff_t leat__errno_offset LEAT__FOR_ASM; /* named in assembly */

__attribute__((constructor(101))) static void measure(void)
{
	leat__errno_offset = (char *)&errno - leat__thread_pointer();
}
