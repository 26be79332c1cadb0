// SPDX-License-Identifier: MIT

// yield: what it costs a processor to switch goroutines; ../leat/yield.c says why there are rounds.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	rounds  = 100
	round   = 100000
	perProc = 2
)

var arrived atomic.Int64

func yielder(yielders int, done *sync.WaitGroup) {
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
	yielders := perProc * benchProcs()
	var done sync.WaitGroup

	done.Add(yielders)
	start := time.Now()
	for i := 0; i < yielders; i++ {
		go yielder(yielders, &done)
	}
	done.Wait()
	nsEach("yield", start, perProc*rounds*round)
	work(perProc*rounds*round, "yields per processor")
	check(int(arrived.Load()), yielders*rounds, "the number of rounds done")
}
