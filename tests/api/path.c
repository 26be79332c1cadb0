/* SPDX-License-Identifier: MIT */
/* Files and folders by their names. */
#define _GNU_SOURCE
#include "file_help.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

static void put(const char *name, const char *text)
{
	CHECK_EQ(leat_write_file(file_path(name), text, strlen(text), 0644, NULL), 0);
}

static bool holds(const char *name, const char *text)
{
	size_t bytes;
	char *b = leat_read_file(file_path(name), &bytes, NULL);
	bool same = b && bytes == strlen(text) && strcmp(b, text) == 0;

	free(b);
	return same;
}

static bool there(const char *name)
{
	return leat_lstat(file_path(name), &(struct stat){0}, NULL) == 0;
}

/* How many names are in the folder of the test. */
static size_t count(void)
{
	leat_dir_list *l = leat_read_dir(file_path(""), NULL);
	size_t n;

	CHECK(l);
	n = l->n;
	free(l);
	return n;
}

TEST(whole_files)
{
	const leat_error *e = NULL;
	size_t bytes = 7;
	char *b;

	put("a", "hello");
	CHECK(holds("a", "hello"));
	put("a", "ho");
	CHECK(holds("a", "ho"));
	put("a", "");
	b = leat_read_file(file_path("a"), &bytes, NULL);
	CHECK(b);
	CHECK_EQ(bytes, 0);
	free(b);
	CHECK(!leat_read_file(file_path("none"), NULL, &e));
	CHECK(file_says(e, "open", "none", "no such file or directory"));
	CHECK(!leat_read_file(file_path("."), NULL, &e));
	CHECK(file_says(e, "read", ".", "is a directory"));
	CHECK_EQ(leat_write_file(file_path("none/x"), "a", 1, 0600, &e), -ENOENT);
	CHECK(file_says(e, "open", "none/x", "no such file or directory"));
	CHECK_EQ(leat_write_file("/dev/full", "a", 1, 0600, &e), -ENOSPC);
	CHECK_STR(leat_error_message(e), "write /dev/full: no space left on device");
	leat_error_free(e);
}

TEST(of_all_sizes_around_those_of_buffers)
{
	static const size_t sizes[] = {1, 511, 512, 513, 4095, 4096, 4097, 65536, 1000003};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *b = malloc(sizes[i]), *c;
		size_t bytes = 0;

		for (size_t k = 0; k < sizes[i]; k++)
			b[k] = (char)(k * 31 + k / 256);
		CHECK_EQ(leat_write_file(file_path("b"), b, sizes[i], 0600, NULL), 0);
		c = leat_read_file(file_path("b"), &bytes, NULL);
		CHECK(c);
		CHECK_EQ(bytes, sizes[i]);
		CHECK(memcmp(b, c, bytes) == 0);
		CHECK_EQ(c[bytes], 0);
		free(b);
		free(c);
	}
}

TEST(files_that_do_not_say_how_large_they_are)
{
	size_t bytes;
	char *b = leat_read_file("/proc/self/maps", &bytes, NULL);

	CHECK(b);
	CHECK(bytes > 1000);
	CHECK(strstr(b, "[stack]"));
	free(b);
}

struct feed {
	const char *path;
};

static void feed(struct feed *f)
{
	char *b = malloc(200000);

	memset(b, 'x', 200000);
	CHECK_EQ(leat_write_file(f->path, b, 200000, 0600, NULL), 0);
	free(b);
}

TEST(a_fifo_is_read_to_its_end)
{
	const char *path = file_path("fifo");
	size_t bytes = 0;
	char *b;
	scope(s, NULL);

	CHECK_EQ(mkfifo(path, 0600), 0);
	scope_go(s, feed, path);
	b = leat_read_file(path, &bytes, NULL);
	CHECK(b);
	CHECK_EQ(bytes, 200000);
	free(b);
	scope_wait(s);
}

