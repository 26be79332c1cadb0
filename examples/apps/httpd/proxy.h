/* SPDX-License-Identifier: MIT */
#ifndef HTTPD_PROXY_H
#define HTTPD_PROXY_H

#include "server.h"
#include "upstream.h"

/* Pass the request on to u, and its answer back: 0 when there was one, or the status that is to be the answer. */
int proxy_serve(struct session *s, struct upstream *u);

#endif
