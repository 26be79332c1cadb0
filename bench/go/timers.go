// SPDX-License-Identifier: MIT

// timers: 1,000,000 timers between 1 and 2 s from now, with functions, as sleeping goroutines, and
// stopped; processor time for each.
package main

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const timers = 1000000

var fired int64
var left sync.WaitGroup

// used is the processor time of this process so far, in nanoseconds.
func used() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func usedEach(name string, start int64) {
	result(name, float64(used()-start)/timers, "ns")
}

// span is so many nanoseconds, from 1 to 2 s, in no order.
func span(i int) time.Duration {
	return time.Second + time.Duration(i)*7919%timers*(time.Second/timers)
}

func fire() {
	atomic.AddInt64(&fired, 1)
	left.Done()
}

func sleeper(d time.Duration) {
	time.Sleep(d)
	left.Done()
}

func main() {
	needsMemory(5500000000)
	benchProcs()

	all := make([]*time.Timer, timers)
	start := used()
	left.Add(timers)
	for i := range all {
		all[i] = time.AfterFunc(span(i), fire)
	}
	left.Wait()
	usedEach("timers", start)
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
	usedEach("timers_stop", start)
	check(int(fired), timers, "the number of functions that ran")

	start = used()
	left.Add(timers)
	for i := 0; i < timers; i++ {
		go sleeper(span(i))
	}
	left.Wait()
	usedEach("timers_sleep", start)
	work(3*timers, "timers")
}
