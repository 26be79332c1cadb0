/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 */
#include <leat.h>

int main(void)
{
	leat_ticker_free(leat_ticker_new(0));
	return 0;
}
