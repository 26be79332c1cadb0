// SPDX-License-Identifier: MIT

// Stages that every pipeline can use, for values of any type.
package main

import "fmt"

func repeat(done <-chan struct{}, fn func(turn int) any) <-chan any {
	out := make(chan any)
	go func() {
		defer close(out)
		for turn := 0; ; turn++ {
			select {
			case out <- fn(turn):
			case <-done:
				return
			}
		}
	}()
	return out
}

func take(done <-chan struct{}, in <-chan any, count int) <-chan any {
	out := make(chan any)
	go func() {
		defer close(out)
		for i := 0; i < count; i++ {
			var value any
			select {
			case value = <-in:
			case <-done:
				return
			}
			select {
			case out <- value:
			case <-done:
				return
			}
		}
	}()
	return out
}

func toText(done <-chan struct{}, in <-chan any) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for value := range in {
			select {
			case out <- value.(string):
			case <-done:
				return
			}
		}
	}()
	return out
}

func words(turn int) any {
	values := []string{"to", "and", "fro"}
	return values[turn%3]
}

func square(turn int) any {
	return turn * turn
}

func main() {
	done := make(chan struct{})
	defer close(done)

	for text := range toText(done, take(done, repeat(done, words), 5)) {
		fmt.Println(text)
	}
	for number := range take(done, repeat(done, square), 4) {
		fmt.Println(number.(int))
	}
}
