// SPDX-License-Identifier: MIT

// A greedy worker and a polite one.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

var lock sync.Mutex
var stop atomic.Bool
var greedyRounds, politeRounds int
var all sync.WaitGroup

func use(d time.Duration) {
	lock.Lock()
	defer lock.Unlock()
	time.Sleep(d)
}

func greedy() {
	defer all.Done()
	for ; !stop.Load(); greedyRounds++ {
		use(3 * time.Millisecond)
	}
}

func polite() {
	defer all.Done()
	for ; politeRounds < 10; politeRounds++ {
		for i := 0; i < 3; i++ {
			use(1 * time.Millisecond)
		}
	}
	stop.Store(true)
}

func main() {
	all.Add(2)
	go greedy()
	go polite()
	all.Wait()
	fmt.Printf("the polite worker did %d rounds\n", politeRounds)
	fmt.Printf("the greedy one meanwhile %d\n", greedyRounds)
}
