// SPDX-License-Identifier: MIT

package main

func pull(seq func(yield func(int64) bool)) (func() (int64, bool), func()) {
	values := make(chan int64)

	go func() {
		seq(func(v int64) bool {
			values <- v
			return true
		})
	}()
	return func() (int64, bool) {
		v, ok := <-values
		return v, ok
	}, func() {} // without a way to stop it, which would cost a select for each value
}
