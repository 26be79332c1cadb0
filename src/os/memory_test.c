/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: guards are made in each way there is, and the next one serves when a kernel refuses one: markers
 * in bulk, singly, protection as far as the kernel's mappings allow, none; each count told is true.
 * Pages that are given back read as zero, guards stay.
 * Method: the real code, included here with the system calls in between, which refuse as told.  What
 * is left over of one test (what was found not to work) is the next one's starting point, in the order
 * of the file.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static long syscall_or_not(long number, ...);
static int madvise_or_not(void *base, size_t bytes, int advice);
static int mprotect_or_not(void *base, size_t bytes, int access);
static ssize_t read_limit(int fd, char *text, size_t bytes);
#define syscall  syscall_or_not
#define madvise  madvise_or_not
#define mprotect mprotect_or_not
#define read     read_limit
#include "os/memory.c"
#undef syscall
#undef madvise
#undef mprotect
#undef read

#include "test.h"

#include <signal.h>
#include <sys/wait.h>

enum { PAGE = 4096, GUARDS = 100, LIMIT = 4160 };

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static bool no_bulk, no_markers;
static int no_pages; /* an error: what asking for pages gets */
static int mappings_left = 1000000;
static int bulk, single, protected;

static long syscall_or_not(long number, ...)
{
	va_list args;
	long a[6];

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_process_madvise) {
		if (no_bulk) {
			errno = EINVAL;
			return -1;
		}
		bulk++;
		if (no_pages && a[3] == MADV_POPULATE_WRITE) {
			errno = no_pages;
			return -1;
		}
	}
	return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int madvise_or_not(void *base, size_t bytes, int advice)
{
	if (advice == MADV_GUARD_INSTALL) {
		if (no_markers) {
			errno = EINVAL;
			return -1;
		}
		single++;
	}
	if (advice == MADV_POPULATE_WRITE) {
		single++;
		if (no_pages) {
			errno = no_pages;
			return -1;
		}
	}
	return madvise(base, bytes, advice);
}

static int mprotect_or_not(void *base, size_t bytes, int access)
{
	if (access == PROT_NONE) {
		if (mappings_left == 0) {
			errno = ENOMEM;
			return -1;
		}
		mappings_left--;
		protected++;
	}
	return mprotect(base, bytes, access);
}

/* What the kernel says its limit is. */
static ssize_t read_limit(int fd, char *text, size_t bytes)
{
	(void)fd;
	return snprintf(text, bytes, "%d\n", LIMIT);
}

static bool faults(char *at)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		*(volatile char *)at = 1;
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status);
}

static struct leat__range ranges[GUARDS];

/* Room with a page to guard at every second place. */
static char *make_room(void)
{
	char *room = (char *)leat__os_map((size_t)2 * GUARDS * PAGE);

	CHECK(room != NULL);
	for (size_t i = 0; i < GUARDS; i++)
		ranges[i] = (struct leat__range){room + 2 * i * PAGE, PAGE};
	bulk = single = protected = 0;
	return room;
}

/* Ask for all; exactly the first so many have become guards, and errno is as before. */
static void check_guards(size_t expected)
{
	errno = 77;
	CHECK_EQ(leat__os_guard(ranges, GUARDS), expected);
	CHECK_EQ(errno, 77);
	for (size_t i = 0; i < GUARDS; i++)
		if (i < 3 || i + 3 > GUARDS || (i + 2 > expected && i < expected + 2))
			CHECK_EQ(faults((char *)ranges[i].base + PAGE / 2), i < expected);
	CHECK(!faults((char *)ranges[0].base + PAGE));
}

static bool has_markers(void)
{
	char *page =
	    (char *)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has = madvise(page, PAGE, MADV_GUARD_INSTALL) == 0;

	munmap(page, PAGE);
	return has;
}

TEST(markers_in_bulk)
{
	if (!has_markers())
		return;
	make_room();
	check_guards(GUARDS);
	/* Linux 6.13 has markers, but only 6.14 a way to make many of one's own without a descriptor. */
	CHECK((bulk == 2 && single == 1) ||
	      single == 1 + GUARDS); /* one to see whether there are any */
	CHECK_EQ(protected, 0);
}

TEST(markers_one_by_one)
{
	no_bulk = true;
	if (!has_markers())
		return;
	make_room();
	check_guards(GUARDS);
	CHECK_EQ(single, GUARDS);
	CHECK_EQ(protected, 0);
}

