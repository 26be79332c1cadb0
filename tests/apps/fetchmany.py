#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240
"""fetchmany.py BUILD_TREE [TEST...]: what examples/apps/fetchmany promises, against a server of this script's and files."""
import hashlib
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import check, finish, make, run, start, until  # noqa: E402


class Handler(BaseHTTPRequestHandler):
	"""/size/N, /status/CODE, /flaky/N (fails N times, then works), /silent, /short, /reset, /redirect/N."""
	protocol_version = "HTTP/1.1"
	lock = threading.Lock()
	tries = {}
	begun = []
	active = most = 0

	def log_message(self, format, *args):
		pass

	def answer(self, status, body=b"", headers=()):
		self.send_response(status)
		for name, value in headers:
			self.send_header(name, value)
		self.send_header("Content-Length", str(len(body)))
		self.end_headers()
		self.wfile.write(body)

	def do_GET(self):
		with self.lock:
			Handler.active += 1
			Handler.most = max(Handler.most, Handler.active)
			Handler.begun.append(time.monotonic())
			self.tries[self.path] = self.tries.get(self.path, 0) + 1
		try:
			self.serve(*self.path.split("?")[0].split("/")[1:3])
		except OSError:
			pass
		finally:
			with self.lock:
				Handler.active -= 1

	def serve(self, kind, argument=""):
		if kind == "size":
			self.answer(200, b"x" * int(argument))
		elif kind == "status":
			self.answer(int(argument), b"no")
		elif kind == "flaky":
			self.answer(200 if self.tries[self.path] > int(argument) else 503, b"at last")
		elif kind == "redirect":
			n = int(argument)
			self.answer(302, b"", [("Location", f"/redirect/{n - 1}" if n > 1 else "/size/7")])
		elif kind == "silent":
			time.sleep(app.SHORT_S)
		elif kind == "busy":
			time.sleep(0.05)
			self.answer(200, b"y")
		elif kind == "short":
			self.send_response(200)
			self.send_header("Content-Length", "100")
			self.end_headers()
			self.wfile.write(b"z" * 10)
			self.close_connection = True
		elif kind == "reset":
			self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
			self.connection.close()
			self.close_connection = True


class Server(ThreadingHTTPServer):
	daemon_threads = True
	request_queue_size = 200

	def handle_error(self, request, client_address):
		pass


def url(path):
	return f"http://127.0.0.1:{SERVER.server_port}/{path}"


def lines(out):
	"""Size and URL of each line."""
	return [(int(size), u) for size, u in re.findall(r"^ *(\d+) +[\d.]+ s  (\S+)", out.decode(), re.MULTILINE)]


def test_many_in_order():
	urls = [url(f"size/{n}?{n}") for n in range(0, 3000, 10)]
	for jobs in ("1", "50"):
		Handler.most = 0
		code, out, err = run("-j", jobs, *urls, procs=4)
		check((code, err) == (0, b""), code, err)
		check(lines(out) == [(n, url(f"size/{n}?{n}")) for n in range(0, 3000, 10)], out[:300])
		check(Handler.most <= int(jobs), Handler.most, "at a time")
	check(Handler.most > 1, "never two at a time")


def test_kept():
	os.mkdir("out")
	make("list", f"# two\n{url('size/100000')}\n\n  \n{url('redirect/3')}\n".encode())
	code, out, err = run("-o", "out", "-f", "list")
	check((code, err) == (0, b""), code, err)
	names = sorted(os.listdir("out"))
	check(names == ["1-100000", "2-3"], names)
	sizes = [os.path.getsize(os.path.join("out", n)) for n in names]
	check(sizes == [100000, 7], sizes)
	code, out, err = run("-f", "-", data=url("size/5").encode())
	check(code == 0 and lines(out) == [(5, url("size/5"))], code, out, err)


