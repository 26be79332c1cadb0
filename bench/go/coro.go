// SPDX-License-Identifier: MIT

// coro: a generator is asked for the next of its values; the figure is per value.  Go has coroutines since 1.23, as
// iter.Pull (coro.23.go); before, a generator is a goroutine behind a channel (coro.0.go).
package main

import "time"

const values = 2000000

func main() {
	benchProcs()

	next, stop := pull(func(yield func(int64) bool) {
		for i := int64(0); yield(i); i++ {
		}
	})
	sum := int64(0)
	start := time.Now()
	for i := 0; i < values; i++ {
		v, _ := next()
		sum += v
	}
	nsEach("coro", start, values)
	work(values, "values")
	check(int(sum), values*(values-1)/2, "the sum")
	stop()
}
