// SPDX-License-Identifier: MIT

// Streams that are split and joined.
package main

import "fmt"

func fromSlice(done <-chan struct{}, values []int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for _, value := range values {
			select {
			case out <- value:
			case <-done:
				return
			}
		}
	}()
	return out
}

func bridge(done <-chan struct{}, streams ...<-chan int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for _, in := range streams {
			for value := range in {
				select {
				case out <- value:
				case <-done:
					return
				}
			}
		}
	}()
	return out
}

func tee(done, in <-chan int) (<-chan int, <-chan int) {
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
	open := make(chan int, 1)
	none := make(chan int)
	some := make(chan int, 1)

	one, other := tee(nil, bridge(done, fromSlice(done, []int{1, 2}), fromSlice(done, []int{11, 12})))
	for value := range one {
		fmt.Printf("one: %d, other: %d\n", value, <-other)
	}

	open <- 5
	some <- 1
	select {
	case <-some:
	case <-none:
	}
	fmt.Println("one of them had something")

	for wanted := true; wanted; {
		select {
		case value := <-open:
			fmt.Printf("from an open channel: %d\n", value)
			close(done)
		case <-done:
			wanted = false
		}
	}
	fmt.Println("no longer wanted")
}
