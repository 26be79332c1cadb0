// SPDX-License-Identifier: MIT

// Ten primes among random numbers, found by several workers.
package main

import (
	"fmt"
	"math/rand"
	"runtime"
	"sync"
)

func randomNumbers(done <-chan struct{}) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for {
			select {
			case out <- rand.Intn(1000000):
			case <-done:
				return
			}
		}
	}()
	return out
}

// The slow way, so that there is something to do.
func isPrime(n int) bool {
	divisor := 2
	for divisor < n && n%divisor != 0 {
		divisor++
	}
	return divisor == n
}

func findPrimes(done <-chan struct{}, in <-chan int, workers int) <-chan int {
	var wg sync.WaitGroup
	out := make(chan int)
	wg.Add(workers)
	for i := 0; i < workers; i++ {
		go func() {
			defer wg.Done()
			for n := range in {
				if !isPrime(n) {
					continue
				}
				select {
				case out <- n:
				case <-done:
					return
				}
			}
		}()
	}
	go func() {
		wg.Wait()
		close(out)
	}()
	return out
}

func hasDivisor(n int) bool {
	for divisor := 2; divisor*divisor <= n; divisor++ {
		if n%divisor == 0 {
			return true
		}
	}
	return n < 2
}

func main() {
	found, wrong := 0, 0
	done := make(chan struct{})
	defer close(done)

	primes := findPrimes(done, randomNumbers(done), runtime.GOMAXPROCS(0))
	for ; found < 10; found++ {
		if hasDivisor(<-primes) {
			wrong++
		}
	}
	fmt.Printf("%d numbers, of which %d are no primes\n", found, wrong)
}
