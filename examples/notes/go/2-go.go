// SPDX-License-Identifier: MIT

// Three goroutines, in any order.
package main

import (
	"fmt"
	"sync"
)

func main() {
	var wg sync.WaitGroup

	for _, word := range []string{"go", "rust", "c"} {
		wg.Add(1)
		go func(word string) {
			defer wg.Done()
			fmt.Println(word)
		}(word)
	}
	wg.Wait()
	fmt.Println("that was all")
}
