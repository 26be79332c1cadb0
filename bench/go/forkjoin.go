// SPDX-License-Identifier: MIT

// forkjoin: two goroutines that compute for some 10, 100 or 1,000 us are started and waited for; the
// figure is the time of the whole, for each such pair.
package main

import (
	"sync"
	"time"
)

func forkJoin(name string, times int, us int) {
	steps := us * stepsPerUs
	right := 0
	var total time.Duration

	for i := 0; i < times; i++ {
		var slots = [2]uint64{uint64(i), uint64(-i)}
		var done sync.WaitGroup
		task := func(slot *uint64) {
			defer done.Done()
			*slot = stepsRun(*slot, steps)
		}

		start := time.Now()
		done.Add(2)
		go task(&slots[0])
		go task(&slots[1])
		done.Wait()
		total += time.Since(start)
		if slots[0] == stepsExpected(uint64(i), steps) {
			right++
		}
		if slots[1] == stepsExpected(uint64(-i), steps) {
			right++
		}
	}
	result(name, float64(total.Nanoseconds())/float64(times)/1e3, "us")
	check(right, 2*times, "the number of right results")
}

func main() {
	benchProcs()
	forkJoin("forkjoin_10", 10000, 10)
	forkJoin("forkjoin_100", 2000, 100)
	forkJoin("forkjoin_1000", 200, 1000)
	work(12200, "pairs of tasks")
}
