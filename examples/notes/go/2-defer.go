// SPDX-License-Identifier: MIT

// What is deferred is done in a panic, too.
package main

import (
	"fmt"
	"sync"
)

var lock sync.Mutex
var count int // under the lock

func increment(limit int) {
	lock.Lock()
	defer lock.Unlock()
	defer fmt.Println("leaving")
	if count == limit {
		panic(fmt.Sprintf("more than %d", count))
	}
	count++
}

func catch(fn func(int), arg int) (message any) {
	defer func() {
		message = recover()
	}()
	fn(arg)
	return nil
}

func main() {
	increment(2)
	increment(2)
	if message := catch(increment, 2); message != nil {
		fmt.Printf("recovered: %v\n", message)
	}
	increment(3)
	fmt.Printf("count: %d\n", count)
}
