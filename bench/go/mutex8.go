// SPDX-License-Identifier: MIT

// mutex8: 8 goroutines lock one mutex, add one and unlock, over and over.
package main

import (
	"sync"
	"time"
)

const (
	goroutines = 8
	times      = 2500000
)

var (
	lock    sync.Mutex
	counter int
)

func adder(done *sync.WaitGroup) {
	defer done.Done()
	for i := 0; i < times; i++ {
		lock.Lock()
		counter++
		lock.Unlock()
	}
}

func main() {
	benchProcs()
	var done sync.WaitGroup

	done.Add(goroutines)
	start := time.Now()
	for i := 0; i < goroutines; i++ {
		go adder(&done)
	}
	done.Wait()
	nsEach("mutex8", start, goroutines*times)
	work(goroutines*times, "lock and unlock")
	check(counter, goroutines*times, "the counter")
}
