// SPDX-License-Identifier: MIT

// http: see ../http.h; net/http, which has a goroutine per connection.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

const seconds = 2

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// field is the number before or after some words of wrk's.
func field(said []byte, form string) float64 {
	found := regexp.MustCompile(form).FindSubmatch(said)
	if found == nil {
		fmt.Fprintln(os.Stderr, "wrk cannot be run, or says nothing (Debian's package wrk)")
		os.Exit(77)
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	must(err)
	return n
}

// load is so many seconds of wrk: how many requests there were, and how many in a second.
func load(port, seconds int) (requests, perSecond float64) {
	said, _ := exec.Command("wrk", "-c64", "-t2", fmt.Sprintf("-d%d", seconds),
		fmt.Sprintf("http://127.0.0.1:%d/", port)).CombinedOutput()
	if wrong := regexp.MustCompile("Socket errors.*|Non-2xx.*").Find(said); wrong != nil {
		fmt.Fprintf(os.Stderr, "wrong answers: %s\n", wrong)
		os.Exit(1)
	}
	return field(said, `(\d+) requests in `), field(said, `Requests/sec: *([\d.]+)`)
}

func main() {
	benchProcs()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	hello := []byte("hello, world\n")
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(hello)
	}))
	port := l.Addr().(*net.TCPAddr).Port
	load(port, 1)
	cpu := used()
	requests, perSecond := load(port, seconds)
	usedEach("http_cpu", cpu, int(requests))
	result("http", 1e9/perSecond, "ns")
	work(seconds, "seconds of wrk")
}
