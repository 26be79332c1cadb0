# SPDX-License-Identifier: MIT
"""A server behind examples/apps/httpd's proxy: it answers as asked, keeps what it was told, and says what is no answer, too."""
import socket
import threading

from app import SHORT_S, check
from httpd import Server, vanish


class Request:
	def __init__(self, first, fields):
		self.method, self.target, _ = first.split(b" ")
		self.fields = fields
		self.body = b""

	def all(self, name):
		return [v for n, v in self.fields if n.lower() == name]

	def __repr__(self):
		return f"{self.method} {self.target} {self.fields} {self.body!r:.100}"


class Upstream:
	"""A server that answers by the first part of a path, in the words that are written here."""

	def __init__(self):
		self.requests, self.connections, self.open = [], 0, set()
		self.deaf = False  # nothing arrives over a connection that is new
		self.lock = threading.Lock()
		self.go_on = threading.Event()
		self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
		self.port = self.listener.getsockname()[1]
		threading.Thread(target=self.accept, daemon=True).start()

	def accept(self):
		while True:
			try:
				c, _ = self.listener.accept()
			except OSError:
				return
			c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
			with self.lock:
				self.connections += 1
				self.open.add(c)
			if self.deaf:
				vanish(c)
				continue  # something may have come before that, and is not read
			threading.Thread(target=self.serve, args=(c,), daemon=True).start()

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.listener.close()
		self.go_on.set()
		self.hang_up()

	def hang_up(self):
		"""All connections end, as kept ones may at any time."""
		with self.lock:
			for c in self.open:
				try:
					c.shutdown(socket.SHUT_RDWR)
				except OSError:
					pass

	def serve(self, c):
		file = c.makefile("rb")
		try:
			while first := file.readline():
				fields = []
				while (line := file.readline()) != b"\r\n":
					check(line.endswith(b"\r\n"), "a head ends early")
					fields.append(tuple(line[:-2].split(b": ", 1)))
				request = Request(first[:-2], fields)
				with self.lock:
					self.requests.append(request)
				kind = request.target.split(b"?")[0].split(b"/")[1].decode()
				if not getattr(self, "do_" + kind, self.do_echo)(c, file, request):
					break
		except (OSError, AssertionError, ValueError):
			pass
		with self.lock:
			self.open.discard(c)
		file.close()
		c.close()

	@staticmethod
	def read_body(file, r):
		if r.all(b"transfer-encoding"):
			while n := int(file.readline(), 16):
				r.body += file.read(n)
				file.readline()
			file.readline()
		elif r.all(b"content-length"):
			r.body = file.read(int(r.all(b"content-length")[0]))

	def do_echo(self, c, file, r):
		self.read_body(file, r)
		c.sendall(b"HTTP/1.1 200 Fine\r\nContent-Length: %d\r\nX-Up: yes\r\n\r\n" % len(r.body) + (
			b"" if r.method == b"HEAD" else r.body))
		return True

	def do_chunked(self, c, file, r):
		c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		if r.method != b"HEAD":
			c.sendall(b"5\r\nhello\r\n6;x=y\r\n world\r\n")
			c.sendall(b"0\r\nTrailer: t\r\n\r\n")
		return True

	def do_end(self, c, file, r):
		c.sendall(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
		return False

	def do_hop(self, c, file, r):
		c.sendall(b"HTTP/1.1 200 OK\r\nConnection: x-secret, keep-alive\r\nX-Secret: s\r\nKeep-Alive: timeout=9\r\n"
		          b"Upgrade: h2c\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nDate: then\r\nContent-Length: 0\r\n\r\n")
		return True

	def do_status(self, c, file, r):
		self.read_body(file, r)
		status = r.target.split(b"/")[2]
		length = b"" if status == b"204" else b"Content-Length: 5\r\n"
		body = b"" if status in (b"204", b"304") else b"12345"
		c.sendall(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 %s Because\r\n%s\r\n%s" % (status, length, body))
		return True

	def do_silent(self, c, file, r):
		self.go_on.wait()
		return False

	def do_slam(self, c, file, r):
		return False

	def do_nonsense(self, c, file, r):
		c.sendall(b"what?\r\n\r\n")
		return False

	def do_smuggle(self, c, file, r):
		c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
		return True

	def do_half(self, c, file, r):
		c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1234567890")
		return False

	def do_halfchunk(self, c, file, r):
		c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo")
		return False

	def do_early(self, c, file, r):
		c.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
		self.go_on.wait()
		return False

	def do_both(self, c, file, r):
		"""What comes goes back at once, a chunk for a chunk."""
		c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		while n := int(file.readline(), 16):
			c.sendall(b"%x\r\n%s" % (n, file.read(n + 2)))
		c.sendall(b"0\r\n\r\n")
		return True

	def do_steps(self, c, file, r):
		c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		self.go_on.wait(SHORT_S)
		c.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
		return True

	def do_flood(self, c, file, r):
		self.sent = 0
		c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
		while self.sent < 1000000000:
			self.sent += c.send(b"x" * 100000)
		return True

	def do_drip(self, c, file, r):
		c.sendall(b"HTTP/1.1 200 OK\r\nX: ")
		while not self.go_on.wait(0.02):
			c.sendall(b"y")
		return False

	def do_hints(self, c, file, r):
		while not self.go_on.wait(0.001):
			c.sendall(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n")
		return False

	def do_garbage(self, c, file, r):
		c.sendall(SAID[int(r.target.split(b"/")[2])])
		return r.target.endswith(b"stay")

	def do_lasting(self, c, file, r):
		self.do_echo(c, file, r)
		return False  # it hangs up, and did not say so


# What is no answer, or one in two ways.
GARBAGE = [
	b"\x00" * 1000, b"\x15\x03\x01\x00\x02\x02\x28", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"<html>hello</html>",
	b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 -20 OK\r\n\r\n",
	b"HTTP/1.1 099 Less\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/0.9 200 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n", b"200 OK\r\n\r\n",
	b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
	*(b"HTTP/1.1 200 OK\r\n%s\r\n\r\nabc" % fields for fields in (
		b"Content-Length: 3\r\nContent-Length: 3", b"Content-Length: 3\r\nContent-Length: 2", b"Content-Length: 3, 3", b"Content-Length: -3",
		b"Content-Length: +3", b"Content-Length: 0x3", b"Content-Length: 99999999999999999999", b"Content-Length : 3", b"Content-Length:\r\n 3",
		b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"Transfer-Encoding: gzip",
		b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding\x0b: chunked",
		b"X: y\r\n folded", b"X: y\nZ: z", b"X: y\rSet-Cookie: a", b"X: y\x00z", b"No colon", b": nameless", b"X Y: z", b"X: " + b"y" * 40000,
		b"X: y\r\n" * 400 + b"X: y")),
	b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
]
# Heads that are passed on before it is seen that what follows is no body of theirs.
GARBAGE_BODIES = [b"HTTP/1.1 200 OK\r\n%s\r\n\r\n" % fields + body for fields, body in (
	*((b"Transfer-Encoding: chunked", b"5\r\nhello\r\n" + rest) for rest in (
		b"zz\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\r\nhelloX0\r\n\r\n", b"fffffffffffffffff\r\nhello", b"0\r\n\n",
		b"0\r\nX: y\r\n z\r\n\r\n", b"0\r\nX: y\n\r\n")),)]
# An answer whose end is missing.
BEGUN = [
	b"", b"\r\n\r\n", b"\n" * 1000, b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y\r\n",
	b"HTTP/1.1 2"]
BEGUN_BODIES = [
	b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
	b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
	b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"]
GARBAGE_BEHIND = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
SAID = GARBAGE + GARBAGE_BODIES + BEGUN + BEGUN_BODIES + [GARBAGE_BEHIND]


def proxied(up, *arguments, **rest):
	return Server(b"-p", b"/=http://127.0.0.1:%d" % up.port, *arguments, **rest)
