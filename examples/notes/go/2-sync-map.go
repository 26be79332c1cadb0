// SPDX-License-Identifier: MIT

// A map for many at once.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

var places sync.Map // by number
var taken, refused atomic.Int32
var guests sync.WaitGroup

func guest() {
	defer guests.Done()
	for place := 1; place <= 10; place++ {
		if _, loaded := places.LoadOrStore(place, true); loaded {
			refused.Add(1)
		} else {
			taken.Add(1)
		}
	}
}

func main() {
	counted := 0

	for i := 0; i < 4; i++ {
		guests.Add(1)
		go guest()
	}
	guests.Wait()
	places.Range(func(place, value any) bool {
		counted++
		return true
	})
	fmt.Printf("%d taken, %d refused, %d in the map\n", taken.Load(), refused.Load(), counted)
}
