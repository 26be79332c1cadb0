// SPDX-License-Identifier: MIT

// pingpong: a value there and back over two unbuffered channels; the figure is per round trip.
package main

import "time"

const trips = 5000000

func echo(in <-chan int32, out chan<- int32) {
	for v := range in {
		out <- v + 1
	}
	close(out)
}

func main() {
	benchProcs()

	ping := make(chan int32)
	pong := make(chan int32)
	sum := 0

	start := time.Now()
	go echo(ping, pong)
	for i := 0; i < trips; i++ {
		ping <- int32(i)
		sum += int(<-pong)
	}
	nsEach("pingpong", start, trips)
	work(trips, "round trips")
	check(sum, trips*(trips+1)/2, "the sum")
	close(ping)
}
