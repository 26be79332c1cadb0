// SPDX-License-Identifier: MIT

// A goroutine that only computes, and one that ticks, on one processor.
package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

func main() {
	var stop atomic.Bool
	ended := make(chan struct{})

	runtime.GOMAXPROCS(1)
	go func() {
		defer close(ended)
		for !stop.Load() {
			continue
		}
	}()
	for i := 1; i <= 3; i++ {
		time.Sleep(10 * time.Millisecond)
		fmt.Printf("tick %d\n", i)
	}
	stop.Store(true)
	<-ended
}
