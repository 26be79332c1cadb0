/* SPDX-License-Identifier: MIT */
/*
 * digest: the SHA-256 of files and whole trees, as sha256sum prints it, by all processors.
 *
 *	digest [-m] [-j N] [FILE | DIRECTORY | -]...
 *
 * A pipeline of goroutines, all of them owned by one scope:
 *
 *	      +--------------- spare <----------------+
 *	      v                                       |
 *	    walk ----> work ----> hash x N --- done --> print ----> stdout, stderr
 *	      |                                       ^
 *	      +------------- ordered -----------------+
 *
 * walk goes through the trees and opens the files; each becomes a job.  A job is sent twice: to
 * whichever worker takes it first, and to print, which takes the jobs in the order of the walk and
 * waits for each one's own channel, done, to tell that the digest is there.  A fixed number of jobs
 * goes round and round by way of spare, so walk and workers can be ahead of print by that many files
 * and no more: memory depends on the number of workers and the depth of the tree, not on its size.
 *
 * Stopping is the business of the scope.  A signal, or nobody being left to read what we print,
 * cancels it; walk then takes no further job, workers look at it between two blocks of a file, and
 * leaving the scope's block waits for them all.
 *
 * This file has the workers, the signals and the start; digest/ has walk, print and system calls.
 */
#include "digest/digest.h"

#include <fcntl.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	BLOCK_BYTES = 128 * 1024, /* read and hashed at once */
	QUEUE_PER_WORKER = 8,     /* files that wait, open, for a worker */
	JOBS_PER_WORKER = 64,     /* files that may be ahead of print */
	MOST_WORKERS = 1024,
};

/* A worker. */
struct hash {
	leat_scope *scope;
	int wake;
	const EVP_MD *sha256;
	_Atomic uint64_t *bytes; /* hashed by all workers so far */
	recv_chan(struct job *) work;
	send_chan(leat_empty) stdin_turn;
	leat_pipe_stage *stage;
};

/* Wakes those who sleep in poll, once the scope is done. */
struct waker {
	const struct brake *brake;
};

static void waker(struct waker *a)
{
	chan_recv(scope_done(a->brake->scope));
	try_write(a->brake->wake, &(uint64_t){1}, sizeof(uint64_t));
}

static int hash_file(struct hash *a, struct job *job, EVP_MD_CTX *context, void *block)
{
	bool good = EVP_DigestInit_ex2(context, a->sha256, NULL);

	while (good) {
		ssize_t n = scope_err(a->scope);

		/* Only standard input may have nothing to read for a while. */
		if (n == 0 && job->fd == STDIN_FILENO)
			n = try_wait(job->fd, POLLIN, a->wake);
		if (n == 0)
			n = try_read(job->fd, block, BLOCK_BYTES);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		good = EVP_DigestUpdate(context, block, (size_t)n);
		atomic_fetch_add_explicit(a->bytes, (uint64_t)n, memory_order_relaxed);
	}
	if (!good || !EVP_DigestFinal_ex(context, job->hash, NULL))
		job->note = "OpenSSL failed to hash it";
	return 0;
}

static void hash(struct hash *a)
{
	void *block = scope_alloc(a->scope, char, BLOCK_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!context)
		leat_panic("out of memory");
	defer(EVP_MD_CTX_free, context);
	chan_range(job, a->work) {
		pipe_stage_begin(a->stage);
		job->err = hash_file(a, job, context, block);
		if (job->fd == STDIN_FILENO)
			chan_send(a->stdin_turn, (leat_empty){});
		else
			close(job->fd);
		pipe_stage_end(a->stage);
		chan_send(job->done, (leat_empty){});
	}
}

/* No file that we open may take the number of a standard stream that we were started without. */
static void fill_standard_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int fail_to_start(const char *why)
{
	fprintf(stderr, "digest: %s\n", why);
	return EXIT_TROUBLE;
}

/*
 * The stages as the monitor is to see them.  What hash has done is printed in the order of the walk: so from
 * hash to print a file goes by way of ordered, where it waits for its turn.
 */
struct stages {
	leat_pipe_stage *walk, *hash, *print; /* NULL: nobody asked */
};

