// SPDX-License-Identifier: MIT

// stages: a pipeline of two stages that compute for some 1, 5 or 20 us an item, with a channel with room
// for 128 between them; the figure is the time of the whole, for each item.
package main

import "time"

const capacity = 128

func first(out chan<- uint64, items, steps int) {
	for i := 0; i < items; i++ {
		out <- stepsRun(uint64(i), steps)
	}
	close(out)
}

func stages(name string, items, us int) {
	c := make(chan uint64, capacity)
	steps := us * stepsPerUs
	var sum, right uint64

	start := time.Now()
	go first(c, items, steps)
	for v := range c {
		sum += stepsRun(v, steps)
	}
	result(name, float64(time.Since(start).Nanoseconds())/float64(items)/1e3, "us")
	for i := 0; i < items; i++ {
		right += stepsExpected(uint64(i), 2*steps)
	}
	check(int(sum), int(right), "the sum")
}

func main() {
	benchProcs()
	stages("stages_1", 200000, 1)
	stages("stages_5", 50000, 5)
	stages("stages_20", 12500, 20)
	work(262500, "items")
}
