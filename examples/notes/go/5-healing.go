// SPDX-License-Identifier: MIT

// A steward that starts its ward anew when it hangs or fails.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type ward func(ctx context.Context, start int, beat func()) error

var errFailed = errors.New("failed")

func steward(ctx context.Context, timeout time.Duration, run ward) error {
	for start := 0; ; start++ {
		child, cancel := context.WithCancel(ctx)
		pulses := make(chan struct{}, 1)
		ended := make(chan error)
		beat := func() {
			select {
			case pulses <- struct{}{}:
			default:
			}
		}
		go func(start int) {
			ended <- run(child, start, beat)
		}(start)
		err, stalled := watch(pulses, ended, timeout)
		cancel()
		if stalled {
			<-ended
			fmt.Printf("ward %d stalled\n", start)
		} else if err != nil {
			fmt.Printf("ward %d failed\n", start)
		} else {
			return nil
		}
	}
}

func watch(pulses <-chan struct{}, ended <-chan error, timeout time.Duration) (err error, stalled bool) {
	for {
		select {
		case err = <-ended:
			return err, false
		case <-pulses:
		case <-time.After(timeout):
			return nil, true
		}
	}
}

func countOn(streams chan<- (<-chan int)) ward {
	last := 0
	return func(ctx context.Context, start int, beat func()) error {
		out := make(chan int, 2)
		out <- last + 1
		beat()
		out <- last + 2
		last += 2
		close(out)
		select {
		case streams <- out:
		case <-ctx.Done():
			return ctx.Err()
		}
		switch start {
		case 0:
			<-ctx.Done()
			return ctx.Err()
		case 1:
			return errFailed
		}
		return nil
	}
}

func main() {
	var numbers []int
	streams := make(chan (<-chan int))

	go func() {
		defer close(streams)
		if err := steward(context.Background(), 300*time.Millisecond, countOn(streams)); err == nil {
			fmt.Println("the steward ends with 0")
		}
	}()
	for stream := range streams {
		for n := range stream {
			numbers = append(numbers, n)
		}
	}
	fmt.Printf("%d numbers, from %d to %d\n", len(numbers), numbers[0], numbers[len(numbers)-1])
}