TEST(atomically_the_new_one_or_the_old_one)
{
	struct rlimit old, limit;
	const leat_error *e = NULL;
	size_t names;
	struct stat s;
	char *b = calloc(1, 100000);

	umask(022);
	CHECK_EQ(leat_write_file_atomic(file_path("c"), "one", 3, 0666, NULL), 0);
	CHECK_EQ(leat_stat(file_path("c"), &s, NULL), 0);
	CHECK_EQ(s.st_mode & 07777, 0644);
	CHECK(holds("c", "one"));
	CHECK_EQ(chmod(file_path("c"), 0640), 0);
	CHECK_EQ(leat_write_file_atomic(file_path("c"), "two", 3, 0666, NULL), 0);
	CHECK(holds("c", "two"));
	CHECK_EQ(leat_stat(file_path("c"), &s, NULL), 0);
	CHECK_EQ(s.st_mode & 07777, 0640);
	/* No room: the old one stays, and nothing beside it. */
	names = count();
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){50000, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_EQ(leat_write_file_atomic(file_path("c"), b, 100000, 0666, &e), -EFBIG);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
	CHECK(strstr(leat_error_message(e), "file too large"));
	leat_error_free(e);
	CHECK(holds("c", "two"));
	CHECK_EQ(count(), names);
	CHECK_EQ(leat_write_file_atomic(file_path("none/c"), "x", 1, 0666, NULL), -ENOENT);
	/* A folder cannot be replaced. */
	CHECK_EQ(leat_mkdir(file_path("cd"), 0700, NULL), 0);
	CHECK_EQ(leat_write_file_atomic(file_path("cd"), "x", 1, 0666, &e), -EISDIR);
	CHECK(strncmp(leat_error_message(e), "rename ", 7) == 0);
	leat_error_free(e);
	CHECK_EQ(count(), names + 1);
	free(b);
}

/* As long a name as a file may have, made of letters of two bytes. */
TEST(atomically_under_a_long_name)
{
	size_t names = count();
	char name[256] = "";

	for (size_t bytes = 240; bytes < 256; bytes++) {
		for (size_t i = 0; i < bytes; i++)
			name[i] = i % 2 ? '\xa4' : '\xc3';
		name[bytes] = '\0';
		CHECK_EQ(leat_write_file_atomic(file_path(name), "one", 3, 0666, NULL), 0);
		CHECK_EQ(leat_write_file_atomic(file_path(name), "two", 3, 0666, NULL), 0);
		CHECK(holds(name, "two"));
		CHECK_EQ(count(), names + 1);
		CHECK_EQ(leat_remove(file_path(name), NULL), 0);
	}
	CHECK_EQ(count(), names);
}

TEST(rename_mkdir_remove_and_stat)
{
	const leat_error *e;
	struct stat s;
	char wanted[300];

	put("d", "d");
	CHECK_EQ(leat_rename(file_path("d"), file_path("e"), NULL), 0);
	CHECK(!there("d") && holds("e", "d"));
	CHECK_EQ(leat_rename(file_path("d"), file_path("f"), &e), -ENOENT);
	snprintf(wanted, sizeof wanted, "rename %s %s: no such file or directory", file_path("d"),
	         file_path("f"));
	CHECK_STR(leat_error_message(e), wanted);
	leat_error_free(e);
	CHECK_EQ(leat_mkdir(file_path("dir"), 0700, NULL), 0);
	CHECK_EQ(leat_mkdir(file_path("dir"), 0700, &e), -EEXIST);
	CHECK(file_says(e, "mkdir", "dir", "file exists"));
	put("dir/x", "x");
	CHECK_EQ(leat_remove(file_path("dir"), &e), -ENOTEMPTY);
	CHECK(file_says(e, "remove", "dir", "directory not empty"));
	CHECK_EQ(leat_remove(file_path("dir/x"), NULL), 0);
	CHECK_EQ(leat_remove(file_path("dir"), NULL), 0);
	CHECK_EQ(leat_remove(file_path("dir"), &e), -ENOENT);
	CHECK(file_says(e, "remove", "dir", "no such file or directory"));
	CHECK_EQ(leat_stat(file_path("dir"), &s, &e), -ENOENT);
	CHECK(file_says(e, "stat", "dir", "no such file or directory"));
	CHECK_EQ(symlink("nowhere", file_path("link")), 0);
	CHECK_EQ(leat_stat(file_path("link"), &s, NULL), -ENOENT);
	CHECK_EQ(leat_lstat(file_path("link"), &s, NULL), 0);
	CHECK(S_ISLNK(s.st_mode));
	CHECK_EQ(leat_remove(file_path("link"), NULL), 0);
}

