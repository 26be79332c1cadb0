/* SPDX-License-Identifier: MIT */
/* CTEST: env:LEAT_URING=2 */
/*
 * Goal: a goroutine on the smallest stack can read and write files, whichever way that goes, and use readers and writers: each
 * call uses at most half of 2 KiB.  (Not so what the C library formats: errors, printf.)
 * Method: as in go_small.c, with the ring, which is asked for everything, and without.
 */
#define _GNU_SOURCE
#include "file_help.h"
#include "stack_use.h"

#include <fcntl.h>
#include <stdatomic.h>

enum {
	LIMIT = 1024,
	LIBRARY_LIMIT = 1280,
	TIMES = 50
}; /* the latter where the C library has a share */

static leat_file *disk, *in, *out;
static char text[] = "a line\n";
static char path[128], folder[128];
static atomic_int done;

static void do_disk(void)
{
	char b[8];

	for (int i = 0; i < TIMES; i++) {
		CHECK_EQ(leat_file_pwrite(disk, text, 7, 0, NULL), 0);
		CHECK_EQ(leat_file_pread(disk, b, 7, 0), 7);
		CHECK_EQ(leat_file_seek(disk, 0, SEEK_SET), 0);
		CHECK_EQ(leat_file_write(disk, text, 7, NULL), 0);
		CHECK_EQ(leat_file_read(disk, b, 7), 0);
	}
	CHECK_EQ(leat_file_sync(disk), 0);
}

static void do_stream(void)
{
	char b[8];

	for (int i = 0; i < TIMES; i++) {
		CHECK_EQ(leat_file_write(out, text, 7, NULL), 0);
		CHECK_EQ(leat_file_read(in, b, 7), 7);
		CHECK_EQ(leat_file_set_deadline(in, leat_now() + 50000), 0);
		CHECK(leat_file_read(in, b, 7) < 0);
		CHECK_EQ(leat_file_set_deadline(in, LEAT_FOREVER), 0);
	}
}

static void do_open(void)
{
	for (int i = 0; i < 5; i++) {
		leat_file *f = leat_file_open(path, O_RDONLY, 0, NULL);

		CHECK(f);
		leat_file_free(f);
	}
}

static void do_whole(void)
{
	for (int i = 0; i < 5; i++) {
		void *b = leat_read_file(path, NULL, NULL);

		CHECK(b);
		free(b);
		CHECK_EQ(leat_write_file(path, text, 7, 0600, NULL), 0);
	}
}

static int on(void *arg, const char *at, const leat_dir_entry *entry, const leat_error *error)
{
	(void)arg;
	(void)at;
	(void)entry;
	return error ? -1 : 0;
}

static void do_folders(void)
{
	leat_dir_list *l = leat_read_dir(folder, NULL);

	CHECK(l);
	free(l);
	CHECK_EQ(leat_walk_dir(folder, on, NULL), 0);
}

static void do_buffers(void)
{
	leat_reader *r = leat_reader_of_file(in, NULL);
	leat_writer *w = leat_writer_of_file(out, NULL);
	const void *record;
	const char *line;
	size_t bytes;

	CHECK(r && w);
	for (int i = 0; i < TIMES; i++) {
		CHECK_EQ(leat_writer_write_string(w, text), 0);
		CHECK_EQ(leat_writer_write_record(w, LEAT_RECORD_VARINT, text, 7), 0);
		CHECK_EQ(leat_writer_flush(w), 0);
		CHECK_EQ(leat_reader_read_line(r, &line, &bytes), 1);
		CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_VARINT, &record, &bytes), 1);
	}
	leat_reader_free(r);
	leat_writer_free(w);
}

static const struct {
	const char *name;
	void (*run)(void);
	size_t limit;
} ops[] = {
    {"read and write on a disk", do_disk, LIMIT}, {"read and write a pipe", do_stream, LIMIT},
    {"open and close", do_open, LIMIT},           {"whole files", do_whole, LIBRARY_LIMIT},
    {"folders", do_folders, LIBRARY_LIMIT},       {"readers and writers", do_buffers, LIMIT},
};

static void set_up(void)
{
	snprintf(folder, sizeof folder, "%s", file_path(""));
	snprintf(path, sizeof path, "%s", file_path("a"));
	disk = leat_file_create(file_path("disk"), NULL);
	CHECK(disk && leat_file_pipe(&in, &out, NULL));
	CHECK_EQ(leat_write_file(path, text, 7, 0600, NULL), 0);
	atomic_store(&done, 0);
}

static void clean_up(void)
{
	test_until(atomic_load(&done) == 1);
	leat_file_free(disk);
	leat_file_free(in);
	leat_file_free(out);
}

static void measure_all(void)
{
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		size_t bytes = use_of(ops[i].run);

		fprintf(stderr, "\t%zu bytes: %s\n", bytes, ops[i].name);
#ifndef TEST_SANITIZED
		CHECK(bytes <= ops[i].limit);
#endif
	}
	atomic_store(&done, 1);
}

TEST(line_11_no_call_uses_more_than_half_of_2_kib)
{
	leat_go_opts opts = {.stack_bytes = 128 << 10};

	set_up();
	leat_go_with(&opts, (void (*)(void *))(void (*)(void))measure_all, NULL, 0);
	clean_up();
}

static void make_all(void)
{
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		ops[i].run();
	atomic_store(&done, 1);
}

TEST(line_11_every_call_can_be_made_on_2_kib)
{
	leat_go_opts small = {.stack_bytes = 2048};

	set_up();
	leat_go_with(&small, (void (*)(void *))(void (*)(void))make_all, NULL, 0);
	clean_up();
}

TEST_MAIN
