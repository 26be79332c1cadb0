// SPDX-License-Identifier: MIT

// Several goroutines for one stage.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func findPrimes(in <-chan int, out chan<- int) {
	for n := range in {
		divisor := 2
		for n%divisor != 0 {
			divisor++
		}
		if divisor == n {
			out <- n
		}
	}
}

func feed(out chan<- int) {
	defer close(out)
	for n := 50000; n < 50050; n++ {
		out <- n
	}
}

func fanIn(finders *sync.WaitGroup, primes chan<- int) {
	finders.Wait()
	close(primes)
}

func main() {
	var finders sync.WaitGroup
	numbers := make(chan int)
	primes := make(chan int)

	go feed(numbers)
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		finders.Add(1)
		go func() {
			defer finders.Done()
			findPrimes(numbers, primes)
		}()
	}
	go fanIn(&finders, primes)
	for prime := range primes {
		fmt.Println(prime)
	}
}
