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
	steps  = 37500000
	a      = 6364136223846793005
	c      = 1442695040888963407
)

func compute(random uint64) uint64 {
	for i := 0; i < steps; i++ {
		random = random*a + c
	}
	return random
}

// expected is what compute returns, in logarithmic time.
func expected(random uint64) uint64 {
	a, c := uint64(a), uint64(c)
	for left := steps; left != 0; left >>= 1 {
		if left&1 != 0 {
			random = random*a + c
		}
		c = a*c + c
		a *= a
	}
	return random
}

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
			*slot = compute(*slot)
		}(&slots[i])
	}
	done.Wait()
	result("jobs", time.Since(start).Seconds()*1e3, "ms")
	result("jobs_threads", float64(kbField("/proc/self/status", "Threads")/1024), "threads")
	work(jobs, "jobs")
	right := 0
	for i := range slots {
		if slots[i] == expected(uint64(i)) {
			right++
		}
	}
	check(right, jobs, "the number of right results")
}
