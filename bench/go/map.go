// SPDX-License-Identifier: MIT

// map: on each processor a goroutine looks up one of 10,000 keys nine times, and the tenth time stores it.
package main

import (
	"sync"
	"time"
)

const (
	times = 5000000
	keys  = 10000
)

var (
	table  sync.Map
	values [keys]byte
)

func user(random uint32, done *sync.WaitGroup) {
	defer done.Done()
	missed := 0
	for i := 0; i < times; i++ {
		random = random*1664525 + 1013904223
		key := uintptr(random>>16) % keys
		if i%10 == 9 {
			table.Store(key, &values[key])
		} else if v, ok := table.Load(key); !ok || v.(*byte) != &values[key] {
			missed++
		}
	}
	check(missed, 0, "the number of keys not found")
}

func main() {
	procs := benchProcs()
	var done sync.WaitGroup

	for key := uintptr(0); key < keys; key++ {
		table.Store(key, &values[key])
	}
	done.Add(procs)
	start := time.Now()
	for i := 0; i < procs; i++ {
		go user(uint32(i), &done)
	}
	done.Wait()
	nsEach("map", start, times)
	work(procs*times, "loads and stores")
}
