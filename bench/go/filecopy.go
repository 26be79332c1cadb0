// SPDX-License-Identifier: MIT

// filecopy: see ../leat/filecopy.c; a goroutine for each, which reads and writes (io.Copy would have the kernel copy).
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	copyFiles  = 4
	copyBytes  = 16 << 20
	copyBuffer = 128 << 10
)

func copyOne(from, to string, done *sync.WaitGroup) {
	defer done.Done()
	buffer := make([]byte, copyBuffer)
	r, err := os.Open(from)
	if err != nil {
		return
	}
	defer r.Close()
	w, err := os.Create(to)
	if err != nil {
		return
	}
	defer w.Close()
	for {
		n, err := r.Read(buffer)
		if err != nil {
			return
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func main() {
	benchProcs()
	folder, err := os.MkdirTemp("", "leat-bench-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	content := make([]byte, copyBytes)
	for i := range content {
		content[i] = byte(i * 31)
	}
	for i := 0; i < copyFiles; i++ {
		if err := os.WriteFile(fmt.Sprintf("%s/a%d", folder, i), content, 0600); err != nil {
			panic(err)
		}
	}
	var done sync.WaitGroup
	start := time.Now()
	done.Add(copyFiles)
	for i := 0; i < copyFiles; i++ {
		go copyOne(fmt.Sprintf("%s/a%d", folder, i), fmt.Sprintf("%s/b%d", folder, i), &done)
	}
	done.Wait()
	result("filecopy", time.Since(start).Seconds()*1e6/(copyFiles*(copyBytes>>20)), "us")
	all := 0
	for i := 0; i < copyFiles; i++ {
		if s, err := os.Stat(fmt.Sprintf("%s/b%d", folder, i)); err == nil {
			all += int(s.Size())
		}
	}
	check(all, copyFiles*copyBytes, "bytes copied")
	work(copyFiles*(copyBytes>>20), "MiB")
}
