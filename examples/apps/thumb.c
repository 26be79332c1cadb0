/* SPDX-License-Identifier: MIT */
/*
 * thumb: thumbnails of many JPEG and PNG files, by all processors.
 *
 *	thumb [-j N] [-s SIZE] -o FOLDER FILE...
 *
 * A pipeline of a scope's: the names, and workers that each take one, read it, make it small and write it to FOLDER
 * under the same name.
 *
 *	names ----> thumbnail x N ----> outcomes ----> main
 *
 * There are as many images in memory as workers.  An image that fails is told of, and the others go on; so a batch of
 * thousands is worth starting.  A signal cancels the scope: the workers finish what they have begun, and no file is
 * left half written.
 */
#include "arguments.h"
#include "thumb/files.h"
#include "thumb/image.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MOST_WORKERS = 1024,
	MOST_SIZE = 10000,
};

#define MOST_BYTES ((size_t)1 << 30)

struct options {
	const char *folder;
	int size, workers;
};

struct outcome {
	const char *name;
	const leat_error *error; /* NULL: there is a thumbnail */
};

static const char *base(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static const leat_error *make_thumbnail(const char *name, const struct options *o)
{
	unsigned char *file = NULL, *small = NULL;
	size_t bytes;
	struct image image = {0};
	const leat_error *e = file_read(name, MOST_BYTES, &file, &bytes);

	if (!e)
		e = image_read(&image, file, bytes, o->size);
	free(file);
	if (!e)
		e = image_shrink(&image, o->size);
	if (!e)
		e = image_write(&image, &small, &bytes);
	image_done(&image);
	if (!e)
		e = file_write(o->folder, base(name), name, small, bytes);
	free(small);
	return e;
}

struct thumbnail {
	const struct options *options;
};

static void thumbnail(char *const *name, struct outcome *out, struct thumbnail *a)
{
	*out = (struct outcome){*name, make_thumbnail(*name, a->options)};
}

static int compare(const void *a, const void *b)
{
	return strcmp(base(*(char *const *)a), base(*(char *const *)b));
}

/* Two files of one name have one thumbnail: that is no guess of ours to make.  Sorted they are neighbours. */
static bool names_differ(char **files, int n)
{
	char **sorted = malloc((size_t)n * sizeof *sorted);
	bool differ = true;

	if (!sorted) {
		fprintf(stderr, "thumb: out of memory\n");
		return false;
	}
	memcpy(sorted, files, (size_t)n * sizeof *sorted);
	qsort(sorted, (size_t)n, sizeof *sorted, compare);
	for (int i = 1; i < n; i++)
		if (compare(&sorted[i - 1], &sorted[i]) == 0) {
			fprintf(stderr, "thumb: %s and %s would have the same thumbnail\n", sorted[i - 1],
			        sorted[i]);
			differ = false;
		}
	free(sorted);
	return differ;
}

/* Tell what became of a file, after so many of n; true when all is well. */
static bool report(const struct outcome *outcome, int done, int n, bool terminal)
{
	if (terminal)
		fprintf(stderr, "\r\033[K");
	if (outcome->error)
		fprintf(stderr, "thumb: %s: %s\n", outcome->name, leat_error_message(outcome->error));
	if (terminal && done < n)
		fprintf(stderr, "%d of %d", done, n);
	leat_error_free(outcome->error);
	return !outcome->error;
}

static int thumb(char **files, int n, const struct options *o)
{
	bool terminal = isatty(STDERR_FILENO);
	int done = 0, failed = 0, caught;
	scope(s, NULL);

	scope_on_signal(s);
	chan_range(outcome,
	           pipe_map(pipe_at(s, .workers = o->workers), pipe_from_array(s, files, (size_t)n),
	                    struct outcome, thumbnail, o))
		failed += !report(&outcome, ++done, n, terminal);
	caught = leat_signal_of(leat_ctx_cause(s));
	if (caught) {
		fprintf(stderr, "%sthumb: %s: stopped after %d of %d files\n", terminal ? "\r\033[K" : "",
		        strsignal(caught), done, n);
		return EXIT_SIGNAL + caught;
	}
	return failed ? EXIT_TROUBLE : 0;
}

static const char usage[] =
    "Usage: thumb [-j N] [-s SIZE] -o FOLDER FILE...\n"
    "Make thumbnails of JPEG and PNG files, in FOLDER, under the same names.\n"
    "\n"
    "  -o, --output=FOLDER  where to; it must exist\n"
    "  -s, --size=SIZE      the longer side, in pixels (default: 160)\n"
    "  -j, --jobs=N         work at N files at a time (default: one per processor)\n"
    "  -h, --help           print this\n"
    "      --version        print the version\n"
    "\n"
    "Smaller images keep their size.  Photographs are turned upright.  Exit status: 0; 1 if there "
    "are files\n"
    "without a thumbnail; 2 for wrong usage; 128 and its number for a signal.\n";

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'}, {"size", required_argument, NULL, 's'},
	    {"jobs", required_argument, NULL, 'j'},   {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},      {NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "hj:o:s:", options, NULL)) >= 0;) {
		switch (option) {
		case 'o':
			o->folder = optarg;
			break;
		case 's':
			o->size = (int)argument_count(optarg, "-s", 1, MOST_SIZE);
			break;
		case 'j':
			o->workers = (int)argument_count(optarg, "-j", 1, MOST_WORKERS);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'v':
			printf("thumb of leat %d.%d.%d\n", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
			       LEAT_VERSION_PATCH);
			exit(0);
		default:
			fprintf(stderr, "Try 'thumb --help'.\n");
			exit(EXIT_USAGE);
		}
	}
}

static int check(const struct options *o, char **files, int n)
{
	struct stat st;
	int error = 0;

	if (!o->folder || n == 0) {
		fprintf(stderr, "thumb: %s\nTry 'thumb --help'.\n",
		        o->folder ? "no file to make a thumbnail of" : "-o says where the thumbnails go");
		return EXIT_USAGE;
	}
	if (stat(o->folder, &st) != 0)
		error = errno;
	else if (!S_ISDIR(st.st_mode))
		error = ENOTDIR;
	if (error) {
		fprintf(stderr, "thumb: %s: %s\n", o->folder, strerror(error));
		return EXIT_USAGE;
	}
	return names_differ(files, n) ? 0 : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options o = {.size = 160};
	int status;

	parse(argc, argv, &o);
	status = check(&o, argv + optind, argc - optind);
	if (status)
		return status;
	if (!o.workers)
		o.workers = leat_procs(0);
	return thumb(argv + optind, argc - optind, &o);
}
