// SPDX-License-Identifier: MIT

// fib32: the 32nd Fibonacci number by fork and join: each call starts a goroutine for one half and
// computes the other itself, 3.5 million goroutines in all.  The figure is the time of the whole.
package main

import (
	"sync"
	"time"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	var done sync.WaitGroup
	var one int
	done.Add(1)
	go func() {
		defer done.Done()
		one = fib(n - 1)
	}()
	other := fib(n - 2)
	done.Wait()
	return one + other
}

func main() {
	benchProcs()
	start := time.Now()
	got := fib(32)
	result("fib32", time.Since(start).Seconds()*1e3, "ms")
	work(3524577, "goroutines")
	check(got, 2178309, "fib(32)")
}
