// SPDX-License-Identifier: MIT

package main

import "iter"

func pull(seq func(yield func(int64) bool)) (func() (int64, bool), func()) {
	return iter.Pull(seq)
}
