// SPDX-License-Identifier: MIT

// Each value for two readers.
package main

import "fmt"

func tee(done <-chan struct{}, in <-chan int) (<-chan int, <-chan int) {
	one := make(chan int)
	other := make(chan int)
	go func() {
		defer close(one)
		defer close(other)
		for value := range in {
			one, other := one, other
			for one != nil || other != nil {
				select {
				case one <- value:
					one = nil
				case other <- value:
					other = nil
				case <-done:
					return
				}
			}
		}
	}()
	return one, other
}

func main() {
	done := make(chan struct{})
	defer close(done)
	in := make(chan int, 4)

	for i := 1; i <= 4; i++ {
		in <- i
	}
	close(in)
	one, other := tee(done, in)
	for value := range one {
		fmt.Printf("one: %d, other: %d\n", value, <-other)
	}
}
