#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240 san
"""httpd_proxy.py BUILD_TREE [TEST...]: examples/apps/httpd between clients and servers that are this script's."""
import os
import random
import re
import signal
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import SHORT_S, check, make, run, until  # noqa: E402
from httpd import Client, Gone, Server, vanish  # noqa: E402
from mutants import mutant  # noqa: E402
from upstream import (  # noqa: E402
	BEGUN, BEGUN_BODIES, GARBAGE, GARBAGE_BEHIND, GARBAGE_BODIES, SAID, Request, Upstream, proxied)

FULL = os.environ.get("TEST_FULL", "") not in ("", "0")


def test_heads():
	with Upstream() as up, proxied(up) as server, Client(server) as c:
		a = c.get(b"/echo?q=%20", [b"Connection: x-mine, keep-alive", b"X-Mine: m", b"X-Yours: y", b"TE: gzip", b"Keep-Alive: 5",
		                           b"Upgrade: h2c", b"Proxy-Authorization: p", b"Cookie: a", b"Cookie: b",
		                           b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: lie"])
		check(a.status == 200 and a["x-up"] == b"yes" and a["via"] and a["date"], a)
		r = up.requests[-1]
		check((r.method, r.target) == (b"GET", b"/echo?q=%20"), r)
		names = [n.lower() for n, _ in r.fields]
		for name in (b"connection", b"x-mine", b"te", b"keep-alive", b"upgrade", b"proxy-authorization", b"content-length",
		             b"transfer-encoding"):
			check(name not in names, name, r)
		check(r.all(b"host") == [b"test"] and r.all(b"x-yours") == [b"y"] and r.all(b"cookie") == [b"a", b"b"], r)
		check(r.all(b"x-forwarded-for") == [b"192.0.2.1", b"127.0.0.1"] and r.all(b"x-forwarded-host") == [b"test"], r)
		check(r.all(b"x-forwarded-proto") == [b"http"], r)
		check(r.all(b"via") == [b"1.1 leat-httpd"], r)
		a = c.get(b"/hop")
		names = [n for n, _ in a.headers]
		check("x-secret" not in names and "keep-alive" not in names and "upgrade" not in names, a)
		check([v for n, v in a.headers if n == "set-cookie"] == [b"a", b"b"] and a["date"] == b"then", a)
		c.get(b"/echo", [b"X-Empty:", b"X-Blank:  ", b"X-Full: f"])
		r = up.requests[-1]
		check(r.all(b"x-empty") == r.all(b"x-blank") == [b""] and r.all(b"x-full") == [b"f"], r)
		c.get(b"http://elsewhere:81/echo")
		check(up.requests[-1].all(b"host") == [b"elsewhere:81"] and up.requests[-1].target == b"/echo", up.requests[-1])
		check(c.get(b"/a/../echo").status == 400, "a path that climbs")


def test_bodies_back():
	with Upstream() as up, proxied(up) as server, Client(server) as c:
		for target, status, body in ((b"/chunked", 200, b"hello world"), (b"/end", 200, b"until the end"),
		                             (b"/status/204", 204, b""), (b"/status/304", 304, b""), (b"/status/404", 404, b"12345")):
			a = c.get(target)
			check((a.status, a.body) == (status, body), target, a)
		a = c.get(b"/status/304")
		check(a["content-length"] == b"5", a)
		a = c.get(b"/chunked", method=b"HEAD")
		check(a.status == 200 and a.body == b"", a)
		check(c.get(b"/echo", body=b"a body").body == b"a body", "it goes on")
		for target, body in ((b"/chunked", b"hello world"), (b"/end", b"until the end"), (b"/echo", b"")):
			with Client(server) as old:
				a = old.get(target, version=b"1.0")
				check(a["transfer-encoding"] is None and a.body == body and old.at_end(), target, a)


def test_bodies_there():
	data = os.urandom(200000)
	with Upstream() as up, proxied(up) as server, Client(server) as c:
		for n in (0, 1, 1000, 200000):
			a = c.get(b"/echo", method=b"POST", body=data[:n])
			check(a.status == 200 and a.body == data[:n] and a["connection"] is None, n, a)
		for size in (1, 100, 70000):
			part = data[:size * 30][:200000]
			c.request(b"/echo", [b"Transfer-Encoding: chunked"], b"PUT")
			for i in range(0, len(part), size):
				piece = part[i:i + size]
				c.send(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece))
			c.send(b"0\r\nTrailer: t\r\n\r\n")
			a = c.answer()
			check(a.status == 200 and a.body == part and a["connection"] is None, size, a)
			check(up.requests[-1].all(b"transfer-encoding") == [b"chunked"], up.requests[-1])
		# Only who is told to sends it.
		c.request(b"/echo", [b"Expect: 100-continue", b"Content-Length: 4"], b"POST")
		check(c.head().status == 100)
		c.send(b"body")
		check(c.answer().body == b"body" and not up.requests[-1].all(b"expect"))


def test_bodies_refused():
	with Upstream() as up, proxied(up, b"--body-bytes=1000") as server:
		with Client(server) as c:
			a = c.get(b"/echo", method=b"POST", body=b"x" * 1001)
			check(a.status == 413 and c.at_end() and not up.requests, a)
		with Client(server) as c:
			c.request(b"/echo", [b"Transfer-Encoding: chunked"], b"POST")
			c.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\ny\r\n0\r\n\r\n")
			a = c.answer()
			check(a.status == 413 and c.at_end(), a)
		with Client(server) as c:  # chunks with nothing but extensions
			c.request(b"/echo", [b"Transfer-Encoding: chunked"], b"POST")
			try:
				c.send(b"1;" + b"e" * 2000000)
			except Gone:
				pass
			check(c.answer().status == 413)
		for bad in (b"zz\r\n", b"5\r\nhelloX", b"-1\r\n", b"+5\r\nhello\r\n", b"0x5\r\nhello\r\n", b"5_0\r\n", b"\r\n",
		            b"5 \r\nhello\r\n", b" 5\r\nhello\r\n", b"5\t\r\nhello\r\n", b"5\nhello\n", b"5\rhello\r\n",
		            b"fffffffffffffffff\r\n", b"5\r\nhello\n", b"5\r\nhello\r\r\n", b"5;a\nb\r\nhello\r\n",
		            b"5;a\r\r\nhello\r\n", b"5;\x00\r\nhello\r\n", b"0\n\n", b"0\r\n\n", b"0\r\r\n\r\n", b"0;x=y\r\n\n",
		            b"0;\n\r\n\r\n", b"0\r\nX: y\n\r\n", b"0\r\nX: y\r\n\n", b"0\r\nX: y\r\n z\r\n\r\n", b"0\r\n X: y\r\n\r\n",
		            b"0\r\nX:\r\n\ty\r\n\r\n", b"0\r\nX y\r\n\r\n", b"0\r\nX : y\r\n\r\n",
		            b"0\r\nTransfer-Encoding: chunked\r\n\r\n"):
			for pieces in ([bad], [bad[i:i + 1] for i in range(len(bad))]):
				with Client(server) as c:
					c.request(b"/echo", [b"Transfer-Encoding: chunked"], b"POST")
					c.send(b"3\r\nabc\r\n")
					try:
						for piece in pieces:
							c.send(piece)
					except Gone:
						pass
					a = c.answer()
					check(a.status == 400 and c.at_end(), bad, a)
		for good in (b"0\r\n\r\n", b"0;x=y\r\n\r\n", b"000\r\nX: y\r\nY:\r\nContent-Length: 9\r\n\r\n"):
			with Client(server) as c:
				c.request(b"/echo", [b"Transfer-Encoding: chunked"], b"POST")
				for i in range(len(good)):
					c.send((b"" if i else b"3\r\nabc\r\n") + good[i:i + 1])
				check(c.answer().body == b"abc" and c.get(b"/echo").status == 200, good)
		check(Client(server).get(b"/echo", method=b"POST", body=b"y", close=True).body == b"y")


def test_both_ways():
	"""An answer that begins before the request has ended."""
	with Upstream() as up, proxied(up) as server:
		with Client(server) as c:
			c.request(b"/both", [b"Transfer-Encoding: chunked"], b"POST")
			c.head()
			for word in (b"one", b"two", b"three" * 20000):
				c.send(b"%x\r\n%s\r\n" % (len(word), word))
				got = b""
				while len(got) < len(word):
					got += c.exactly(int(c.line(), 16))
					c.line()
				check(got == word)
			c.send(b"0\r\n\r\n")
			check(c.chunks() == b"" and c.at_end())
		with Client(server) as c:  # and one that has ended
			c.request(b"/early", [b"Content-Length: 1000000"], b"POST")
			c.send(b"x" * 1000)
			a = c.answer()
			check(a.status == 403 and a.body == b"no" and a["connection"] == b"close", a)
		with Client(server) as c:  # pieces are passed on when they come
			c.request(b"/steps")
			c.head()
			check(c.exactly(10) == b"5\r\nfirst\r\n")
			up.go_on.set()
			check(c.chunks() == b"second")


def flooded(server):
	"""A client that is sent more than it reads; where the upstream is late to begin, another."""
	while True:
		c = Client(server, receive_bytes=4096)
		c.request(b"/flood")
		if c.head().status == 200:
			return c
		c.close()


def test_failures():
	with Upstream() as up, proxied(up, b"--upstream-seconds=0.5") as server, Client(server) as c:
		for method, body in ((b"GET", None), (b"POST", b"body")):
			a = c.get(b"/silent", method=method, body=body)
			check(a.status == 504, method, a)
	with Upstream() as up, proxied(up, b"--upstream-seconds=0.5", b"--upstream-links=1") as server:
		one = flooded(server)  # which does not read: so it keeps the only connection
		with Client(server) as two:
			a = two.get(b"/echo")
			check(a.status == 503, a)
		one.close()
	with Upstream() as up, proxied(up) as server, Client(server) as c:
		for target in (b"/slam", b"/nonsense", b"/smuggle"):
			for method, body in ((b"GET", None), (b"POST", b"body")):
				a = c.get(target, method=method, body=body)
				check(a.status == 502, method, target, a)
		check(c.get(b"/echo", body=b"goes on").body == b"goes on")
		for target in (b"/half", b"/halfchunk"):
			with Client(server) as half:
				half.request(target)
				try:
					half.answer()
					check(False, target, "is taken for whole")
				except (AssertionError, ValueError) as why:
					check("whole" not in str(why), why)
	with Upstream() as up, proxied(up, b"--body-seconds=0.3") as server, Client(server) as c:
		c.request(b"/echo", [b"Content-Length: 10"], b"POST")
		c.send(b"12345")
		a = c.answer()
		check(a.status == 408 and c.at_end(), a)
		for fields, part in ((b"Content-Length: 10", b"12345"), (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n")):
			with Client(server) as half:  # it ends there, and that is not the upstream's fault
				half.request(b"/echo", [fields], b"POST")
				half.send(part)
				half.socket.shutdown(socket.SHUT_WR)
				a = half.answer()
				check(a.status == 400 and half.at_end(), fields, a)
	with socket.create_server(("127.0.0.1", 0)) as s:
		port = s.getsockname()[1]
	with Server(b"-p", b"/=http://127.0.0.1:%d" % port) as server:
		a = Client(server).get(close=True)
		check(a.status == 502, a)
		server.signal(signal.SIGTERM)
		server.wait(b"httpd: dial tcp 127.0.0.1:%d: connect: connection refused\n" % port)


def broken_off(c, *what):
	"""A 200 whose body is seen not to be whole."""
	try:
		a = c.answer()
	except (AssertionError, ValueError, OSError):
		return
	check(a.status != 200, *what, "is taken for whole", a)


def say(c, said, stay, method=b"GET"):
	"""Ask for an answer in these words, behind which the upstream stays, or not."""
	c.request(b"/garbage/%d%s" % (SAID.index(said), b"/stay" if stay else b""), method=method, body=b"body" if method == b"POST" else None)


def test_garbage():
	"""What an upstream says that is no answer is a 502, or where that is seen too late, the end of the connection."""
	with Upstream() as up, proxied(up) as server:
		for said in SAID:
			for stay in (True, False) if said in GARBAGE + GARBAGE_BODIES else (False,):
				for method in (b"GET", b"POST"):
					with Client(server) as c:
						say(c, said, stay, method)
						if said in GARBAGE + BEGUN:
							a = c.answer()
							check(a.status == 502, method, f"{said!r:.100}", a)
							check(c.get(b"/echo", body=b"goes on").body == b"goes on")
						elif said != GARBAGE_BEHIND:
							broken_off(c, said, method)
		with Client(server) as c:
			check(c.get(b"/hints").status == 502, "one hint after the other is no answer")
			say(c, GARBAGE_BEHIND, True)
			check(c.answer().body == b"abc")
			check(c.get(b"/echo")["x-up"] == b"yes", "what came unasked is another's answer")


def test_slow_upstreams():
	"""Whoever keeps a client waiting is given up: 504 before an answer has begun, later the end of the connection."""
	with Upstream() as up, proxied(up, b"--upstream-seconds=0.3") as server, Client(server) as c:
		for method, body in ((b"GET", None), (b"POST", b"body")):
			check(c.get(b"/drip", method=method, body=body).status == 504, method, "a byte now and then is no answer")
		for said in BEGUN:
			say(c, said, True)
			check(c.answer().status == 504, said)
		for said in BEGUN_BODIES:
			with Client(server) as half:
				say(half, said, True)
				broken_off(half, said)


def test_vanished_upstreams():
	"""Who is gone without a word: while it is dialled, over a fresh connection, and over one that was kept."""
	with Upstream() as up, proxied(up, b"--upstream-seconds=2") as server, Client(server) as c:  # enough for who is there
		for method, body in ((b"GET", None), (b"POST", b"x" * 500000)):
			check(c.get(b"/echo").status == 200)
			for s in list(up.open):
				vanish(s)
			up.deaf = True
			if method == b"GET":
				check(c.get(b"/echo").status == 504, "over a kept one")
			check(c.get(b"/echo", method=method, body=body).status == 504, method, "over a fresh one")
			up.deaf = False
			check(c.get(b"/echo", body=b"back").body == b"back", "it is there again")
	with socket.create_server(("127.0.0.1", 0)) as s:
		vanish(s)
		port = s.getsockname()[1]
		with Server(b"-p", b"/=http://127.0.0.1:%d" % port, b"--upstream-seconds=0.3") as server:
			a = Client(server).get(close=True)
			check(a.status == 504, a)
			server.signal(signal.SIGTERM)
			server.wait(b"httpd: dial tcp 127.0.0.1:%d: i/o timeout\n" % port)


def test_kept():
	"""Connections are used again, and one that has ended meanwhile is no harm to what may be repeated."""
	with Upstream() as up, proxied(up) as server, Client(server) as c:
		for _ in range(20):
			c.get(b"/echo")
		check(up.connections == 1, up.connections)
		for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS"):
			c.get(b"/echo")
			up.hang_up()
			a = c.get(b"/echo", method=method)
			check(a.status == 200, method, a)
		before = up.connections
		for i in range(10):
			check(c.get(b"/lasting").status == 200)
			a = c.get(b"/echo", method=b"POST", body=b"%d" % i)
			check(a.status == 200 and a.body == b"%d" % i, a)
			check(sum(r.body == b"%d" % i and r.method == b"POST" for r in up.requests) == 1, "sent twice")
		check(up.connections > before)


def test_never_twice():
	"""What must not be repeated is not, though its connection ends without an answer."""
	with Upstream() as up, proxied(up) as server, Client(server) as c:
		c.get(b"/echo")
		for method in (b"POST", b"PATCH", b"GET"):
			before = len(up.requests)
			check(c.get(b"/slam", method=method, body=b"x").status == 502)
			check(len(up.requests) == before + 1, method, "was sent again")


def test_pressure():
	"""Who does not read is not sent for: little is taken from the upstream in advance."""
	with Upstream() as up, proxied(up) as server:
		c = Client(server, receive_bytes=4096)
		c.request(b"/flood")
		c.head()
		last = -1

		def still():
			nonlocal last
			before, last = last, up.sent
			time.sleep(0.1)
			return before == up.sent > 0

		until(still, "it stops")
		check(up.sent < 100000000, up.sent)
		c.close()
		until(lambda: not up.open, "the upstream's connection is ended")


def test_prefixes():
	make("f", b"file")
	make("api/f", b"file below")
	with Upstream() as one, Upstream() as two:
		with Server(b"-p", b"/api=http://127.0.0.1:%d" % one.port, b"-p", b"/api/v2/=http://127.0.0.1:%d/new" % two.port,
		            b"-p", b"/strip=http://127.0.0.1:%d/" % two.port, b".") as server, Client(server) as c:
			check(c.get(b"/f").body == b"file")
			check(c.get(b"/apix").status == 404)
			for target, up, there in (
					(b"/api", one, b"/api"), (b"/api/f?x", one, b"/api/f?x"), (b"/api?x", one, b"/api?x"),
					(b"/api/v2/a%2fb", two, b"/new/a%2fb"), (b"/api/v2", two, b"/new"), (b"/strip", two, b"/"),
					(b"/strip/echo", two, b"/echo"), (b"/strip?q", two, b"/?q")):
				check(c.get(target).status == 200 and up.requests[-1].target == there, target, up.requests[-1])
	for bad in (b"", b"/x", b"x=http://127.0.0.1:1", b"/x=https://127.0.0.1:1", b"/x=http://127.0.0.1", b"/x=http://"):
		status, _, err = run(b"-p", bad, b".")
		check(status == 2 and b"-p takes" in err, bad, err)


def test_stop():
	"""What an upstream is at work for is waited for."""
	with Upstream() as up, proxied(up, b"--grace-seconds=1000") as server, Client(server) as c:
		c.request(b"/steps")
		c.head()
		server.signal(signal.SIGTERM)
		c.exactly(10)
		up.go_on.set()
		check(c.chunks() == b"second" and c.at_end())
		server.wait()


def test_killed():
	"""Clients and upstreams that vanish at any moment: nothing is left, and no body is mixed with another's."""
	with Upstream() as up, proxied(up, b"-l", b"/dev/null") as server:
		wrong = []

		def worker(seed):
			choose = random.Random(seed)
			for i in range(60):
				try:
					with Client(server) as c:
						for _ in range(choose.randrange(1, 4)):
							body = b"%d %d " % (seed, i) * choose.randrange(1, 5000)
							c.request(choose.choice((b"/echo", b"/lasting")), method=b"POST", body=body)
							if choose.random() < 0.3:
								c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
								break
							a = c.answer()
							if a.status == 200 and a.body != body:
								wrong.append((body[:50], a))
						if choose.random() < 0.1:
							up.hang_up()
				except (OSError, AssertionError):
					pass

		workers = [threading.Thread(target=worker, args=(seed,)) for seed in range(6)]
		for w in workers:
			w.start()
		for w in workers:
			w.join()
		check(not wrong, wrong)
		check(Client(server).get(b"/echo", close=True).status == 200)


class Strict(Upstream):
	"""One that takes nothing that could be read in two ways."""

	def __init__(self):
		self.wrong = []
		super().__init__()

	def serve(self, c):
		file = c.makefile("rb")
		try:
			while first := file.readline():
				head = first
				while line := file.readline():
					head += line
					if line == b"\r\n":
						break
				shape = rb"[A-Z-]+ /[!-~]* HTTP/1\.1\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*\r\n)*\r\n"
				fields = [line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
				counts = [fields.count(n) for n in (b"host", b"content-length", b"transfer-encoding")]
				if not re.fullmatch(shape, head) or counts[0] != 1 or counts[1] + counts[2] > 1:
					self.wrong.append(head)
				r = Request(first, [tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")[1:-2]])
				self.read_body(file, r)
				c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		except (OSError, ValueError):
			pass
		c.close()


def test_mutants():
	"""Whatever a client says, an upstream is told what can be read in one way only."""
	choose = random.Random(3)
	with Strict() as up, proxied(up, b"--body-seconds=1") as server:
		for batch in range(400 if FULL else 4):
			for _ in range(250):
				with Client(server) as c:
					try:
						c.send(mutant(choose))
						c.socket.shutdown(socket.SHUT_WR)
						while c.socket.recv(65536):
							pass
					except OSError:
						pass
			check(not up.wrong, up.wrong[:3])
			check(Client(server).get(b"/control", close=True).status == 200)


if __name__ == "__main__":
	sys.exit(app.main("httpd", globals()))
