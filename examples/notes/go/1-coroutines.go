// SPDX-License-Identifier: MIT

// Two walks over trees in turns, each a goroutine behind a channel: Go 1.19 has no coroutines.
package main

import "fmt"

type tree struct {
	left, right *tree
	value       int
}

func visit(c chan<- int, t *tree) {
	if t == nil {
		return
	}
	visit(c, t.left)
	c <- t.value
	visit(c, t.right)
}

func walk(t *tree) <-chan int {
	c := make(chan int)
	go func() {
		defer close(c)
		visit(c, t)
	}()
	return c
}

func main() {
	five := &tree{&tree{nil, nil, 2}, &tree{nil, nil, 9}, 5}
	seven := &tree{&tree{&tree{nil, nil, 1}, nil, 6}, nil, 7}
	a := walk(five)
	b := walk(seven)
	x, moreA := <-a
	y, moreB := <-b

	for moreA || moreB {
		if moreA && (!moreB || x < y) {
			fmt.Printf("%d from the first\n", x)
			x, moreA = <-a
		} else {
			fmt.Printf("%d from the second\n", y)
			y, moreB = <-b
		}
	}
}
