/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/* Goal: where memory runs out in files and folders, all that was taken is given back, descriptors too. */
#define _GNU_SOURCE
#include "descriptors.h"
#include "file_help.h"
#include "oom.h"

static int opened(void *arg)
{
	leat_file *f = leat_file_open(arg, O_RDONLY, 0, NULL);

	if (!f)
		return -ENOMEM;
	leat_file_free(f);
	return 0;
}

static int temp(void *arg)
{
	leat_file *f = leat_file_temp(arg, "t", NULL);

	if (!f)
		return -ENOMEM;
	remove(leat_file_name(f));
	leat_file_free(f);
	return 0;
}

static int pipes(void *arg)
{
	leat_file *r, *w;

	(void)arg;
	if (!leat_file_pipe(&r, &w, NULL))
		return -ENOMEM;
	leat_file_free(r);
	leat_file_free(w);
	return 0;
}

static int whole(void *arg)
{
	void *b = leat_read_file(arg, NULL, NULL);

	if (!b)
		return -ENOMEM;
	free(b);
	return 0;
}

static int leads(void *arg)
{
	char *to = leat_readlink(arg, NULL);

	if (!to)
		return -ENOMEM;
	free(to);
	return 0;
}

static int atomic(void *arg)
{
	return leat_write_file_atomic(arg, "abc", 3, 0600, NULL);
}

static int listed(void *arg)
{
	leat_dir_list *l = leat_read_dir(arg, NULL);

	if (!l)
		return -ENOMEM;
	free(l);
	return 0;
}

static int on(void *arg, const char *path, const leat_dir_entry *entry, const leat_error *error)
{
	(void)arg;
	(void)path;
	(void)entry;
	return error ? leat_error_code(error) : 0;
}

static int walked(void *arg)
{
	return leat_walk_dir(arg, on, NULL);
}

static int made_and_removed(void *arg)
{
	char below[200];
	int err;

	snprintf(below, sizeof below, "%s/x/y", (char *)arg);
	err = leat_mkdir_all(below, 0700, NULL);
	snprintf(below, sizeof below, "%s/x", (char *)arg);
	if (!err)
		err = leat_remove_all(below, NULL);
	return err;
}

TEST(nothing_is_left)
{
	char folder[128], file[128];
	int descriptors;

	oom_skip();
	snprintf(folder, sizeof folder, "%s", file_path("f"));
	snprintf(file, sizeof file, "%s", file_path("f/a"));
	CHECK_EQ(leat_mkdir_all(folder, 0700, NULL), 0);
	CHECK_EQ(leat_write_file(file, "hello", 5, 0600, NULL), 0);
	CHECK_EQ(pipes(NULL), 0); /* the poller is there, and the ring */
	CHECK_EQ(atomic(file), 0);
	descriptors = test_descriptors();
	CHECK(oom_each(opened, file) > 0);
	CHECK(oom_each(temp, folder) > 0);
	CHECK(oom_each(pipes, NULL) > 0);
	CHECK(oom_each(whole, file) > 0);
	CHECK(oom_each(leads, "/proc/self/exe") > 0);
	CHECK(oom_each(atomic, file) > 0);
	CHECK(oom_each(listed, folder) > 0);
	CHECK(oom_each(walked, folder) > 0);
	CHECK(oom_each(made_and_removed, folder) > 0);
	CHECK_EQ(test_descriptors(), descriptors);
	/* No file of a temporary name stayed. */
	{
		leat_dir_list *l = leat_read_dir(folder, NULL);

		CHECK(l);
		for (size_t i = 0; i < l->n; i++)
			CHECK(strcmp(l->entries[i].name, "a") == 0 || strcmp(l->entries[i].name, "x") == 0);
		free(l);
	}
}

TEST_MAIN
