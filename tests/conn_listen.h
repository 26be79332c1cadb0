/* SPDX-License-Identifier: MIT */
/* Pairs of connections made by a listener and who dials it. */
#ifndef CONN_LISTEN_H
#define CONN_LISTEN_H

#include "test.h"

struct listen_dialer {
	const char *network;
	leat_addr to;
	leat_conn **c;
	_Atomic int *done;
};

static void listen_dialer(struct listen_dialer *d)
{
	char text[LEAT_ADDR_TEXT];

	*d->c = leat_dial(d->network, leat_addr_text(&d->to, text), NULL, NULL);
	__atomic_store_n((int *)d->done, 1, __ATOMIC_RELEASE);
}

/* False: there is no such network here. */
static inline bool listen_pair(const char *network, const char *address, leat_conn **a,
                               leat_conn **b)
{
	leat_listener *l = leat_listen(network, address, NULL, NULL);
	_Atomic int done = 0;

	if (!l)
		return false;
	go(listen_dialer, .network = network, .to = leat_listener_addr(l), .c = a, .done = &done);
	*b = leat_accept(l, NULL, NULL);
	CHECK(*b);
	test_until(__atomic_load_n((int *)&done, __ATOMIC_ACQUIRE));
	CHECK(*a);
	leat_listener_free(l);
	test_goroutines(1);
	return true;
}

#endif
