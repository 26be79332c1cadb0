// SPDX-License-Identifier: MIT

// Two locks, taken in two orders.
package main

import "sync"

var a, b sync.Mutex
var holders, all sync.WaitGroup

func cross(first, second *sync.Mutex) {
	defer all.Done()
	first.Lock()
	defer first.Unlock()
	holders.Done()
	holders.Wait()
	second.Lock()
	defer second.Unlock()
}

func main() {
	all.Add(2)
	holders.Add(2)
	go cross(&a, &b)
	go cross(&b, &a)
	all.Wait()
}
