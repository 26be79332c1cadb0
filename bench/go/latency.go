// SPDX-License-Identifier: MIT

// latency: how long others wait where 1,000 goroutines take turns, each to compute for some 10 us and
// yield, while for one second
//
//	turn_...      a goroutine that has yielded waits for its next turn: with p processors 10 / p ms
//	wake_...      one of 10 that sleep 1 ms at a time comes back late
//	handoff_...   a value that one of these then sends to a partner who waits arrives
//
// each as p50, p99 and p99.9 (p999) of what was seen.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	busyOnes  = 1000
	probes    = 10
	turnUs    = 10
	nap       = time.Millisecond
	seconds   = 1
	turnsEach = seconds * 1000 // more than there is time for
	napsEach  = seconds * 1000
)

var (
	turns     = make([]time.Duration, busyOnes*turnsEach)
	wakes     = make([]time.Duration, probes*napsEach)
	handoffs  = make([]time.Duration, probes*napsEach)
	nTurns    atomic.Int64
	nWakes    atomic.Int64
	nHandoffs atomic.Int64
	end       time.Time
	kept      atomic.Uint64 // what was computed
)

func busy(done *sync.WaitGroup, random uint64) {
	defer done.Done()
	now := time.Now()
	for i := 0; now.Before(end) && i < turnsEach; i++ {
		random = stepsRun(random, turnUs*stepsPerUs)
		before := time.Now()
		runtime.Gosched()
		now = time.Now()
		turns[nTurns.Add(1)-1] = now.Sub(before)
	}
	kept.Add(random)
}

func sleeper(done *sync.WaitGroup, stamps chan<- time.Time) {
	defer done.Done()
	for i := 0; i < napsEach && time.Now().Before(end); i++ {
		start := time.Now()
		time.Sleep(nap)
		wakes[nWakes.Add(1)-1] = time.Since(start) - nap
		stamps <- time.Now()
	}
	close(stamps)
}

func partner(done *sync.WaitGroup, stamps <-chan time.Time) {
	defer done.Done()
	for stamp := range stamps {
		handoffs[nHandoffs.Add(1)-1] = time.Since(stamp)
	}
}

func tell(name string, values []time.Duration) {
	result(name+"_p50", quantile(values, 0.5)/1e3, "us")
	result(name+"_p99", quantile(values, 0.99)/1e3, "us")
	result(name+"_p999", quantile(values, 0.999)/1e3, "us")
}

func main() {
	benchProcs()
	var done sync.WaitGroup
	end = time.Now().Add(seconds * time.Second)
	done.Add(busyOnes + 2*probes)
	for i := 0; i < busyOnes; i++ {
		go busy(&done, uint64(i))
	}
	for i := 0; i < probes; i++ {
		stamps := make(chan time.Time)
		go sleeper(&done, stamps)
		go partner(&done, stamps)
	}
	done.Wait()
	tell("turn", turns[:nTurns.Load()])
	tell("wake", wakes[:nWakes.Load()])
	tell("handoff", handoffs[:nHandoffs.Load()])
	work(busyOnes, "goroutines that compute")
	check(int(nHandoffs.Load()), int(nWakes.Load()), "the number of values received")
}
