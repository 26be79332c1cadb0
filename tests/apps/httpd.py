#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240 san
"""httpd.py BUILD_TREE [TEST...]: what examples/apps/httpd promises to clients that mean well."""
import email
import email.utils
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import SHORT_S, Skip, check, finish, make, run, start, until  # noqa: E402
from httpd import Client, Gone, Server  # noqa: E402

FULL = os.environ.get("TEST_FULL", "") not in ("", "0")
TEN = b"0123456789"
BIG = os.urandom(1 << 16) * 48


def get(server, *arguments, **rest):
	return Client(server).get(*arguments, close=True, **rest)


def test_files():
	make("index.html", b"<p>index")
	make("ten.txt", TEN)
	make("empty", b"")
	make("big.bin", BIG)
	make("s/a b%c?.CSS", b"odd")
	with Server(b".") as server, Client(server) as c:
		for target, body, kind in (
				(b"/", b"<p>index", b"text/html; charset=utf-8"), (b"/ten.txt", TEN, b"text/plain; charset=utf-8"),
				(b"/ten.txt?a=b", TEN, b"text/plain; charset=utf-8"),
				(b"/empty", b"", b"application/octet-stream"), (b"/big.bin", BIG, b"application/octet-stream"),
				(b"/s/a%20b%25c%3F.CSS", b"odd", b"text/css; charset=utf-8"),
				(b"/%74en.tx%74", TEN, b"text/plain; charset=utf-8"), (b"//./ten.txt", TEN, b"text/plain; charset=utf-8"),
				(b"http://elsewhere/ten.txt", TEN, b"text/plain; charset=utf-8")):
			a = c.get(target)
			check((a.status, a.body, a["content-type"]) == (200, body, kind), target, a)
			h = c.get(target, method=b"HEAD")
			check(h.status == 200 and [x for x in h.headers if x[0] != "date"] ==
			      [x for x in a.headers if x[0] != "date"], "HEAD", target, h, a)
		check(c.get(b"/nothing").status == 404)
		check(c.get(b"/ten.txt/").status == 404)
		check(c.get(b"/nothing", method=b"HEAD").status == 404)
		check(c.get(b"/ten.txt").body == TEN, "it goes on after errors")


def test_date():
	make("f")
	with Server(b".") as server, Client(server) as c:
		for _ in range(3):
			before = int(time.time())
			date = email.utils.parsedate_to_datetime(c.get(b"/f")["date"].decode()).timestamp()
			check(before - 1 <= date <= time.time(), before, date)
			until(lambda b=before: time.time() > b + 1, "the next second")


def test_keep_alive():
	make("f", b"f")
	with Server(b".") as server:
		with Client(server) as c:
			for _ in range(100):
				check(c.get(b"/f").body == b"f")
			a = c.get(b"/f", [b"Connection: close"])
			check(a["connection"] == b"close" and c.at_end())
		with Client(server) as c:
			a = c.get(b"/f", version=b"1.0")
			check(a["connection"] == b"close" and c.at_end())
		with Client(server) as c:
			for _ in range(3):
				a = c.get(b"/f", [b"Connection: Keep-Alive"], version=b"1.0")
				check(a["connection"] == b"keep-alive", a)
			check(c.get(b"/f", [b"Connection: foo, close"])["connection"] == b"close" and c.at_end())
		with Client(server) as c:  # half-closed, and answered all the same
			c.request(b"/f")
			c.socket.shutdown(socket.SHUT_WR)
			check(c.answer().body == b"f" and c.at_end())


def test_pipelining():
	for i in range(50):
		make(f"f{i}", b"%d" % i * i * 100)
	with Server(b".") as server, Client(server) as c:
		lines = b"".join(b"GET /f%d HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nBODY" % i for i in range(50))
		for step in (len(lines), 1000, 7):
			for i in range(0, len(lines), step):
				c.send(lines[i:i + step])
			for i in range(50):
				a = c.answer()
				check(a.status == 200 and a.body == b"%d" % i * i * 100, f"of {step}, number {i}", a)
		# What is answered already does not wait for the rest of the next.
		c.send(b"GET /f1 HTTP/1.1\r\nHost: x\r\n\r\nGET /f2 HT")
		check(c.answer().status == 200)
		c.send(b"TP/1.1\r\nHost: x\r\n\r\n")
		check(c.answer().body == b"2" * 200)
		c.send(b"\r\n\r\nGET /f1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /f2 HTTP/1.1\r\nHost: x\r\n\r\n")
		check(c.answer().status == 200 and c.at_end())


