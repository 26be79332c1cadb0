// SPDX-License-Identifier: MIT

// cond: two goroutines hand a turn back and forth, through one mutex and a cond for each.
package main

import (
	"sync"
	"time"
)

const times = 2000000

var (
	lock   sync.Mutex
	turnOf = [2]*sync.Cond{sync.NewCond(&lock), sync.NewCond(&lock)}
	turn   int
	hands  int
)

func player(me int, done *sync.WaitGroup) {
	defer done.Done()
	for i := 0; i < times/2; i++ {
		lock.Lock()
		for turn != me {
			turnOf[me].Wait()
		}
		turn = 1 - me
		hands++
		turnOf[1-me].Signal()
		lock.Unlock()
	}
}

func main() {
	benchProcs()
	var done sync.WaitGroup

	done.Add(2)
	start := time.Now()
	go player(0, &done)
	go player(1, &done)
	done.Wait()
	nsEach("cond", start, times)
	work(times, "hand-overs")
	check(hands, times, "the count of hand-overs")
}
