// SPDX-License-Identifier: MIT

// A pipeline in batches and as a stream.
package main

import "fmt"

func multiply(value, by int) int {
	return value * by
}

func add(value, summand int) int {
	return value + summand
}

func batch(values []int, op func(int, int) int, operand int) {
	for i, value := range values {
		values[i] = op(value, operand)
	}
}

func numbers(done <-chan struct{}, count int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for i := 1; i <= count; i++ {
			select {
			case out <- i:
			case <-done:
				return
			}
		}
	}()
	return out
}

func stage(done <-chan struct{}, in <-chan int, op func(int, int) int, operand int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for value := range in {
			select {
			case out <- op(value, operand):
			case <-done:
				return
			}
		}
	}()
	return out
}

func main() {
	values := []int{1, 2, 3, 4}
	done := make(chan struct{})
	defer close(done)

	batch(values, multiply, 2)
	batch(values, add, 1)
	batch(values, multiply, 2)
	for _, value := range values {
		fmt.Printf("in a batch: %d\n", value)
	}

	doubled := stage(done, numbers(done, 4), multiply, 2)
	for value := range stage(done, stage(done, doubled, add, 1), multiply, 2) {
		fmt.Printf("in a stream: %d\n", value)
	}

	endless := stage(done, numbers(done, 1000000), add, 1)
	fmt.Printf("one of a million: %d\n", <-endless)
}
