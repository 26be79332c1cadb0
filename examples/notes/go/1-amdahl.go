// SPDX-License-Identifier: MIT

// How much faster a program can get is limited by what only one can do.
package main

import (
	"fmt"
	"sync"
	"time"
)

const work = 40 * time.Millisecond

func measure(workers int) float64 {
	begin := time.Now()
	var wg sync.WaitGroup

	time.Sleep(work / 4)
	for i := 0; i < workers; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			time.Sleep(work * 3 / 4 / time.Duration(workers))
		}()
	}
	wg.Wait()
	return float64(work) / float64(time.Since(begin))
}

func main() {
	for n := 1; n <= 8; n *= 2 {
		law := 1 / (0.25 + 0.75/float64(n))
		verdict := "no"
		if measure(n) <= law {
			verdict = "yes"
		}
		fmt.Printf("%d at work: at most %.2f times as fast, and it is: %s\n", n, law, verdict)
	}
}
