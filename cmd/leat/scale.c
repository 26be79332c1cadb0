/* SPDX-License-Identifier: MIT */
/*
 * leat scale: how much faster a program gets with more processors, and how fast it could get.
 *
 * The files that it is to write are opened before anything is measured, so that a wrong name is not found
 * out afterwards; they keep what they held until there is something to write.
 */
#define _GNU_SOURCE
#include "build.h"
#include "child.h"
#include "command.h"
#include "measure.h"
#include "scaling.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: leat scale [option ...] PROGRAM [argument ...]\n"
    "\n"
    "Run PROGRAM, which is linked with leat, several times at each number of processors\n"
    "(LEAT_PROCS) from 1 on, and say how much faster it gets; fit Amdahl's law to that, and say "
    "how\n"
    "fast it could get at most.  A PROGRAM whose name ends in .c is compiled first, as by leat "
    "run.\n"
    "\n"
    "  --max N        at 1 to N processors (as many as there are CPUs, but at least 2)\n"
    "  --procs LIST   at these numbers of processors, such as 2,4,8, and at 1\n"
    "  --runs K       K runs at each (5)\n"
    "  --warmup       one run more at each before all others, which is not counted\n"
    "  --input FILE   what each run reads from its standard input (nothing)\n"
    "  --output       show what the program writes; otherwise that goes nowhere, but what it "
    "wrote\n"
    "                 to stderr when it failed\n"
    "  --svg FILE     draw measured and predicted speed-up\n"
    "  --json FILE    write all figures as JSON; - for standard output, in place of the table\n"
    "  -q, --quiet    print p alone, without table and progress\n"
    "  -v, --verbose  show the compiler's command line\n"
    "  -h, --help     show this\n"
    "\n"
    "Options come before PROGRAM; what follows it is the program's.\n"
    "\n"
    "Times are those of the whole process, from start to end.  The numbers of processors take "
    "turns,\n"
    "so that whatever else the machine does hits all of them alike.  The table has the median, "
    "the\n"
    "fastest and the slowest run, the speed-up over one processor, what Amdahl's law predicts, "
    "the\n"
    "speed-up per processor, and the CPU time.\n"
    "\n"
    "Exit status\n"
    "  0 when all runs ended with 0.  1 when the program failed in one of them or could not be "
    "run;\n"
    "  what was measured before is shown.  2 when leat scale was called wrongly.  On SIGINT, "
    "SIGTERM,\n"
    "  SIGQUIT and SIGHUP it shows what was measured so far, and ends by that signal.\n";

enum {
	OPTION_MAX = 256,
	OPTION_PROCS,
	OPTION_RUNS,
	OPTION_WARMUP,
	OPTION_INPUT,
	OPTION_OUTPUT,
	OPTION_SVG,
	OPTION_JSON,
};

/* A file to write.  to is NULL where none was asked for. */
struct output {
	const char *path;
	FILE *to;
	bool fresh; /* it was not there before */
};

struct scale {
	struct measure measure;
	struct build build;
	struct output svg, json;
	int procs[MEASURE_MOST_PROCS];
	size_t count;
	char *title;
	bool quiet;
};

/* --- options */

/* A whole number from least to most that text begins with.  Moves *text behind it; 0 if there is none. */
static int number(const char **text, int least, int most)
{
	char *end;
	long value;

	if (**text < '0' || **text > '9')
		return 0;
	errno = 0;
	value = strtol(*text, &end, 10);
	if (errno || value < least || value > most)
		return 0;
	*text = end;
	return (int)value;
}

static int whole(const char *option, const char *text, int least, int most)
{
	const char *at = text;
	int value = number(&at, least, most);

	if (value && !*at)
		return value;
	complain("%s: \"%s\" is no number from %d to %d", option, text, least, most);
	return 0;
}

static bool take_max(struct scale *scale, const char *text)
{
	int most = whole("--max", text, 2, MEASURE_MOST_PROCS);

	for (scale->count = 0; scale->count < (size_t)most; scale->count++)
		scale->procs[scale->count] = (int)scale->count + 1;
	return most != 0;
}