TEST(links)
{
	char target[1000], wanted[1200], *leads;
	const leat_error *e;
	struct stat s;

	put("one", "1");
	CHECK_EQ(leat_link(file_path("one"), file_path("two"), NULL), 0);
	CHECK_EQ(leat_stat(file_path("two"), &s, NULL), 0);
	CHECK_EQ(s.st_nlink, 2);
	CHECK_EQ(leat_link(file_path("one"), file_path("two"), &e), -EEXIST);
	snprintf(wanted, sizeof wanted, "link %s %s: file exists", file_path("one"), file_path("two"));
	CHECK_STR(leat_error_message(e), wanted);
	CHECK_EQ(leat_error_code(e), -EEXIST);
	leat_error_free(e);
	/* As it stands, however long it is. */
	for (size_t n = 1; n < sizeof target; n += n < 120 || n > 140 ? 37 : 1) {
		memset(target, 'x', n);
		target[n] = '\0';
		CHECK_EQ(leat_symlink(target, file_path("link"), NULL), 0);
		leads = leat_readlink(file_path("link"), NULL);
		CHECK(leads);
		CHECK_STR(leads, target);
		free(leads);
		CHECK_EQ(leat_remove(file_path("link"), NULL), 0);
	}
	CHECK_EQ(leat_symlink("one", file_path("link"), NULL), 0);
	CHECK(holds("link", "1"));
	CHECK_EQ(leat_symlink("two", file_path("link"), &e), -EEXIST);
	snprintf(wanted, sizeof wanted, "symlink two %s: file exists", file_path("link"));
	CHECK_STR(leat_error_message(e), wanted);
	leat_error_free(e);
	CHECK(!leat_readlink(file_path("one"), &e));
	CHECK(file_says(e, "readlink", "one", "invalid argument"));
	CHECK_EQ(leat_remove(file_path("link"), NULL), 0);
	CHECK_EQ(leat_remove(file_path("one"), NULL), 0);
	CHECK_EQ(leat_remove(file_path("two"), NULL), 0);
}

TEST(permissions_times_and_size)
{
	const struct timespec early = {1000, 500}, late = {2000, 0};
	const leat_error *e;
	leat_file *f;
	struct stat s;

	put("f", "abc");
	CHECK_EQ(leat_chmod(file_path("f"), 0751, NULL), 0);
	CHECK_EQ(leat_stat(file_path("f"), &s, NULL), 0);
	CHECK_EQ(s.st_mode & 07777, 0751);
	f = leat_file_open(file_path("f"), O_RDONLY, 0, NULL);
	CHECK(f);
	CHECK_EQ(leat_file_chmod(f, 0640), 0);
	CHECK_EQ(leat_file_stat(f, &s), 0);
	CHECK_EQ(s.st_mode & 07777, 0640);
	CHECK_EQ(leat_file_close(f), 0);
	CHECK_EQ(leat_file_chmod(f, 0640), -EBADF);
	leat_file_free(f);
	CHECK_EQ(leat_chtimes(file_path("f"), &early, &late, NULL), 0);
	CHECK_EQ(leat_stat(file_path("f"), &s, NULL), 0);
	CHECK(s.st_atim.tv_sec == 1000 && s.st_mtim.tv_sec == 2000);
	CHECK_EQ(leat_chtimes(file_path("f"), NULL, &early, NULL), 0);
	CHECK_EQ(leat_stat(file_path("f"), &s, NULL), 0);
	CHECK(s.st_atim.tv_sec == 1000 && s.st_mtim.tv_sec == 1000);
	CHECK_EQ(leat_chtimes(file_path("f"), &late, NULL, NULL), 0);
	CHECK_EQ(leat_stat(file_path("f"), &s, NULL), 0);
	CHECK(s.st_atim.tv_sec == 2000 && s.st_mtim.tv_sec == 1000);
	CHECK_EQ(leat_truncate(file_path("f"), 2, NULL), 0);
	CHECK(holds("f", "ab"));
	CHECK_EQ(leat_truncate(file_path("f"), 5, NULL), 0);
	CHECK_EQ(leat_stat(file_path("f"), &s, NULL), 0);
	CHECK_EQ(s.st_size, 5);
	CHECK_EQ(leat_truncate(file_path("f"), -1, &e), -EINVAL);
	CHECK(file_says(e, "truncate", "f", "invalid argument"));
	CHECK_EQ(leat_remove(file_path("f"), NULL), 0);
	CHECK_EQ(leat_chmod(file_path("f"), 0600, &e), -ENOENT);
	CHECK(file_says(e, "chmod", "f", "no such file or directory"));
	CHECK_EQ(leat_chtimes(file_path("f"), &late, NULL, &e), -ENOENT);
	CHECK(file_says(e, "chtimes", "f", "no such file or directory"));
}

