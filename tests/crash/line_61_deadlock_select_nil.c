/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A select of nothing but NULL channels. */
#include <leat.h>

int main(void)
{
	chan(int) none = NULL;

	chan_select {
		case_recv(none) {
		}
		case_send_if(false, none, 1) {
		}
	}
	return 0;
}
