// SPDX-License-Identifier: MIT

// A bucket of tokens, and two as one.
package main

import (
	"fmt"
	"math"
	"time"
)

type limiter struct {
	perSecond, burst, tokens float64
	last                     time.Time
}

func newLimiter(perSecond, burst float64) *limiter {
	return &limiter{perSecond, burst, burst, time.Now()}
}

// delay says how long it takes until there is a token.
func (l *limiter) delay() time.Duration {
	now := time.Now()
	l.tokens = math.Min(l.burst, l.tokens+l.perSecond*now.Sub(l.last).Seconds())
	l.last = now
	if l.tokens >= 1 {
		return 0
	}
	return time.Duration(math.Ceil((1 - l.tokens) / l.perSecond * 1e9))
}

// waitAll takes one token from each when all have one; false, at once, if that comes too late.
func waitAll(deadline time.Time, limiters ...*limiter) bool {
	for {
		longest := time.Duration(0)
		for _, l := range limiters {
			if d := l.delay(); d > longest {
				longest = d
			}
		}
		if longest == 0 {
			break
		}
		if time.Now().Add(longest).After(deadline) {
			return false
		}
		time.Sleep(longest)
	}
	for _, l := range limiters {
		l.tokens--
	}
	return true
}

func main() {
	calls := newLimiter(1.0/3600, 3)
	reads, disk := newLimiter(1000, 1), newLimiter(1.0/3600, 5)
	deadline := time.Now().Add(time.Minute)
	passed := 0

	for i := 0; i < 10; i++ {
		if waitAll(time.Now(), calls) {
			passed++
		}
	}
	fmt.Printf("of 10 at once %d pass\n", passed)
	if !waitAll(deadline, calls) {
		fmt.Println("the next one would come too late")
	}

	begin := time.Now()
	for i := 0; i < 5; i++ {
		waitAll(deadline, reads, disk)
	}
	if time.Since(begin) >= 4*time.Millisecond-time.Microsecond {
		fmt.Println("5 at 1000 a second take 4 ms or more")
	}
	if !waitAll(deadline, reads, disk) {
		fmt.Println("now the disk is the limit")
	}
}
