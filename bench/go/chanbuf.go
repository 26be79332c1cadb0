// SPDX-License-Identifier: MIT

// chanbuf: one sender, one receiver, a channel with room for 128; the figure is per element.
package main

import "time"

const (
	elements = 40000000
	capacity = 128
)

func sender(out chan<- int32) {
	for i := int32(0); i < elements; i++ {
		out <- i
	}
	close(out)
}

func main() {
	benchProcs()

	c := make(chan int32, capacity)
	sum := 0

	start := time.Now()
	go sender(c)
	for v := range c {
		sum += int(v)
	}
	nsEach("chanbuf", start, elements)
	work(elements, "elements")
	check(sum, elements*(elements-1)/2, "the sum")
}
