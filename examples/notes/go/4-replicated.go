// SPDX-License-Identifier: MIT

// The same question to several, and the first answer counts.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

var cancelled atomic.Int32

func handle(done <-chan struct{}, number int, takes time.Duration, answer chan<- int) {
	select {
	case <-time.After(takes):
	case <-done:
		cancelled.Add(1)
		return
	}
	select {
	case answer <- number:
	case <-done:
		cancelled.Add(1)
	}
}

func main() {
	var wg sync.WaitGroup
	done := make(chan struct{})
	answer := make(chan int)

	for i := 0; i < 10; i++ {
		takes := time.Hour
		if i == 7 {
			takes = time.Millisecond
		}
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			handle(done, i, takes, answer)
		}(i)
	}
	fmt.Printf("an answer from #%d\n", <-answer)
	close(done)
	wg.Wait()
	fmt.Printf("%d others were cancelled\n", cancelled.Load())
}
