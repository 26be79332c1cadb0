/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4,8 */
/* Main waits for a value that nobody can send. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 0);

	chan_recv(c);
	return 0;
}
