// SPDX-License-Identifier: MIT

// A worker that beats until it hangs.
package main

import (
	"fmt"
	"time"
)

const pulse = 20 * time.Millisecond

// Wait to hand on a result, with a pulse at each interval.
func give(heartbeat chan<- struct{}, results chan<- int, result int) {
	for {
		select {
		case results <- result:
			return
		case <-time.After(pulse):
			select {
			case heartbeat <- struct{}{}:
			default:
			}
		}
	}
}

func work(done <-chan struct{}, heartbeat chan<- struct{}, results chan<- int) {
	give(heartbeat, results, 1)
	<-done
}

func main() {
	pulses := 0
	healthy := true
	done := make(chan struct{})
	defer close(done)
	heartbeat := make(chan struct{})
	results := make(chan int)

	go work(done, heartbeat, results)
	for ; pulses < 3; pulses++ {
		<-heartbeat
	}
	fmt.Printf("%d pulses and a result: %d\n", pulses, <-results)
	for healthy {
		select {
		case <-heartbeat:
			pulses++
		case <-time.After(2 * pulse):
			healthy = false
		}
	}
	fmt.Println("no pulse for two intervals: the worker is not healthy")
}
