// SPDX-License-Identifier: MIT

// An enumeration by iota, in a struct.
package main

import "fmt"

type size int

const (
	xs size = iota - 2
	s
	_
	l
	xl
)

type shirt struct {
	what string
	size size
}

func (s size) String() string {
	names := [...]string{"xs", "s", "?", "l", "xl"}
	return names[s-xs]
}

func main() {
	shirts := []shirt{{"linen", xs}, {"wool", s}, {"silk", l}, {"cotton", xl}}
	for _, s := range shirts {
		fmt.Printf("%s: %v (%d)\n", s.what, s.size, int(s.size))
	}
}
