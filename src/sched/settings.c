/* SPDX-License-Identifier: MIT */
/* See settings.h.  A value that makes no sense is reported once on stderr, and ignored. */
#include "sched/settings.h"
#include "sched/scheduler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct leat__settings leat__settings;

static void complain(const char *name, const char *value, const char *wanted)
{
	char text[256];
	int n = snprintf(text, sizeof text, "leat: %s=%s ignored: %s\n", name, value, wanted);

	leat__os_write(2, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* The unsigned number in the environment under name, or fallback. */
static uint64_t number(const char *name, uint64_t least, uint64_t most, uint64_t fallback)
{
	const char *value = getenv(name);
	unsigned long long v;
	char *end;
	char wanted[80];

	if (!value || !*value)
		return fallback;
	errno = 0;
	v = strtoull(value, &end, 0);
	if (*end == '\0' && errno == 0 && *value != '-' && v >= least && v <= most)
		return v;
	snprintf(wanted, sizeof wanted, "it must be a number from %llu to %llu",
	         (unsigned long long)least, (unsigned long long)most);
	complain(name, value, wanted);
	return fallback;
}

static void read_debug(void)
{
	static const char *const known = "known words are canary, deadlock, fenced, "
	                                 "getaddrinfo, protect and sched";
	const char *value = getenv("LEAT_DEBUG");
	char copy[256], *word, *rest = copy;

	if (!value)
		return;
	snprintf(copy, sizeof copy, "%s", value);
	while ((word = strsep(&rest, ",")) != NULL) {
		if (strcmp(word, "deadlock") == 0)
			leat__settings.fatal_deadlock = true;
		else if (strcmp(word, "fenced") == 0)
			leat__settings.fenced = true;
		else if (strcmp(word, "getaddrinfo") == 0)
			leat__settings.getaddrinfo = true;
		else if (strcmp(word, "sched") == 0)
			leat__settings.trace_sched = true;
		else if (strcmp(word, "protect") == 0)
			leat__os_guards = LEAT__OS_GUARDS_PROTECT;
		else if (strcmp(word, "canary") == 0)
			leat__os_guards = LEAT__OS_GUARDS_NONE;
		else if (*word)
			complain("LEAT_DEBUG", word, known);
	}
}

static enum leat__traceback read_traceback(void)
{
	/* The numbers are Go's. */
	static const struct {
		const char *word;
		enum leat__traceback level;
	} words[] = {
	    {"none", LEAT__TRACE_NONE},     {"single", LEAT__TRACE_SINGLE}, {"all", LEAT__TRACE_ALL},
	    {"system", LEAT__TRACE_SYSTEM}, {"crash", LEAT__TRACE_CRASH},   {"0", LEAT__TRACE_NONE},
	    {"1", LEAT__TRACE_ALL},         {"2", LEAT__TRACE_SYSTEM},
	};
	const char *value = getenv("LEAT_TRACEBACK");

	if (!value || !*value)
		return LEAT__TRACE_SINGLE;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(value, words[i].word) == 0)
			return words[i].level;
	complain("LEAT_TRACEBACK", value, "it must be none, single, all, system or crash");
	return LEAT__TRACE_SINGLE;
}

void leat__settings_read(void)
{
	int saved = errno;

	leat__settings.procs = (int)number("LEAT_PROCS", 1, LEAT__MAX_PROCS, 0);
	leat__settings.seed = number("LEAT_SEED", 0, UINT64_MAX, (uint64_t)leat__os_now());
	leat__settings.traceback = read_traceback();
	leat__settings.migrate = number("LEAT_MIGRATE", 0, 1, 0) != 0;
	leat__settings.uring = (enum leat__uring_use)number("LEAT_URING", LEAT__URING_NEVER,
	                                                    LEAT__URING_ALWAYS, LEAT__URING_WAITS);
	read_debug();
	errno = saved;
}
