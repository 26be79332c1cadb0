# SPDX-License-Identifier: MIT
"""What the scripts about examples/apps/httpd share: the server as a process, and a client that says exactly what it is told."""
import ctypes
import re
import signal
import socket
import struct

import app
from app import SHORT_S, Skip, check, finish, start, until

Gone = (ConnectionResetError, BrokenPipeError)


class Server:
	"""A httpd that listens on a port of its own; at the end of its block it is stopped, which must go well."""

	def __init__(self, *arguments, status=0, **rest):
		self.status = status
		self.process = start(b"-a", b"127.0.0.1:0", *arguments, **rest)
		line = self.process.stderr.readline()
		found = re.fullmatch(rb"httpd: listening on 127\.0\.0\.1:(\d+)\n", line)
		if not found:
			raise AssertionError(f"it does not start: {line + finish(self.process)[2]!r}")
		self.port = int(found[1])

	def __enter__(self):
		return self

	def __exit__(self, kind, *_):
		if kind:
			self.process.kill()
			self.process.communicate()
		elif self.process.returncode is None:
			self.stop()

	def signal(self, number):
		self.process.send_signal(number)

	def stop(self):
		"""What it wrote to standard output."""
		self.signal(signal.SIGTERM)
		return self.wait()

	def wait(self, errors=b""):
		out, err = self.end()
		check(err == errors, f"it says {err!r:.2000}")
		return out

	def end(self):
		"""What it wrote to both outputs, when it has ended as it should."""
		status, out, err = finish(self.process)
		check(status == self.status, f"it ends with {status}, and says {err!r:.2000}")
		return out, err

	def alive(self):
		"""It serves, and it is still the same process."""
		check(self.process.poll() is None, f"it is gone: {self.process.poll()}, {self.process.stderr}")
		answer = Client(self).get(b"/control", close=True)
		check(answer.status == 404, answer)


def queues(local, remote):
	"""How much a connection has not sent, and not read; local and remote are its ports."""
	with open("/proc/net/tcp", encoding="ascii") as file:
		for words in map(str.split, file):
			if words[1].endswith(f":{local:04X}") and words[2].endswith(f":{remote:04X}"):
				return [int(n, 16) for n in words[4].split(":")]
	raise AssertionError(f"there is no connection from {local} to {remote}")


def vanish(s):
	"""From now on nothing reaches a socket of TCP, not even its kernel's ear: a filter drops it.  As tests/vanish.h."""
	drop = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0))  # return 0
	try:
		s.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", 1, ctypes.addressof(drop)))
	except OSError as why:
		raise Skip(f"sockets cannot be filtered here: {why}") from None


class Answer:
	def __init__(self, status, headers, body):
		self.status = status
		self.headers = headers  # (name in small letters, value)
		self.body = body

	def __getitem__(self, name):
		values = [v for n, v in self.headers if n == name]
		check(len(values) <= 1, f"{name} comes {len(values)} times")
		return values[0] if values else None

	def __repr__(self):
		return f"{self.status} {self.headers} {self.body!r:.200}"


class Client:
	"""A connection, to a server or a port."""

	def __init__(self, server, receive_bytes=None):
		port = server.port if isinstance(server, Server) else server
		self.socket = socket.socket()
		self.socket.settimeout(SHORT_S)
		if receive_bytes:
			self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
		self.socket.connect(("127.0.0.1", port))
		self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		self.file = self.socket.makefile("rb")

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.close()

	def close(self):
		self.file.close()
		self.socket.close()

	def send(self, data):
		self.socket.sendall(data)

	def request(self, target=b"/", headers=(), method=b"GET", body=None, version=b"1.1"):
		lines = [b"%s %s HTTP/%s" % (method, target, version), b"Host: test", *headers]
		if body is not None:
			lines.append(b"Content-Length: %d" % len(body))
		self.send(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""))

	def line(self):
		line = self.file.readline()
		check(line.endswith(b"\r\n"), f"a line ends early: {line!r}")
		return line[:-2]

	def exactly(self, n):
		data = self.file.read(n)
		check(len(data) == n, f"{len(data)} bytes of {n}")
		return data

	def head(self):
		first = self.line()
		found = re.fullmatch(rb"HTTP/1\.1 (\d\d\d) ([ -~]*)", first)
		check(found, f"the status line is {first!r}")
		headers = []
		while line := self.line():
			name, colon, value = line.partition(b": ")
			check(colon and re.fullmatch(rb"[A-Za-z-]+", name), f"a field is {line!r}")
			headers.append((name.lower().decode(), value))
		return Answer(int(found[1]), headers, b"")

	def chunks(self):
		body = b""
		while n := int(self.line(), 16):
			body += self.exactly(n)
			check(self.line() == b"", "a chunk does not end")
		check(self.line() == b"", "there is a trailer")
		return body

	def answer(self, method=b"GET"):
		a = self.head()
		if method == b"HEAD" or a.status in (204, 304) or a.status < 200:
			return a
		if a["transfer-encoding"]:
			check(a["transfer-encoding"] == b"chunked" and a["content-length"] is None, a)
			a.body = self.chunks()
		elif a["content-length"] is not None:
			a.body = self.exactly(int(a["content-length"]))
		else:
			check(a["connection"] == b"close", f"nobody can tell where this ends: {a}")
			a.body = self.file.read()
		return a

	def get(self, target=b"/", headers=(), method=b"GET", close=False, **rest):
		self.request(target, headers, method, **rest)
		a = self.answer(method)
		if close:
			self.close()
		return a

	def until_read(self, server):
		"""Until the server has read all that was sent: it has left here, and then is not there any more."""
		mine = self.socket.getsockname()[1]
		until(lambda: queues(mine, server.port)[0] == 0, "it has arrived")
		until(lambda: queues(server.port, mine)[1] == 0, "the server has read it")

	def at_end(self):
		"""The server has closed it, and said no more."""
		try:
			rest = self.file.read()
		except Gone:
			rest = b""
		check(rest == b"", f"there is more: {rest!r:.200}")
		return True


