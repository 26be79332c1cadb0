// SPDX-License-Identifier: MIT

// Labels for loops in loops, and for a loop around a select.
package main

import "fmt"

func primes(out chan<- int) {
next:
	for n := 2; n < 30; n++ {
		for divisor := 2; divisor*divisor <= n; divisor++ {
			if n%divisor == 0 {
				continue next
			}
		}
		out <- n
	}
	close(out)
}

func main() {
	numbers := make(chan int, 10)
	primes(numbers)
loop:
	for {
		select {
		case n, ok := <-numbers:
			if !ok {
				break loop
			}
			if n%10 != 3 {
				break
			}
			fmt.Printf("%d is a prime that ends in 3\n", n)
		}
	}
	fmt.Println("that is all")
}
