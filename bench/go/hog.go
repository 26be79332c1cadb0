// SPDX-License-Identifier: MIT

// hog: how late a goroutine wakes that sleeps 1 ms, beside goroutines that compute for ever and call
// nothing: first 4 of them (hog_...), then 20 (hog20_...).
//
//	hog_begin           until each of them has begun
//	hog_p50, hog_p99    late by so much, from then on for 0.5 s, under BENCH_FULL 10 s
package main

import (
	"sync/atomic"
	"time"
)

const (
	few     = 4
	many    = 20
	nap     = time.Millisecond
	fullMs  = 10000
	smallMs = 500
)

// turns has one for each hog, each in a cache line of its own.
var turns [many]struct {
	n uint64
	_ [56]byte
}

func hog(i int) {
	for n := uint64(0); ; n++ {
		storeRelaxed(&turns[i].n, n)
	}
}

// storeRelaxed is a plain store: Go's atomic one is an exchange, ten times as slow.
func storeRelaxed(p *uint64, n uint64) { *p = n }

func measure(name string, hogs int, start time.Time) {
	for i := 0; i < hogs; i++ {
		for atomic.LoadUint64(&turns[i].n) == 0 {
			time.Sleep(nap)
		}
	}
	result(name+"_begin", time.Since(start).Seconds()*1e3, "ms")
	end := time.Now().Add(time.Duration(fullCount(smallMs, fullMs)) * time.Millisecond)
	late := make([]time.Duration, 0, fullMs)
	for time.Now().Before(end) && len(late) < fullMs {
		start := time.Now()
		time.Sleep(nap)
		l := time.Since(start) - nap
		if l < 0 {
			check(1, 0, "a sleep that ended early")
		}
		late = append(late, l)
	}
	result(name+"_p50", quantile(late, 0.5)/1e3, "us")
	result(name+"_p99", quantile(late, 0.99)/1e3, "us")
}

func main() {
	benchProcs()
	start := time.Now()
	i := 0
	for ; i < few; i++ {
		go hog(i)
	}
	measure("hog", few, start)
	start = time.Now()
	for ; i < many; i++ {
		go hog(i)
	}
	measure("hog20", many, start)
	work(many, "hogs")
}
