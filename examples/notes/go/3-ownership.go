// SPDX-License-Identifier: MIT

// A producer that must not stay behind.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func produce(done <-chan struct{}, out chan<- int) {
	defer fmt.Println("the producer has ended")
	for i := 1; ; i++ {
		select {
		case out <- i * i:
		case <-done:
			return
		}
	}
}

func threeSquares() {
	var wg sync.WaitGroup
	done := make(chan struct{})
	squares := make(chan int)

	wg.Add(1)
	go func() {
		defer wg.Done()
		produce(done, squares)
	}()
	for i := 0; i < 3; i++ {
		fmt.Println(<-squares)
	}
	close(done)
	wg.Wait()
}

func main() {
	threeSquares()
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
	fmt.Printf("%d goroutine is left\n", runtime.NumGoroutine())
}
