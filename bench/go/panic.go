// SPDX-License-Identifier: MIT

// panic: panic with a text three calls deep, each of which has deferred a call, and recover.
package main

import "time"

const (
	times = 5000000
	depth = 3
)

var deferred int

func add(n *int) {
	*n++
}

//go:noinline
func call(depth int) {
	defer add(&deferred)
	if depth == 1 {
		panic("recovered")
	}
	call(depth - 1)
}

func catch() (caught int) {
	defer func() {
		if recover() != nil {
			caught = 1
		}
	}()
	call(depth)
	return 0
}

func main() {
	benchProcs()
	caught := 0
	start := time.Now()
	for i := 0; i < times; i++ {
		caught += catch()
	}
	nsEach("panic", start, times)
	work(times, "panics")
	check(caught, times, "the panics that were caught")
	check(deferred, times*depth, "the deferred calls")
}
