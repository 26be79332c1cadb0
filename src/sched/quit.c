/* SPDX-License-Identifier: MIT */
/*
 * SIGQUIT: the program is to say what all its goroutines do, and die.
 *
 * The handler runs in the middle of anything, so it does next to nothing: it asks the monitor, which
 * has no processor, runs nothing of the program's and so is free although every processor is busy.
 * The report takes none of the runtime's locks, but the monitor does now and then, and may hang there
 * if the runtime is broken.  So the handler also sets the alarm clock.  Three times it can ring:
 *
 *  - The monitor has not come by: the report is made in the alarm's handler.
 *  - No goroutine was added to the report for long (whoever made it interrupted malloc, or hangs in
 *    libdw): it is made anew, with addresses for names, which takes no lock of libc's.
 *  - That did not come to an end either: the process ends without.
 */
#include "os/signal.h"
#include "sched/panic.h"
#include "sched/scheduler.h"
#include "sched/settings.h"

enum { NO, ASKED, TAKEN };

#define TAKE_S   2  /* until the monitor is taken to hang */
#define REPORT_S 10 /* for one goroutine of the report */

_Atomic uint32_t leat__quit_asked; /* NO, ASKED, TAKEN; whoever changes ASKED to TAKEN reports */

LEAT__NORETURN static void leat__quit_report(void)
{
	leat__report("SIGQUIT: quit\n");
	if (leat__settings.traceback > LEAT__TRACE_NONE) {
		leat__report("\n");
		leat__report_all();
	}
	leat__report_end(2);
}

static void leat__on_no_report(void)
{
	static uint32_t seen;

	if (load_relaxed(&leat__reported) != seen) {
		seen = load_relaxed(&leat__reported);
		leat__os_later(REPORT_S, leat__on_no_report);
		return;
	}
	leat__os_watchdog(REPORT_S, 2);
	leat__report_without_libraries();
	leat__report("\n");
	leat__quit_report();
}

/* Unless somebody else does: report.  Never returns when it was ours to do. */
static void leat__quit_take(void)
{
	uint32_t asked = ASKED;

	if (!cas_acq_rel(&leat__quit_asked, &asked, TAKEN))
		return;
	leat__os_later(REPORT_S, leat__on_no_report);
	leat__report_begin();
	leat__quit_report();
}

void leat__quit(void)
{
	static _Atomic uint32_t for_ever;

	leat__quit_take();
	for (;;)
		leat__os_wait(&for_ever, 0, INT64_MAX);
}

static void on_quit(void)
{
	uint32_t no = NO;

	if (!cas_acq_rel(&leat__quit_asked, &no, ASKED))
		return;
	leat__os_later(TAKE_S, leat__quit_take);
	leat__monitor_call();
}

void leat__quit_init(void)
{
	leat__os_on_quit(on_quit);
}
