// SPDX-License-Identifier: MIT

// semaphore: 8 goroutines take one of 4 tokens and give it back, over and over.  The tokens are the places
// of a buffered channel, as is usual; Go's weighted semaphore (golang.org/x/sync) is not part of Go.
package main

import (
	"sync"
	"time"
)

const (
	goroutines = 8
	tokens     = 4
	times      = 2500000
)

func taker(places chan struct{}, done *sync.WaitGroup) {
	defer done.Done()
	for i := 0; i < times; i++ {
		places <- struct{}{}
		<-places
	}
}

func main() {
	benchProcs()
	places := make(chan struct{}, tokens)
	var done sync.WaitGroup

	done.Add(goroutines)
	start := time.Now()
	for i := 0; i < goroutines; i++ {
		go taker(places, &done)
	}
	done.Wait()
	nsEach("semaphore", start, goroutines*times)
	work(goroutines*times, "acquire and release")
	check(len(places), 0, "the tokens that are out")
}