TEST(pages_given_back_read_as_zero_and_guards_stay)
{
	for (int i = 0; i < 2; i++) {
		struct leat__range rest[GUARDS];
		char *room = make_room();

		/* In bulk, then singly. */
		no_bulk = i > 0;
		CHECK_EQ(leat__os_guard(ranges, GUARDS), GUARDS);
		for (size_t k = 0; k < GUARDS; k++) {
			rest[k] = (struct leat__range){(char *)ranges[k].base + PAGE, PAGE};
			memset(rest[k].base, 0x5a, PAGE);
		}
		/* All but the last. */
		leat__os_discard(rest, GUARDS - 1);
		for (size_t k = 0; k < GUARDS; k++)
			for (size_t b = 0; b < PAGE; b += 8)
				CHECK_EQ(((char *)rest[k].base)[b], k < GUARDS - 1 ? 0 : 0x5a);
		CHECK(faults(room));
		CHECK(faults(room + (size_t)2 * (GUARDS - 2) * PAGE));
	}
}

static bool has_populate(void)
{
	char *page =
	    (char *)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has = madvise(page, PAGE, MADV_POPULATE_WRITE) == 0;

	munmap(page, PAGE);
	return has;
}

/* Of the pages of a new room, every second of which is asked for, so many are there; what was there is as it was. */
static void check_pages(int expected)
{
	unsigned char there[2 * GUARDS];
	char *room = make_room();
	int n = 0;

	room[0] = 0x5a;
	errno = 77;
	leat__os_populate(ranges, GUARDS);
	CHECK_EQ(errno, 77);
	CHECK_EQ(mincore(room, (size_t)2 * GUARDS * PAGE, there), 0);
	for (int i = 0; i < 2 * GUARDS; i++) {
		CHECK(i % 2 == 0 || !(there[i] & 1));
		n += there[i] & 1;
	}
	CHECK_EQ(n, expected);
	CHECK_EQ(room[0], 0x5a);
	CHECK_EQ(room[2 * PAGE], 0);
}

TEST(pages_are_touched_in_bulk_or_singly)
{
	if (!has_populate())
		return;
	no_bulk = false;
	check_pages(GUARDS);
	CHECK(bulk > 0);
	no_bulk = true;
	check_pages(GUARDS);
}

TEST(pages_that_are_not_to_be_had_are_left_to_faults)
{
	/* Only this time. */
	no_pages = ENOMEM;
	check_pages(1);
	no_pages = 0;
	if (has_populate())
		check_pages(GUARDS);
	/* Who does not know the advice is not asked again. */
	no_pages = EINVAL;
	check_pages(1);
	CHECK_EQ(single, 1);
	no_pages = 0;
	check_pages(1);
	CHECK_EQ(single + bulk, 0);
}

/* In a child: what is found out and used up there is forgotten. */
static void fresh(void (*test)(void))
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		test();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

static void no_more_mappings(void)
{
	leat__os_guards = LEAT__OS_GUARDS_PROTECT;
	mappings_left = 10;
	make_room();
	check_guards(10);
	CHECK_EQ(protected, 10);
	mappings_left = 1000000;
	make_room();
	/* One was taken from what could be afforded for the refused one, too. */
	check_guards(LIMIT / 2 - 2000 - 11);
}

TEST(protection_until_the_kernel_refuses)
{
	fresh(no_more_mappings);
}

static void old_kernel(void)
{
	no_markers = no_bulk = true;
	make_room();
	check_guards(LIMIT / 2 - 2000);
	CHECK_EQ(protected, LIMIT / 2 - 2000);
}

TEST(protection_where_the_kernel_has_no_markers)
{
	fresh(old_kernel);
}

TEST(no_markers_when_told_to_do_without)
{
	leat__os_guards = LEAT__OS_GUARDS_NONE;
	make_room();
	check_guards(0);
	leat__os_guards = LEAT__OS_GUARDS_PROTECT;
	make_room();
	/* Half of what the kernel allows, and 2,000 are the program's. */
	check_guards(LIMIT / 2 - 2000);
	CHECK_EQ(single + bulk, 0);
	CHECK_EQ(protected, LIMIT / 2 - 2000);
	/* That was all, and stays so. */
	make_room();
	check_guards(0);
	check_guards(0);
	leat__os_guards = LEAT__OS_GUARDS_ALL;
	no_markers = no_bulk = true;
	check_guards(0);
}

TEST_MAIN
