// SPDX-License-Identifier: MIT

// The owner of a channel, and a reader.
package main

import "fmt"

func channelOwner() <-chan int {
	c := make(chan int, 4)
	go func() {
		defer close(c)
		for i := 0; i < 10; i++ {
			c <- i
		}
	}()
	return c
}

func main() {
	numbers := channelOwner()

	for n := range numbers {
		fmt.Println(n)
	}
	n, ok := <-numbers
	which := "none"
	if ok {
		which = "one more"
	}
	fmt.Printf("then %d, which is %s\n", n, which)
	fmt.Printf("there was room for %d\n", cap(numbers))
}
