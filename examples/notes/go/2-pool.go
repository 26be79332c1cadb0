// SPDX-License-Identifier: MIT

// Buffers that are used again.
package main

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
)

var made, printed atomic.Int32

var buffers = sync.Pool{
	New: func() any {
		made.Add(1)
		return new(bytes.Buffer)
	},
}

func work() {
	for i := 0; i < 250; i++ {
		b := buffers.Get().(*bytes.Buffer)
		b.Reset()
		fmt.Fprintf(b, "task %03d", i)
		printed.Add(int32(b.Len()))
		buffers.Put(b)
	}
}

func main() {
	var wg sync.WaitGroup

	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			work()
		}()
	}
	wg.Wait()
	few := "many"
	if made.Load() < 100 {
		few = "few"
	}
	fmt.Printf("%d bytes written, in %s buffers\n", printed.Load(), few)
}
