/* SPDX-License-Identifier: MIT */
/*
 * What the Boost.Fiber programs share: the threads, their scheduler, the stacks, and the end.
 *
 * With one processor there is one thread and Boost's default, round_robin.  With more there are as
 * many threads under work_stealing that sleep when they find nothing to run.  Only a fiber that
 * parked on a sleeping thread wakes it, so much of the work stays on one thread; and yet threads
 * that spin instead lost in every row, and shared_work (asleep, too) in most.  On 2 processors of a
 * busy machine, the least of 4 short runs, in ns:
 *
 *	               stealing  stealing, spinning  shared_work
 *	yield               194                 631         2591
 *	pingpong            560                7105          197
 *	chanbuf              27                  62           27
 *	chanmpmc             36                 137           69
 *	ring                110               19059           86
 *
 * There is no fib32: it takes 48 s and 16 GB, since nearly all of its fibers exist at once.
 */
#ifndef BENCH_FIBERS_HPP
#define BENCH_FIBERS_HPP

#include "../bench.h"

#include <boost/fiber/all.hpp>
#include <malloc.h>

#include <functional>
#include <thread>
#include <vector>

namespace fibers = boost::fibers;

/*
 * Run body with bench_procs() processors and end the process.  With more than one, body is a fiber
 * like the others, since Boost never moves the one of main to another thread.
 *
 * The process ends under its threads: some rows leave fibers that wait for ever, and a scheduler is
 * not destroyed before all of its fibers have ended.
 */
template <typename Body> [[noreturn]] void fibers_run(Body body)
{
	int procs = bench_procs();

	/*
	 * The default stacks are 128 KiB from malloc, which would return each to the kernel: kept for
	 * the next fiber instead, a spawn takes a tenth of the time.
	 */
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	if (procs == 1) {
		body();
	} else {
		auto join_in = [procs] {
			fibers::use_scheduling_algorithm<fibers::algo::work_stealing>((uint32_t)procs, true);
		};

		for (int i = 1; i < procs; i++)
			std::thread([join_in] {
				fibers::barrier never(2);

				join_in();
				never.wait();
			}).detach();
		join_in();
		fibers::fiber(body).join();
	}
	fflush(stdout);
	_exit(0);
}

#endif
