// SPDX-License-Identifier: MIT

// mutex: lock, add one, unlock, with nobody else about.
package main

import (
	"sync"
	"time"
)

const times = 100000000

var (
	lock    sync.Mutex
	counter int
)

func main() {
	benchProcs()

	start := time.Now()
	for i := 0; i < times; i++ {
		lock.Lock()
		counter++
		lock.Unlock()
	}
	nsEach("mutex", start, times)
	work(times, "lock and unlock")
	check(counter, times, "the counter")
}
