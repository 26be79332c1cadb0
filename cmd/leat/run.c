/* SPDX-License-Identifier: MIT */
/*
 * leat run: compile a program of one file, and run it.
 */
#define _GNU_SOURCE
#include "build.h"
#include "child.h"
#include "command.h"
#include "preload.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>

static const char help[] =
    "usage: leat run [option ...] FILE.c [argument ...]\n"
    "\n"
    "Compile FILE.c, link it with leat, and run it with the arguments.  The program is removed\n"
    "when it has ended.\n"
    "\n"
    "  --race         build with ThreadSanitizer, to find data races; with clang unless CC is set\n"
    "  --asan         build with AddressSanitizer and UndefinedBehaviorSanitizer\n"
    "  --locks        report a goroutine that parks while its thread holds a lock: a pthread\n"
    "                 mutex and the like, or a stream by flockfile\n"
    "  -v, --verbose  show the compiler's command line\n"
    "  -h, --help     show this\n"
    "\n"
    "Options come before FILE.c; what follows it is the program's.\n"
    "\n"
    "Environment\n"
    "  CC             the compiler, gcc or clang, with options if wanted (cc)\n"
    "  CFLAGS         how to compile, instead of -O1 -g; CPPFLAGS goes with it\n"
    "  LDFLAGS        for the linker, before leat; LDLIBS after it: LDLIBS=-lm\n"
    "  TMPDIR         where the program is put while it runs (/tmp)\n"
    "These are split into words as a shell would, quotes included; nothing is expanded.\n"
    "\n"
    "Exit status\n"
    "  The program's own.  128+N when signal N killed it, which is said on stderr.  1 when there\n"
    "  is no program to run: FILE.c cannot be read or does not compile, or the compiler is "
    "missing.\n"
    "  2 when leat run was called wrongly.\n"
    "\n"
    "What is typed on the terminal (Ctrl-C and the like) reaches the program, and leat waits for "
    "it to\n"
    "end.  SIGINT, SIGTERM, SIGQUIT and SIGHUP sent to leat by other processes are sent on to "
    "it.\n";

enum { OPTION_RACE = 256, OPTION_ASAN, OPTION_LOCKS };

/* Put options before those in an environment variable that the user has set, which win. */
static void suggest(const char *name, const char *options)
{
	const char *users = getenv(name);
	char *both;

	if (users && *users && asprintf(&both, "%s:%s", options, users) >= 0) {
		setenv(name, both, 1);
		free(both);
	} else {
		setenv(name, options, !users || !*users);
	}
}

/*
 * What sanitized programs want: traces with names, also where LLVM's symbolizer is not installed, and
 * addresses that leave room for their shadow.  gcc 12 and clang 14 do not find any, some of the time,
 * on kernels that randomise as many bits as they can.
 *
 * And that LeakSanitizer leaves alone how dynamic thread-local data is found.  It takes the unwinder's, which leat
 * loads for traces, for a block of memory with a header, and dies of that at the program's end.
 */
static void prepare(enum build_sanitizer sanitizer)
{
	int old;

	if (sanitizer == BUILD_PLAIN)
		return;
	suggest("ASAN_OPTIONS", "allow_addr2line=1:intercept_tls_get_addr=0");
	suggest("TSAN_OPTIONS", "allow_addr2line=1");
	suggest("UBSAN_OPTIONS", "print_stacktrace=1:allow_addr2line=1");
	old = personality(0xffffffff);
	if (old >= 0)
		personality((unsigned long)old | ADDR_NO_RANDOMIZE);
}

static int report(const struct build *build, struct child_end end)
{
	if (end.error) {
		complain("cannot start %s: %s%s", build->program, strerror(-end.error),
		         end.error == -EACCES ? " (TMPDIR chooses another place)" : "");
		return EXIT_CANNOT;
	}
	if (!WIFSIGNALED(end.status))
		return WEXITSTATUS(end.status);
	complain("%s was killed by signal %d (%s%s)", build->file, WTERMSIG(end.status),
	         strsignal(WTERMSIG(end.status)), WCOREDUMP(end.status) ? ", core dumped" : "");
	return 128 + WTERMSIG(end.status);
}

static int build_and_run(struct build *build, bool locks, char **argv)
{
	struct child_end end;
	int status;

	child_begin();
	if (build_make(build) < 0)
		return EXIT_CANNOT;
	if (locks && preload_locks(build->program) < 0) {
		build_done(build);
		return EXIT_CANNOT;
	}
	prepare(build->sanitizer);
	argv[0] = build->program;
	end = child_run(argv, CHILD_PROGRAM);
	status = end.interrupted ? 0 : report(build, end);
	build_done(build);
	if (end.interrupted)
		child_die(end.interrupted);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
	    {"race", no_argument, NULL, OPTION_RACE},   {"asan", no_argument, NULL, OPTION_ASAN},
	    {"locks", no_argument, NULL, OPTION_LOCKS}, {"verbose", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
	};
	static struct build build;
	enum build_sanitizer wanted = BUILD_PLAIN;
	bool locks = false;
	int option;

	/* The + leaves alone what comes after the file. */
	while ((option = getopt_long(argc, argv, "+vh", options, NULL)) != -1) {
		switch (option) {
		case OPTION_RACE:
		case OPTION_ASAN:
			wanted = option == OPTION_RACE ? BUILD_RACE : BUILD_ASAN;
			if (build.sanitizer != BUILD_PLAIN && build.sanitizer != wanted) {
				complain("--race and --asan cannot be combined: run the program twice");
				return EXIT_USAGE;
			}
			build.sanitizer = wanted;
			break;
		case OPTION_LOCKS:
			locks = true;
			break;
		case 'v':
			build.verbose = true;
			break;
		case 'h':
			return fputs(help, stdout) < 0 || fflush(stdout) != 0 ? EXIT_CANNOT : 0;
		default: /* getopt has said what is wrong */
			fputs("\"leat help run\" lists the options\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc || !argv[optind][0]) {
		complain("which file?  usage: leat run [option ...] FILE.c [argument ...]");
		return EXIT_USAGE;
	}
	/* The sanitizers stand before the same functions, so the places would be theirs. */
	if (locks && build.sanitizer != BUILD_PLAIN) {
		complain("--locks goes with neither --race nor --asan: run the program twice");
		return EXIT_USAGE;
	}
	build.file = argv[optind];
	return build_and_run(&build, locks, argv + optind);
}

const struct command command_run = {
    .name = "run",
    .summary = "compile a program of one file, and run it",
    .help = help,
    .run = run,
};
