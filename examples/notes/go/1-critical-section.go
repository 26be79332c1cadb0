// SPDX-License-Identifier: MIT

// Two critical sections that are kept apart by one mutex.
package main

import (
	"fmt"
	"sync"
)

var lock sync.Mutex
var data int // under the lock

func increment() {
	lock.Lock()
	defer lock.Unlock()
	data++
}

func look(when string) {
	lock.Lock()
	defer lock.Unlock()
	fmt.Printf("%s: %d\n", when, data)
}

func main() {
	var wg sync.WaitGroup

	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 1000; i++ {
				increment()
			}
		}()
	}
	look("on the way")
	wg.Wait()
	look("in the end")
}
