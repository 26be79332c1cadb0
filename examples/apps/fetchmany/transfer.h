/* SPDX-License-Identifier: MIT */
/* Transfers of fetchmany.c, by libcurl. */
#ifndef FETCHMANY_TRANSFER_H
#define FETCHMANY_TRANSFER_H

#include <leat.h>

#include <errno.h>

/* The code of errors after which another attempt makes sense. */
#define TRANSFER_MAY_GO_BETTER (-EAGAIN)

struct transfer {
	uint64_t bytes;
	double seconds;
	char file[512]; /* where it is kept; "": nowhere */
};

/* Before the first, and after the last. */
void transfers_begin(void);
void transfers_end(void);

/*
 * Fetch url, in so many seconds at most, and keep it in the folder (NULL: nowhere), under a name with this number.  On failure *t is all zero, nothing is
 * kept, and the error is the caller's; so also when scope is done meanwhile.
 */
const leat_error *transfer(struct transfer *t, const char *url, unsigned number, const char *folder,
                           double seconds, leat_scope *scope);

#endif