TEST(mkdir_all_of_no_name_is_an_error)
{
	const leat_error *e = NULL;

	CHECK_EQ(leat_mkdir_all("", 0700, &e), -ENOENT);
	CHECK_STR(leat_error_message(e), "mkdir : no such file or directory");
	CHECK_EQ(leat_error_code(e), -ENOENT);
	leat_error_free(e);
}

TEST(mkdir_all_makes_what_is_missing)
{
	const leat_error *e;
	char *t;

	CHECK_EQ(leat_mkdir_all(file_path("p/q/r"), 0700, NULL), 0);
	CHECK_EQ(leat_mkdir_all(file_path("p/q/r"), 0700, NULL), 0);
	CHECK_EQ(leat_mkdir_all(file_path("p//q/s/"), 0700, NULL), 0);
	CHECK(there("p/q/r") && there("p/q/s"));
	put("p/file", "x");
	CHECK_EQ(leat_mkdir_all(file_path("p/file/x/y"), 0700, &e), -ENOTDIR);
	CHECK(file_says(e, "mkdir", "p/file", "not a directory"));
	t = leat_mkdir_temp(file_path("p"), "t-*-x", NULL);
	CHECK(t);
	CHECK_EQ(leat_remove(t, NULL), 0);
	free(t);
	CHECK(!leat_mkdir_temp(file_path("none"), "x", &e));
	CHECK_EQ(leat_error_code(e), -ENOENT);
	leat_error_free(e);
}

TEST(read_dir_is_in_order)
{
	const leat_error *e;
	leat_dir_list *l;
	char name[32];

	CHECK_EQ(leat_mkdir(file_path("many"), 0700, NULL), 0);
	l = leat_read_dir(file_path("many"), NULL);
	CHECK(l);
	CHECK_EQ(l->n, 0);
	free(l);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "many/%d", i * 7919 % 1000);
		put(name, "");
	}
	CHECK_EQ(leat_mkdir(file_path("many/A"), 0700, NULL), 0);
	CHECK_EQ(symlink("A", file_path("many/L")), 0);
	l = leat_read_dir(file_path("many"), NULL);
	CHECK(l);
	CHECK_EQ(l->n, 302);
	for (size_t i = 1; i < l->n; i++)
		CHECK(strcmp(l->entries[i - 1].name, l->entries[i].name) < 0);
	CHECK_STR(l->entries[300].name, "A");
	CHECK(S_ISDIR(l->entries[300].type));
	CHECK(S_ISLNK(l->entries[301].type));
	CHECK(S_ISREG(l->entries[0].type));
	free(l);
	CHECK(!leat_read_dir(file_path("none"), &e));
	CHECK(file_says(e, "open", "none", "no such file or directory"));
	CHECK(!leat_read_dir(file_path("many/1"), NULL));
	CHECK_EQ(leat_remove_all(file_path("many"), NULL), 0);
	CHECK(!there("many"));
}

