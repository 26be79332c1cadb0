// SPDX-License-Identifier: MIT
// The functions from C++17: goroutines, a channel of known element size, a wait group.
#include <leat.h>

#include <cstdio>

struct squares {
	leat_chan *out;
	leat_waitgroup *done;
	int n;
};

static void squares(void *arg)
{
	auto *a = static_cast<struct squares *>(arg);

	for (int i = 0; i < a->n; i++) {
		int square = i * i;
		leat_chan_send(a->out, &square);
	}
	leat_chan_close(a->out);
	leat_waitgroup_done(a->done);
}

int main()
{
	leat_waitgroup done{};
	leat_chan *c = leat_chan_make(sizeof(int), 3);
	struct squares args {
		c, &done, 10
	};
	int sum = 0, v;

	leat_waitgroup_add(&done, 1);
	leat_go(squares, &args, sizeof args);
	while (leat_chan_recv(c, &v))
		sum += v;
	leat_waitgroup_wait(&done);
	leat_chan_free(c);
	std::printf("%d from leat %d.%d.%d\n", sum, LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
	            LEAT_VERSION_PATCH);
}
