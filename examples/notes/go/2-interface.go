// SPDX-License-Identifier: MIT

// An interface, what implements it, and the empty interface.
package main

import "fmt"

type plant interface {
	height() float64
	kind() string
}

type tree struct {
	name   string
	metres float64
}

func (t *tree) height() float64 {
	return t.metres
}

func (t *tree) kind() string {
	return t.name
}

type lawn struct {
	days int
}

func (l *lawn) height() float64 {
	return 0.01 * float64(l.days)
}

func (l *lawn) kind() string {
	if l.days < 30 {
		return "lawn"
	}
	return "meadow"
}

func describe(p plant) {
	fmt.Printf("%s, %.2f m\n", p.kind(), p.height())
}

func main() {
	things := []interface{}{
		&tree{"oak", 21.5},
		&lawn{4},
		7,
	}

	for _, thing := range things {
		switch p := thing.(type) {
		case plant:
			describe(p)
		default:
			fmt.Println("no plant")
		}
	}
}
