// SPDX-License-Identifier: MIT

// The Go version of ../leat/programs.c, which says what is measured; called with the name of a program
// it is that program.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"
)

const (
	files     = 20000
	folders   = 400
	mostBytes = 4096
	primes    = 2000
)

// ---- digest: the same pipeline as examples/apps/digest

const (
	blockBytes     = 128 * 1024
	queuePerWorker = 8
	jobsPerWorker  = 64
)

type job struct {
	path string
	file *os.File
	err  error
	hash [sha256.Size]byte
	done chan struct{}
}

// walk sends each file out as a job, to whichever worker takes it and, in the order of the walk, to print.
func walk(ctx context.Context, root string, spare <-chan *job, work, ordered chan<- *job) {
	defer close(ordered)
	defer close(work)
	filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.Type().IsRegular() {
			return nil
		}
		var j *job
		select {
		case j = <-spare:
		case <-ctx.Done():
			return ctx.Err()
		}
		j.path, j.file, j.err = path, nil, err
		if err == nil {
			j.file, j.err = os.Open(path)
		}
		ordered <- j
		if j.err == nil {
			work <- j
		} else {
			j.done <- struct{}{}
		}
		return nil
	})
}

func hashFiles(ctx context.Context, work <-chan *job) {
	block := make([]byte, blockBytes)
	h := sha256.New()
	for j := range work {
		h.Reset()
		for {
			if j.err = ctx.Err(); j.err != nil {
				break
			}
			n, err := j.file.Read(block)
			h.Write(block[:n])
			if err != nil {
				if err != io.EOF {
					j.err = err
				}
				break
			}
		}
		h.Sum(j.hash[:0])
		j.file.Close()
		j.done <- struct{}{}
	}
}

func digest(root string) int {
	workers := runtime.GOMAXPROCS(0)
	jobs := workers * jobsPerWorker
	spare := make(chan *job, jobs)
	ordered := make(chan *job, jobs)
	work := make(chan *job, workers*queuePerWorker)
	for i := 0; i < jobs; i++ {
		spare <- &job{done: make(chan struct{}, 1)}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	wg.Add(1 + workers)
	go func() {
		defer wg.Done()
		walk(ctx, root, spare, work, ordered)
	}()
	for i := 0; i < workers; i++ {
		go func() {
			defer wg.Done()
			hashFiles(ctx, work)
		}()
	}
	status := 0
	out := bufio.NewWriterSize(os.Stdout, 64*1024)
	for j := range ordered {
		<-j.done
		if j.err != nil {
			fmt.Fprintf(os.Stderr, "digest: %v\n", j.err)
			status = 1
		} else {
			fmt.Fprintf(out, "%x  %s\n", j.hash, j.path)
		}
		spare <- j
	}
	wg.Wait()
	if err := out.Flush(); err != nil {
		fmt.Fprintf(os.Stderr, "digest: %v\n", err)
		status = 1
	}
	return status
}

// ---- primes: the same row of goroutines as examples/sieve

func count(ctx context.Context, out chan<- int) {
	for i := 2; ; i++ {
		select {
		case out <- i:
		case <-ctx.Done():
			return
		}
	}
}

func filter(ctx context.Context, in <-chan int, out chan<- int, prime int) {
	for {
		var n int
		select {
		case n = <-in:
		case <-ctx.Done():
			return
		}
		if n%prime == 0 {
			continue
		}
		select {
		case out <- n:
		case <-ctx.Done():
			return
		}
	}
}

func printPrimes(n int) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	end := make(chan int)
	wg.Add(1)
	go func(out chan<- int) {
		defer wg.Done()
		count(ctx, out)
	}(end)
	for i := 0; i < n; i++ {
		prime := <-end
		next := make(chan int)
		fmt.Fprintln(out, prime)
		wg.Add(1)
		go func(in <-chan int, out chan<- int) {
			defer wg.Done()
			filter(ctx, in, out, prime)
		}(end, next)
		end = next
	}
}

// ---- measuring them

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// makeTree makes the same tree as programs.c.
func makeTree(tree string) {
	var block [2 * mostBytes]byte
	random := uint64(1)
	for i := range block {
		random = random*6364136223846793005 + 1442695040888963407
		block[i] = byte(random >> 56)
	}
	for i := 0; i < folders; i++ {
		folder := filepath.Join(tree, strconv.Itoa(i))
		must(os.MkdirAll(folder, 0o700))
		for k := i; k < files; k += folders {
			at := k % mostBytes
			must(os.WriteFile(filepath.Join(folder, strconv.Itoa(k)), block[at:at+256<<(k%5)], 0o600))
		}
	}
}

func measure(figure, program, argument, scratch string, lines int) {
	path := filepath.Join(scratch, "out")
	out, err := os.Create(path)
	must(err)
	child := exec.Command(os.Args[0], program, argument)
	child.Stdout, child.Stderr = out, os.Stderr
	start := time.Now()
	must(child.Run())
	wall := time.Since(start)
	out.Close()
	printed, err := os.ReadFile(path)
	must(err)
	check(bytes.Count(printed, []byte{'\n'}), lines, "the number of lines printed")
	cpu := child.ProcessState.UserTime() + child.ProcessState.SystemTime()
	result(figure+"_wall", float64(wall.Nanoseconds())/1e6, "ms")
	result(figure+"_cpu", float64(cpu.Nanoseconds())/1e6, "ms")
}

func main() {
	benchProcs()
	if len(os.Args) == 3 {
		if os.Args[1] == "digest" {
			os.Exit(digest(os.Args[2]))
		}
		n, err := strconv.Atoi(os.Args[2])
		must(err)
		printPrimes(n)
		return
	}
	scratch, err := os.MkdirTemp("", "leat-bench-")
	must(err)
	defer os.RemoveAll(scratch)
	tree := filepath.Join(scratch, "tree")
	makeTree(tree)
	work(files, "files")
	measure("digest", "digest", tree, scratch, files)
	measure("primes", "primes", strconv.Itoa(primes), scratch, primes)
}
