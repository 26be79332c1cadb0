/* SPDX-License-Identifier: MIT */
/* Instants as HTTP writes them.  Seconds are since 1970, UTC. */
#ifndef HTTPD_DATE_H
#define HTTPD_DATE_H

#include <stdbool.h>
#include <stdint.h>

enum { DATE_BYTES = 32 };

/* "Sun, 06 Nov 1994 08:49:37 GMT"; for the log "06/Nov/1994:08:49:37 +0000". */
void date_text(int64_t seconds, char text[DATE_BYTES]);
void date_log_text(int64_t seconds, char text[DATE_BYTES]);

/* Any of the three forms of RFC 9110, 5.6.7; false, with *seconds as it was, for anything else. */
bool date_parse(const char *text, int64_t *seconds);

/* The present one.  Costs some nanoseconds. */
int64_t date_now(void);

#endif