def test_conditions():
	make("f", TEN)
	os.utime("f", (1000000000, 1000000000))
	when, before, after = (b"Sun, 09 Sep 2001 01:46:%02d GMT" % s for s in (40, 39, 41))
	with Server(b".") as server, Client(server) as c:
		a = c.get(b"/f")
		tag = a["etag"]
		check(a["last-modified"] == when and re.fullmatch(rb'"[0-9a-f-]+"', tag), a)
		for field, status in (
				(b"If-None-Match: " + tag, 304), (b"If-None-Match: W/" + tag, 304),
				(b'If-None-Match: "a,b", ' + tag + b', "c"', 304), (b"If-None-Match: *", 304),
				(b'If-None-Match: "other"', 200), (b'If-None-Match: "x' + tag[1:], 200),
				(b"If-Modified-Since: " + when, 304), (b"If-Modified-Since: " + after, 304),
				(b"If-Modified-Since: " + before, 200), (b"If-Modified-Since: yesterday", 200),
				(b"If-Modified-Since: Sunday, 09-Sep-01 01:46:40 GMT", 304),
				(b"If-Modified-Since: Sun Sep  9 01:46:40 2001", 304),
				(b"If-Match: " + tag, 200), (b"If-Match: W/" + tag, 412), (b"If-Match: *", 200),
				(b'If-Match: "other"', 412), (b"If-Unmodified-Since: " + when, 200),
				(b"If-Unmodified-Since: " + before, 412)):
			for method in (b"GET", b"HEAD"):
				a = c.get(b"/f", [field], method)
				check(a.status == status, field, a)
				check(status != 304 or (a["etag"] == tag and a["content-length"] is None), field, a)
		# A tag decides where there is a date as well.
		a = c.get(b"/f", [b'If-None-Match: "other"', b"If-Modified-Since: " + when])
		check(a.status == 200, a)
		make("f", b"other")
		check(c.get(b"/f")["etag"] != tag, "another file has the same tag")


def test_ranges():
	make("ten", TEN)
	make("empty", b"")
	make("big", BIG)
	with Server(b".") as server, Client(server) as c:
		for field, body in (
				(b"bytes=0-0", b"0"), (b"bytes=2-4", b"234"), (b"bytes=7-", b"789"), (b"bytes=-3", b"789"),
				(b"bytes=-30", TEN), (b"bytes=5-50", b"56789"), (b"BYTES=0-1", b"01"), (b"bytes= 1-1 ", b"1"),
				(b"bytes=,3-3,", b"3"), (b"bytes=9-9,20-", b"9"), (b"bytes=0-99999999999999999", TEN)):
			a = c.get(b"/ten", [b"Range: " + field])
			first = TEN.index(body)
			check(a.status == 206 and a.body == body and a["content-range"] ==
			      b"bytes %d-%d/10" % (first, first + len(body) - 1), field, a)
		for field in (b"bytes=", b"bytes", b"lines=1-2", b"bytes=4-2", b"bytes=x-2", b"bytes=1-2x", b"bytes=1",
		              b"bytes=-", b"bytes=--1", b"bytes=0-9999999999999999999999", b"bytes=0-9,0-9",
		              b"bytes=" + b"1-1," * 33):
			a = c.get(b"/ten", [b"Range: " + field])
			check(a.status == 200 and a.body == TEN, field, a)
		for target, field in ((b"/ten", b"bytes=10-"), (b"/ten", b"bytes=20-30,40-"), (b"/ten", b"bytes=-0"),
		                      (b"/empty", b"bytes=0-"), (b"/empty", b"bytes=-1")):
			a = c.get(target, [b"Range: " + field])
			check(a.status == 416 and a["content-range"] == (b"bytes */0" if target == b"/empty" else b"bytes */10"),
			      target, field, a)
		a = c.get(b"/ten", [b"Range: bytes=0-1"], b"HEAD")
		check(a.status == 200 and a["content-length"] == b"10", a)
		a = c.get(b"/big", [b"Range: bytes=70000-1070000"])
		check(a.status == 206 and a.body == BIG[70000:1070001], "a large one")
		tag, date = c.get(b"/ten")["etag"], c.get(b"/ten")["last-modified"]
		for condition, status in ((tag, 206), (b'"other"', 200), (b"W/" + tag, 200), (date, 206),
		                          (b"Sun, 09 Sep 2001 01:46:40 GMT", 200)):
			a = c.get(b"/ten", [b"Range: bytes=1-2", b"If-Range: " + condition])
			check(a.status == status, condition, a)


