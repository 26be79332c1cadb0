// SPDX-License-Identifier: MIT

// yield8: as yield, with 8 goroutines in all.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	rounds   = 100
	round    = 25000
	yielders = 8
)

var arrived atomic.Int64

func yielder(done *sync.WaitGroup) {
	defer done.Done()
	for r := 1; r <= rounds; r++ {
		for i := 0; i < round; i++ {
			runtime.Gosched()
		}
		arrived.Add(1)
		for arrived.Load() < int64(r*yielders) {
			runtime.Gosched()
		}
	}
}

func main() {
	perProc := yielders / benchProcs()
	var done sync.WaitGroup

	done.Add(yielders)
	start := time.Now()
	for i := 0; i < yielders; i++ {
		go yielder(&done)
	}
	done.Wait()
	nsEach("yield8", start, perProc*rounds*round)
	work(perProc*rounds*round, "yields per processor")
	check(int(arrived.Load()), yielders*rounds, "the number of rounds done")
}