/* Hash what the operands name with so many workers; returns the exit status. */
static int digest(char **operands, int workers, bool monitored)
{
	int jobs = workers * JOBS_PER_WORKER, status, caught;
	_Atomic uint64_t bytes = 0;
	EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	struct brake brake = {.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	struct stages stages = {NULL, NULL, NULL};

	if (!sha256 || brake.wake < 0)
		return fail_to_start(sha256 ? "no descriptor is left" : "OpenSSL has no SHA-256");
	defer(EVP_MD_free, sha256);

	scope(s, NULL);
	chan(struct job *) spare = scope_chan(s, struct job *, jobs);
	chan(struct job *) ordered = scope_chan(s, struct job *, jobs);
	chan(struct job *) work = scope_chan(s, struct job *, workers * QUEUE_PER_WORKER);
	chan(leat_empty) stdin_turn = scope_chan(s, leat_empty, 1);

	for (int i = 0; i < jobs; i++) {
		struct job *job = scope_alloc(s, struct job, 1);

		job->done = scope_chan(s, leat_empty, 1);
		chan_send(spare, job);
	}
	chan_send(stdin_turn, (leat_empty){});

	if (monitored) {
		pipe_monitor(s, .at_end = stderr);
		stages.walk = pipe_watch(s, "walk", (chan(struct job *))NULL, work);
		stages.hash = pipe_watch(s, "hash", work, ordered);
		stages.print = pipe_watch(s, "print", ordered, (chan(struct job *))NULL);
	}

	brake.scope = s;
	scope_on_signal(s); /* SIGINT and SIGTERM, but not as a job in the background */
	scope_go(s, waker, &brake);
	scope_go(s, walk, .scope = s, .operands = operands, .spare = chan_receiver(spare),
	         .work = chan_sender(work), .ordered = chan_sender(ordered),
	         .stdin_turn = chan_receiver(stdin_turn), .stage = stages.walk);
	for (int i = 0; i < workers; i++)
		scope_go(s, hash, .scope = s, .wake = brake.wake, .sha256 = sha256, .bytes = &bytes,
		         .work = chan_receiver(work), .stdin_turn = chan_sender(stdin_turn),
		         .stage = stages.hash);
	status = print(&(struct print){.brake = &brake,
	                               .bytes = &bytes,
	                               .ordered = chan_receiver(ordered),
	                               .spare = chan_sender(spare),
	                               .stage = stages.print});
	caught = leat_signal_of(leat_ctx_cause(s));
	return caught ? EXIT_SIGNAL + caught : status;
}

static const char usage[] =
    "Usage: digest [-m] [-j N] [FILE | DIRECTORY | -]...\n"
    "Print the SHA-256 of files, and of all regular files below directories, as sha256sum does.\n"
    "Without an operand, or where it is -, read standard input.\n"
    "\n"
    "  -j, --jobs=N   hash N files at a time (default: one per processor)\n"
    "  -m, --monitor  at the end, say on standard error what held it up\n"
    "  -h, --help     print this\n"
    "      --version  print the version\n"
    "\n"
    "Symbolic links are followed only when they are operands.  The order is that of a depth-first\n"
    "walk, whatever N is.  Exit status: 0; 1 if something could not be hashed or written; 2 for\n"
    "wrong usage; 128 and its number for a signal.\n";

/* The number of workers that the options ask for, 0 for the default; does not return for --help. */
static int parse(int argc, char **argv, bool *monitored)
{
	static const struct option options[] = {
	    {"jobs", required_argument, NULL, 'j'},
	    {"monitor", no_argument, NULL, 'm'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},
	    {NULL, 0, NULL, 0},
	};
	int64_t workers = 0;

	for (int option; (option = getopt_long(argc, argv, "hj:m", options, NULL)) >= 0;) {
		switch (option) {
		case 'j':
			workers = argument_count(optarg, "-j", 1, MOST_WORKERS);
			break;
		case 'm':
			*monitored = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_TROUBLE);
		case 'v':
			printf("digest (leat) %d.%d.%d\n", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
			       LEAT_VERSION_PATCH);
			exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_TROUBLE);
		default:
			fputs("Try 'digest --help'.\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	return (int)workers;
}

int main(int argc, char **argv)
{
	char *standard_input[] = {"-", NULL};
	bool monitored = false;
	int workers = parse(argc, argv, &monitored);

	fill_standard_streams();
	signal_ignore(SIGPIPE); /* write says EPIPE instead */
	return digest(optind < argc ? argv + optind : standard_input, workers ? workers : leat_procs(0),
	              monitored);
}
