// SPDX-License-Identifier: MIT

// A buffer that drops, batches, and a stage for type assertions.
package main

import "fmt"

func cast(done <-chan struct{}, in <-chan any) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for value := range in {
			select {
			case out <- value.(int):
			case <-done:
				return
			}
		}
	}()
	return out
}

func batch(done <-chan struct{}, in <-chan int, size int) <-chan []int {
	out := make(chan []int)
	go func() {
		defer close(out)
		var items []int
		for more := true; more; {
			value, ok := <-in
			more = ok
			if ok {
				items = append(items, value)
			}
			if len(items) < size && (more || len(items) == 0) {
				continue
			}
			select {
			case out <- items:
				items = nil
			case <-done:
				return
			}
		}
	}()
	return out
}

type entrance struct {
	letIn chan int
	lost  int
}

func (e *entrance) send(request int) {
	select {
	case e.letIn <- request:
	default:
		e.lost++
	}
}

func main() {
	done := make(chan struct{})
	defer close(done)
	values := make(chan any, 8)

	for i := 1; i <= 8; i++ {
		values <- i * i
	}
	close(values)
	for b := range batch(done, cast(done, values), 3) {
		fmt.Printf("%d, the last of them %d\n", len(b), b[len(b)-1])
	}

	e := &entrance{letIn: make(chan int, 3)}
	for i := 0; i < 10; i++ {
		e.send(i)
	}
	close(e.letIn)
	served := 0
	for range e.letIn {
		served++
	}
	fmt.Printf("%d requests were served or turned away\n", served+e.lost)
}
