/* SPDX-License-Identifier: MIT */
/*
 * wordfreq: how often each word occurs in some files, counted by all processors.
 *
 *	wordfreq [-i] [-j N] [-n N] [FILE | -]...
 *
 * It prints what
 *
 *	cat FILE... | tr -cs 'A-Za-z\200-\377' '[\n*]' | grep . | sort | uniq -c | sort -k1,1nr -k2
 *
 * does under LC_ALL=C, the files being read as if each ended in a blank.  A pipeline of goroutines, owned by one scope:
 *
 *	      +---------------- spare <---------------+
 *	      v                                       |
 *	 next_block ----> blocks ----> count x N -----+----> tables ----> main
 *
 * One stage reads, into a fixed number of blocks that go round and round.  Each worker counts into a table of its
 * own, which nobody has to lock, and hands that over at its end; main adds them up, and prints.  Memory depends on
 * the number of different words and of workers, not on the files.
 */
#include "arguments.h"
#include "wordfreq/wordfreq.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BLOCK_BYTES = 256 * 1024,
	BLOCKS_PER_WORKER = 3,
	MOST_WORKERS = 1024,
};

struct options {
	int workers;
	uint64_t most; /* lines to print */
	bool fold;
};

struct count {
	leat_scope *scope;
	recv_chan(struct block *) blocks;
	send_chan(struct block *) spare;
	send_chan(struct table) tables;
	bool fold;
};

static void count(struct count *a)
{
	struct table mine = {0};

	chan_range(block, a->blocks) {
		if (!table_add_text(&mine, block->bytes, block->length, a->fold))
			scope_fail(a->scope, -ENOMEM);
		chan_send(a->spare, block);
	}
	chan_send(a->tables, mine);
}

/* Tells a terminal, ten times a second, how far it is. */
struct progress {
	leat_scope *scope;
	struct blocks *blocks;
};

static void progress(struct progress *a)
{
	int64_t start = leat_now();

	while (leat_sleep_ctx(100 * LEAT_MILLISECOND, a->scope) == 0) {
		double mib = (double)a->blocks->bytes / (1 << 20);

		fprintf(stderr, "\r%.1f MiB, %.1f MiB/s\033[K", mib,
		        mib / ((double)(leat_now() - start) / (double)LEAT_SECOND));
	}
	fprintf(stderr, "\r\033[K");
}

static bool print(struct table *all, uint64_t most)
{
	const struct word *word = table_sorted(all);

	for (size_t i = 0; i < all->used && i < most; i++, word++) {
		printf("%7" PRIu64 " ", word->count);
		fwrite(word->bytes, 1, word->length, stdout);
		putchar('\n');
	}
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	if (errno != EPIPE) /* who reads only the first lines has what he wants */
		fprintf(stderr, "wordfreq: cannot write: %s\n", strerror(errno));
	return false;
}

/* Count into all what the operands name; false: out of memory. */
static bool count_words(struct table *all, struct blocks *blocks, const struct options *o)
{
	bool good = true;
	int spares = o->workers * BLOCKS_PER_WORKER;
	scope(s, NULL);
	chan(struct block *) spare = scope_chan(s, struct block *, spares);
	chan(struct table) tables = scope_chan(s, struct table, o->workers);
	recv_chan(struct block *) full;
	struct block *made = scope_alloc(s, struct block, spares);

	for (int i = 0; i < spares; i++) {
		made[i] = (struct block){.room = BLOCK_BYTES, .bytes = malloc(BLOCK_BYTES)};
		good &= made[i].bytes != NULL;
		chan_send(spare, &made[i]);
	}
	if (good) {
		blocks->scope = s;
		blocks->spare = chan_receiver(spare);
		full = pipe_from(pipe_at(s, .cap = spares), struct block *, next_block, blocks);
		for (int i = 0; i < o->workers; i++)
			scope_go(s, count, s, full, chan_sender(spare), chan_sender(tables), o->fold);
		for (int i = 0; i < o->workers; i++) {
			struct table one = chan_recv(tables);

			good = good && table_add_all(all, &one);
			table_done(&one);
		}
	}
	/* The reader has let go of its last block, too. */
	good = scope_wait(s) == 0 && good;
	for (int i = 0; i < spares; i++)
		free(made[i].bytes);
	return good;
}

static int wordfreq(char **operands, const struct options *o)
{
	struct blocks blocks = {.operands = operands, .fd = -1};
	struct table all = {0};
	int status = 0;
	bool counted;
	{
		scope(s, NULL);

		if (isatty(STDERR_FILENO))
			scope_go(s, progress, s, &blocks);
		counted = count_words(&all, &blocks, o);
	}
	if (!counted)
		fprintf(stderr, "wordfreq: out of memory\n");
	if (!counted || blocks.trouble)
		status = EXIT_TROUBLE;
	if (counted && !print(&all, o->most))
		status = EXIT_TROUBLE;
	table_done(&all);
	free(blocks.rest);
	return status;
}

static const char usage[] =
    "Usage: wordfreq [-i] [-j N] [-n N] [FILE | -]...\n"
    "Print how often each word occurs in the files, the most frequent first.\n"
    "Without a file, or where it is -, read standard input.\n"
    "\n"
    "  -i, --ignore-case  count The as the (the letters of ASCII alone)\n"
    "  -j, --jobs=N       count with N workers (default: one per processor)\n"
    "  -n, --lines=N      print the N most frequent words only\n"
    "  -h, --help         print this\n"
    "      --version      print the version\n"
    "\n"
    "A word is a row of letters and of bytes beyond ASCII.  Exit status: 0; 1 if something could "
    "not be\n"
    "read or written; 2 for wrong usage.\n";

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
	    {"ignore-case", no_argument, NULL, 'i'}, {"jobs", required_argument, NULL, 'j'},
	    {"lines", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},     {NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "hij:n:", options, NULL)) >= 0;) {
		switch (option) {
		case 'i':
			o->fold = true;
			break;
		case 'j':
			o->workers = (int)argument_count(optarg, "-j", 1, MOST_WORKERS);
			break;
		case 'n':
			o->most = (uint64_t)argument_count(optarg, "-n", 1, INT64_MAX);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'v':
			printf("wordfreq of leat %d.%d.%d\n", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
			       LEAT_VERSION_PATCH);
			exit(0);
		default:
			fprintf(stderr, "Try 'wordfreq --help'.\n");
			exit(EXIT_USAGE);
		}
	}
}

int main(int argc, char **argv)
{
	static char *standard_input[] = {"-", NULL};
	struct options o = {.workers = leat_procs(0), .most = UINT64_MAX};

	parse(argc, argv, &o);
	return wordfreq(argv[optind] ? argv + optind : standard_input, &o);
}