def test_many_ranges():
	make("big.txt", BIG)
	with Server(b".") as server, Client(server) as c:
		asked = [(0, 9), (100, 99999), (len(BIG) - 5, len(BIG) - 1)]
		a = c.get(b"/big.txt", [b"Range: bytes=0-9, 100-99999,-5"])
		check(a.status == 206 and a["content-range"] is None, a)
		message = email.message_from_bytes(b"Content-Type: " + a["content-type"] + b"\r\n\r\n" + a.body)
		boundary = a["content-type"].split(b"boundary=")[1]
		check(a.body.endswith(b"\r\n--" + boundary + b"--\r\n"), "the end", a.body[-80:])
		parts = a.body.split(b"\r\n--" + boundary)[1:-1]
		check(len(parts) == 3 == len(message.get_payload()), len(parts))
		for part, (first, last) in zip(parts, asked):
			head, _, body = part.partition(b"\r\n\r\n")
			check(b"Content-Range: bytes %d-%d/%d" % (first, last, len(BIG)) in head, head)
			check(b"Content-Type: text/plain" in head and body == BIG[first:last + 1], head)
		check(c.get(b"/big.txt", [b"Range: bytes=0-0"]).body == BIG[:1], "it goes on")


def test_large():
	"""Beyond 32 bits."""
	with open("large", "wb") as file:
		file.truncate(6 << 30)
		file.seek(5 << 30)
		file.write(TEN)
	with Server(b".") as server, Client(server) as c:
		check(c.get(b"/large", method=b"HEAD")["content-length"] == b"%d" % (6 << 30))
		a = c.get(b"/large", [b"Range: bytes=%d-%d" % ((5 << 30) + 2, (5 << 30) + 4)])
		check(a.body == b"234", a)
		a = c.get(b"/large", [b"Range: bytes=%d-%d" % ((5 << 30) - 20000, (5 << 30) + 4)])
		check(len(a.body) == 20005 and a.body.endswith(bytes(3) + b"01234"), len(a.body))


def test_shrinking():
	"""A file that becomes shorter while it is sent cannot be sent whole, and its client is not told that it was."""
	make("big", BIG * 8)
	with Server(b".") as server, Client(server, receive_bytes=4096) as c:
		c.request(b"/big")
		length = int(c.head()["content-length"])
		os.truncate("big", 10)
		check(len(c.file.read()) < length)
		check(get(server, b"/big").body == BIG[:10], "it goes on")


