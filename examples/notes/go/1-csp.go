// SPDX-License-Identifier: MIT

// Two of Hoare's processes.  A select has no guards: a channel that is nil is never ready.
package main

import "fmt"

const room = 4

func copyAll(west <-chan rune, x chan<- rune) {
	defer close(x)
	for c := range west {
		x <- c
	}
}

func buffer(x <-chan rune, east chan<- rune) {
	defer close(east)
	var held [room]rune
	in, out := 0, 0
	more := true

	for more || out < in {
		var take <-chan rune
		var give chan<- rune
		if more && in < out+room {
			take = x
		}
		if out < in {
			give = east
		}
		select {
		case c, ok := <-take:
			more = ok
			if ok {
				held[in%room] = c
				in++
			}
		case give <- held[out%room]:
			out++
		}
	}
}

func main() {
	west := make(chan rune)
	x := make(chan rune)
	east := make(chan rune)

	go copyAll(west, x)
	go buffer(x, east)
	for _, c := range "west" {
		west <- c
	}
	close(west)
	for c := range east {
		fmt.Printf("%c\n", c)
	}
}
