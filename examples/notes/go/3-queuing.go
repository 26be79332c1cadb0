// SPDX-License-Identifier: MIT

// Where a queue pays: for batches, and at the entrance.
package main

import (
	"fmt"
	"os"
	"time"
)

const bytes = 25 * 4096

type writer struct {
	file  *os.File
	calls int
	queue []byte
	room  int
}

func (w *writer) flush() {
	if _, err := w.file.Write(w.queue); err == nil {
		w.calls++
	}
	w.queue = w.queue[:0]
}

func nsPerByte(w *writer) float64 {
	begin := time.Now()
	for i := 0; i < bytes; i++ {
		w.queue = append(w.queue, 'x')
		if len(w.queue) == w.room {
			w.flush()
		}
	}
	return float64(time.Since(begin).Nanoseconds()) / bytes
}

func main() {
	null, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	single := &writer{file: null, room: 1}
	batch := &writer{file: null, room: 4096}
	rejected := 0
	entrance := make(chan int, 3)

	fmt.Printf("one by one: %.1f ns for a byte\n", nsPerByte(single))
	fmt.Printf("in batches: %.1f ns for a byte\n", nsPerByte(batch))
	fmt.Printf("%d calls and %d\n", single.calls, batch.calls)
	for i := 0; i < 10; i++ {
		select {
		case entrance <- i:
		default:
			rejected++
		}
	}
	fmt.Printf("%d requests let in, %d turned away\n", len(entrance), rejected)
}
