// SPDX-License-Identifier: MIT

// error_errorf: wrap an error with a formatted message, without a trace, and ask whether the first one is in it.
package main

import (
	"errors"
	"fmt"
	"time"
)

const times = 500000

var first = errors.New("first")

func main() {
	benchProcs()
	sum := 0
	start := time.Now()
	for i := 0; i < times; i++ {
		if errors.Is(fmt.Errorf("attempt %d: %w", i, first), first) {
			sum++
		}
	}
	nsEach("error_errorf", start, times)
	work(times, "errors")
	check(sum, times, "how many wrap the first one")
}
