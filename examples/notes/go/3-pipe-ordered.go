// SPDX-License-Identifier: MIT

// Fan-out that keeps the order: each value travels with a channel for its result.
package main

import "fmt"

type job struct {
	in  int
	out chan int
}

func leastFactor(n int) int {
	factor := 2
	for n%factor != 0 {
		factor++
	}
	return factor
}

func mapOrdered(workers int, numbers []int, fn func(int) int) <-chan int {
	jobs := make(chan job)
	ordered := make(chan job, workers)
	out := make(chan int)
	for i := 0; i < workers; i++ {
		go func() {
			for j := range jobs {
				j.out <- fn(j.in)
			}
		}()
	}
	go func() {
		defer close(jobs)
		defer close(ordered)
		for _, n := range numbers {
			j := job{n, make(chan int, 1)}
			ordered <- j
			jobs <- j
		}
	}()
	go func() {
		defer close(out)
		for j := range ordered {
			out <- <-j.out
		}
	}()
	return out
}

func main() {
	numbers := []int{49999, 50021, 50023, 50031, 50033, 50047}
	i := 0
	for factor := range mapOrdered(4, numbers, leastFactor) {
		is := "none"
		if factor == numbers[i] {
			is = "a prime"
		}
		fmt.Printf("%d is %s\n", numbers[i], is)
		i++
	}
}
