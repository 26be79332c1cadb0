// SPDX-License-Identifier: MIT

// any: one function puts a number into an any with its type, another asks for it by that type; then the
// same with the any sent on a channel of one slot and received in between.
package main

import "time"

const (
	times = 20000000
	sends = 5000000
)

//go:noinline
func wrap(n int) any { return n }

//go:noinline
func unwrap(a any) int {
	if n, ok := a.(int); ok {
		return n
	}
	return -1
}

func main() {
	benchProcs()
	c := make(chan any, 1)
	sum := 0

	start := time.Now()
	for i := 0; i < times; i++ {
		sum += unwrap(wrap(i & 0xffff))
	}
	nsEach("any", start, times)
	start = time.Now()
	for i := 0; i < sends; i++ {
		c <- wrap(i & 0xffff)
		sum -= unwrap(<-c)
	}
	nsEach("any_chan", start, sends)
	work(times, "round trips")
	for i := sends; i < times; i++ {
		sum -= i & 0xffff
	}
	check(sum, 0, "what the sums differ by")
}
