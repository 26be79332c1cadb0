// SPDX-License-Identifier: MIT

// A type of errors for each module.
package main

import (
	"errors"
	"fmt"
	"io/fs"
)

type diskError struct {
	error
	message string
}

func (err diskError) Error() string {
	return err.message
}

type jobError struct {
	error
	message string
}

func (err jobError) Error() string {
	return err.message
}

func (err jobError) Unwrap() error {
	return err.error
}

func find(file string) error {
	return diskError{fs.ErrNotExist, "stat " + file}
}

func runJob(id int) error {
	return jobError{find("/bad/binary"), fmt.Sprintf("cannot run job %d", id)}
}

// By somebody who forgot to wrap.
func runJobCarelessly(id int) error {
	return find("/bad/binary")
}

func handle(err error) {
	if _, ok := err.(jobError); ok {
		fmt.Println(err)
	} else {
		fmt.Println("something unexpected happened; please report it")
	}
	var cause diskError
	errors.As(err, &cause)
	fmt.Printf("    (it came from disk: %v)\n", cause)
}

func main() {
	handle(runJob(1))
	handle(runJobCarelessly(2))
}
