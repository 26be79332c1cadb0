// SPDX-License-Identifier: MIT

// Why things are cancelled.  Go 1.19 has no causes: the reason is kept beside the context.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errTooLate = errors.New("the answer would be stale")
var errUserLeft = errors.New("the user went away")

type reasons map[error]error

// Asks somebody who never answers.
func ask(what string, ctx context.Context, why reasons) {
	var answers chan int

	select {
	case <-answers:
	case <-ctx.Done():
		fmt.Printf("%s: %v\n", what, why[ctx.Err()])
	}
}

func main() {
	why := reasons{
		context.DeadlineExceeded: errTooLate,
		context.Canceled:         errUserLeft,
	}
	user, leave := context.WithCancel(context.Background())
	late, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	child, cancelChild := context.WithCancel(user)
	defer cancelChild()

	ask("time-out", late, why)
	go leave()
	ask("parent", child, why)
	ask("user", user, why)
}
