// SPDX-License-Identifier: MIT

// foreign: a goroutine locked to its thread, which is as near as Go comes to a foreign thread without
// C, wakes another one by a send on an unbuffered channel.
//
//	foreign         from before the send until the other runs, after 200 us in which all slept
//	foreign_trip    there and back over two channels, without a pause
package main

import (
	"runtime"
	"syscall"
	"time"
)

const (
	wakes   = 1500
	trips   = 15000
	pauseNs = 200000
)

func nap() {
	rest := syscall.Timespec{Nsec: pauseNs}
	for syscall.Nanosleep(&rest, &rest) == syscall.EINTR {
	}
}

func thread(to chan<- int64, from <-chan int64, epoch time.Time, done chan<- bool) {
	runtime.LockOSThread()
	for i := 0; i < wakes; i++ {
		nap()
		to <- int64(time.Since(epoch))
	}
	for i := int64(0); i < trips; i++ {
		to <- i
		check(int(<-from), int(i+1), "what came back")
	}
	done <- true
}

func main() {
	benchProcs()
	to, from, done := make(chan int64), make(chan int64), make(chan bool)
	epoch := time.Now()
	go thread(to, from, epoch, done)
	late := make([]time.Duration, wakes)
	for i := range late {
		sent := time.Duration(<-to)
		late[i] = time.Since(epoch) - sent
	}
	result("foreign", quantile(late, 0.5)/1e3, "us")
	start := time.Now()
	for i := 0; i < trips; i++ {
		from <- 1 + <-to
	}
	result("foreign_trip", time.Since(start).Seconds()*1e6/trips, "us")
	<-done
	work(wakes+trips, "wake-ups")
}
