// SPDX-License-Identifier: MIT

// The dining philosophers, with a butler.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

const (
	seats = 5
	meals = 100
)

var forks [seats]sync.Mutex

func eat(left, right *sync.Mutex) {
	left.Lock()
	defer left.Unlock()
	right.Lock()
	defer right.Unlock()
	runtime.Gosched()
}

func main() {
	var wg sync.WaitGroup
	butler := make(chan struct{}, seats-1)

	for i := 0; i < seats; i++ {
		wg.Add(1)
		go func(seat int) {
			defer wg.Done()
			for meal := 0; meal < meals; meal++ {
				butler <- struct{}{}
				eat(&forks[seat], &forks[(seat+1)%seats])
				<-butler
			}
			fmt.Printf("philosopher %d has eaten\n", seat)
		}(i)
	}
	wg.Wait()
}
