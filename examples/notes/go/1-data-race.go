// SPDX-License-Identifier: MIT

// A data race.
package main

import "fmt"

func main() {
	var data int
	ended := make(chan struct{})

	go func() {
		defer close(ended)
		data++
	}()
	fmt.Printf("%d\n", data)
	<-ended
}