static bool take_procs(struct scale *scale, const char *text)
{
	bool wanted[MEASURE_MOST_PROCS + 1] = {[1] = true};
	const char *at = text;

	for (;; at++) {
		int procs = number(&at, 1, MEASURE_MOST_PROCS);

		wanted[procs] = true;
		if (!procs || (*at && *at != ',')) {
			complain("--procs: \"%s\" is no list of numbers from 1 to %d, such as 1,2,4", text,
			         MEASURE_MOST_PROCS);
			return false;
		}
		if (!*at)
			break;
	}
	scale->count = 0;
	for (int procs = 1; procs <= MEASURE_MOST_PROCS; procs++)
		if (wanted[procs])
			scale->procs[scale->count++] = procs;
	if (scale->count > 1)
		return true;
	complain("--procs: a speed-up takes another number of processors than 1");
	return false;
}

/* One option and its value.  False after a message. */
static bool take(struct scale *scale, int option)
{
	switch (option) {
	case OPTION_MAX:
	case OPTION_PROCS:
		if (scale->count) {
			complain("--max and --procs say the same thing: give one of them, once");
			return false;
		}
		return option == OPTION_MAX ? take_max(scale, optarg) : take_procs(scale, optarg);
	case OPTION_RUNS:
		scale->measure.runs = (size_t)whole("--runs", optarg, 1, MEASURE_MOST_RUNS);
		return scale->measure.runs != 0;
	case OPTION_WARMUP:
		scale->measure.warmup = true;
		return true;
	case OPTION_INPUT:
		scale->measure.input = optarg;
		return true;
	case OPTION_OUTPUT:
		scale->measure.output = true;
		return true;
	case OPTION_SVG:
		scale->svg.path = optarg;
		return true;
	case OPTION_JSON:
		scale->json.path = optarg;
		return true;
	case 'q':
		scale->quiet = true;
		return true;
	case 'v':
		scale->build.verbose = true;
		return true;
	default: /* getopt has said what is wrong */
		return false;
	}
}

static bool to_stdout(const struct output *output)
{
	return output->path && strcmp(output->path, "-") == 0;
}

static bool check(const struct scale *scale, const char *program)
{
	if (!program || !*program) {
		complain("which program?  usage: leat scale [option ...] PROGRAM [argument ...]");
		return false;
	}
	if (scale->measure.output && to_stdout(&scale->json)) {
		complain("--output and --json - both want standard output: name a file");
		return false;
	}
	if (to_stdout(&scale->svg)) {
		complain("--svg - is not supported: name a file");
		return false;
	}
	return true;
}

/* --- files to write */

