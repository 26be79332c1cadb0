/* SPDX-License-Identifier: MIT */
/*
 * What the tests of defer, panics and coroutines share: a log into which functions write what they do, in turns, and
 * which is compared whole.
 *
 *	defer(put, "a");
 *	...
 *	CHECK_LOG("ba");        and the log is empty again
 */
#ifndef LOG_HELP_H
#define LOG_HELP_H

#include "test.h"

static char log_text[256];
static size_t log_length;

static inline void put(const char *s)
{
	for (; *s && log_length + 1 < sizeof log_text; s++)
		log_text[log_length++] = *s;
	log_text[log_length] = 0;
}

static inline void log_clear(void)
{
	log_length = 0;
	log_text[0] = 0;
}

#define CHECK_LOG(want)                                                                            \
	do {                                                                                           \
		CHECK_STR(log_text, want);                                                                 \
		log_clear();                                                                               \
	} while (0)

#endif