TEST(remove_all_removes_links_not_where_they_lead)
{
	const leat_error *e;

	CHECK_EQ(leat_mkdir_all(file_path("x/y/z"), 0700, NULL), 0);
	CHECK_EQ(leat_mkdir(file_path("kept"), 0700, NULL), 0);
	put("kept/k", "k");
	put("x/f", "f");
	put("x/y/f", "f");
	CHECK_EQ(symlink(file_path("kept"), file_path("x/y/link")), 0);
	CHECK_EQ(leat_remove_all(file_path("x/"), NULL), 0);
	CHECK(!there("x") && holds("kept/k", "k"));
	CHECK_EQ(leat_remove_all(file_path("x"), NULL), 0);
	CHECK_EQ(leat_remove_all(file_path("kept/k"), NULL), 0);
	CHECK_EQ(leat_remove_all(file_path("kept/."), &e), -EINVAL);
	CHECK(file_says(e, "RemoveAll", "kept/.", "invalid argument"));
	CHECK_EQ(leat_remove_all("", NULL), 0);
	CHECK(there("kept"));
}

TEST(remove_all_goes_deep)
{
	char path[2000];
	int n = snprintf(path, sizeof path, "%s", file_path("deep"));

	for (int i = 0; i < 200; i++)
		n += snprintf(path + n, sizeof path - (size_t)n, "/d");
	CHECK_EQ(leat_mkdir_all(path, 0700, NULL), 0);
	CHECK_EQ(leat_remove_all(file_path("deep"), NULL), 0);
	CHECK(!there("deep"));
}

TEST(what_cannot_be_removed_is_told)
{
	const leat_error *e = NULL;

	if (geteuid() == 0)
		return; /* who may do anything */
	CHECK_EQ(leat_mkdir_all(file_path("ro/sub"), 0700, NULL), 0);
	put("ro/sub/f", "f");
	put("ro/z", "z");
	CHECK_EQ(chmod(file_path("ro/sub"), 0500), 0);
	CHECK_EQ(leat_remove_all(file_path("ro"), &e), -EACCES);
	CHECK(file_says(e, "unlinkat", "ro/sub/f", "permission denied"));
	CHECK(!there("ro/z"));
	CHECK_EQ(chmod(file_path("ro/sub"), 0700), 0);
	CHECK_EQ(leat_remove_all(file_path("ro"), NULL), 0);
}

/* --- walks */

struct trace {
	char text[1000];
	const char *skip, *all, *stop; /* the names at which fn returns that */
	int errors;
};

static int note(void *arg, const char *path, const leat_dir_entry *entry, const leat_error *error)
{
	struct trace *t = arg;
	size_t n = strlen(t->text), folder = strlen(file_folder);

	if (error) {
		t->errors++;
		return entry ? LEAT_WALK_ON : leat_error_code(error);
	}
	CHECK(strncmp(path, file_folder, folder) == 0);
	snprintf(t->text + n, sizeof t->text - n, "%s%s ", path + folder,
	         S_ISDIR(entry->type)   ? "/"
	         : S_ISLNK(entry->type) ? "@"
	                                : "");
	if (t->skip && strcmp(entry->name, t->skip) == 0)
		return LEAT_WALK_SKIP_DIR;
	if (t->all && strcmp(entry->name, t->all) == 0)
		return LEAT_WALK_SKIP_ALL;
	return t->stop && strcmp(entry->name, t->stop) == 0 ? -EIO : 0;
}

static int walk(struct trace *t, const char *root)
{
	t->text[0] = '\0';
	t->errors = 0;
	return leat_walk_dir(root, note, t);
}

