/* SPDX-License-Identifier: MIT */
/* http: see ../http.h; a goroutine per connection. */
#define _GNU_SOURCE
#include "../http.h"

#include <leat.h>

struct serve {
	leat_conn *c;
};

static void serve(struct serve *a)
{
	struct http_session s = {0};
	ssize_t n;

	while ((n = leat_conn_read(a->c, s.in + s.n, sizeof s.in - s.n)) > 0) {
		int bytes = http_come(&s, (size_t)n);

		if (bytes < 0 || leat_conn_write(a->c, s.out, (size_t)bytes, NULL) != 0)
			break;
	}
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
	leat_addr a;
	leat_listener *l;

	leat_procs(bench_procs());
	l = leat_listen("tcp", "127.0.0.1:0", NULL, NULL);
	a = leat_listener_addr(l);
	go_as(listen, listen_on, .l = l);
	{
		leat_blocking();
		http_measure(leat_addr_port(&a));
	}
	leat_listener_close(l);
	return 0;
}
