// SPDX-License-Identifier: MIT

// A tree of contexts: a deadline is seen in advance, and a cancel ends what was waiting.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

func locale(ctx context.Context) (string, error) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < time.Minute {
		return "", context.DeadlineExceeded
	}
	select {
	case <-time.After(time.Minute):
		return "en", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func printMessage(ctx context.Context, message string) error {
	name, err := locale(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Printf("cannot print %s: too late\n", message)
	} else if err != nil {
		fmt.Printf("cannot print %s: canceled\n", message)
	} else {
		fmt.Printf("%s in %s\n", message, name)
	}
	return err
}

func say(shared context.Context, cancel func(), message string, patience time.Duration) {
	ctx, release := context.WithTimeout(shared, patience)
	defer release()
	if printMessage(ctx, message) != nil {
		cancel()
	}
}

func main() {
	var wg sync.WaitGroup
	shared, cancel := context.WithCancel(context.Background())

	wg.Add(2)
	go func() {
		defer wg.Done()
		say(shared, cancel, "greeting", time.Second)
	}()
	go func() {
		defer wg.Done()
		say(shared, cancel, "farewell", time.Hour)
	}()
	wg.Wait()
}
