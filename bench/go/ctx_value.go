// SPDX-License-Identifier: MIT

// ctx_value: look a value up that stands 10 contexts above, each of which has a value of another key.
package main

import (
	"context"
	"time"
)

const (
	depth = 10
	times = 20000000
)

type key struct{ name string }

func main() {
	benchProcs()
	var keys [depth]*key
	var values [depth]int
	ctx := context.Background()
	sum := 0

	for i := range keys {
		keys[i] = &key{}
		values[i] = i + 1
		ctx = context.WithValue(ctx, keys[i], &values[i])
	}
	start := time.Now()
	for i := 0; i < times; i++ {
		sum += *ctx.Value(keys[0]).(*int)
	}
	nsEach("ctx_value", start, times)
	work(times, "look-ups")
	check(sum, times, "the sum of the values")
}
