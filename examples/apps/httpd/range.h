/* SPDX-License-Identifier: MIT */
/* Conditions and ranges of requests for files: RFC 9110, 13 and 14. */
#ifndef HTTPD_RANGE_H
#define HTTPD_RANGE_H

#include "message.h"

enum { MOST_RANGES = 32 };

struct range {
	uint64_t from, n;
};

/* What tells one state of a file from another. */
struct validators {
	char etag[64];
	int64_t modified; /* seconds since 1970 */
};

/* 0: send it; or 304, or 412. */
int conditions(const struct head *h, const struct validators *v);

/* The ranges of a file of that size that are to be sent: how many; 0: all of it; -1: none of them is there (416). */
int ranges(const struct head *h, const struct validators *v, uint64_t size,
           struct range found[MOST_RANGES]);

#endif
