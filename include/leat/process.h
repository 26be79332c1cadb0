/* SPDX-License-Identifier: MIT */
/*
 * Processes: other programs, started, spoken to, waited for and ended.
 *
 *	const char *const args[] = {"sort", "-u", NULL};
 *	const leat_command sort = {
 *	    .args = args,
 *	    .in = {.kind = LEAT_STDIO_BYTES, .bytes = words, .n = strlen(words)},
 *	};
 *	leat_result r;
 *	const leat_error *e = leat_process_output(&sort, ctx, &r);
 *	if (!e)
 *		fwrite(r.out, 1, r.out_bytes, stdout);
 *	leat_result_free(&r);
 *
 * Who waits for a process holds no thread (where the kernel has pidfd_open(2), Linux 5.3; else one each).  No process
 * stays a zombie, also one that nobody waits for.
 *
 * What the process is given: the descriptors that the command names, and no others, whatever else is open; no signal
 * blocked; signals with their defaults, but those that this process was itself started to ignore (as nohup has SIGHUP
 * ignored; SIGPIPE never is).
 *
 * Errors are Go's: `exec: "x": executable file not found in $PATH`, "fork/exec /bin/x: permission denied", "chdir /x: no such
 * file or directory"; of a process that ran and failed "exit status 1", "signal: killed", "signal: aborted (core dumped)",
 * which leat_error_as finds by leat_exit_error.
 *
 * ctx: when it is done the process is ended, see cancel_signal.  It must live until the process is waited for, freed or
 * released.
 *
 * While a process runs there is no deadlock.  In the child of a fork the parent's processes are strangers: free them at
 * most.  While the program ignores SIGCHLD, or waits for any child by itself (wait(2)), exits may be lost: "wait: no
 * child processes".
 *
 * Starting one takes some 5 KiB of stack (packed ones are too small) and blocks for 500 us.
 * Any goroutine, any thread, all of it.  After Go's os/exec and os.Process.
 */
#ifndef LEAT_PROCESS_H
#define LEAT_PROCESS_H

#include <leat/conn.h>
#include <leat/ctx.h>
#include <leat/error.h>

#include <sys/resource.h>

LEAT__BEGIN

typedef struct leat_process leat_process;

/* What a standard stream of the process is. */
enum leat_stdio_kind {
	LEAT_STDIO_NULL,    /* nothing to read; what is written is dropped (/dev/null) */
	LEAT_STDIO_INHERIT, /* ours */
	LEAT_STDIO_PIPE,    /* a connection: leat_process_stdin, _stdout, _stderr */
	LEAT_STDIO_FD,      /* the same file as our descriptor fd, which stays ours */
	LEAT_STDIO_FILE,    /* the file of that path; for output made if need be, and emptied */
	LEAT_STDIO_APPEND,  /* the same, written to at its end */
	LEAT_STDIO_BYTES, /* input alone: bytes[n], then the end.  It must live until the process is waited for, or freed; of one released, for ever */
	LEAT_STDIO_CAPTURE, /* output alone: kept in memory, up to limit bytes (0: no limit); what is beyond is dropped */
	LEAT_STDIO_OUT, /* errors alone: where the output goes */
};

/* One of them: .out = {.kind = LEAT_STDIO_PIPE}, and with the kind what belongs to it. */
typedef struct leat_stdio {
	enum leat_stdio_kind kind;
	int fd;
	const char *path;
	const void *bytes;
	size_t n, limit;
} leat_stdio;

/* What to run.  All zero but args is a good start.  It is not needed any more once the process has started, but for bytes. */
typedef struct leat_command {
	const char
	    *path; /* the program; without a slash it is looked for (leat_look_path).  NULL: args[0] */
	const char *const
	    *args; /* ends with NULL; the first is the name that the program sees.  NULL: path alone */
	const char *const *env; /* ends with NULL.  NULL: the environment of this process */
	const char *dir;        /* where it runs; NULL: here */
	leat_stdio in, out, err;
	const int *fds; /* become its descriptors 3, 4, ...; they stay ours */
	size_t fds_n;
	bool group; /* it leads a new process group, and signals from here go to all of that */

	/*
	 * Sent when ctx is done; 0: SIGKILL.  Unless the process has ended wait_delay_ns later it is killed.  As long after its
	 * end, at most, is waited for what others write to its pipes, its children perhaps, which are captured: then these are
	 * closed (and a group is killed).  0: there is no limit to either.
	 * After Cmd.Cancel and Cmd.WaitDelay.
	 */
	int cancel_signal;
	int64_t wait_delay_ns;
} leat_command;

/* How a process ended. */
typedef struct leat_exit {
	bool exited;         /* by itself, with code */
	int code;            /* 0 to 255; -1 where it did not */
	int signal;          /* that ended it; 0: none */
	bool core;           /* a core file was made */
	struct rusage usage; /* CPU time and more, of it and of its children that it has waited for */
} leat_exit;

/* The type of the errors that tell how a process ended. */
LEAT_API extern const leat_error_type leat_exit_error;

/* --- one that runs */

/*
 * Start it: a process, which the caller frees, or NULL with *error (NULL: not wanted).  Not started when ctx is done already.
 * Panics "exec: no command" and, for a stdio that cannot be, "exec: stdin cannot be captured" and the like.
 * After Cmd.Start.
 */
