// SPDX-License-Identifier: MIT

// spawn: start a goroutine, run it, join it; in batches of 1,000 under one wait group.
package main

import (
	"sync"
	"time"
)

const (
	batches = 10000
	batch   = 1000
)

func worker(done *sync.WaitGroup, slot *int32) {
	*slot = 1
	done.Done()
}

func main() {
	benchProcs()

	var slots [batch]int32
	var done sync.WaitGroup
	ran := 0

	start := time.Now()
	for b := 0; b < batches; b++ {
		done.Add(batch)
		for i := range slots {
			go worker(&done, &slots[i])
		}
		done.Wait()
		for i := range slots {
			ran += int(slots[i])
			slots[i] = 0
		}
	}
	nsEach("spawn", start, batches*batch)
	work(batches*batch, "goroutines")
	check(ran, batches*batch, "the number of goroutines run")
}