def test_files():
	"""Local files, with real contents."""
	os.mkdir("out")
	here = os.path.dirname(os.path.abspath(__file__))
	names = sorted(n for n in os.listdir(here) if n.endswith(".py"))
	code, out, err = run("-o", "out", "-j", "1", *[f"file://{here}/{n}" for n in names])
	check((code, err) == (0, b""), code, err)
	for i, name in enumerate(names, 1):
		with open(os.path.join(here, name), "rb") as a, open(f"out/{i}-{name}", "rb") as b:
			check(hashlib.sha256(a.read()).digest() == hashlib.sha256(b.read()).digest(), name, "differs")


def test_retries():
	Handler.tries.clear()
	code, out, err = run("-r", "3", url("flaky/2"))
	check(code == 0 and Handler.tries["/flaky/2"] == 3, code, out, err, Handler.tries)
	code, out, err = run("-r", "1", url("flaky/5"))
	check(code == 1 and Handler.tries["/flaky/5"] == 2, code, out, err, Handler.tries)
	check(err.endswith(b": the server says 503 (the last of several attempts)\n"), err)


def test_what_will_not_go_better():
	"""It fails at once, and the others are fetched."""
	Handler.tries.clear()
	urls = [url("status/404"), "gopher://127.0.0.1/", "file:///nowhere", url("size/9"), "http://"]
	code, out, err = run(*urls)
	check(code == 1 and lines(out) == [(9, url("size/9"))], code, out)
	check(Handler.tries["/status/404"] == 1, Handler.tries)
	check(len(err.splitlines()) == 4 and b"the server says 404" in err and b"several" not in err, err)


def test_faults():
	os.mkdir("out")
	with socket.socket() as nobody:
		nobody.bind(("127.0.0.1", 0))  # and does not listen
		refused = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
		begin = time.monotonic()
		code, out, err = run("-r", "0", "-t", "0.5", "-o", "out", url("silent"), url("short"), url("reset"), refused)
	check(code == 1 and out == b"", code, out)
	complaints = [line.split(b": ")[-1] for line in err.splitlines()]
	check(len(complaints) == 4 and complaints[0] == b"Timeout was reached", complaints)
	check(time.monotonic() - begin < app.SHORT_S, "it waited for the silent one")
	check(os.listdir("out") == [], "left behind:", os.listdir("out"))


def test_rate():
	"""No more than so many begin in a time, whatever -j says: one, and then one each 50 ms at the earliest."""
	Handler.begun.clear()
	code, _, err = run("-l", "20", "-j", "10", *[url(f"size/1?{i}") for i in range(10)])
	check(code == 0, code, err)
	check(Handler.begun[-1] - Handler.begun[0] > 0.4, Handler.begun)


def test_signal():
	os.mkdir("out")
	process = start("-j", "2", "-o", "out", url("size/10"), *[url("silent")] * 5)
	until(lambda: os.listdir("out").count("1-10"), "the first is there")
	process.send_signal(signal.SIGTERM)
	code, _, err = finish(process)
	check(code == 128 + signal.SIGTERM, code)
	check(b"fetchmany: Terminated: stopped after " in err, err)
	check(os.listdir("out") == ["1-10"], os.listdir("out"))


def test_full_disk():
	with open("/dev/full", "wb") as full:
		code, _, err = run(url("size/3"), stdout=full)
	check((code, err) == (1, b"fetchmany: cannot write: No space left on device\n"), code, err)


def test_usage():
	for wrong in ([], ["-j", "0", "x"], ["-t", "-1", "x"], ["-o", "nowhere", "x"], ["-f", "nowhere"], ["-l", "nan", "x"]):
		code, out, err = run(*wrong)
		check(code == 2 and out == b"" and err.startswith(b"fetchmany: "), wrong, code, err)
	code, out, err = run("--help")
	check(code == 0 and out.startswith(b"Usage: fetchmany") and err == b"", code, out, err)


if __name__ == "__main__":
	os.environ["no_proxy"] = app.ENVIRONMENT["no_proxy"] = "*"
	SERVER = Server(("127.0.0.1", 0), Handler)
	threading.Thread(target=SERVER.serve_forever, daemon=True).start()
	sys.exit(app.main("fetchmany", globals()))
