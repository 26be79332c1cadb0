// SPDX-License-Identifier: MIT

// The number of processors, asked and changed.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

var turns atomic.Int32
var wg sync.WaitGroup

func takeTurns() {
	defer wg.Done()
	for i := 0; i < 100; i++ {
		runtime.Gosched()
		turns.Add(1)
	}
}

func main() {
	some := "none"
	if runtime.GOMAXPROCS(3) > 0 {
		some = "some processors"
	}
	fmt.Printf("%s, now %d\n", some, runtime.GOMAXPROCS(0))
	for n := 1; n <= 4; n *= 2 {
		runtime.GOMAXPROCS(n)
		for i := 0; i < 10; i++ {
			wg.Add(1)
			go takeTurns()
		}
		wg.Wait()
		fmt.Printf("on %d: %d turns\n", runtime.GOMAXPROCS(0), turns.Load())
	}
}
