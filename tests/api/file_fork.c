/* SPDX-License-Identifier: MIT */
/* CTEST: notsan env:ASAN_OPTIONS=intercept_tls_get_addr=0 env:LEAT_URING=2 */
/* Files in the child of a fork, which has a ring of its own, if any; and in the parent, while operations are under way. */
#define _GNU_SOURCE
#include "file_help.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { FINE = 42 };

static atomic_bool stop;

static void expect_fine(pid_t pid)
{
	int status;

	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), FINE);
}

__attribute__((noreturn)) static void end_child(void)
{
	fflush(NULL);
	_exit(FINE);
}

struct reader {
	leat_file *f;
};

static void reader(struct reader *r)
{
	char b[64];

	while (!atomic_load(&stop)) {
		CHECK_EQ(leat_file_pread(r->f, b, 10, 0), 10);
		CHECK(memcmp(b, "0123456789", 10) == 0);
	}
}

/* Both read at the position that they share, a byte at a time: each byte comes once. */
static void share(leat_file *f, leat_file *report)
{
	char c;

	while (leat_file_read(f, &c, 1) == 1)
		CHECK_EQ(leat_file_write(report, &c, 1, NULL), 0);
}

TEST(the_child_reads_and_writes_while_the_parent_does)
{
	leat_file *f = leat_file_create(file_path("a"), NULL);
	scope(s, NULL);

	CHECK(f);
	CHECK_EQ(leat_file_write(f, "0123456789", 10, NULL), 0);
	for (int i = 0; i < 4; i++)
		scope_go(s, reader, f);
	for (int i = 0; i < test_count(200); i++) {
		pid_t pid = fork();
		char b[16];

		if (pid == 0) {
			leat_file *own = leat_file_open(file_path("b"), O_RDWR | O_CREAT, 0600, NULL);

			CHECK_EQ(leat_file_pread(f, b, 16, 0), 10);
			CHECK_EQ(leat_file_pwrite(own, "xyz", 3, 0, NULL), 0);
			CHECK_EQ(leat_file_sync(own), 0);
			CHECK_EQ(leat_file_close(own), 0);
			CHECK_EQ(leat_file_close(f), 0);
			end_child();
		}
		expect_fine(pid);
	}
	atomic_store(&stop, true);
	scope_wait(s);
	leat_file_free(f);
}

TEST(a_position_that_is_shared_moves_for_both)
{
	leat_file *f = leat_file_create(file_path("c"), NULL), *r, *w;
	int seen[256] = {0};
	char b[256], c;
	pid_t pid;

	for (int i = 0; i < 256; i++)
		b[i] = (char)i;
	CHECK_EQ(leat_file_write(f, b, 256, NULL), 0);
	CHECK_EQ(leat_file_seek(f, 0, SEEK_SET), 0);
	CHECK(leat_file_pipe(&r, &w, NULL));
	pid = fork();
	if (pid == 0) {
		share(f, w);
		end_child();
	}
	share(f, w);
	expect_fine(pid);
	leat_file_free(w);
	while (leat_file_read(r, &c, 1) == 1)
		seen[(unsigned char)c]++;
	for (int i = 0; i < 256; i++)
		CHECK_EQ(seen[i], 1);
	leat_file_free(r);
	leat_file_free(f);
}

TEST_MAIN
