/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Nobody can receive from NULL. */
#include <leat.h>

int main(void)
{
	chan(int) c = NULL;

	chan_send(c, 1);
	return 0;
}
