// SPDX-License-Identifier: MIT

// Functions as values.  Until Go 1.22 all closures of a loop share its variable: hence the argument.
package main

import (
	"fmt"
	"sync"
)

func greet(whom string, number int) {
	fmt.Printf("hello, %s %d\n", whom, number)
}

func main() {
	var wg sync.WaitGroup
	say := greet

	say("function", 0)
	for i := 1; i <= 3; i++ {
		wg.Add(1)
		go func(number int) {
			defer wg.Done()
			say("goroutine", number)
		}(i)
	}
	wg.Wait()
}
