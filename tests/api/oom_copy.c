/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/* Goal: where the kernel copies no memory is needed; else nothing is taken and lost for want of it. */
#include "oom.h"

static char bytes[100000];

static leat_file *file_of(const void *from, size_t n)
{
	leat_file *f = leat_file_temp(NULL, "leat-copy-*", NULL);

	CHECK(f);
	CHECK_EQ(leat_remove(leat_file_name(f), NULL), 0);
	CHECK_EQ(leat_file_write(f, from, n, NULL), 0);
	CHECK_EQ(leat_file_seek(f, 0, SEEK_SET), 0);
	return f;
}

TEST(the_kernel_needs_none)
{
	leat_file *in = file_of(bytes, sizeof bytes), *out = file_of("", 0);
	leat_conn *a, *b;
	leat_copied c;

	oom_skip();
	CHECK(leat_conn_socketpair(&a, &b, NULL));
	oom_begin(0);
	CHECK_EQ(leat_copy(out, in, NULL, &c), 0);
	CHECK_EQ(c.bytes, (int64_t)sizeof bytes);
	CHECK_EQ(leat_file_seek(in, 0, SEEK_SET), 0);
	CHECK_EQ(leat_copy_n(a, in, 1000, NULL, &c), 0);
	CHECK_EQ(c.bytes, 1000);
	CHECK(!oom_hit);
	oom_end();
	leat_file_free(in);
	leat_file_free(out);
	leat_conn_free(a);
	leat_conn_free(b);
}

static int copies(void *arg)
{
	leat_conn **pairs = arg;
	leat_copied c = {7, true};
	int err = leat_copy_n(pairs[1], pairs[2], 3, NULL, &c);

	CHECK_EQ(c.bytes, err ? 0 : 3);
	CHECK(!c.reading);
	return err;
}

TEST(nothing_is_left)
{
	leat_conn *pairs[4];
	char text[3];

	oom_skip();
	CHECK(leat_conn_socketpair(&pairs[0], &pairs[1], NULL));
	CHECK(leat_conn_socketpair(&pairs[2], &pairs[3], NULL));
	CHECK_EQ(leat_conn_write(pairs[3], "abc", 3, NULL), 0);
	CHECK_EQ(oom_each(copies, pairs), 1);
	CHECK_EQ(leat_conn_read_full(pairs[0], text, 3, NULL, NULL), 0);
	CHECK(memcmp(text, "abc", 3) == 0);
	for (int i = 0; i < 4; i++)
		leat_conn_free(pairs[i]);
}

TEST_MAIN
