// SPDX-License-Identifier: MIT

// What is lost when i++ is done in three steps.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const goroutines = 100

func main() {
	var inSteps, atOnce atomic.Int32
	var readers, all sync.WaitGroup

	readers.Add(goroutines)
	all.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			defer all.Done()
			i := inSteps.Load()
			readers.Done()
			readers.Wait()
			inSteps.Store(i + 1)
			atOnce.Add(1)
		}()
	}
	all.Wait()
	fmt.Printf("in three steps: %d\n", inSteps.Load())
	fmt.Printf("atomically: %d\n", atOnce.Load())
}
