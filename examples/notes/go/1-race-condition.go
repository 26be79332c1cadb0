// SPDX-License-Identifier: MIT

// A race condition that is no data race, and the join that ends it.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

func main() {
	var raced, joined atomic.Int32
	var wg sync.WaitGroup

	wg.Add(1)
	go func() {
		defer wg.Done()
		raced.Add(1)
	}()
	fmt.Printf("whenever that is: %d\n", raced.Load())

	wg.Add(1)
	go func() {
		defer wg.Done()
		joined.Add(1)
	}()
	wg.Wait()
	fmt.Printf("after the join: %d\n", joined.Load())
}
