// SPDX-License-Identifier: MIT

// chanmpmc: four senders and four receivers on one channel with room for 128; per element.
package main

import (
	"sync"
	"time"
)

const (
	senders   = 4
	receivers = 4
	each      = 8000000
	capacity  = 128
)

func sender(out chan<- int32, done *sync.WaitGroup) {
	for i := int32(0); i < each; i++ {
		out <- i
	}
	done.Done()
}

func receiver(in <-chan int32, result *int, done *sync.WaitGroup) {
	sum := 0
	for v := range in {
		sum += int(v)
	}
	*result = sum
	done.Done()
}

func main() {
	benchProcs()

	c := make(chan int32, capacity)
	var sent, received sync.WaitGroup
	var results [receivers]int

	start := time.Now()
	sent.Add(senders)
	received.Add(receivers)
	for i := 0; i < senders; i++ {
		go sender(c, &sent)
	}
	for i := 0; i < receivers; i++ {
		go receiver(c, &results[i], &received)
	}
	sent.Wait()
	close(c)
	received.Wait()
	nsEach("chanmpmc", start, senders*each)
	work(senders*each, "elements")
	sum := 0
	for _, r := range results {
		sum += r
	}
	check(sum, senders*(each*(each-1)/2), "the sum")
}
