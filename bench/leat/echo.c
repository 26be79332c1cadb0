/* SPDX-License-Identifier: MIT */
/* echo: see ../echo.h; a goroutine per connection. */
#include "../echo.h"

#include <leat.h>

struct serve {
	leat_conn *c;
};

static void serve(struct serve *a)
{
	char buffer[4096];
	ssize_t n;

	while ((n = leat_conn_read(a->c, buffer, sizeof buffer)) > 0)
		if (leat_conn_write(a->c, buffer, (size_t)n, NULL) != 0)
			break;
	leat_conn_free(a->c);
}

struct listen {
	leat_listener *l;
};

static void listen_on(struct listen *a)
{
	leat_conn *c;

	while ((c = leat_accept(a->l, NULL, NULL)))
		go(serve, .c = c);
}

int main(void)
{
	struct echo_load load = echo_load();
	leat_addr a;
	leat_listener *l;

	leat_procs(bench_procs());
	l = leat_listen("tcp", "127.0.0.1:0", NULL, NULL);
	a = leat_listener_addr(l);
	go_as(listen, listen_on, .l = l);
	{
		leat_blocking();
		echo_measure(&load, leat_addr_port(&a));
	}
	echo_end(&load);
	leat_listener_close(l);
	return 0;
}
