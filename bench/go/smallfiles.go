// SPDX-License-Identifier: MIT

// smallfiles: see ../leat/smallfiles.c.
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	smallFiles   = 1000
	smallBytes   = 4096
	smallReaders = 8
	smallReads   = 100000
)

func main() {
	benchProcs()
	folder, err := os.MkdirTemp("", "leat-bench-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	content := make([]byte, smallBytes)
	for i := range content {
		content[i] = byte(i * 31)
	}
	for i := 0; i < smallFiles; i++ {
		if err := os.WriteFile(fmt.Sprintf("%s/s%d", folder, i), content, 0600); err != nil {
			panic(err)
		}
	}
	var bytes [smallReaders]int
	var done sync.WaitGroup
	start := time.Now()
	done.Add(smallReaders)
	for r := 0; r < smallReaders; r++ {
		go func(r int) {
			defer done.Done()
			n := 0
			for i := r; i < smallReads; i += smallReaders {
				b, err := os.ReadFile(fmt.Sprintf("%s/s%d", folder, i%smallFiles))
				if err == nil {
					n += len(b)
				}
			}
			bytes[r] = n
		}(r)
	}
	done.Wait()
	nsEach("smallfiles", start, smallReads)
	all := 0
	for _, n := range bytes {
		all += n
	}
	check(all, smallReads*smallBytes, "bytes read")
	work(smallReads, "files")
}
