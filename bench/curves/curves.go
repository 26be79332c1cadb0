// SPDX-License-Identifier: MIT

// curves SHAPE N: what one operation costs where so many goroutines do it at once, in all as many
// operations whatever their number; curves.c is the same with leat, and says more.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	operations = 1000000
	capacity   = 128
	width      = 4
)

var (
	begun, ended sync.WaitGroup
	ops          atomic.Int64
	gate         = make(chan int32)
)

// start runs body in a goroutine that waits at the gate first; body says what it did.
func start(body func() int) {
	begun.Add(1)
	ended.Add(1)
	go func() {
		begun.Done()
		<-gate
		ops.Add(int64(body()))
		ended.Done()
	}()
}

func half(n int) int {
	if n < 2 {
		return 1
	}
	return n / 2
}

func yields(n int) {
	for i := 0; i < n; i++ {
		start(func() int {
			for i := 0; i < operations/n; i++ {
				runtime.Gosched()
			}
			return operations / n
		})
	}
}

func locks(n int) {
	var lock sync.Mutex
	counter := 0
	for i := 0; i < n; i++ {
		start(func() int {
			for i := 0; i < operations/n; i++ {
				lock.Lock()
				counter++
				lock.Unlock()
			}
			return operations / n
		})
	}
}

func sender(c chan<- int32, n int) {
	start(func() int {
		for i := 0; i < n; i++ {
			c <- int32(i)
		}
		return 0
	})
}

func receiver(c <-chan int32, n int) {
	start(func() int {
		for i := 0; i < n; i++ {
			<-c
		}
		return n
	})
}

func pingpong(n int) {
	each := operations / half(n)
	for i := 0; i < half(n); i++ {
		there, back := make(chan int32), make(chan int32)
		start(func() int {
			for i := 0; i < each; i++ {
				there <- int32(i)
				<-back
			}
			return each
		})
		start(func() int {
			for i := 0; i < each; i++ {
				back <- <-there
			}
			return 0
		})
	}
}

func chanbuf(n int) {
	for i := 0; i < half(n); i++ {
		c := make(chan int32, capacity)
		sender(c, operations/half(n))
		receiver(c, operations/half(n))
	}
}

func chanmpmc(n int) {
	c := make(chan int32, capacity)
	for i := 0; i < half(n); i++ {
		sender(c, operations/half(n))
		receiver(c, operations/half(n))
	}
}

func selects(n int) {
	groups := n / (width + 1)
	if groups == 0 {
		groups = 1
	}
	each := operations / groups / width
	for i := 0; i < groups; i++ {
		var c [width]chan int32
		for k := range c {
			c[k] = make(chan int32)
			sender(c[k], each)
		}
		start(func() int {
			for i := 0; i < each*width; i++ {
				select {
				case <-c[0]:
				case <-c[1]:
				case <-c[2]:
				case <-c[3]:
				}
			}
			return each * width
		})
	}
}

func ring(n int) {
	if n < 2 {
		n = 2
	}
	first := make(chan int32, 1)
	last := first
	for i := 0; i < n; i++ {
		in, out := last, first
		if i < n-1 {
			out = make(chan int32)
		}
		last = out
		start(func() int {
			for hops := 0; ; hops++ {
				left := <-in
				if int(left) > 1-n {
					out <- left - 1
				}
				if left <= 0 {
					return hops
				}
			}
		})
	}
	first <- operations
}

func spawn(n int) time.Duration {
	begin := time.Now()
	for i := 0; i < operations/n; i++ {
		ended.Add(n)
		for k := 0; k < n; k++ {
			go ended.Done()
		}
		ended.Wait()
	}
	ops.Add(int64(operations / n * n))
	return time.Since(begin)
}

func behindGate(shape func(int), n int) time.Duration {
	shape(n)
	begun.Wait()
	begin := time.Now()
	close(gate)
	ended.Wait()
	return time.Since(begin)
}

func main() {
	shapes := map[string]func(int){"yield": yields, "spawn": nil, "pingpong": pingpong,
		"chanbuf": chanbuf, "chanmpmc": chanmpmc, "select": selects, "mutex": locks, "ring": ring}
	n := 0
	if len(os.Args) == 3 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	if n > 0 {
		if shape, known := shapes[os.Args[1]]; known {
			benchProcs()
			var took time.Duration
			if shape == nil {
				took = spawn(n)
			} else {
				took = behindGate(shape, n)
			}
			did := int(ops.Load())
			if did <= operations-2*n-width || did > operations {
				check(did, operations, "the number of operations done")
			}
			result(os.Args[1], float64(took.Nanoseconds())/float64(did), "ns")
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: curves SHAPE N, as curves.c says")
	os.Exit(2)
}
