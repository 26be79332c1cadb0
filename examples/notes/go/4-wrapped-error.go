// SPDX-License-Identifier: MIT

// An error that says all there is to say.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"time"
)

type wrappedError struct {
	inner      error
	message    string
	stackTrace string
	when       time.Time
	misc       map[string]any
}

func (err *wrappedError) Error() string {
	return err.message
}

func (err *wrappedError) Unwrap() error {
	return err.inner
}

func wrapError(err error, format string, args ...any) *wrappedError {
	return &wrappedError{err, fmt.Sprintf(format, args...), string(debug.Stack()), time.Now(), map[string]any{}}
}

func openTill(number int) *wrappedError {
	err := wrapError(fs.ErrNotExist, "till %d is closed", number)
	err.misc["till"] = number
	err.misc["help"] = "https://example.org/tills"
	return err
}

func main() {
	err := openTill(3)
	is, known := "no", "unknown"
	if errors.Is(err, fs.ErrNotExist) {
		is = "yes"
	}
	if !err.when.IsZero() && err.stackTrace != "" {
		known = "known"
	}
	fmt.Printf("message: %v\n", err)
	fmt.Printf("caused by: no such file: %s\n", is)
	fmt.Printf("when and where: %s\n", known)
	fmt.Printf("till: %v\n", err.misc["till"])
	fmt.Printf("see %v\n", err.misc["help"])
}
