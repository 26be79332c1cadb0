// SPDX-License-Identifier: MIT

// A channel that closes as soon as one of many does.
package main

import (
	"fmt"
	"reflect"
	"runtime"
)

const channels = 10000

func orChannel(done <-chan struct{}, channels []<-chan struct{}) <-chan struct{} {
	out := make(chan struct{})
	cases := []reflect.SelectCase{}
	for _, c := range append(channels, done) {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)})
	}
	go func() {
		defer close(out)
		reflect.Select(cases)
	}()
	return out
}

func waitForOne() {
	var inputs []<-chan struct{}
	var last chan struct{}
	done := make(chan struct{})
	defer close(done)

	for i := 0; i < channels; i++ {
		last = make(chan struct{})
		inputs = append(inputs, last)
	}
	any := orChannel(done, inputs)
	close(last)
	<-any
	fmt.Printf("one of %d was closed\n", channels)
}

func main() {
	waitForOne()
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
	fmt.Printf("%d goroutine is left\n", runtime.NumGoroutine())
}
