// SPDX-License-Identifier: MIT

// ring: 503 goroutines in a ring of unbuffered channels pass one token on; the figure is per hop.
package main

import "time"

const (
	size = 503
	hops = 10000000
)

func member(place int32, in <-chan int32, out, last chan<- int32) {
	for {
		left := <-in
		if left == 0 {
			last <- place
			return
		}
		out <- left - 1
	}
}

func main() {
	benchProcs()

	last := make(chan int32)
	first := make(chan int32)
	in := first
	for i := 0; i < size; i++ {
		out := first
		if i < size-1 {
			out = make(chan int32)
		}
		go member(int32(i), in, out, last)
		in = out
	}
	start := time.Now()
	first <- hops
	place := <-last
	nsEach("ring", start, hops)
	work(hops, "hops")
	check(int(place), hops%size, "the place of the last")
}
