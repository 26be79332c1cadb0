// SPDX-License-Identifier: MIT

// One stream of many.
package main

import "fmt"

func bridge(done <-chan struct{}, streams <-chan (<-chan int), out chan<- int) {
	defer close(out)
	for in := range streams {
		for value := range in {
			select {
			case out <- value:
			case <-done:
				return
			}
		}
	}
}

func makeStreams(out chan<- (<-chan int)) {
	defer close(out)
	for i := 0; i < 3; i++ {
		c := make(chan int, 2)
		c <- 10 * i
		c <- 10*i + 1
		close(c)
		out <- c
	}
}

func main() {
	done := make(chan struct{})
	defer close(done)
	streams := make(chan (<-chan int))
	all := make(chan int)

	go makeStreams(streams)
	go bridge(done, streams, all)
	for value := range all {
		fmt.Println(value)
	}
}
