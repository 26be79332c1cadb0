// SPDX-License-Identifier: MIT

// Little's law, measured.
package main

import (
	"fmt"
	"math"
	"sync"
	"time"
)

const units = 100

var lock sync.Mutex
var inside int // this and the others: under the lock
var changed time.Time
var area, stayed float64

// Count one in or out, and return when that was.
func count(by int) time.Time {
	lock.Lock()
	defer lock.Unlock()
	now := time.Now()
	area += float64(inside) * now.Sub(changed).Seconds()
	inside += by
	changed = now
	return now
}

func visit() {
	came := count(1)
	time.Sleep(5 * time.Millisecond)
	went := count(-1)
	lock.Lock()
	defer lock.Unlock()
	stayed += went.Sub(came).Seconds()
}

func main() {
	var wg sync.WaitGroup
	begin := count(0)

	for i := 0; i < units; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			visit()
		}()
		time.Sleep(time.Millisecond)
	}
	wg.Wait()
	seconds := changed.Sub(begin).Seconds()
	arrivals, stay := units/seconds, stayed/units
	number := area / seconds
	verdict := "no"
	if math.Abs(number/(arrivals*stay)-1) < 0.05 {
		verdict = "yes"
	}

	fmt.Printf("λ: %.0f come in a second\n", arrivals)
	fmt.Printf("W: each stays %.1f ms\n", stay*1e3)
	fmt.Printf("L: %.2f are inside\n", number)
	fmt.Printf("L = λW: %s\n", verdict)
}