TEST(a_walk_is_in_order_and_can_skip)
{
	struct trace t = {0};

	CHECK_EQ(leat_mkdir_all(file_path("w/b/c"), 0700, NULL), 0);
	CHECK_EQ(leat_mkdir_all(file_path("w/d"), 0700, NULL), 0);
	put("w/a", "");
	put("w/b/1", "");
	put("w/b/c/2", "");
	put("w/b/e", "");
	put("w/d/3", "");
	CHECK_EQ(symlink("b", file_path("w/link")), 0);
	CHECK_EQ(walk(&t, file_path("w")), 0);
	CHECK_STR(t.text, "/w/ /w/a /w/b/ /w/b/1 /w/b/c/ /w/b/c/2 /w/b/e /w/d/ /w/d/3 /w/link@ ");
	t.skip = "b";
	CHECK_EQ(walk(&t, file_path("w")), 0);
	CHECK_STR(t.text, "/w/ /w/a /w/b/ /w/d/ /w/d/3 /w/link@ ");
	t.skip = "1"; /* a file: the rest of its folder */
	CHECK_EQ(walk(&t, file_path("w")), 0);
	CHECK_STR(t.text, "/w/ /w/a /w/b/ /w/b/1 /w/d/ /w/d/3 /w/link@ ");
	t.skip = "w";
	CHECK_EQ(walk(&t, file_path("w")), 0);
	CHECK_STR(t.text, "/w/ ");
	t.skip = NULL;
	t.all = "2";
	CHECK_EQ(walk(&t, file_path("w")), 0);
	CHECK_STR(t.text, "/w/ /w/a /w/b/ /w/b/1 /w/b/c/ /w/b/c/2 ");
	t.all = NULL;
	t.stop = "c";
	CHECK_EQ(walk(&t, file_path("w")), -EIO);
	CHECK_STR(t.text, "/w/ /w/a /w/b/ /w/b/1 /w/b/c/ ");
	t.stop = NULL;
	CHECK_EQ(walk(&t, file_path("w/a")), 0);
	CHECK_STR(t.text, "/w/a ");
	CHECK_EQ(walk(&t, file_path("w/link")), 0);
	CHECK_STR(t.text, "/w/link@ ");
	CHECK_EQ(walk(&t, file_path("none")), -ENOENT);
	CHECK_EQ(t.errors, 1);
}

static int remove_folders(void *arg, const char *path, const leat_dir_entry *entry,
                          const leat_error *error)
{
	int *errors = arg;

	if (error) {
		CHECK(entry);
		CHECK_EQ(leat_error_code(error), -ENOENT);
		++*errors;
		return LEAT_WALK_SKIP_DIR;
	}
	if (strcmp(entry->name, "gone") == 0)
		CHECK_EQ(leat_remove_all(path, NULL), 0);
	return LEAT_WALK_ON;
}

TEST(a_folder_that_cannot_be_read_is_told_and_passed_over)
{
	int errors = 0;

	CHECK_EQ(leat_mkdir_all(file_path("v/gone/x"), 0700, NULL), 0);
	CHECK_EQ(leat_mkdir_all(file_path("v/stays"), 0700, NULL), 0);
	CHECK_EQ(leat_walk_dir(file_path("v"), remove_folders, &errors), 0);
	CHECK_EQ(errors, 1);
	CHECK(there("v/stays"));
}

static int panics(void *arg, const char *path, const leat_dir_entry *entry, const leat_error *error)
{
	(void)arg;
	(void)path;
	(void)error;
	if (S_ISREG(entry->type))
		leat_panic("enough");
	return 0;
}

static void walk_and_panic(void *unused)
{
	(void)unused;
	leat_walk_dir(file_path("w"), panics, NULL);
}

TEST(a_panic_leaves_nothing_behind)
{
	CHECK(test_panics(walk_and_panic, NULL, "enough"));
}

static int no_dot(void *arg, const char *path, const leat_dir_entry *entry, const leat_error *error)
{
	int *calls = arg;

	(void)error;
	CHECK(strcmp(path, ".") == 0 || path[0] != '.');
	CHECK(S_ISDIR(entry->type) || strlen(path) > 0);
	++*calls;
	return 0;
}

TEST(a_walk_from_here_has_no_dot_in_front)
{
	char *here = getcwd(NULL, 0);
	int calls = 0;

	CHECK(here);
	CHECK_EQ(chdir(file_path("w")), 0);
	CHECK_EQ(leat_walk_dir(".", no_dot, &calls), 0);
	CHECK_EQ(calls, 10);
	CHECK_EQ(chdir(here), 0);
	free(here);
}

TEST_MAIN
