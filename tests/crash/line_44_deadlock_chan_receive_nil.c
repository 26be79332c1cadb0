/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Nobody can send on NULL. */
#include <leat.h>

int main(void)
{
	chan(int) c = NULL;

	chan_recv(c);
	return 0;
}
