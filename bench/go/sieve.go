// SPDX-License-Identifier: MIT

// sieve: the first 4,000 primes out of a chain of filters, a goroutine and an unbuffered channel
// per prime; the figure is the time of the whole.  Numbers of 32 bits, as in the other languages.
package main

import "time"

const (
	primes    = 4000
	lastPrime = 37813
)

func count(out chan<- int32) {
	for i := int32(2); ; i++ {
		out <- i
	}
}

func filter(in <-chan int32, out chan<- int32, prime int32) {
	for v := range in {
		if v%prime != 0 {
			out <- v
		}
	}
}

func main() {
	benchProcs()

	in := make(chan int32)
	prime := int32(0)

	start := time.Now()
	go count(in)
	for i := 0; i < primes; i++ {
		out := make(chan int32)
		prime = <-in
		go filter(in, out, prime)
		in = out
	}
	result("sieve", time.Since(start).Seconds()*1e3, "ms")
	work(primes, "primes")
	check(int(prime), lastPrime, "the last prime")
}
