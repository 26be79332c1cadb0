// SPDX-License-Identifier: MIT

// Somebody who watches a worker's heartbeat.
package main

import (
	"errors"
	"fmt"
	"time"
)

var errSilent = errors.New("two intervals without a pulse")
var errEnded = errors.New("its end")

type heartbeat struct {
	interval time.Duration
	pulses   chan struct{}
	ended    chan struct{}
}

func (h *heartbeat) beat() {
	select {
	case h.pulses <- struct{}{}:
	default:
	}
}

func (h *heartbeat) send(done <-chan struct{}, results chan<- int, result int) bool {
	for {
		select {
		case results <- result:
			return true
		case <-time.After(h.interval):
			h.beat()
		case <-done:
			return false
		}
	}
}

func (h *heartbeat) watch() error {
	for {
		select {
		case <-h.pulses:
		case <-h.ended:
			return errEnded
		case <-time.After(2 * h.interval):
			return errSilent
		}
	}
}

func work(done <-chan struct{}, h *heartbeat, results chan<- int) {
	defer close(h.ended)
	if h.send(done, results, 1) {
		<-done
	}
}

func main() {
	done := make(chan struct{})
	defer close(done)
	h := &heartbeat{20 * time.Millisecond, make(chan struct{}, 1), make(chan struct{})}
	results := make(chan int)

	go work(done, h, results)
	for pulses := 0; pulses < 3; pulses++ {
		<-h.pulses
	}
	fmt.Println("three pulses: yes")
	fmt.Printf("a result: %d\n", <-results)
	fmt.Printf("and then: %v\n", h.watch())
}
