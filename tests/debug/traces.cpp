/* SPDX-License-Identifier: MIT */
/* As traces.c in C++: members, templates, destructors and handlers of exceptions on the stack. */
#include <leat.h>

#include <cstdio>
#include <cstring>
#include <string>

#define NOINLINE __attribute__((noinline))
#define AFTER()  __asm__ volatile("" : : : "memory") /* something is left to be done */
#define START(fn)                                                                                  \
	do {                                                                                           \
		leat_go_opts opts = {#fn, 0, nullptr};                                                     \
		leat_go_with(&opts, fn, nullptr, 0);                                                       \
	} while (0)

static const char *mode;

namespace shop
{

struct noisy {
	std::string text;

	~noisy()
	{
		AFTER();
		puts(text.c_str());
	}
};

template <typename T> struct till {
	leat_chan *c;

	NOINLINE T receiver_inner(int more)
	{
		noisy local{"never"};
		T got = 0;

		leat_chan_recv(c, &got); /* @receiver_inner */
		AFTER();
		return got + more;
	}

	NOINLINE void receiver_middle()
	{
		receiver_inner(7); /* @receiver_middle */
		AFTER();
	}
};

[[noreturn]] NOINLINE static void crasher_inner()
{
	noisy local{"never"};

	leat_panic("on purpose"); /* @crasher_inner */
}

NOINLINE static void crasher_middle()
{
	try {
		crasher_inner(); /* @crasher_middle */
	} catch (const std::string &) {
		AFTER();
	}
}

} // namespace shop

static void receiver(void *)
{
	shop::till<long> it{leat_chan_make(sizeof(long), 0)};

	it.receiver_middle(); /* @receiver */
	AFTER();
}

static void crasher(void *)
{
	while (leat_num_parked() < 2)
		leat_yield();
	shop::crasher_middle(); /* @crasher */
	AFTER();
}

NOINLINE static void start()
{
	START(receiver); /* @created.receiver */
	AFTER();
}

NOINLINE static void main_inner()
{
	leat_chan *c = leat_chan_make(1, 0);
	char got;

	if (strcmp(mode, "dump") == 0)
		leat_dump(stdout); /* @main_inner.dump */
	else
		leat_chan_recv(c, &got); /* @main_inner */
	AFTER();
}

NOINLINE static void main_middle()
{
	main_inner(); /* @main_middle */
	AFTER();
}

int main(int argc, char **argv)
{
	mode = argc > 1 ? argv[1] : "dump";
	start();
	while (leat_num_parked() < 1)
		leat_yield();
	if (strcmp(mode, "dump") != 0)
		START(crasher); /* @created.crasher */
	main_middle();      /* @main */
	return 0;
}
