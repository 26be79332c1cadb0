// SPDX-License-Identifier: MIT

// Something that is done once.
package main

import (
	"fmt"
	"sync"
)

func main() {
	var once sync.Once
	var wg sync.WaitGroup

	for i := 0; i < 100; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			once.Do(func() {
				fmt.Println("the shop opens")
			})
		}()
	}
	wg.Wait()
	once.Do(func() {
		fmt.Println("the shop closes")
	})
	fmt.Println("a hundred have come in")
}
