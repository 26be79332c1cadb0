// SPDX-License-Identifier: MIT

// A select in a loop, in its two forms.
package main

import (
	"fmt"
	"time"
)

func sendWords(done <-chan struct{}, out chan<- string) {
	for _, word := range []string{"one", "two", "three", "four"} {
		select {
		case out <- word:
		case <-done:
			return
		}
	}
}

func main() {
	cycles := 0
	done := make(chan struct{})
	words := make(chan string)

	go sendWords(done, words)
	fmt.Printf("%s, ", <-words)
	fmt.Printf("%s, enough\n", <-words)
	close(done)

	over := time.After(50 * time.Millisecond)
loop:
	for {
		select {
		case <-over:
			break loop
		default:
			cycles++
		}
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Printf("%d cycles of work before it was over\n", cycles)
}
