// SPDX-License-Identifier: MIT

// Readers hold a lock together, a writer alone.
package main

import (
	"fmt"
	"sync"
)

const readers = 3

var lock sync.RWMutex
var value = 1 // under the lock
var inside, all sync.WaitGroup

func read() {
	defer all.Done()
	lock.RLock()
	defer lock.RUnlock()
	inside.Done()
	inside.Wait()
	if !lock.TryLock() {
		fmt.Printf("read %d, and nobody can write\n", value)
	}
}

func main() {
	inside.Add(readers)
	all.Add(readers)
	for i := 0; i < readers; i++ {
		go read()
	}
	all.Wait()

	lock.Lock()
	defer lock.Unlock()
	value++
	who := "nobody"
	if lock.TryRLock() {
		who = "I"
	}
	fmt.Printf("wrote %d, and who can read? %s\n", value, who)
}
