// SPDX-License-Identifier: MIT

// Two results of each task, of which one may count.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const tasks = 100

// By task: who may send the result.  The parent gives each permission once.
var given [tasks]atomic.Bool
var sent atomic.Int32

func maySend(task int) bool {
	return !given[task].Swap(true)
}

func work(results chan<- int) {
	for task := 0; task < tasks; task++ {
		results <- task
		if maySend(task) {
			sent.Add(1)
		}
	}
}

func main() {
	var wg sync.WaitGroup
	var seen [tasks]bool
	accepted := 0
	results := make(chan int)

	for i := 0; i < 2; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			work(results)
		}()
	}
	for i := 0; i < 2*tasks; i++ {
		task := <-results
		if !seen[task] {
			accepted++
		}
		seen[task] = true
	}
	wg.Wait()
	fmt.Printf("of %d results %d were the first of their task\n", 2*tasks, accepted)
	fmt.Printf("of %d questions %d were permitted\n", 2*tasks, sent.Load())
}
