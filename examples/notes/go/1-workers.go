// SPDX-License-Identifier: MIT

// A pool: four tasks at a time, and sixteen that wait.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

type pool struct {
	tasks         chan func()
	all           sync.WaitGroup
	running, peak atomic.Int64
}

func newPool(workers, queue int) *pool {
	p := &pool{tasks: make(chan func(), queue)}
	for i := 0; i < workers; i++ {
		go p.work()
	}
	return p
}

func (p *pool) work() {
	for task := range p.tasks {
		running := p.running.Add(1)
		for peak := p.peak.Load(); running > peak && !p.peak.CompareAndSwap(peak, running); {
			peak = p.peak.Load()
		}
		task()
		p.running.Add(-1)
		p.all.Done()
	}
}

func (p *pool) submit(task func()) {
	p.all.Add(1)
	p.tasks <- task
}

func main() {
	var sum atomic.Int64
	p := newPool(4, 16)

	for i := 1; i <= 10000; i++ {
		i := int64(i)
		p.submit(func() { sum.Add(i) })
	}
	p.all.Wait()
	close(p.tasks)
	fmt.Printf("10000 tasks: %d\n", sum.Load())
	verdict := "no"
	if p.peak.Load() <= 4 {
		verdict = "yes"
	}
	fmt.Printf("at most 4 at a time: %s\n", verdict)
}
