/* SPDX-License-Identifier: MIT */
/* The program keeps the locale "C", in which strftime and strptime speak HTTP's English. */
#define _GNU_SOURCE
#include "date.h"

#include <time.h>

static void format(int64_t seconds, const char *how, char text[DATE_BYTES])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, DATE_BYTES, how, &tm))
		text[0] = '\0';
}

void date_text(int64_t seconds, char text[DATE_BYTES])
{
	format(seconds, "%a, %d %b %Y %H:%M:%S GMT", text);
}

void date_log_text(int64_t seconds, char text[DATE_BYTES])
{
	format(seconds, "%d/%b/%Y:%H:%M:%S +0000", text);
}

bool date_parse(const char *text, int64_t *seconds)
{
	static const char *const forms[] = {
	    "%a, %d %b %Y %H:%M:%S GMT",
	    "%A, %d-%b-%y %H:%M:%S GMT",
	    "%a %b %d %H:%M:%S %Y",
	};

	for (int i = 0; i < 3; i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end) {
			*seconds = (int64_t)timegm(&tm);
			return true;
		}
	}
	return false;
}

int64_t date_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec;
}
