// SPDX-License-Identifier: MIT

// What a select does where several channels are ready, and where none is.
package main

import (
	"fmt"
	"time"
)

func main() {
	heads := make(chan int)
	tails := make(chan int)
	silent := make(chan int)
	count := 0

	close(heads)
	close(tails)
	for i := 0; i < 1000; i++ {
		select {
		case <-heads:
			count++
		case <-tails:
			continue
		}
	}
	fmt.Printf("%d of 1000 times heads\n", count)

	select {
	case <-silent:
		fmt.Println("it spoke")
	default:
		fmt.Println("nothing yet")
	}
	select {
	case <-silent:
		fmt.Println("it spoke")
	case <-time.After(10 * time.Millisecond):
		fmt.Println("nothing in time")
	}
}
