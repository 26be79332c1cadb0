/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* More tokens than there are, and nothing that ends the wait. */
#include <leat.h>

int main(void)
{
	leat_semaphore s = LEAT_SEMAPHORE(2);

	leat_semaphore_acquire(&s, 3);
	return 0;
}
