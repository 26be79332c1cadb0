// SPDX-License-Identifier: MIT

// Replicated requests, of which the first success counts.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

type result struct {
	answer int
	err    error
}

func ask(ctx context.Context, i int, question string) result {
	if i == 0 {
		return result{err: fmt.Errorf("nobody knows %s", question)}
	}
	takes := time.Hour
	if i == 3 {
		takes = time.Millisecond
	}
	select {
	case <-time.After(takes):
		return result{answer: i * 10}
	case <-ctx.Done():
		return result{err: ctx.Err()}
	}
}

func replicate(n int, question string) result {
	ctx, cancel := context.WithCancel(context.Background())
	results := make(chan result, n)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for i := 0; i < n; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			results <- ask(ctx, i, question)
		}(i)
	}
	var r result
	for i := 0; i < n; i++ {
		if r = <-results; r.err == nil {
			break
		}
	}
	return r
}

func main() {
	r := replicate(5, "the time")
	what := "no error"
	if r.err != nil {
		what = r.err.Error()
	}
	fmt.Printf("the answer is %d, and %s\n", r.answer, what)
	fmt.Println(replicate(1, "the way").err)
}
