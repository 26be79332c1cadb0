// SPDX-License-Identifier: MIT

// Results with a value or an error.
package main

import (
	"fmt"
	"strconv"
	"sync"
)

type result struct {
	err   error
	value int
}

func readNumber(word string) result {
	value, err := strconv.Atoi(word)
	if err != nil {
		return result{err: fmt.Errorf("%q is no number", word)}
	}
	return result{value: value}
}

func readNumbers(done <-chan struct{}, out chan<- result) {
	defer close(out)
	for _, word := range []string{"1", "two", "3", "four", "five", "6", "seven"} {
		select {
		case out <- readNumber(word):
		case <-done:
			return
		}
	}
}

func main() {
	var wg sync.WaitGroup
	errors := 0
	done := make(chan struct{})
	results := make(chan result)

	wg.Add(1)
	go func() {
		defer wg.Done()
		readNumbers(done, results)
	}()
	for r := range results {
		if r.err == nil {
			fmt.Println(r.value)
			continue
		}
		fmt.Printf("error: %v\n", r.err)
		errors++
		if errors == 3 {
			fmt.Println("too many errors")
			break
		}
	}
	close(done)
	wg.Wait()
}
