/* SPDX-License-Identifier: MIT */
/*
 * A program without leat that loads two libraries with it, for tests/traps/libraries.sh:
 *
 *	host one A.so           from main
 *	host thread A.so        all of it from a thread
 *	host both A.so B.so     two at once, and each from goroutines of the other
 *	host close A.so         and closes it while its threads are there
 *	host overflow A.so B.so a goroutine of A's overflows its stack
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct part {
	long (*squares)(long n);
	long (*calls)(long (*fn)(long n), long n);
	unsigned long (*goid)(void);
	void (*overflows)(void);
};

static void *library;

static void *find(void *from, const char *prefix, const char *name)
{
	char text[64];
	void *p;

	snprintf(text, sizeof text, "%s_%s", prefix, name);
	p = dlsym(from, text);
	if (!p) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return p;
}

static struct part load(const char *path, const char *prefix)
{
	struct part p;

	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	*(void **)&p.squares = find(library, prefix, "squares");
	*(void **)&p.calls = find(library, prefix, "calls");
	*(void **)&p.goid = find(library, prefix, "goid");
	*(void **)&p.overflows = find(library, prefix, "overflows");
	return p;
}

static void want(long got, long wanted, const char *what)
{
	if (got == wanted)
		return;
	fprintf(stderr, "%s: %ld, not %ld\n", what, got, wanted);
	exit(1);
}

static void use(struct part p)
{
	for (int i = 0; i < 20; i++)
		want(p.squares(100), 338350, "squares");
	want(p.calls(p.squares, 10), 4 * 385, "goroutines of its own");
}

static void *in_thread(void *path)
{
	struct part p = load(path, "a");

	use(p);
	want((long)p.goid(), 0, "the id of a plain thread");
	return NULL;
}

static void *use_in_thread(void *p)
{
	use(*(struct part *)p);
	return NULL;
}

static void use_both(struct part a, struct part b)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, use_in_thread, i % 2 ? &a : &b) != 0)
			exit(1);
	use(a);
	use(b);
	for (int i = 0; i < 20; i++) {
		want(a.calls(b.squares, 10), 4 * 385, "b from a's goroutines");
		want(b.calls(a.squares, 10), 4 * 385, "a from b's goroutines");
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	use(a);
	use(b);
	/* One runtime: main is goroutine 1 of it.  Two: of one at most. */
	printf("%lu %lu\n", a.goid(), b.goid());
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";
	pthread_t thread;

	if (strcmp(how, "one") == 0) {
		use(load(argv[2], "a"));
	} else if (strcmp(how, "thread") == 0) {
		if (pthread_create(&thread, NULL, in_thread, argv[2]) != 0)
			return 1;
		pthread_join(thread, NULL);
	} else if (strcmp(how, "both") == 0) {
		struct part a = load(argv[2], "a");

		use_both(a, load(argv[3], "b"));
	} else if (strcmp(how, "close") == 0) {
		for (int i = 0; i < 3; i++) {
			use(load(argv[2], "a"));
			dlclose(library);
		}
		usleep(20000);
	} else if (strcmp(how, "overflow") == 0) {
		struct part a = load(argv[2], "a");

		use(a);
		use(load(argv[3], "b"));
		a.overflows();
	} else {
		return 2;
	}
	puts("fine");
	return 0;
}
