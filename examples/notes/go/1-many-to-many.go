// SPDX-License-Identifier: MIT

// A hundred thousand goroutines at once, and the threads that it takes.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

const goroutines = 100000

func threads() int {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0
	}
	return len(tasks)
}

func main() {
	var started, all sync.WaitGroup
	gate := make(chan struct{})

	started.Add(goroutines)
	all.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			defer all.Done()
			started.Done()
			<-gate
		}()
	}
	started.Wait()
	fmt.Printf("%d goroutines on %d threads\n", runtime.NumGoroutine(), threads())
	close(gate)
	all.Wait()
}
