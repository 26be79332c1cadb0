/* SPDX-License-Identifier: MIT */
/* A pointer to const does not become one to what may change. */
/* ERROR: discards ('const' qualifier|qualifiers) */
/* ERROR: const_for_pointer\.c:9: */
#include <leat.h>

void f(chan(char *) c, const char *s)
{
	chan_send(c, s);
}
