// SPDX-License-Identifier: MIT

// quicksort: 20,000,000 random ints, each half of more than 4,096 in a goroutine of its own, joined
// by a wait group.  The figure is the time to sort them.  ../sort.h has the same algorithm.
package main

import (
	"sync"
	"time"
)

const (
	ints      = 20000000
	cutoff    = 4096
	insertion = 16
)

func input() []int32 {
	v := make([]int32, ints)
	random := uint64(1)
	for i := range v {
		random = random*6364136223846793005 + 1442695040888963407
		v[i] = int32(random >> 33)
	}
	return v
}

func sum(v []int32) int {
	s := 0
	for _, x := range v {
		s += int(x)
	}
	return s
}

func pivotOf(v []int32) int32 {
	a, b, c := v[0], v[len(v)/2], v[len(v)-1]
	if a > b {
		a, b = b, a
	}
	if c < a {
		return a
	}
	if c > b {
		return b
	}
	return c
}

func partition(v []int32) int {
	pivot := pivotOf(v)
	for i, j := 0, len(v)-1; ; i, j = i+1, j-1 {
		for v[i] < pivot {
			i++
		}
		for v[j] > pivot {
			j--
		}
		if i >= j {
			if i == j {
				return i + 1
			}
			return i
		}
		v[i], v[j] = v[j], v[i]
	}
}

func alone(v []int32) {
	for len(v) > insertion {
		left := partition(v)
		alone(v[:left])
		v = v[left:]
	}
	for i := 1; i < len(v); i++ {
		x := v[i]
		k := i
		for ; k > 0 && v[k-1] > x; k-- {
			v[k] = v[k-1]
		}
		v[k] = x
	}
}

func part(v []int32) {
	if len(v) <= cutoff {
		alone(v)
		return
	}
	var done sync.WaitGroup
	left := partition(v)
	done.Add(1)
	go func() {
		defer done.Done()
		part(v[:left])
	}()
	part(v[left:])
	done.Wait()
}

func main() {
	v := input()
	before := sum(v)

	benchProcs()
	start := time.Now()
	part(v)
	result("quicksort", time.Since(start).Seconds()*1e3, "ms")
	work(ints, "ints")
	disorder := 0
	for i := 1; i < len(v); i++ {
		if v[i-1] > v[i] {
			disorder++
		}
	}
	check(disorder, 0, "the number of ints out of order")
	check(sum(v), before, "the sum of the ints")
}
