/* SPDX-License-Identifier: MIT */
/*
 * libcurl's multi interface driven by one goroutine: transfers by the hundred, each awaited by a goroutine of its own, on as
 * many threads as there are processors.
 *
 *	struct driver *d = driver_start(s);
 *
 *	CURL *easy = curl_easy_init();                       in any goroutine
 *	curl_easy_setopt(easy, CURLOPT_URL, url);
 *	CURLcode code = driver_perform(d, easy, ctx);        as curl_easy_perform, but parks
 *	curl_easy_cleanup(easy);
 */
#ifndef CURL_MULTI_DRIVER_H
#define CURL_MULTI_DRIVER_H

#include <leat.h>

#include <curl/curl.h>

struct driver;

/*
 * Start a driver in s.  It lasts until s is done; then every transfer ends with CURLE_ABORTED_BY_CALLBACK.  NULL: libcurl
 * would not.  After curl_global_init.
 */
struct driver *driver_start(leat_scope *s);

/*
 * Do the transfer that easy is set up for, and return what curl_easy_perform would.  The caller parks meanwhile, and easy is
 * the driver's; its CURLOPT_PRIVATE and CURLOPT_NOSIGNAL are from now on.
 *
 * When ctx is done (NULL: no context) the transfer is given up: CURLE_OPERATION_TIMEDOUT for a deadline, else
 * CURLE_ABORTED_BY_CALLBACK.  In any case libcurl has let go of easy when this returns.
 *
 * The functions that easy has for what comes (CURLOPT_WRITEFUNCTION and the like) are called by the driver's goroutine: one
 * that computes for long, or waits, holds up all transfers.
 *
 * Any goroutine of d's scope, or of one below it; any number at a time.
 */
CURLcode driver_perform(struct driver *d, CURL *easy, leat_any_ctx ctx);

#endif
