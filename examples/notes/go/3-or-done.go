// SPDX-License-Identifier: MIT

// Reading from a channel that may never be closed.
package main

import (
	"context"
	"fmt"
)

func count(out chan<- int, cancel func()) {
	for i := 1; i <= 3; i++ {
		out <- i
	}
	if cancel != nil {
		cancel()
	} else {
		close(out)
	}
}

func readUntilDone(name string, in <-chan int, ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			fmt.Printf("%s: no longer wanted\n", name)
			return
		case value, ok := <-in:
			if !ok {
				fmt.Printf("%s: closed\n", name)
				return
			}
			fmt.Printf("%s: %d\n", name, value)
		}
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	closed := make(chan int)
	open := make(chan int)

	go count(closed, nil)
	readUntilDone("the first", closed, ctx)
	go count(open, cancel)
	readUntilDone("the second", open, ctx)
}
