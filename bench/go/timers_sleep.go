// SPDX-License-Identifier: MIT

// timers_sleep: 1,000,000 goroutines that sleep, between 1 and 2 s; processor time for each.
package main

import (
	"sync"
	"time"
)

const sleepers = 1000000

var left sync.WaitGroup

// span is so many nanoseconds, from 1 to 2 s, in no order.
func span(i int) time.Duration {
	return time.Second + time.Duration(i)*7919%sleepers*(time.Second/sleepers)
}

func sleeper(d time.Duration) {
	time.Sleep(d)
	left.Done()
}

func main() {
	needsMemory(5500000000)
	benchProcs()

	start := used()
	left.Add(sleepers)
	for i := 0; i < sleepers; i++ {
		go sleeper(span(i))
	}
	left.Wait()
	usedEach("timers_sleep", start, sleepers)
	work(sleepers, "sleepers")
}
