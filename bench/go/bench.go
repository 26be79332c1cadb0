// SPDX-License-Identifier: MIT

// What every benchmark program in Go is made of: the counterpart of ../bench.h, which says what a
// program prints and how it exits.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// benchProcs says how many processors to use, and sets the Go scheduler to so many.
func benchProcs() int {
	s, set := os.LookupEnv("BENCH_PROCS")
	if !set {
		s = "2"
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		fmt.Fprintf(os.Stderr, "BENCH_PROCS is '%s': it must be a number from 1 up\n", s)
		os.Exit(1)
	}
	runtime.GOMAXPROCS(n)
	return n
}

// fullCount of a row that is scaled down to fit the runner's time: all of it under BENCH_FULL.
func fullCount(scaled, full int) int {
	if _, set := os.LookupEnv("BENCH_FULL"); set {
		return full
	}
	return scaled
}

func work(count int, what string) {
	fmt.Printf("work %d %s\n", count, what)
}

func result(name string, value float64, unit string) {
	fmt.Printf("%s %.3f %s\n", name, value, unit)
}

// nsEach prints a figure of the time since start, divided by count.
func nsEach(name string, start time.Time, count int) {
	result(name, float64(time.Since(start).Nanoseconds())/float64(count), "ns")
}

// used is the processor time of this process so far, in nanoseconds.
func used() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// usedEach prints a figure of the processor time since start, divided by count.
func usedEach(name string, start int64, count int) {
	result(name, float64(used()-start)/float64(count), "ns")
}

// quantile is the value that a share q of values sorts below; sorts them.  The median for 0.5.
func quantile(values []time.Duration, q float64) float64 {
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	if len(values) == 0 {
		return 0
	}
	return float64(values[int(float64(len(values)-1)*q)])
}

func check(got, want int, what string) {
	if got != want {
		fmt.Fprintf(os.Stderr, "wrong result: %s is %d, it must be %d\n", what, got, want)
		os.Exit(1)
	}
}

// kbField reads a field of a file of lines "Field:   123 kB" in bytes; -1 when there is none.
func kbField(file, field string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return -1
	}
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) >= 2 && words[0] == field+":" {
			kb, err := strconv.Atoi(words[1])
			if err != nil {
				return -1
			}
			return kb * 1024
		}
	}
	return -1
}

// Memory of this process: resident, and in page tables.
func rss() int { return kbField("/proc/self/status", "VmRSS") }
func pte() int { return kbField("/proc/self/status", "VmPTE") }

// needsMemory leaves the row out, with the reason, when less than bytes of memory are available, and
// uses so much for a moment: see ../bench.h.
func needsMemory(bytes int) {
	have := kbField("/proc/meminfo", "MemAvailable")
	if have >= 0 && have < bytes {
		fmt.Fprintf(os.Stderr, "needs %.1f GB of memory, %.1f GB are available\n",
			float64(bytes)/1e9, float64(have)/1e9)
		os.Exit(77)
	}
	p, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		fmt.Fprintf(os.Stderr, "no address space for %.1f GB of memory\n", float64(bytes)/1e9)
		os.Exit(1)
	}
	_ = syscall.Madvise(p, syscall.MADV_HUGEPAGE)
	for i := 0; i < bytes; i += 4096 {
		p[i] = 1
	}
	_ = syscall.Munmap(p)
}

// Work of a known length that touches no memory: ../steps.h.
const (
	stepsPerUs = 750
	stepsA     = 6364136223846793005
	stepsC     = 1442695040888963407
)

func stepsRun(random uint64, steps int) uint64 {
	for i := 0; i < steps; i++ {
		random = random*stepsA + stepsC
	}
	return random
}

// stepsExpected is what stepsRun returns, in logarithmic time.
func stepsExpected(random uint64, steps int) uint64 {
	a, c := uint64(stepsA), uint64(stepsC)
	for left := steps; left != 0; left >>= 1 {
		if left&1 != 0 {
			random = random*a + c
		}
		c = a*c + c
		a *= a
	}
	return random
}
