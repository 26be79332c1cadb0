// SPDX-License-Identifier: MIT

// Four workers for ten thousand tasks.
package main

import "fmt"

const (
	workers = 4
	tasks   = 10000
)

func work(todo <-chan int, results chan<- int) {
	sum := 0
	for task := range todo {
		sum += task
	}
	results <- sum
}

func main() {
	sum := 0
	todo := make(chan int, 64)
	results := make(chan int)

	for i := 0; i < workers; i++ {
		go work(todo, results)
	}
	for i := 1; i <= tasks; i++ {
		todo <- i
	}
	close(todo)
	for i := 0; i < workers; i++ {
		sum += <-results
	}
	fmt.Printf("%d workers did %d tasks: %d\n", workers, tasks, sum)
}
