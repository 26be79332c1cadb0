/* SPDX-License-Identifier: MIT */
/* How the platform's files call the C library. */
#ifndef LEAT_OS_TRY_H
#define LEAT_OS_TRY_H

#include <errno.h>

/* The result of a call that may be interrupted, as a negative code; errno as it was. */
#define TRY(call)                                                                                  \
	__extension__({                                                                                \
		int saved = errno;                                                                         \
		__typeof__(call) result;                                                                   \
		while ((result = (call)) < 0 && errno == EINTR)                                            \
			;                                                                                      \
		if (result < 0) {                                                                          \
			result = -errno;                                                                       \
			errno = saved;                                                                         \
		}                                                                                          \
		result;                                                                                    \
	})

#endif
