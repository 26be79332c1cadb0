// SPDX-License-Identifier: MIT

// waitgroup: two goroutines that wait for each other in turns, each by a wait group of the other's.  The
// figure is the time for one of them: an addition, a done that releases, a wait that parks.
package main

import (
	"sync"
	"time"
)

const rounds = 3000000

var (
	turn, count = [2]sync.WaitGroup{}, [2]int{}
	ended       sync.WaitGroup
)

func player(me int) {
	mine, others := &turn[me], &turn[1-me]
	for i := 0; i < rounds; i++ {
		mine.Wait()
		mine.Add(1)
		count[me]++
		others.Done()
	}
	ended.Done()
}

func main() {
	benchProcs()
	turn[1].Add(1)
	start := time.Now()
	ended.Add(2)
	go player(0)
	go player(1)
	ended.Wait()
	nsEach("waitgroup", start, 2*rounds)
	work(2*rounds, "turns")
	check(count[0]+count[1], 2*rounds, "the turns")
}
