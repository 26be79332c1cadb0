// SPDX-License-Identifier: MIT

// A buffer between two who need not meet.
package main

import (
	"fmt"
	"sync"
)

func writeAll(out chan<- int) {
	defer close(out)
	for i := 1; i <= 4; i++ {
		out <- i
	}
	fmt.Println("the writer goes home")
}

func main() {
	var gone sync.WaitGroup
	letters := make(chan int, 4)

	gone.Add(1)
	go func() {
		defer gone.Done()
		writeAll(letters)
	}()
	gone.Wait()
	fmt.Printf("%d letters lie here\n", len(letters))
	for letter := range letters {
		fmt.Printf("letter %d is read\n", letter)
	}
}
