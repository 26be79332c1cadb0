/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: LEAT_LAX leaves the compiler's own settings alone.
 * Method: this file compiles; tests/compile_fail/own_setting_without_lax.c does not.
 */
#define LEAT_LAX
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types"
#pragma GCC diagnostic ignored "-Wint-conversion"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif
#include "test.h"

struct job {
	int n;
};

struct same {
	int n;
};

TEST(lax_files_may_mix_pointers)
{
	chan(struct job *) jobs = chan_make(struct job *, 3);
	struct same s = {5};
	const struct job c = {6};
	struct job *got;

	chan_send(jobs, &s);
	chan_send(jobs, &c);
	chan_send(jobs, (intptr_t)&s);
	got = chan_recv(jobs);
	CHECK_EQ(got->n, 5);
	got = chan_recv(jobs);
	CHECK_EQ(got->n, 6);
	CHECK(chan_recv(jobs) == (struct job *)&s);
	chan_free(jobs);
}

TEST_MAIN
