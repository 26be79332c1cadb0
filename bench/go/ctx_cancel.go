// SPDX-License-Identifier: MIT

// ctx_cancel: cancel a context that has 10,000 children.  They are made outside of the time that counts;
// nobody waits for them.
package main

import (
	"context"
	"time"
)

const (
	children = 10000
	rounds   = 100
)

func main() {
	benchProcs()
	var spent time.Duration
	done := 0
	all := make([]context.Context, children)
	cancels := make([]context.CancelFunc, children)

	for round := 0; round < rounds; round++ {
		parent, cancel := context.WithCancel(context.Background())
		for i := range all {
			all[i], cancels[i] = context.WithCancel(parent)
		}
		start := time.Now()
		cancel()
		spent += time.Since(start)
		for i := range all {
			if all[i].Err() != nil {
				done++
			}
			cancels[i]()
		}
	}
	result("ctx_cancel", float64(spent.Nanoseconds())/1e3/rounds, "us")
	work(rounds, "cancels of 10000 children")
	check(done, rounds*children, "children that are done")
}
