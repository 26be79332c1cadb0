/* SPDX-License-Identifier: MIT */
/*
 * Compile one file against leat: see build.h.
 *
 * The compiler gets our folder as its TMPDIR.  So one removal takes everything, also what a compiler
 * leaves that was killed.
 */
#define _GNU_SOURCE
#include "build.h"

#include "child.h"
#include "command.h"
#include "home.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int check_file(const char *file)
{
	struct stat st = {0};
	int fd, error = 0;

	/* A FIFO is not waited for. */
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		error = errno;
	else if (S_ISDIR(st.st_mode))
		error = EISDIR;
	if (fd >= 0)
		close(fd);
	if (error) {
		complain("%s: %s", file, strerror(error));
	} else if (!S_ISREG(st.st_mode)) {
		complain("%s: not a regular file", file);
		error = EINVAL;
	}
	return -error;
}

static int make_folder(struct build *build)
{
	const char *where = getenv("TMPDIR");
	int error;

	if (!where || !*where)
		where = "/tmp";
	if ((size_t)snprintf(build->folder, sizeof build->folder, "%s/leat-XXXXXX", where) <
	        sizeof build->folder &&
	    mkdtemp(build->folder))
		return 0;
	error = errno ? errno : ENAMETOOLONG;
	build->folder[0] = '\0';
	complain("cannot make a folder in %s: %s (TMPDIR chooses another place)", where,
	         strerror(error));
	return -error;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void build_done(struct build *build)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	int failed = 0;

	if (!build->folder[0])
		return;
	/* Processes that a killed compiler had started take a moment to die, and may write until then. */
	for (int tries = 0; tries < 20; tries++) {
		failed = nftw(build->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
		if (!failed || (errno != ENOTEMPTY && errno != ENOENT && errno != EEXIST))
			break;
		nanosleep(&pause, NULL);
	}
	if (failed && errno != ENOENT)
		complain("cannot remove %s: %s", build->folder, strerror(errno));
	build->folder[0] = '\0';
}

/* Add the words of an environment variable, or of what stands in for it. */
static int add_variable(struct words *words, const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	if (words_split(words, value ? value : otherwise) == 0)
		return 0;
	complain("%s: a quote has no end: %s", name, value);
	return -EINVAL;
}

/* The program is named after the file, without its ending. */
static void name_program(struct build *build)
{
	const char *slash = strrchr(build->file, '/'), *name = slash ? slash + 1 : build->file;
	const char *dot = strrchr(name, '.');
	int length = dot && dot > name ? (int)(dot - name) : (int)strlen(name);

	snprintf(build->program, sizeof build->program, "%s/%.*s", build->folder, length, name);
}

static int command_line(const struct build *build, const struct home *home, struct words *words)
{
	/* What object-size finds, AddressSanitizer finds too, and says more about it. */
	static const char *const sanitizers[][5] = {
	    [BUILD_PLAIN] = {NULL},
	    [BUILD_RACE] = {"-fsanitize=thread", "-fno-omit-frame-pointer", NULL},
	    [BUILD_ASAN] = {"-fsanitize=address,undefined", "-fno-sanitize=object-size",
	                    "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", NULL},
	};
	const char *const *flags = sanitizers[build->sanitizer];
	const char *cc = getenv("CC");
	/* An empty CC is as good as none, and a file name must not look like anything else. */
	const char *prefix = strchr("-@", build->file[0]) ? "./" : "";
	const char *slash = strrchr(home->library, '/');

	if (words_split(words, cc && *cc                        ? cc
	                       : build->sanitizer == BUILD_RACE ? "clang"
	                                                        : "cc") < 0 ||
	    !words->count) {
		complain("CC names no compiler: %s", cc);
		return -EINVAL;
	}
	words_addf(words, "-I%s", home->include);
	words_add(words, "-pthread");
	/* A frame larger than the guard of a goroutine's stack must touch that, not step over it. */
	words_add(words, "-fstack-clash-protection");
	if (add_variable(words, "CPPFLAGS", "") < 0 || add_variable(words, "CFLAGS", "-O1 -g") < 0)
		return -EINVAL;
	for (; *flags; flags++)
		words_add(words, *flags);
	words_add(words, "-o");
	words_add(words, build->program);
	words_add(words, "-xc");
	words_addf(words, "%s%s", prefix, build->file);
	words_add(words, "-xnone");
	if (add_variable(words, "LDFLAGS", "") < 0)
		return -EINVAL;
	words_add(words, home->library);
	if (strstr(slash, ".so"))
		words_addf(words, "-Wl,-rpath,%.*s", (int)(slash - home->library), home->library);
	if (add_variable(words, "LDLIBS", "") < 0)
		return -EINVAL;
	words_add(words, "-ldl"); /* for libleat.a, where libc does not have it */
	return 0;
}

static struct child_end run_compiler(const struct build *build, const struct words *words)
{
	const char *old = getenv("TMPDIR");
	char *kept = old ? strdup(old) : NULL;
	struct child_end end;

	if (build->verbose)
		words_show(words);
	setenv("TMPDIR", build->folder, 1);
	end = child_run(words->at, CHILD_TOOL);
	if (kept)
		setenv("TMPDIR", kept, 1);
	else
		unsetenv("TMPDIR");
	free(kept);
	return end;
}

static int compile(const struct build *build, const struct words *words)
{
	struct child_end end = run_compiler(build, words);

	if (end.interrupted) {
		struct build again = *build;

		build_done(&again);
		child_die(end.interrupted);
	}
	if (end.error) {
		complain("cannot start the compiler %s: %s%s", words->at[0], strerror(-end.error),
		         getenv("CC") ? " (chosen by CC)" : " (CC chooses another)");
		return end.error;
	}
	if (WIFSIGNALED(end.status)) {
		complain("the compiler was killed by signal %d (%s)", WTERMSIG(end.status),
		         strsignal(WTERMSIG(end.status)));
		return -EINTR;
	}
	/* The compiler has said why. */
	return WEXITSTATUS(end.status) ? -ENOEXEC : 0;
}

int build_make(struct build *build)
{
	struct words words = {0};
	struct home home;
	int error = check_file(build->file);

	if (error)
		return error;
	error = home_find(&home);
	if (error)
		return error;
	error = make_folder(build);
	if (error)
		return error;
	name_program(build);
	error = command_line(build, &home, &words);
	if (!error)
		error = compile(build, &words);
	words_done(&words);
	if (error)
		build_done(build);
	return error;
}
