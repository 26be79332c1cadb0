// SPDX-License-Identifier: MIT

// select: four senders, each on an unbuffered channel of its own, and one receiver that selects
// over the four; the figure is per element received.
package main

import "time"

const each = 1500000

func sender(out chan<- int32) {
	for i := int32(0); i < each; i++ {
		out <- i
	}
}

func startSender() <-chan int32 {
	c := make(chan int32)
	go sender(c)
	return c
}

func main() {
	benchProcs()

	sum := 0

	start := time.Now()
	a, b, c, d := startSender(), startSender(), startSender(), startSender()
	for i := 0; i < 4*each; i++ {
		select {
		case v := <-a:
			sum += int(v)
		case v := <-b:
			sum += int(v)
		case v := <-c:
			sum += int(v)
		case v := <-d:
			sum += int(v)
		}
	}
	nsEach("select", start, 4*each)
	work(4*each, "elements")
	check(sum, 4*(each*(each-1)/2), "the sum")
}
