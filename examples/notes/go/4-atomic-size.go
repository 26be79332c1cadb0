// SPDX-License-Identifier: MIT

// A long calculation that can be interrupted between its steps.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const steps = 1000

// The part that cannot be interrupted.
func step() {
	time.Sleep(time.Millisecond)
}

func calculate(ctx context.Context, progress chan<- int) int {
	for i := 0; i < steps; i++ {
		select {
		case progress <- i:
			step()
		case <-ctx.Done():
			return i
		}
	}
	return steps
}

func main() {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	progress := make(chan int)

	wg.Add(1)
	go func() {
		defer wg.Done()
		fmt.Printf("ended after %d of %d steps\n", calculate(ctx, progress), steps)
	}()
	for <-progress < 3 {
		continue
	}
	fmt.Println("no longer needed")
	cancel()
	wg.Wait()
}
