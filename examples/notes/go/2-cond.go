// SPDX-License-Identifier: MIT

// Three who wait for a click.
package main

import (
	"fmt"
	"sync"
)

var lock sync.Mutex
var clicked = sync.NewCond(&lock)
var clicks int // under the lock

func subscribe(what string) {
	lock.Lock()
	defer lock.Unlock()
	for clicks == 0 {
		clicked.Wait()
	}
	fmt.Println(what)
}

func click() {
	lock.Lock()
	defer lock.Unlock()
	clicks++
	clicked.Broadcast()
}

func main() {
	var wg sync.WaitGroup

	for _, what := range []string{"the window opens", "a bell rings", "the light goes on"} {
		wg.Add(1)
		go func(what string) {
			defer wg.Done()
			subscribe(what)
		}(what)
	}
	click()
	wg.Wait()
}
