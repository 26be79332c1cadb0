// SPDX-License-Identifier: MIT

// Each result once.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

type seen struct {
	lock    sync.Mutex
	numbers map[int]bool
}

func (s *seen) first(number int) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.numbers[number] {
		return false
	}
	s.numbers[number] = true
	return true
}

type worker struct {
	decided atomic.Bool
}

func (w *worker) commit() bool {
	return !w.decided.Swap(true)
}

func (w *worker) giveUp() bool {
	return !w.decided.Swap(true)
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func answer(results chan<- int) {
	for request := 0; request < 100; request++ {
		results <- request
	}
}

func main() {
	s := &seen{numbers: map[int]bool{}}
	var quick, slow worker
	applied := 0
	results := make(chan int)

	for i := 0; i < 2; i++ {
		go answer(results)
	}
	for i := 0; i < 200; i++ {
		applied += number(s.first(<-results))
	}
	fmt.Printf("200 results, %d applied\n", applied)
	fmt.Printf("the quick one may send: %d", number(quick.commit()))
	fmt.Printf(", and is given up: %d\n", number(quick.giveUp()))
	fmt.Printf("the slow one is given up: %d", number(slow.giveUp()))
	fmt.Printf(", and may send: %d\n", number(slow.commit()))
}
