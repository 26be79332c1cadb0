/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/* Goal: where memory runs out in readers and writers all is given back, and what was buffered is still there. */
#include "test.h"

#include "oom.h"

#include <errno.h>

static int made(void *arg)
{
	leat_reader *r = leat_reader_of_conn(arg, NULL),
	            *m = r ? leat_reader_of_memory("", 0, NULL) : NULL;
	leat_writer *w = m ? leat_writer_of_memory(NULL) : NULL;

	leat_reader_free(r);
	leat_reader_free(m);
	leat_writer_free(w);
	return w ? 0 : -ENOMEM;
}

static ssize_t ones(void *self, void *to, size_t bytes, leat_ctx *ctx)
{
	(void)self;
	(void)ctx;
	memset(to, '1', bytes);
	return (ssize_t)bytes;
}

TEST(nothing_is_left)
{
	oom_skip();
	CHECK(oom_each(made, NULL) > 0);
}

TEST(a_buffer_that_cannot_grow_keeps_what_it_has)
{
	leat_reader *r = leat_reader_new(ones, NULL, &(leat_reader_opts){.buffer_bytes = 16});
	leat_writer *w = leat_writer_of_memory(&(leat_writer_opts){.buffer_bytes = 16});
	const void *at;
	size_t n;

	oom_skip();
	CHECK_EQ(leat_reader_peek(r, 16, &at), 0);
	CHECK_EQ(leat_writer_write_string(w, "0123456789"), 0);
	oom_begin(0);
	CHECK_EQ(leat_reader_peek(r, 17, &at), -ENOMEM);
	CHECK_EQ(leat_reader_buffered(r), 16);
	CHECK_EQ(leat_writer_write(w, "0123456789", 10, &n), -ENOMEM);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_writer_buffered(w), 10);
	oom_end();
	CHECK_EQ(leat_reader_peek(r, 17, &at), 0);
	leat_writer_clear(w);
	CHECK_EQ(leat_writer_printf(w, "%s", "0123456789"), 0);
	CHECK_EQ(leat_writer_buffered(w), 20);
	leat_reader_free(r);
	leat_writer_free(w);
}

TEST_MAIN
