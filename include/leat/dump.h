/* SPDX-License-Identifier: MIT */
/*
 * Dumps: what all goroutines do, in Go's format, from a process that goes on.
 *
 *	goroutine 1 [running]:
 *	main(...)
 *		/home/u/p.c:31 +0x5c
 *
 *	goroutine 7 "feeder" [chan send, 3 minutes]:
 *	feed(...)
 *		/home/u/p.c:12 +0x2d
 *	created by main in goroutine 1
 *		/home/u/p.c:30 +0x55
 *
 * The words in brackets are Go's: running; runnable; syscall, for a goroutine whose thread sleeps in a
 * blocking call; else what it waits for.  After a minute of waiting they say for how long.
 *
 * A process that gets SIGQUIT (control-backslash on the terminal) prints the same of itself on stderr
 * and exits with status 2, even when every processor is busy or everything hangs, unless the program
 * has a handler of its own for that signal or ignores it, set before its first call into leat or after.
 */
#ifndef LEAT_DUMP_H
#define LEAT_DUMP_H

#include <leat/base.h>

#include <stdio.h>

LEAT__BEGIN

/*
 * Write a block for each goroutine to f, oldest first, with an empty line between two, and flush f.
 *
 * Nothing is stopped: each block is true at one instant, another for each.  Goroutines that start
 * meanwhile are missing, those that end may be.  When nothing else runs there are leat_num_goroutine()
 * blocks.  Plain threads and leat's own threads have none.
 *
 * A goroutine that runs is looked at by sending SIGURG to its thread: a system call that is under way
 * there goes on if it is one that SA_RESTART restarts, and fails with EINTR (or ends early, as sleep
 * does) if not.  A handler for SIGURG that the program has set is kept and gets all other SIGURGs; set
 * none while a dump is being made.  A thread that blocks SIGURG, or does not get to run for two seconds,
 * is shown as running, without its stack.
 *
 * Errors of writing are left to ferror.  When memory is out, goroutines or frames are missing.
 * Any goroutine, any thread, several at a time (they take turns, goroutine by goroutine, and dumps to
 * one stream follow each other); not in a signal handler.  Blocks the caller's thread.
 * Costs some microseconds for each goroutine, a signal for one that runs, and 70 us for the name of each
 * place in the code that is met for the first time in a dump.
 * After Go's runtime.Stack with all set, and pprof.Lookup("goroutine").WriteTo.
 */
LEAT_API void leat_dump(FILE *f);

LEAT__END

#endif
