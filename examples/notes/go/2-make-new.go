// SPDX-License-Identifier: MIT

// make and new.
package main

import "fmt"

type point struct {
	x, y int
}

func main() {
	c := make(chan int, 3)
	p := new(point)
	row := make([]int, 5)

	c <- 1
	row[4] = 9
	fmt.Printf("a channel with %d of %d\n", len(c), cap(c))
	fmt.Printf("a point at %d, %d\n", p.x, p.y)
	fmt.Printf("a row from %d to %d\n", row[0], row[4])
}
