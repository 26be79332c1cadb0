// SPDX-License-Identifier: MIT

// defer: call a function that defers a call, which adds one, and returns.
package main

import "time"

const times = 200000000

//go:noinline
func add(n *int) {
	*n++
}

//go:noinline
func deferring(n *int) {
	defer add(n)
}

func main() {
	benchProcs()
	counter := 0
	start := time.Now()
	for i := 0; i < times; i++ {
		deferring(&counter)
	}
	nsEach("defer", start, times)
	work(times, "deferred calls")
	check(counter, times, "the counter")
}
