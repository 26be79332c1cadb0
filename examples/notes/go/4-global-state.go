// SPDX-License-Identifier: MIT

// Changes that are noted down, and made at the end at once.
package main

import (
	"context"
	"fmt"
	"sync"
)

var lock sync.Mutex
var balances = [3]int{100, 100, 100} // under the lock

func show(err error) {
	lock.Lock()
	defer lock.Unlock()
	what := "paid"
	if err != nil {
		what = "canceled half-way"
	}
	fmt.Printf("%s: %d %d %d\n", what, balances[0], balances[1], balances[2])
}

// Pay to each of the others; patience is how many payments the customer waits for.
func payAll(amount, patience int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var noted [3]int

	for to := 1; to < 3; to++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		noted[0] -= amount
		noted[to] += amount
		if to == patience {
			cancel()
		}
	}
	lock.Lock()
	defer lock.Unlock()
	for i := range noted {
		balances[i] += noted[i]
	}
	return nil
}

func main() {
	show(payAll(20, 1))
	show(payAll(20, 3))
}
