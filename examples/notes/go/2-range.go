// SPDX-License-Identifier: MIT

// A range over everything.
package main

import (
	"fmt"
	"sync"
)

func main() {
	var dict sync.Map
	text := "ä€𝄞a"
	array := [...]string{"zero", "one", "two", "three"}
	numbers := make(chan int, 2)

	for start, rune := range text {
		fmt.Printf("byte %d: U+%04X\n", start, rune)
	}
	for i, word := range array {
		fmt.Printf("array %d: %s\n", i, word)
	}
	for _, word := range array[1:3] {
		fmt.Printf("slice: %s\n", word)
	}

	dict.Store("leaf", "green")
	dict.Store("bark", "brown")
	dict.Range(func(key, value any) bool {
		fmt.Printf("map %s: %s\n", key, value)
		return true
	})

	numbers <- 42
	numbers <- 43
	close(numbers)
	for n := range numbers {
		fmt.Printf("channel: %d\n", n)
	}
}
