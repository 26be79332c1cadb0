// SPDX-License-Identifier: MIT

// pairs100: 100 pairs of goroutines, each of which plays ping-pong over two unbuffered channels; the
// figure is the time of the whole per round trip of any pair.
package main

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	pairs = 100
	trips = 100000
)

var sum atomic.Int64

func serve(ping chan<- int32, pong <-chan int32, done *sync.WaitGroup) {
	defer done.Done()
	mine := 0
	for i := 0; i < trips; i++ {
		ping <- int32(i)
		mine += int(<-pong)
	}
	close(ping)
	sum.Add(int64(mine))
}

func echo(ping <-chan int32, pong chan<- int32, done *sync.WaitGroup) {
	defer done.Done()
	for v := range ping {
		pong <- v + 1
	}
}

func main() {
	benchProcs()
	var done sync.WaitGroup

	done.Add(2 * pairs)
	start := time.Now()
	for i := 0; i < pairs; i++ {
		ping, pong := make(chan int32), make(chan int32)
		go serve(ping, pong, &done)
		go echo(ping, pong, &done)
	}
	done.Wait()
	nsEach("pairs100", start, pairs*trips)
	work(pairs*trips, "round trips")
	check(int(sum.Load()), pairs*trips*(trips+1)/2, "the sum")
}
