// SPDX-License-Identifier: MIT

// pipe: integers through a pipeline of five stages that can be cancelled at any time: a source, two that compute,
// a filter that lets all pass, and one that takes so many; the figure is the time per integer.
// pipe_batch: the same for integers in arrays of 64, each of which goes through the stages as one value.
package main

import "time"

const batchLen = 64

type batch [batchLen]int32

func pipeRepeat[T any](done <-chan struct{}, fn func() T) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for {
			select {
			case <-done:
				return
			case out <- fn():
			}
		}
	}()
	return out
}

func pipeMap[T any](done <-chan struct{}, in <-chan T, fn func(T) T) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for v := range in {
			select {
			case <-done:
				return
			case out <- fn(v):
			}
		}
	}()
	return out
}

func pipeFilter[T any](done <-chan struct{}, in <-chan T, fn func(T) bool) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for v := range in {
			if !fn(v) {
				continue
			}
			select {
			case <-done:
				return
			case out <- v:
			}
		}
	}()
	return out
}

func pipeTake[T any](done <-chan struct{}, in <-chan T, n int) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for i := 0; i < n; i++ {
			var v T
			select {
			case <-done:
				return
			case v = <-in:
			}
			select {
			case <-done:
				return
			case out <- v:
			}
		}
	}()
	return out
}

func stream(n int) uint64 {
	done := make(chan struct{})
	defer close(done)
	next, sum := int32(0), uint64(0)
	ints := pipeRepeat(done, func() int32 { next++; return next - 1 })
	doubled := pipeMap(done, ints, func(v int32) int32 { return v * 2 })
	sums := pipeMap(done, doubled, func(v int32) int32 { return v + 1 })
	odd := pipeFilter(done, sums, func(v int32) bool { return v&1 == 1 })
	for v := range pipeTake(done, odd, n) {
		sum += uint64(uint32(v))
	}
	return sum
}

func batched(n int) uint64 {
	done := make(chan struct{})
	defer close(done)
	next, sum := int32(0), uint64(0)
	ints := pipeRepeat(done, func() (b batch) {
		for i := range b {
			b[i] = next
			next++
		}
		return
	})
	doubled := pipeMap(done, ints, func(b batch) batch {
		for i := range b {
			b[i] *= 2
		}
		return b
	})
	sums := pipeMap(done, doubled, func(b batch) batch {
		for i := range b {
			b[i]++
		}
		return b
	})
	odd := pipeFilter(done, sums, func(b batch) bool {
		all := int32(1)
		for _, v := range b {
			all &= v
		}
		return all == 1
	})
	for b := range pipeTake(done, odd, n/batchLen) {
		for _, v := range b {
			sum += uint64(uint32(v))
		}
	}
	return sum
}

func main() {
	benchProcs()
	n := fullCount(2000000, 10000000) / batchLen * batchLen

	start := time.Now()
	check(int(stream(n)), n*n, "the sum")
	nsEach("pipe", start, n)
	start = time.Now()
	check(int(batched(n)), n*n, "the sum of the batches")
	nsEach("pipe_batch", start, n)
	work(n, "integers")
}
