// SPDX-License-Identifier: MIT

// A merge sort that forks and joins.
package main

import "fmt"

const count = 10000

func merge(from []uint32, half int) {
	left := make([]uint32, half)
	copy(left, from)
	i, j := 0, half
	for k := 0; i < half; k++ {
		if j == len(from) || left[i] <= from[j] {
			from[k] = left[i]
			i++
		} else {
			from[k] = from[j]
			j++
		}
	}
}

func mergeSort(from []uint32) {
	half := len(from) / 2
	if half == 0 {
		return
	}
	join := make(chan struct{})
	go func() {
		defer close(join)
		mergeSort(from[:half])
	}()
	mergeSort(from[half:])
	<-join
	merge(from, half)
}

func main() {
	var numbers [count]uint32
	for i := 1; i < count; i++ {
		numbers[i] = numbers[i-1]*1664525 + 1013904223
	}
	mergeSort(numbers[:])
	inOrder := 1
	for inOrder < count && numbers[inOrder-1] <= numbers[inOrder] {
		inOrder++
	}
	fmt.Printf("%d numbers in order, from %d to %d\n", inOrder, numbers[0], numbers[count-1])
}
