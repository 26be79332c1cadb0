// SPDX-License-Identifier: MIT

// once: ask, over and over, for something to be done once that has been done.
package main

import (
	"sync"
	"time"
)

const times = 100000000

var (
	once  sync.Once
	calls int
)

func count() {
	calls++
}

func main() {
	benchProcs()
	once.Do(count)
	start := time.Now()
	for i := 0; i < times; i++ {
		once.Do(count)
	}
	nsEach("once", start, times)
	work(times, "calls")
	check(calls, 1, "how often it was done")
}