def broken(call, error):
	"""What to run the server under so that a system call fails, always; strace sees to it from outside (-D: as its grandchild)."""
	if not shutil.which("strace"):
		raise Skip("no strace")
	command = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", "signal=none", "-e", f"inject={call}:error={error}"]
	if subprocess.run([*command, "true"], capture_output=True).returncode:
		raise Skip("strace may not trace here")
	return ["env", f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0", *command]  # which are looked for by tracing


def test_broken_disk():
	"""What the server itself is to blame for is a 500, or where that is seen too late, the end of the connection; and it goes on."""
	make("f", TEN)
	make("big", BIG)
	make("sub/x", b"x")
	with Server(b"--list", b".", under=broken("openat2", "EIO")) as server, Client(server) as c:
		for target in (b"/f", b"/sub/", b"/"):
			for method in (b"GET", b"HEAD"):
				a = c.get(target, method=method)
				check(a.status == 500 and a["connection"] is None, target, a)
	with Server(b".", under=broken("sendfile", "EIO")) as server:
		check(get(server, b"/f").body == TEN, "a small one is not sent so")
		with Client(server) as c:
			c.request(b"/big")
			check(c.head().status == 200 and len(c.file.read()) < len(BIG))
	with Server(b"--list", b".", under=broken("getdents64", "EIO")) as server, Client(server) as c:
		check(c.get(b"/sub/").status == 500 and c.get(b"/f").body == TEN)


def test_folders():
	make("sub/index.html", b"sub")
	make("bare/x", b"x")
	make("bare/<b>&'\".txt", b"y")
	os.makedirs("bare/inner")
	with Server(b".") as server, Client(server) as c:
		a = c.get(b"/sub?q=1")
		check(a.status == 301 and a["location"] == b"/sub/?q=1", a)
		check(c.get(b"/sub/").body == b"sub")
		check(c.get(b"//sub")["location"] == b"/sub/", "another host is named")
		check(c.get(b"/bare/").status == 403)
	with Server(b"--list", b".") as server, Client(server) as c:
		a = c.get(b"/bare/")
		check(a.status == 200 and b'<a href="./x">x</a>' in a.body and b'"./inner/">inner/<' in a.body, a)
		check(b"<b>" not in a.body and b"&#60;b&#62;&#38;&#39;&#34;.txt" in a.body, "escaped", a)
		link = re.search(rb'href="\./(%3C[^"]*)"', a.body)[1]
		check(c.get(b"/bare/" + link).body == b"y", link)
		check(c.get(b"/sub/").body == b"sub")


def test_nothing_outside():
	make("out/secret", b"secret")
	make("in/f", b"f")
	make("in/deep/g", b"g")
	os.symlink("../out/secret", "in/link")
	os.symlink("../out", "in/folder")
	os.symlink(os.path.abspath("out/secret"), "in/absolute")
	os.symlink("f", "in/inner")
	os.symlink("deep", "in/d")
	os.symlink("loop", "in/loop")
	os.symlink("/proc/self/root/etc/passwd", "in/magic")
	os.mkfifo("in/fifo")
	sock = socket.socket(socket.AF_UNIX)
	sock.bind("in/socket")
	for options, links in ((b"--list", 200), (b"--no-follow", 404)):
		with Server(options, b"in") as server, Client(server) as c:
			for target in (b"/f", b"/deep/g", b"//deep///g"):
				check(c.get(target).status == 200, options, target)
			for target in (b"/inner", b"/d/g"):
				check(c.get(target).status == links, options, target)
			for target in (b"/link", b"/folder/secret", b"/absolute", b"/loop", b"/magic", b"/socket",
			               b"/folder/", b"/%2e%2e%5cout", b"/..%c0%af", b"/" + b"x" * 300, b"/deep/..." ):
				a = c.get(target)
				check(a.status == 404 and b"secret" not in a.body, options, target, a)
			for target in (b"/../out/secret", b"/deep/../../out/secret", b"/..", b"/deep/..", b"/%2e%2e/out/secret",
			               b"/.%2E/out/secret", b"/..%2fout%2fsecret", b"/f%00.txt", b"/%", b"/%2", b"/%zz"):
				a = get(server, target)
				check(a.status == 400 and b"secret" not in a.body, options, target, a)
			check(c.get(b"/fifo").status == 403, "a FIFO")
			check(c.get(b"/" + b"y" * 5000).status == 414)
	sock.close()


def test_methods():
	make("f", b"f")
	with Server(b".") as server, Client(server) as c:
		for method in (b"POST", b"PUT", b"DELETE", b"PATCH"):
			a = c.get(b"/f", method=method, body=b"body")
			check(a.status == 405 and a["allow"] == b"GET, HEAD, OPTIONS", method, a)
		for target in (b"/f", b"*"):
			a = c.get(target, method=b"OPTIONS")
			check(a.status == 204 and a["allow"] == b"GET, HEAD, OPTIONS", a)
		for method in (b"TRACE", b"MKCOL", b"PROPFIND"):
			check(c.get(b"/f", method=method).status == 501, method)
		check(c.get(b"/f").body == b"f", "it goes on")
		check(get(server, b"/f", method=b"FETCH").status == 501)
		c.send(b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n")
		check(c.answer().status == 501)


def test_bodies():
	"""Bodies that nobody wants: read when they are small, else the connection ends."""
	make("f", b"f")
	with Server(b".") as server:
		with Client(server) as c:
			for n in (0, 1, 5000, 65536):
				check(c.get(b"/f", body=b"x" * n).body == b"f", n)
			a = c.get(b"/f", body=b"x" * 65537)
			check(a.status == 200 and a["connection"] == b"close" and c.at_end(), a)
		with Client(server) as c:
			c.request(b"/f", [b"Transfer-Encoding: chunked"], b"POST")
			c.send(b"3\r\nabc\r\n0\r\n\r\n")
			a = c.answer()
			check(a.status == 405 and a["connection"] == b"close" and c.at_end(), a)
		with Client(server) as c:
			c.request(b"/f", [b"Expect: 100-continue", b"Content-Length: 10"], b"POST")
			a = c.answer()
			check(a.status == 405 and a["connection"] == b"close" and c.at_end(), a)
		with Client(server) as c:
			check(c.get(b"/f", [b"Expect: more"]).status == 417 and c.get(b"/f").status == 200)


def logged(path):
	with open(path, "rb") as file:
		return file.read().count(b"\n")


def test_log():
	make("f", TEN)
	with Server(b"-l", b"log", b".") as server, Client(server) as c:
		c.get(b"/f?%22")
		c.get(b"/none", method=b"HEAD")
		c.get(b"/f", version=b"1.0", close=True)
		with Client(server) as bad:
			bad.send(b"nonsense\r\n\r\n")
			check(bad.answer().status == 400)
		until(lambda: logged("log") == 4, "all of it is written")
		os.rename("log", "log.1")
		server.signal(signal.SIGHUP)
		until(lambda: os.path.exists("log"), "the log is opened anew")
		get(server, b"/f/%0a\"")
		get(server, b"/f")
	lines = []
	for name in ("log.1", "log"):
		with open(name, "rb") as file:
			lines.append(file.read().splitlines())
	shape = rb'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000\] "(.*)" (\d+ \d+) \d+\.\d{6}'
	told = [[re.fullmatch(shape, line) for line in part] for part in lines]
	check(all(all(part) for part in told), lines)
	told = [[m[1] + b" " + m[2] for m in part] for part in told]
	check(told == [[b"GET /f?%22 HTTP/1.1 200 10", b"HEAD /none HTTP/1.1 404 0", b"GET /f HTTP/1.0 200 10", b"- 400 16"],
	               [b'GET /f/%0a\\x22 HTTP/1.1 404 14', b"GET /f HTTP/1.1 200 10"]], told)
	with Server(b"-l", b"-", b".") as server:
		get(server, b"/f")
		check(server.stop().count(b'"GET /f HTTP/1.1" 200') == 1, "on standard output")


def test_log_behind():
	"""Nobody reads the log: requests are answered all the same, and it says how many lines are missing."""
	make("f", b"f")
	n = 8000
	with Server(b"-l", b"-", b".") as server, Client(server) as c:
		for _ in range(n // 100):
			c.send(b"GET /f HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
			for _ in range(100):
				check(c.answer().body == b"f")
		lines = server.stop().splitlines()
		dropped = sum(int(line.split()[1]) for line in lines if line.startswith(b"#"))
		logged = sum(b'"GET /f HTTP/1.1" 200 1 ' in line for line in lines)
		check(dropped > 0 and dropped + logged == n, dropped, logged)


def test_stop_at_once():
	"""Who only waits is let go, the listener is closed, and nothing is said."""
	make("f", b"f")
	for number in (signal.SIGTERM, signal.SIGINT):
		with Server(b"--idle-seconds=1000", b"--grace-seconds=1000", b".") as server:
			fresh, used = Client(server), Client(server)
			used.get(b"/f")
			server.signal(number)
			check(fresh.at_end() and used.at_end())
			server.wait()


def stopping(server):
	"""Nobody can connect any more."""
	try:
		Client(server).close()
	except ConnectionRefusedError:
		return True
	except Gone:  # it was about to be accepted
		pass
	return False


def test_stop_gracefully():
	"""What is under way goes on: a head that has begun, a download that is slowly read."""
	make("big", BIG * 4)
	make("f", b"f")
	with Server(b"--grace-seconds=1000", b"--head-seconds=1000", b".") as server:
		half, slow = Client(server), Client(server, receive_bytes=4096)
		half.send(b"GET /f HT")
		slow.request(b"/big")
		head = slow.head()
		half.until_read(server)
		server.signal(signal.SIGTERM)
		until(lambda: stopping(server), "it listens no more")
		check(slow.exactly(int(head["content-length"])) == BIG * 4)
		half.send(b"TP/1.1\r\nHost: x\r\n\r\n")
		a = half.answer()
		check(a.body == b"f" and a["connection"] == b"close" and half.at_end(), a)
		server.wait()


def test_stop_impatiently():
	"""The grace period, or a second signal, cuts off what is under way; that is no success."""
	make("big", BIG * 8)
	for grace, again in ((b"--grace-seconds=0.2", False), (b"--grace-seconds=1000", True)):
		with Server(grace, b".", status=1) as server:
			slow = Client(server, receive_bytes=4096)
			slow.request(b"/big")
			slow.head()
			server.signal(signal.SIGTERM)
			if again:
				until(lambda: stopping(server), "it listens no more")
				server.signal(signal.SIGTERM)
			server.wait()


def test_curl():
	if not shutil.which("curl"):
		raise Skip("no curl")
	make("big", BIG)
	make("f", TEN)
	with Server(b".") as server:
		base = f"http://127.0.0.1:{server.port}/"

		def curl(*arguments):
			done = subprocess.run(["curl", "-sS", "--http1.1", "--noproxy", "*", "-m", str(SHORT_S), *arguments],
			                      capture_output=True, timeout=SHORT_S + 5)
			check(done.returncode == 0, done.stderr)
			return done.stdout

		check(curl(base + "big") == BIG)
		check(curl("--range", "100000-199999", base + "big") == BIG[100000:200000])
		check(b"206 Partial" in curl("-D", "-", "--range", "1-2,4-5", base + "f"))
		check(curl("-w", "%{num_connects} ", base + "f", base + "f", base + "f") == b"".join(
			TEN + b"%d " % n for n in (1, 0, 0)), "one connection for three")
		check(curl("-I", base + "f").startswith(b"HTTP/1.1 200 OK\r\n"))
		check(curl("-o", "/dev/null", "-w", "%{http_code}", "--etag-save", "etag", base + "f") == b"200")
		check(curl("-w", "%{http_code}", "--etag-compare", "etag", base + "f") == b"304")


def picture(color):
	"""A PNG of 8 x 8 points."""
	def part(kind, data):
		return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
	lines = (b"\0" + bytes(color) * 8) * 8
	return (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)) +
	        part(b"IDAT", zlib.compress(lines)) + part(b"IEND", b""))


def test_browser():
	"""A page of 200 resources, which counts what it got."""
	if not FULL or not shutil.which("chromium"):
		raise Skip("TEST_FULL=1, with chromium")
	page = "<!DOCTYPE html>"
	for i in range(100):
		make(f"{i}.png", picture((i, 100, 200)))
		page += f"<img src={i}.png>"
	for i in range(50):
		make(f"{i}.css", b".c%d { color: red }" % i)
		make(f"{i}.js", b"window.scripts = (window.scripts || 0) + 1;")
		page += f"<link rel=stylesheet href={i}.css><script src={i}.js></script>"
	page += """<p id=out></p><script>addEventListener("load", () => {
		const pictures = [...document.images].filter(i => i.naturalWidth == 8).length;
		document.getElementById("out").textContent =
			`${pictures} pictures ${document.styleSheets.length} sheets ${window.scripts} scripts`;
	})</script>"""
	make("index.html", page.encode())
	with Server(b"-l", b"log", b".") as server:
		done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000",
		                       "--dump-dom", f"http://127.0.0.1:{server.port}/"], capture_output=True, timeout=120)
		check(b"100 pictures 50 sheets 50 scripts" in done.stdout, done.stdout[-300:])
	with open("log", "rb") as file:
		check(file.read().count(b' HTTP/1.1" 200 ') == 201)


