// SPDX-License-Identifier: MIT

// A wait for five goroutines.
package main

import (
	"fmt"
	"sync"
)

func main() {
	var writers sync.WaitGroup
	var slots [5]int

	for i := range slots {
		writers.Add(1)
		go func(i int) {
			defer writers.Done()
			slots[i] = i * i
		}(i)
	}
	writers.Wait()
	for _, slot := range slots {
		fmt.Println(slot)
	}
}
