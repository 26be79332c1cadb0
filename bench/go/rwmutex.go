// SPDX-License-Identifier: MIT

// rwmutex: a goroutine per processor locks one lock for reading, reads and unlocks, over and over; the time
// of one of them for one round.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const times = 20000000

var (
	lock   sync.RWMutex
	shared int64 = 1
	sum    int64
)

func reader(done *sync.WaitGroup) {
	defer done.Done()
	var mine int64
	for i := 0; i < times; i++ {
		lock.RLock()
		mine += atomic.LoadInt64(&shared)
		lock.RUnlock()
	}
	atomic.AddInt64(&sum, mine)
}

func main() {
	benchProcs()
	var done sync.WaitGroup
	readers := runtime.GOMAXPROCS(0)

	done.Add(readers)
	start := time.Now()
	for i := 0; i < readers; i++ {
		go reader(&done)
	}
	done.Wait()
	nsEach("rwmutex", start, times)
	work(times, "read locks by each")
	check(int(sum), readers*times, "the sum")
}
