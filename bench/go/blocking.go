// SPDX-License-Identifier: MIT

// blocking: 8 goroutines make a system call that sleeps 1 ms, 400 times each; the figure is the time
// of all divided by the number of calls.  Go's system calls are always announced, so both figures are
// of the same code.
package main

import (
	"sync"
	"syscall"
	"time"
)

const (
	callers = 8
	calls   = 400
	napNs   = 1000000
)

func nap() {
	rest := syscall.Timespec{Nsec: napNs}
	for syscall.Nanosleep(&rest, &rest) == syscall.EINTR {
	}
}

func measure(name string) {
	var made [callers]int
	var done sync.WaitGroup
	start := time.Now()
	done.Add(callers)
	for i := 0; i < callers; i++ {
		go func(made *int) {
			defer done.Done()
			n := 0
			for ; n < calls; n++ {
				nap()
			}
			*made = n
		}(&made[i])
	}
	done.Wait()
	result(name, time.Since(start).Seconds()*1e6/(callers*calls), "us")
	all := 0
	for _, n := range made {
		all += n
	}
	check(all, callers*calls, "the number of calls")
}

func main() {
	benchProcs()
	measure("blocking")
	measure("blocking_announced")
	work(callers*calls, "calls")
}
