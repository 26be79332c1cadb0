// SPDX-License-Identifier: MIT

// Data that only one goroutine can reach.
package main

import (
	"bytes"
	"fmt"
	"unicode"
)

const (
	parts   = 3
	letters = 4
)

type page struct {
	part int
	text string
}

func capitals(text string, part int, out chan<- page) {
	var buff bytes.Buffer

	for _, letter := range text {
		buff.WriteRune(unicode.ToUpper(letter))
	}
	out <- page{part, buff.String()}
}

func main() {
	text := "nobodyisnear"
	var merged [parts]string
	pages := make(chan page)

	for i := 0; i < parts; i++ {
		go capitals(text[i*letters:(i+1)*letters], i, pages)
	}
	for i := 0; i < parts; i++ {
		p := <-pages
		merged[p.part] = p.text
	}
	for _, text := range merged {
		fmt.Println(text)
	}
}
