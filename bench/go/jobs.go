// SPDX-License-Identifier: MIT

// jobs: 60 goroutines (20,000 under BENCH_FULL), all started at once, of 50 ms CPU time each in which
// they call nothing.  The figures are the time of the whole and the threads the process then has,
// which in Go are the most it had at once.
package main

import (
	"sync"
	"time"
)

const (
	scaled = 60
	full   = 20000
	steps  = 50000 * stepsPerUs
)

func main() {
	benchProcs()
	jobs := fullCount(scaled, full)
	slots := make([]uint64, jobs)
	var done sync.WaitGroup
	start := time.Now()
	done.Add(jobs)
	for i := range slots {
		slots[i] = uint64(i)
		go func(slot *uint64) {
			defer done.Done()
			*slot = stepsRun(*slot, steps)
		}(&slots[i])
	}
	done.Wait()
	result("jobs", time.Since(start).Seconds()*1e3, "ms")
	result("jobs_threads", float64(kbField("/proc/self/status", "Threads")/1024), "threads")
	work(jobs, "jobs")
	right := 0
	for i := range slots {
		if slots[i] == stepsExpected(uint64(i), steps) {
			right++
		}
	}
	check(right, jobs, "the number of right results")
}
