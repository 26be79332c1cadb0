// SPDX-License-Identifier: MIT

// skynet: a goroutine starts ten, each of which starts ten, six levels down to 1,000,000 leaves;
// the sums of their numbers come back up.  The figure is the time of the whole, in a fresh process.
package main

import "time"

const (
	leaves   = 1000000
	children = 10
)

func node(up chan<- int64, first, count int64) {
	if count == 1 {
		up <- first
		return
	}
	sums := make(chan int64)
	each := count / children
	for i := int64(0); i < children; i++ {
		go node(sums, first+i*each, each)
	}
	sum := int64(0)
	for i := 0; i < children; i++ {
		sum += <-sums
	}
	up <- sum
}

func main() {
	benchProcs()

	top := make(chan int64)
	start := time.Now()
	go node(top, 0, leaves)
	sum := <-top
	result("skynet", time.Since(start).Seconds()*1e3, "ms")
	work(leaves, "leaves")
	check(int(sum), leaves*(leaves-1)/2, "the sum")
}
