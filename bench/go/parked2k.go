// SPDX-License-Identifier: MIT

// parked2k: row parked under the name of leat's small stacks; Go's begin with 2 KiB anyway.
package main

import (
	"runtime"
	"sync"
	"time"
)

const goroutines = 1000000

func parker(never <-chan struct{}, started *sync.WaitGroup) {
	started.Done()
	<-never
}

func main() {
	needsMemory(4500000000)
	benchProcs()

	never := make(chan struct{})
	var started sync.WaitGroup
	rssBefore, pteBefore := rss(), pte()

	start := time.Now()
	started.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go parker(never, &started)
	}
	started.Wait()
	nsEach("parked2k_create", start, goroutines)
	// A goroutine that has started but not yet parked uses no more memory than one that has.
	result("parked2k_rss", float64(rss()-rssBefore)/goroutines, "B")
	result("parked2k_pte", float64(pte()-pteBefore)/goroutines, "B")
	work(goroutines, "goroutines")
	check(runtime.NumGoroutine(), goroutines+1, "the number of goroutines")

	start = time.Now()
	close(never)
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
	nsEach("parked2k_end", start, goroutines)
}
