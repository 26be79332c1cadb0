#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=400 san
"""httpd_hostile.py BUILD_TREE [TEST...]: what examples/apps/httpd does about clients that mean harm, are broken, or vanish."""
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import SHORT_S, Skip, check, make, until  # noqa: E402
from httpd import Client, Gone, Server  # noqa: E402
from mutants import mutant  # noqa: E402
from upstream import Upstream, proxied  # noqa: E402

FULL = os.environ.get("TEST_FULL", "") not in ("", "0")
SANITIZED = "san" in os.path.basename(os.path.normpath(sys.argv[1])) if len(sys.argv) > 1 else False
BIG = b"0123456789abcdef" * (1 << 18)

# What is no request of HTTP/1.1, or one in two ways, and the answer.
MALFORMED = [
	(400, b"GET / HTTP/1.1\r\n\r\n"),  # no Host
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
	(400, b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length\x00: 1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\x0b1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1;\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e0\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\ncontent-length: 1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent Length: 1\r\n\r\nx"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	(501, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	(501, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	(501, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
	(501, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;x=y\r\n\r\n0\r\n\r\n"),
	(501, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\x0b: chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\tfolded\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX:\r\n \r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\n: nameless\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX\x00Y: z\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\x00z\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n"),
	(400, b"GET / HTTP/1.1\nHost: a\n\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
	(400, b"GET / HTTP/1.1\r\nHost: a\r\n\n"),
	(400, b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
	(400, b"GET / HTTP/1.1x\r\nHost: a\r\n\r\n"),
	(400, b"GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
	(400, b"GET /\r\n\r\n"),
	(400, b"GET  HTTP/1.1\r\nHost: a\r\n\r\n"),
	(400, b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
	(400, b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
	(400, b"GET relative HTTP/1.1\r\nHost: a\r\n\r\n"),
	(400, b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
	(400, b"GET / XTTP/1.1\r\nHost: a\r\n\r\n"),
	(505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
	(505, b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
	(505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	(501, b"FETCH / HTTP/1.1\r\nHost: a\r\n\r\n"),
	(501, b"get / HTTP/1.1\r\nHost: a\r\n\r\n"),
	(400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 200),  # TLS
	(400, b"SSH-2.0-OpenSSH_9.2p1\r\n"),
	(400, b"\x00" * 100),
]


def rest_of(c):
	"""All that comes until the end, or the reset."""
	data = b""
	try:
		while piece := c.socket.recv(65536):
			data += piece
	except Gone:
		pass
	return data


def check_malformed(server):
	for status, request in MALFORMED:
		for behind in (b"", b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"):
			with Client(server) as c:
				c.send(request + behind)
				a = c.answer()
				check(a.status == status, request, "is answered by", a)
				check(a["connection"] == b"close" and c.at_end(), "more was read behind", request)


def test_malformed():
	make("index.html", b"index")
	with Server(b".") as server:
		check_malformed(server)
		server.alive()


def test_malformed_proxied():
	"""Nothing of it gets through, nor of what stands behind it."""
	with Upstream() as up, proxied(up) as server, Client(server) as c:
		c.get(b"/echo")
		check_malformed(server)
		check(c.get(b"/echo").status == 200 and len(up.requests) == 2, up.requests)


def test_limits():
	make("index.html", b"index")
	with Server(b"--line-bytes=100", b"--head-bytes=1000", b"--fields=10", b"--body-bytes=1000", b".") as server:
		line = b"GET /%s HTTP/1.1\r\nHost: a\r\n"
		for status, request in (
				(404, line % (b"x" * 99) + b"\r\n"), (414, line % (b"x" * 100) + b"\r\n"), (414, b"GET /" + b"x" * 100000),
				(200, line % b"" + b"X: y\r\n" * 9 + b"\r\n"), (431, line % b"" + b"X: y\r\n" * 10 + b"\r\n"),
				(200, line % b"" + b"X: " + b"y" * 900 + b"\r\n\r\n"), (431, line % b"" + b"X: " + b"y" * 1000 + b"\r\n\r\n"),
				(431, line % b"" + b"X: " + b"y" * 50000), (431, line % b"" + b"y" * 50000), (431, b"\r\n" * 5000),
				(200, line % b"" + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000),
				(413, line % b"" + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001)):
			with Client(server) as c:
				try:
					c.send(request)
				except Gone:
					pass
				a = c.answer()
				check(a.status == status, f"{request!r:.60}, {len(request)} bytes", a)
				check(status in (200, 404) or c.at_end())
		server.alive()


def test_slowloris():
	"""A byte now and then is no request, and others are served meanwhile."""
	make("index.html", b"index")
	with Server(b"--head-seconds=0.5", b".") as server:
		slow = [Client(server) for _ in range(40)]
		over = threading.Event()

		def drip():
			live = list(slow)
			for byte in b"GET / HTTP/1.1\r\nX-" + b"a" * 5000:
				if over.is_set() or not live:
					break
				for c in list(live):
					try:
						c.send(bytes([byte]))
					except OSError:
						live.remove(c)
				time.sleep(0.02)

		thread = threading.Thread(target=drip)
		thread.start()
		try:
			for _ in range(10):
				server.alive()
			for c in slow:
				check(rest_of(c).startswith(b"HTTP/1.1 408 "))
		finally:
			over.set()
			thread.join()
		for c in slow:
			c.close()


def test_patience():
	"""For a head, for a request, for a body."""
	make("f", b"f")
	with Server(b"--head-seconds=0.2", b"--body-seconds=0.2", b".") as server:
		for part in (b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n"):
			with Client(server) as c:
				c.send(part)
				a = c.answer()
				check(a.status == 408 and a["connection"] == b"close" and c.at_end(), part, a)
		with Client(server) as c:
			c.request(b"/f", [b"Content-Length: 10"])
			c.send(b"12345")
			check(c.answer()["connection"] == b"close" and c.at_end())
	with Server(b"--idle-seconds=0.2", b"--connections=1", b".") as server:
		with Client(server) as c:
			check(c.at_end(), "nothing was sent")
		first, second = Client(server), Client(server)
		second.request(b"/f")  # it is there when the second is accepted
		check(first.at_end() and second.answer().body == b"f" and second.at_end(), "nothing more was sent")
		first.close()
		second.close()


def test_nobody_reads():
	"""Who does not read loses its place, which is the only one."""
	make("big", BIG)
	make("f", b"f")
	with Server(b"--write-seconds=0.3", b"--connections=1", b".") as server:
		slow = Client(server, receive_bytes=4096)
		slow.request(b"/big")
		slow.head()
		with Client(server) as c:
			check(c.get(b"/f").body == b"f")
		try:
			check(len(slow.file.read()) < len(BIG), "it was sent all the same")
		except Gone:
			pass
		slow.close()


def test_connections():
	"""No more than so many at a time; the others wait, and are served in the end."""
	make("f", b"f")
	with Server(b"--connections=3", b".") as server:
		inside = [Client(server) for _ in range(3)]
		for c in inside:
			c.get(b"/f")
		outside = [Client(server) for _ in range(5)]
		for c in outside:
			c.request(b"/f", [b"Connection: close"])
		outside[0].socket.settimeout(0.2)
		try:
			check(not outside[0].socket.recv(1), "one too many is served")
		except TimeoutError:
			pass
		for c in outside:
			c.socket.settimeout(SHORT_S)
		inside.pop().close()
		for c in outside[1:]:
			check(c.answer().body == b"f")
		for c in inside + outside:
			c.close()


def descriptors(server):
	return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def test_descriptors():
	"""Out of descriptors it waits, and goes on when there are some again."""
	make("f", b"f")
	with Server(b".", descriptors=40) as server:
		clients = [Client(server) for _ in range(80)]
		until(lambda: descriptors(server) >= 39, "all descriptors are used")
		for c in clients:
			c.close()

		def served():
			a = Client(server).get(b"/f", close=True)
			check(a.status in (200, 503), a)
			return a.status == 200

		until(served, "there are descriptors again, also for the file")


def status_of(server, name):
	"""Of /proc/PID/status, a number."""
	with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
		return int(re.search(rf"^{name}:\s*(\d+)", file.read(), re.M)[1])


def switches(server, after_s=0):
	"""How often its threads have stopped."""
	time.sleep(after_s)
	n = 0
	for task in os.listdir(f"/proc/{server.process.pid}/task"):
		try:
			with open(f"/proc/{server.process.pid}/task/{task}/status", encoding="ascii") as file:
				n += sum(map(int, re.findall(r"ctxt_switches:\s*(\d+)", file.read())))
		except FileNotFoundError:
			pass  # it has ended
	return n


def test_idle():
	"""Connections that wait cost no thread and little memory, before a request and after one; and vanish all at once."""
	soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
	n = min(9000 if FULL and not SANITIZED else 2000, hard - 200)
	make("f", b"f")
	resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
	try:
		with Server(b"--connections=%d" % (n + 10), b".") as server:
			open_before = descriptors(server)
			server.alive()
			until(lambda: descriptors(server) <= open_before + 1, "that connection is closed, though not the poller")
			before, threads = status_of(server, "VmRSS"), status_of(server, "Threads")
			clients = []
			for _ in range(n):
				c = socket.create_connection(("127.0.0.1", server.port))
				c.settimeout(SHORT_S)
				clients.append(c)
			until(lambda: descriptors(server) >= open_before + n, "all are accepted")
			until(lambda: switches(server) == switches(server, 0.05), "nothing runs")
			fresh = (status_of(server, "VmRSS") - before) / n
			for c in clients:
				c.sendall(b"GET /f HTTP/1.1\r\nHost: a\r\n\r\n")
				check(c.recv(1000).endswith(b"f"))
			used = (status_of(server, "VmRSS") - before) / n
			more = status_of(server, "Threads") - threads
			print(f"\t{n} connections, {fresh:.1f} KiB each, {used:.1f} after a request, {more} threads more")
			check(more <= 2 * len(os.sched_getaffinity(0)) + 4, more, "threads for", n, "connections")
			check(SANITIZED or fresh < 8 and used < 10, fresh, used)
			for c in clients:
				c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
			for c in clients:
				c.close()
			until(lambda: descriptors(server) <= open_before + 1, "all are cleaned up")
			server.alive()
	finally:
		resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def reset(c):
	c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
	c.close()


def test_killed():
	"""Connections that are reset at any moment leave nothing behind."""
	make("big", BIG)
	make("f", b"f")
	with Server(b"-l", b"/dev/null", b".") as server:
		server.alive()
		before = descriptors(server)

		def worker(seed):
			choose = random.Random(seed)
			for _ in range(2000 if FULL else 60):
				c = Client(server)
				request = choose.choice((b"GET /big", b"GET /f", b"HEAD /big")) + b" HTTP/1.1\r\nHost: a\r\n\r\n"
				try:
					c.send((request * choose.randrange(1, 4))[:choose.randrange(1, 200)])
					if choose.random() < 0.7:
						c.socket.settimeout(0.01 * choose.random() + 0.001)
						c.socket.recv(choose.choice((1, 1000, 1 << 20)))
				except OSError:
					pass
				reset(c) if choose.random() < 0.7 else c.close()

		workers = [threading.Thread(target=worker, args=(seed,)) for seed in range(6)]
		for w in workers:
			w.start()
		for w in workers:
			w.join()
		server.alive()
		until(lambda: descriptors(server) <= before, f"no more than {before} descriptors are open")


def test_stop_among_kills():
	"""SIGTERM while requests come, go, and are cut: all that was answered was answered wholly."""
	make("f", b"f" * 3000)
	for _ in range(20 if FULL else 4):
		with Server(b".") as server:
			wrong, over = [], threading.Event()

			def worker(server=server, wrong=wrong, over=over):
				while not over.is_set():
					try:
						c = Client(server)
					except OSError:
						return
					try:
						for _ in range(20):
							c.request(b"/f")
							a = c.answer()
							if a.status != 200 or a.body != b"f" * 3000:
								wrong.append(a)
							if a["connection"] == b"close":
								break
					except Gone:
						pass
					except AssertionError as why:
						if "b''" not in str(why):  # closed between two requests
							wrong.append(why)
					c.close()

			workers = [threading.Thread(target=worker) for _ in range(8)]
			for w in workers:
				w.start()
			server.alive()
			server.stop()
			over.set()
			for w in workers:
				w.join()
			check(not wrong, wrong)


# --- mutants

def check_answers(data, request):
	"""What came back is responses, if anything: nothing else, and never 5xx but what a request can ask for."""
	data = data.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
	if not data:
		return
	check(re.match(rb"HTTP/1\.1 \d\d\d [ -~]*\r\nDate: ", data), f"{request!r} is answered by {data!r:.200}")
	for status in re.findall(rb"HTTP/1\.1 (\d\d\d) [ -~]*\r\nDate: ", data):
		check(status in (b"200", b"204", b"206", b"301", b"304", b"400", b"403", b"404", b"405", b"408", b"412", b"413", b"414",
		                 b"416", b"417", b"431", b"501", b"505"), request, "is answered by", status)


def mutants(server, seed):
	choose = random.Random(seed)
	for batch in range(400 if FULL else 16):
		for _ in range(250):
			request = mutant(choose)
			cut = choose.randrange(len(request) + 1) if choose.random() < 0.3 else 0
			with Client(server) as c:
				try:
					c.send(request[:cut])
					c.send(request[cut:])
					c.socket.shutdown(socket.SHUT_WR)
				except OSError:
					pass
				check_answers(rest_of(c), request)
		server.alive()


def files_for_mutants():
	make("index.html", b"index")
	make("f", b"0123456789" * 10)
	make("sub/x", b"x")


def check_log(path):
	with open(path, "rb") as file:
		for line in file:
			check(re.fullmatch(rb"[ -~]*\n", line) and line.count(b'"') == 2, f"logged: {line!r}")


def test_mutants():
	files_for_mutants()
	with Server(b"--list", b"-l", b"log", b".") as server:
		mutants(server, 1)
	check_log("log")


def test_mutants_proxied():
	"""The same to one that passes on what it takes for requests, to another that serves files."""
	files_for_mutants()
	with Server(b"--list", b"-l", b"files.log", b".") as files, proxied(files, b"-l", b"log") as server:
		mutants(server, 4)
		files.alive()
	check_log("log")
	check_log("files.log")


# --- load

def wrk(url, seconds):
	return subprocess.Popen(["wrk", "-c32", "-t1", f"-d{seconds}", "--timeout", "30s", url], stdout=subprocess.DEVNULL,
	                        stderr=subprocess.DEVNULL)


def kill(process):
	process.send_signal(signal.SIGKILL)
	process.wait()


def check_load(url):
	"""Load that must see no error."""
	done = subprocess.run(["wrk", "-c64", "-t1", "-d2", "--timeout", "30s", url], capture_output=True, text=True,
	                      timeout=SHORT_S + 40)
	check("Requests/sec" in done.stdout and "errors" not in done.stdout and "Non-2xx" not in done.stdout, done.stdout)


def load_for(seconds, seed, server, meanwhile):
	"""Clients by the dozen that are killed at random, and meanwhile(choose) between."""
	choose, rounds, end = random.Random(seed), 0, time.monotonic() + seconds
	url = f"http://127.0.0.1:{server.port}/"
	while time.monotonic() < end:
		load = [wrk(url + what, 60) for what in ("", "big")]
		time.sleep(choose.uniform(0.05, 0.6))
		meanwhile(choose)
		for process in load:
			kill(process)
		rounds += 1
	return rounds


def files_for_load():
	if not shutil.which("wrk"):
		raise Skip("no wrk")
	make("index.html", b"hello, world\n")
	make("big", BIG)


def test_wrk():
	"""Load, whose connections are killed with it at random; then load that must see no error."""
	files_for_load()
	with Server(b"-l", b"/dev/null", b".") as server:
		before = descriptors(server)
		load_for(60 if FULL else 4, 2, server, lambda choose: server.alive())
		until(lambda: descriptors(server) <= before, "all connections are cleaned up")
		check_load(f"http://127.0.0.1:{server.port}/")


def test_wrk_proxied():
	"""The same through the proxy, whose upstream is killed at random, too, and comes back."""
	files_for_load()

	def upstream(port=0):
		return Server(b"-a", b"127.0.0.1:%d" % port, b"-l", b"/dev/null", b".")

	with upstream() as files, proxied(files, b"-l", b"/dev/null") as server:
		port, before, kills = files.port, descriptors(server), 0

		def meanwhile(choose):
			nonlocal files, kills
			if not kills or choose.random() < 0.3:
				kill(files.process)
				files.process.communicate()
				check(Client(server).get(b"/control", close=True).status == 502, "its upstream is dead")
				files = upstream(port)
				kills += 1
			server.alive()

		try:
			rounds = load_for(60 if FULL else 4, 5, server, meanwhile)
			until(lambda: descriptors(server) <= before + 64, "all connections are cleaned up, but the idle ones to the upstream")
			check_load(f"http://127.0.0.1:{port}/")
			check_load(f"http://127.0.0.1:{server.port}/")
			print(f"\t{rounds} rounds, {kills} times without an upstream")
			files.stop()
		finally:
			files.process.kill()
		# What it says of a dead upstream is all that it says.
		server.signal(signal.SIGTERM)
		said = server.end()[1]
		check(re.fullmatch(rb"(httpd: dial tcp 127\.0\.0\.1:%d: connect: connection (refused|reset by peer)\n)*" % port, said), said[-2000:])


if __name__ == "__main__":
	sys.exit(app.main("httpd", globals()))
