// SPDX-License-Identifier: MIT

// A goroutine that is told to stop.
package main

import (
	"fmt"
	"time"
)

func printStrings(done <-chan struct{}, strings <-chan string) <-chan struct{} {
	terminated := make(chan struct{})
	go func() {
		defer close(terminated)
		for {
			select {
			case text := <-strings:
				fmt.Println(text)
			case <-done:
				fmt.Println("it was told to stop")
				return
			}
		}
	}()
	return terminated
}

func main() {
	done := make(chan struct{})

	terminated := printStrings(done, nil)
	time.Sleep(10 * time.Millisecond)
	fmt.Println("telling it to stop")
	close(done)
	<-terminated
	fmt.Println("it has ended")
}