/* So that no file takes the place of a standard stream that was closed when leat was started. */
static void fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY); /* writing must fail, as it would have */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static bool open_output(struct output *output)
{
	int fd;

	if (!output->path || to_stdout(output))
		return true;
	fd = open(output->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	output->fresh = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(output->path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		output->to = fdopen(fd, "w");
	if (output->to)
		return true;
	complain("cannot write %s: %s", output->path, strerror(errno));
	return false;
}

/* Write it; without figures it stays as it was.  False after a message. */
static bool write_output(struct output *output, const struct scaling *s,
                         void (*write)(const struct scaling *, FILE *))
{
	struct stat st;
	bool well;

	if (!output->to)
		return true;
	if (!s) {
		if (output->fresh)
			unlink(output->path);
		fclose(output->to);
		return true;
	}
	well = fstat(fileno(output->to), &st) == 0 &&
	       (!S_ISREG(st.st_mode) || ftruncate(fileno(output->to), 0) == 0);
	write(s, output->to);
	well &= !ferror(output->to);
	if (fclose(output->to) == 0 && well)
		return true;
	complain("cannot write %s: it is incomplete", output->path);
	return false;
}

/* --- the whole */

/* 0, or leat's exit status.  A signal while the compiler runs ends leat here. */
static int prepare(struct scale *scale, char **argv)
{
	const char *dot = strrchr(argv[0], '.');
	struct words words = {0};

	scale->measure.argv = argv;
	scale->measure.name = argv[0];
	for (size_t i = 0; argv[i]; i++)
		words_add(&words, argv[i]);
	scale->title = words_join(&words);
	scale->measure.title = scale->title;
	words_done(&words);
	if (dot && strcmp(dot, ".c") == 0) {
		scale->build.file = argv[0];
		if (build_make(&scale->build) < 0)
			return EXIT_CANNOT;
		argv[0] = scale->build.program;
	}
	if (!scale->count) {
		int cpus = scaling_cpus();

		scale->count = (size_t)(cpus < 2                    ? 2
		                        : cpus < MEASURE_MOST_PROCS ? cpus
		                                                    : MEASURE_MOST_PROCS);
		for (size_t i = 0; i < scale->count; i++)
			scale->procs[i] = (int)i + 1;
	}
	scale->measure.progress = !scale->quiet && !scale->measure.output && isatty(STDERR_FILENO);
	measure_init(&scale->measure, scale->procs, scale->count);
	return 0;
}

static bool show(struct scale *scale)
{
	struct scaling scaling, *s = &scaling;
	bool well = true;

	scaling_init(&scaling, &scale->measure);
	if (!scaling.count)
		s = NULL;
	if (scale->measure.end != MEASURE_COMPLETE && s)
		complain("what follows was measured before");
	else if (scale->measure.end == MEASURE_STOPPED)
		complain("nothing was measured before");
	if (s && to_stdout(&scale->json))
		scaling_json(s, stdout);
	else if (s && scale->quiet)
		scaling_line(s);
	else if (s)
		scaling_table(s);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain("cannot write: the output is incomplete");
		well = false;
	}
	well &= write_output(&scale->json, s, scaling_json);
	well &= write_output(&scale->svg, s, scaling_svg);
	scaling_done(&scaling);
	return well;
}

static int scale_program(struct scale *scale, char **argv)
{
	int status;
	bool well;

	fill_standard();
	if (!open_output(&scale->json))
		return EXIT_CANNOT;
	if (!open_output(&scale->svg)) {
		write_output(&scale->json, NULL, NULL);
		return EXIT_CANNOT;
	}
	child_begin();
	status = prepare(scale, argv);
	if (status) {
		free(scale->title);
		write_output(&scale->json, NULL, NULL);
		write_output(&scale->svg, NULL, NULL);
		return status;
	}
	measure_run(&scale->measure);
	if (scale->measure.end == MEASURE_STOPPED)
		complain("stopped by signal %d (%s)", scale->measure.signal,
		         strsignal(scale->measure.signal));
	well = show(scale);
	build_done(&scale->build);
	measure_done(&scale->measure);
	free(scale->title);
	if (scale->measure.end == MEASURE_STOPPED)
		child_die(scale->measure.signal);
	return well && scale->measure.end == MEASURE_COMPLETE ? 0 : EXIT_CANNOT;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
	    {"max", required_argument, NULL, OPTION_MAX},
	    {"procs", required_argument, NULL, OPTION_PROCS},
	    {"runs", required_argument, NULL, OPTION_RUNS},
	    {"warmup", no_argument, NULL, OPTION_WARMUP},
	    {"input", required_argument, NULL, OPTION_INPUT},
	    {"output", no_argument, NULL, OPTION_OUTPUT},
	    {"svg", required_argument, NULL, OPTION_SVG},
	    {"json", required_argument, NULL, OPTION_JSON},
	    {"quiet", no_argument, NULL, 'q'},
	    {"verbose", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	static struct scale scale = {.measure.runs = 5};
	int option;

	/* The + leaves alone what comes after the program. */
	while ((option = getopt_long(argc, argv, "+qvh", options, NULL)) != -1) {
		if (option == 'h')
			return fputs(help, stdout) < 0 || fflush(stdout) != 0 ? EXIT_CANNOT : 0;
		if (!take(&scale, option)) {
			fputs("\"leat help scale\" lists the options\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (!check(&scale, argv[optind]))
		return EXIT_USAGE;
	return scale_program(&scale, argv + optind);
}

const struct command command_scale = {
    .name = "scale",
    .summary = "measure how a program gains from more processors",
    .help = help,
    .run = run,
};
