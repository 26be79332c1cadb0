// SPDX-License-Identifier: MIT

// Two people in a corridor.
package main

import (
	"fmt"
	"sync"
)

func walk(name string, mySide chan<- int, yourSide <-chan int) {
	side := 0
	for try := 1; try <= 5; try++ {
		mySide <- side
		if <-yourSide != side {
			fmt.Printf("%s walks on\n", name)
			return
		}
		fmt.Printf("%s, %d: after you\n", name, try)
		side = 1 - side
	}
	fmt.Printf("%s, 6: oh well\n", name)
}

func main() {
	var wg sync.WaitGroup
	east := make(chan int, 1)
	west := make(chan int, 1)

	wg.Add(2)
	go func() {
		defer wg.Done()
		walk("Ada", east, west)
	}()
	go func() {
		defer wg.Done()
		walk("Ben", west, east)
	}()
	wg.Wait()
}
