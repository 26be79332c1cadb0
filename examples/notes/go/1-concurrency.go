// SPDX-License-Identifier: MIT

// The same concurrent program, with and without parallelism.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

func countPrimes(from, to int, found *atomic.Int32) {
	for n := from; n < to; n++ {
		divisor := 2
		for divisor*divisor <= n && n%divisor != 0 {
			divisor++
		}
		if divisor*divisor > n {
			found.Add(1)
		}
	}
}

func main() {
	for procs := 1; procs <= 2; procs++ {
		var found atomic.Int32
		var wg sync.WaitGroup

		runtime.GOMAXPROCS(procs)
		for i := 1; i < 40000; i += 10000 {
			wg.Add(1)
			go func(i int) {
				defer wg.Done()
				countPrimes(i+1, i+10001, &found)
			}(i)
		}
		wg.Wait()
		fmt.Printf("%d on %d at a time\n", found.Load(), procs)
	}
}
