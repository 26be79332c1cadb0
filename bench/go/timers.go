// SPDX-License-Identifier: MIT

// timers: 1,000,000 timers between 1 and 2 s from now, with functions, and stopped;
// processor time for each.
package main

import (
	"sync"
	"sync/atomic"
	"time"
)

const timers = 1000000

var fired int64
var left sync.WaitGroup

// span is so many nanoseconds, from 1 to 2 s, in no order.
func span(i int) time.Duration {
	return time.Second + time.Duration(i)*7919%timers*(time.Second/timers)
}

func fire() {
	atomic.AddInt64(&fired, 1)
	left.Done()
}

func main() {
	needsMemory(1000000000)
	benchProcs()

	all := make([]*time.Timer, timers)
	start := used()
	left.Add(timers)
	for i := range all {
		all[i] = time.AfterFunc(span(i), fire)
	}
	left.Wait()
	usedEach("timers", start, timers)
	check(int(fired), timers, "the number of functions that ran")

	start = used()
	for i := range all {
		all[i] = time.AfterFunc(time.Hour+span(i), fire)
	}
	for i := range all {
		all[i].Reset(time.Hour + span(timers-i))
	}
	for i := range all {
		all[i].Stop()
	}
	usedEach("timers_stop", start, timers)
	check(int(fired), timers, "the number of functions that ran")
	work(2*timers, "timers")
}
