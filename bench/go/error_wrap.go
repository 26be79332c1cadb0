// SPDX-License-Identifier: MIT

// error_wrap: ten calls deep, wrap an error with a formatted message, a stack trace and the time; ask whether the
// first one is in it.
package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

const (
	times = 50000
	depth = 10
)

var first = errors.New("first")

type wrapped struct {
	inner   error
	message string
	trace   []uintptr
	at      time.Time
}

func (w *wrapped) Error() string { return w.message }
func (w *wrapped) Unwrap() error { return w.inner }

func wrap(inner error, format string, args ...any) error {
	var pcs [64]uintptr
	n := runtime.Callers(2, pcs[:])
	return &wrapped{inner, fmt.Sprintf(format, args...), append([]uintptr(nil), pcs[:n]...), time.Now()}
}

//go:noinline
func down(depth, i int) error {
	if depth == 0 {
		return wrap(first, "attempt %d", i)
	}
	return down(depth-1, i)
}

func main() {
	benchProcs()
	sum, frames := 0, 0
	start := time.Now()
	for i := 0; i < times; i++ {
		e := down(depth, i)
		if errors.Is(e, first) {
			sum++
		}
		frames = len(e.(*wrapped).trace)
	}
	nsEach("error_wrap", start, times)
	work(times, "errors")
	check(sum, times, "how many wrap the first one")
	if frames <= depth {
		check(frames, depth+1, "the frames of a trace")
	}
}
