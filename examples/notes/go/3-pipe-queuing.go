// SPDX-License-Identifier: MIT

// Where a queue pays: at the entrance, and for batches.
package main

import (
	"fmt"
	"time"
)

func requests() <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for i := 1; i <= 10; i++ {
			out <- i
		}
	}()
	return out
}

func reject(in <-chan int, room int) (entrance chan int, rejected int) {
	entrance = make(chan int, room)
	for request := range in {
		select {
		case entrance <- request:
		default:
			rejected++
		}
	}
	close(entrance)
	return entrance, rejected
}

func batch(in <-chan int, size int, wait time.Duration) <-chan []int {
	out := make(chan []int)
	go func() {
		var rows []int
		var late <-chan time.Time
		defer close(out)
		for {
			select {
			case row, ok := <-in:
				if !ok {
					if len(rows) > 0 {
						out <- rows
					}
					return
				}
				if rows = append(rows, row); len(rows) == 1 {
					late = time.After(wait)
				}
				if len(rows) < size {
					continue
				}
			case <-late:
			}
			out <- rows
			rows, late = nil, nil
		}
	}()
	return out
}

func main() {
	entrance, rejected := reject(requests(), 3)
	fmt.Printf("%d requests let in, %d turned away\n", len(entrance), rejected)
	for rows := range batch(requests(), 4, time.Minute) {
		fmt.Printf("%d rows, from %d on\n", len(rows), rows[0])
	}
}
