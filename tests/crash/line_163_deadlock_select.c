/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A select none of whose cases can become ready. */
#include <leat.h>

int main(void)
{
	chan(int) a = chan_make(int, 0), b = chan_make(int, 0), none = NULL;

	chan_select {
		case_recv(a) {
		}
		case_send(b, 1) {
		}
		case_recv(none) {
		}
	}
	return 0;
}
