// SPDX-License-Identifier: MIT

// One sum under a mutex, and one by a goroutine that owns it.
package main

import (
	"fmt"
	"sync"
)

const (
	goroutines = 4
	additions  = 1000
)

var lock sync.Mutex
var sum int // under the lock

func add(n int) {
	lock.Lock()
	defer lock.Unlock()
	sum += n
}

func main() {
	owned := 0
	owner := make(chan int, 16)
	for i := 0; i < goroutines; i++ {
		go func() {
			for i := 0; i < additions; i++ {
				add(i)
			}
			for i := 0; i < additions; i++ {
				owner <- i
			}
		}()
	}
	for i := 0; i < goroutines*additions; i++ {
		owned += <-owner
	}
	fmt.Printf("under a mutex: %d\n", sum)
	fmt.Printf("by an owner:   %d\n", owned)
}