def test_options():
	for option in (b"-h", b"--help"):
		status, out, err = run(option)
		check(status == 0 and out.startswith(b"Usage: httpd") and err == b"", option, out, err)
	check(re.fullmatch(rb"httpd of leat [\d.]+\n", run(b"--version")[1]))
	for bad, why in (([], b"nothing to serve"), ([b".", b"."], b"only one folder"), ([b"--fields=0", b"."], b"--fields takes"),
	                 ([b"--idle-seconds=x", b"."], b"--idle-seconds takes"), ([b"--nope", b"."], b"nope")):
		status, out, err = run(*bad)
		check(status == 2 and out == b"" and why in err, bad, status, err)
	for bad, why in (([b"nowhere"], b"nowhere: No such file"), ([b"-l", b"no/log", b"."], b"no/log: No such file"),
	                 ([b"-a", b"127.0.0.1", b"."], b"127.0.0.1"), ([b"-a", b"192.0.2.1:0", b"."], b"192.0.2.1:0: bind: ")):
		status, out, err = run(*bad)
		check(status == 1 and out == b"" and why in err, bad, status, err)
	with Server(b".") as server:
		status, _, err = finish(start(b"-a", b"127.0.0.1:%d" % server.port, b"."))
		check(status == 1 and b"address already in use" in err, err)


if __name__ == "__main__":
	sys.exit(app.main("httpd", globals()))
