/* SPDX-License-Identifier: MIT */
/* See the header. */
#include "os/lock.h"

COLD void leat__lock_slow(uint8_t *lock)
{
	unsigned pauses = 4, attempt = 0;

	do {
		do {
			for (unsigned i = 0; i < pauses; i++)
				leat__cpu_relax();
			if (pauses < 512)
				pauses *= 2;
			else if (++attempt > 6)
				leat__os_backoff(attempt - 6);
		} while (__atomic_load_n(lock, __ATOMIC_RELAXED));
	} while (!leat__trylock(lock));
}
