// SPDX-License-Identifier: MIT

// A pipeline of general stages.
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

func repeat(done <-chan struct{}, values ...int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for i := 0; ; i++ {
			select {
			case out <- values[i%len(values)]:
			case <-done:
				return
			}
		}
	}()
	return out
}

func mapAll(done <-chan struct{}, in <-chan int, fn func(int) int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for {
			select {
			case value, ok := <-in:
				if !ok {
					return
				}
				select {
				case out <- fn(value):
				case <-done:
					return
				}
			case <-done:
				return
			}
		}
	}()
	return out
}

func multiply(by int) func(int) int {
	return func(value int) int { return value * by }
}

func increment(value int) int {
	return value + 1
}

func main() {
	done := make(chan struct{})
	defer close(done)

	doubled := mapAll(done, fromSlice(done, []int{1, 2, 3, 4}), multiply(2))
	more := mapAll(done, doubled, increment)
	for value := range mapAll(done, more, multiply(2)) {
		fmt.Println(value)
	}

	endless := mapAll(done, repeat(done, 6, 7), increment)
	fmt.Printf("one of endlessly many: %d\n", <-endless)
	for i := 0; i < 3; i++ {
		fmt.Printf("and three more: %d\n", <-endless)
	}
}
