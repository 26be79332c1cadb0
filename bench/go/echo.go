// SPDX-License-Identifier: MIT

// echo: see ../echo.h; a goroutine per connection.  The load is the same epoll loop, in a process of this program's that
// uses nothing of Go's but system calls.
package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

const (
	connections = 100
	size        = 64
	warm        = 20000
	requests    = 200000
)

func serve(c net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			break
		}
		if _, err = c.Write(buffer[:n]); err != nil {
			break
		}
	}
	c.Close()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func request(epoll int, fds []int, n int) {
	message, answer := make([]byte, size), make([]byte, size)
	copy(message, "what is sent comes back")
	sent, each, open := make([]int, connections), n/connections, connections
	events := make([]syscall.EpollEvent, connections)
	for _, fd := range fds {
		_, err := syscall.Write(fd, message)
		must(err)
	}
	for open > 0 {
		n, err := syscall.EpollWait(epoll, events, -1)
		if err == syscall.EINTR {
			continue
		}
		must(err)
		for _, e := range events[:n] {
			i := int(e.Fd)
			got, _, err := syscall.Recvfrom(fds[i], answer, syscall.MSG_WAITALL)
			must(err)
			if got != size || !bytes.Equal(message, answer) {
				panic("a wrong answer")
			}
			if sent[i]++; sent[i] < each {
				_, err = syscall.Write(fds[i], message)
				must(err)
			} else {
				open--
			}
		}
	}
}

func load() {
	runtime.GOMAXPROCS(1)
	runtime.LockOSThread()
	in := make([]byte, 8)
	n, err := os.Stdin.Read(in)
	must(err)
	port, err := strconv.Atoi(string(in[:n]))
	must(err)
	epoll, err := syscall.EpollCreate1(0)
	must(err)
	fds := make([]int, connections)
	for i := range fds {
		fds[i], err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		must(err)
		must(syscall.Connect(fds[i], &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
		must(syscall.SetsockoptInt(fds[i], syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1))
		must(syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fds[i],
			&syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}))
	}
	request(epoll, fds, warm)
	os.Stdout.Write([]byte("w"))
	os.Stdin.Read(in[:1])
	request(epoll, fds, requests)
	os.Stdout.Write([]byte("d"))
	os.Stdin.Read(in[:1])
}

func main() {
	if os.Getenv("ECHO_LOAD") != "" {
		load()
		return
	}
	benchProcs()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "ECHO_LOAD=1")
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	must(err)
	out, err := child.StdoutPipe()
	must(err)
	must(child.Start())
	in.Write([]byte(strconv.Itoa(l.Addr().(*net.TCPAddr).Port)))
	one := make([]byte, 1)
	out.Read(one)
	cpu, start := used(), time.Now()
	in.Write([]byte("g"))
	out.Read(one)
	usedEach("echo_cpu", cpu, requests)
	nsEach("echo", start, requests)
	work(requests, "requests")
	in.Close()
	must(child.Wait())
	l.Close()
}
