// SPDX-License-Identifier: MIT

// Type assertions, with an answer and with a panic.
package main

import "fmt"

func mustBeString(i any) {
	defer func() {
		fmt.Println(recover())
	}()
	fmt.Println(i.(string))
}

func main() {
	var i any = 1

	if n, ok := i.(int); ok {
		fmt.Printf("an int: %d\n", n)
	} else {
		fmt.Println("another type")
	}
	mustBeString(i)
}
