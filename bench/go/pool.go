// SPDX-License-Identifier: MIT

// pool: on each processor a goroutine takes a buffer out of one pool, writes to it and puts it back.
package main

import (
	"sync"
	"time"
)

const times = 20000000

type buffer struct {
	bytes [256]byte
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func user(done *sync.WaitGroup) {
	defer done.Done()
	for i := 0; i < times; i++ {
		b := buffers.Get().(*buffer)
		b.bytes[i&255]++
		buffers.Put(b)
	}
}

func main() {
	procs := benchProcs()
	var done sync.WaitGroup

	done.Add(procs)
	start := time.Now()
	for i := 0; i < procs; i++ {
		go user(&done)
	}
	done.Wait()
	nsEach("pool", start, times)
	work(procs*times, "get and put")
}
