// SPDX-License-Identifier: MIT

// A pulse at the beginning of each unit of work.
package main

import "fmt"

func work(heartbeat chan<- struct{}, results chan<- int) {
	defer close(results)
	for unit := 1; unit <= 4; unit++ {
		select {
		case heartbeat <- struct{}{}:
		default:
		}
		results <- unit * unit
	}
}

func main() {
	heartbeat := make(chan struct{}, 1)
	results := make(chan int)

	go work(heartbeat, results)
	<-heartbeat
	fmt.Println("it has begun")
	for result := range results {
		fmt.Println(result)
	}
}
