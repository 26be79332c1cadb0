/* SPDX-License-Identifier: MIT */
/* What frames.sh runs: one way out of frames of C++ and C, and what it did to each. */
#include <leat.h>

#include <cstdio>
#include <cstring>

extern "C" {
extern int records, cleanups;
void c_defers(void (*fn)(void *), void *arg);
}

static int destructors;

struct object {
	~object()
	{
		destructors++;
	}
};

static void panics(void *)
{
	leat_panic("from C++");
}

static void leaves(void *)
{
	leat_goexit();
}

extern "C" __attribute__((noinline)) void thrower(void *)
{
	throw 42;
}

/* A frame of C++, then one of C, then fn's. */
static void through_both(void (*fn)(void *))
{
	object o;

	c_defers(fn, nullptr);
	asm volatile("" : : "r"(&o) : "memory");
}

static void panic(void *)
{
	through_both(panics);
}

static void throw_inside(void *)
{
	object o;

	try {
		leat_yield();
		thrower(nullptr);
	} catch (int n) {
		leat_yield();
		if (n != 42)
			leat_panic("%d", n);
	}
}

static void deferred_thrower(void *)
{
	through_both([](void *) { leat_panic("then an exception"); });
}

static int report()
{
	std::printf("records %d, cleanups %d, destructors %d\n", records, cleanups, destructors);
	return 0;
}

/* In a goroutine; main waits until it has ended. */
static void start(void (*fn)(void *))
{
	leat_go(fn, nullptr, 0);
	while (leat_num_goroutine() > 1)
		leat_yield();
}

/* After whatever passed, the next panic finds its way. */
static bool in_order()
{
	leat_panic_info info;

	return leat_catch(panics, nullptr, &info) && std::strcmp(info.message, "from C++") == 0 &&
	       !leat_catch([](void *) {}, nullptr, nullptr);
}

int main(int, char **argv)
{
	const char *way = argv[1];

	if (std::strcmp(way, "panic") == 0) {
		if (!leat_catch(panic, nullptr, nullptr))
			return 1;
	} else if (std::strcmp(way, "goexit") == 0) {
		start([](void *) { through_both(leaves); });
	} else if (std::strcmp(way, "throw") == 0) {
		try {
			through_both(thrower);
			return 1;
		} catch (int) {
		}
	} else if (std::strcmp(way, "inside") == 0) {
		start(throw_inside);
	} else if (std::strcmp(way, "uncaught") == 0) {
		start(thrower);
	} else if (std::strcmp(way, "past_catch") == 0) {
		try {
			leat_catch(thrower, nullptr, nullptr);
		} catch (int) {
		}
	} else if (std::strcmp(way, "past_panic") == 0) {
		leat__record r = {nullptr, thrower, nullptr};

		leat__record_push(&r);
		leat_catch(deferred_thrower, nullptr, nullptr);
		leat_panic("runs the thrower");
	}
	return in_order() ? report() : 1;
}