LEAT_API leat_process *leat_process_start(const leat_command *c, leat_any_ctx ctx,
                                          const leat_error **error) LEAT__WARN_UNUSED;

/*
 * Wait until it has ended and what it wrote is captured: NULL where its exit status is 0, else why not; the caller's.
 * *exit (NULL: not wanted) is set where it ended at all.  Several may wait, again and again: all are told the same.
 *
 * ctx is for this wait alone, which it ends with leat_ctx_error(ctx); the process goes on.
 * "exec: WaitDelay expired before I/O complete" (-ETIMEDOUT) where others kept pipes open that long.
 * After Cmd.Wait, which however closes pipes: these stay until leat_process_free.
 */
LEAT_API const leat_error *leat_process_wait(leat_process *p, leat_any_ctx ctx,
                                             leat_exit *exit) LEAT__WARN_UNUSED;

/* Send it (with group: all of its group) a signal: 0, or -ESRCH when it has ended ("os: process already finished"), -EINVAL,
   -EPERM.  Never hits another process that has the number since.  kill: SIGKILL.  After Process.Signal and Kill. */
LEAT_API int leat_process_signal(leat_process *p, int signal);
LEAT_API int leat_process_kill(leat_process *p);

/* Its number. */
LEAT_API int leat_process_id(const leat_process *p);

/*
 * The other ends of its pipes; NULL where the command has none.  The process owns them: they are closed with
 * leat_process_free, or before, by leat_conn_close: close stdin for the process to see its end.  Reads give what was
 * written also after the process has ended, and the end when nobody has the pipe open any more.
 */
LEAT_API leat_conn *leat_process_stdin(leat_process *p);
LEAT_API leat_conn *leat_process_stdout(leat_process *p);
LEAT_API leat_conn *leat_process_stderr(leat_process *p);

/* What was captured, with a NUL behind it, once the process is waited for, until it is freed.  *n: how much; *cut: whether there
   was more than the limit (both may be NULL).  NULL where nothing is captured, and before. */
LEAT_API const char *leat_process_captured_out(const leat_process *p, size_t *n, bool *cut);
LEAT_API const char *leat_process_captured_err(const leat_process *p, size_t *n, bool *cut);

/*
 * Kill it, if it still runs, wait for its end, close its pipes and free it; NULL is a no-op.  No other use of it may overlap or
 * follow.  So `defer(leat_process_free, p)` leaves nothing behind.
 * release: the same, but let it go on by itself, without pipes and without ctx, which nobody uses any more on return: it is
 * cleared away when it ends.  One whose ctx was done before is ended all the same.
 */
LEAT_API void leat_process_free(leat_process *p);
LEAT_API void leat_process_release(leat_process *p);

/* --- from beginning to end */

/* Start it and wait for it.  *exit (NULL: not wanted) is all 0 where it did not run.  After Cmd.Run. */
LEAT_API const leat_error *leat_process_run(const leat_command *c, leat_any_ctx ctx,
                                            leat_exit *exit) LEAT__WARN_UNUSED;

/* What a process wrote, with a NUL behind each, and how it ended. */
typedef struct leat_result {
	char *out, *err; /* NULL: was not captured */
	size_t out_bytes, err_bytes;
	bool out_cut, err_cut;
	leat_exit exit;
} leat_result;

/*
 * Run it and capture what it writes to each of stdout and stderr for which the command says nothing (LEAT_STDIO_NULL).
 * combined: both in one, as they come, in out.  *r is valid in any case, all 0 where it did not run.
 * After Cmd.Output and Cmd.CombinedOutput.
 */
LEAT_API const leat_error *leat_process_output(const leat_command *c, leat_any_ctx ctx,
                                               leat_result *r) LEAT__WARN_UNUSED;
LEAT_API const leat_error *leat_process_combined_output(const leat_command *c, leat_any_ctx ctx,
                                                        leat_result *r) LEAT__WARN_UNUSED;
LEAT_API void leat_result_free(leat_result *r);

/* --- words */

/* "exit status 1", "signal: killed", "signal: aborted (core dumped)", in text, cut to bytes - 1 characters and a NUL.  The
   whole length, as snprintf.  After ProcessState.String. */
LEAT_API size_t leat_exit_string(const leat_exit *exit, char *text, size_t bytes);

/*
 * The program that name means: itself, where it has a slash; else the first in the folders of $PATH that may be run.  The caller's,
 * to be freed; or NULL with *error (NULL: not wanted).  A program in the current folder is not found by way of PATH ("exec:
 * "x": cannot run executable found relative to current directory").  After exec.LookPath.
 */
LEAT_API char *leat_look_path(const char *name, const leat_error **error) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_process_start(...)           __extension__ leat_process_start(__VA_ARGS__)
#define leat_process_wait(...)            __extension__ leat_process_wait(__VA_ARGS__)
#define leat_process_run(...)             __extension__ leat_process_run(__VA_ARGS__)
#define leat_process_output(...)          __extension__ leat_process_output(__VA_ARGS__)
#define leat_process_combined_output(...) __extension__ leat_process_combined_output(__VA_ARGS__)
#endif

#endif
