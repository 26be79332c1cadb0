// SPDX-License-Identifier: MIT

// Lock and TryLock.
package main

import (
	"fmt"
	"sync"
)

var desk sync.Mutex
var served, wentAway int // the first under the lock

func visit() {
	desk.Lock()
	defer desk.Unlock()
	served++
}

func visitInAHurry() {
	if !desk.TryLock() {
		wentAway++
		return
	}
	defer desk.Unlock()
	served++
}

func main() {
	var wg sync.WaitGroup

	for i := 0; i < 10; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			visit()
		}()
	}
	wg.Wait()
	desk.Lock()
	visitInAHurry()
	desk.Unlock()
	visitInAHurry()
	fmt.Printf("%d served, %d went away\n", served, wentAway)
}
