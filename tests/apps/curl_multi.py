#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240
"""curl_multi.py BUILD_TREE [TEST...]: what examples/descriptors/curl_multi promises, against a server of this script's."""
import asyncio
import os
import re
import resource
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import check, finish, run, start, until  # noqa: E402


class Server:
	"""
	/size/N; /status/CODE; /meet/KEY/N answers when N are there; /late/KEY when released; /silent; /cut and /reset end in the
	middle; /redirect/N.
	"""
	def __init__(self):
		self.met = {}
		self.here = {}
		self.most = 0
		self.open = set()
		self.loop = asyncio.new_event_loop()
		begun = threading.Event()
		threading.Thread(target=self.run, args=(begun,), daemon=True).start()
		begun.wait()

	def run(self, begun):
		asyncio.set_event_loop(self.loop)
		server = self.loop.run_until_complete(
			asyncio.start_server(self.connection, "127.0.0.1", 0, backlog=2000))
		self.port = server.sockets[0].getsockname()[1]
		begun.set()
		self.loop.run_forever()

	async def connection(self, reader, writer):
		self.open.add(writer)
		self.most = max(self.most, len(self.open))
		try:
			while True:
				head = (await reader.readuntil(b"\r\n\r\n")).decode()
				await self.serve(reader, writer, head.split()[1].split("?")[0].split("/")[1:])
				await writer.drain()
		except (asyncio.IncompleteReadError, OSError):
			pass
		finally:
			self.open.discard(writer)
			writer.close()

	def answer(self, writer, status, body=b"", more=""):
		writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body)

	def place(self, key):
		self.here.setdefault(key, 0)
		return self.met.setdefault(key, asyncio.Event())

	async def serve(self, reader, writer, path):
		kind, rest = path[0], path[1:]
		if kind == "size":
			self.answer(writer, 200, b"x" * int(rest[0]))
		elif kind == "status":
			self.answer(writer, int(rest[0]), b"no")
		elif kind == "redirect":
			n = int(rest[0])
			self.answer(writer, 302, b"", f"Location: {f'/redirect/{n - 1}' if n > 1 else '/size/7'}\r\n")
		elif kind in ("meet", "late"):
			place = self.place(rest[0])
			self.here[rest[0]] += 1
			if kind == "meet" and self.here[rest[0]] >= int(rest[1]):
				place.set()
			await place.wait()
			self.answer(writer, 200, b"together")
		elif kind == "silent":
			self.place("silent")
			self.here["silent"] += 1
			await reader.read()  # until it gives up
			raise OSError
		else:
			writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n" + b"z" * 10)
			await writer.drain()
			if kind == "reset":
				writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
			raise OSError

	def release(self, key):
		self.loop.call_soon_threadsafe(lambda: self.place(key).set())


def url(path, host="127.0.0.1"):
	return f"http://{host}:{SERVER.port}/{path}"


def lines(out):
	"""Status, size and URL of each line."""
	return sorted((int(status), int(size), u) for status, size, u in re.findall(r"^(\d+) (\d+) (\S+)$", out.decode(), re.M))


def of_process(process, what):
	with open(f"/proc/{process.pid}/status") as status:
		return int(re.search(rf"^{what}:\s*(\d+)", status.read(), re.M)[1])


def descriptors(process):
	return len(os.listdir(f"/proc/{process.pid}/fd"))


def test_hundreds_at_once_on_few_threads():
	"""Each is answered only when all have asked; meanwhile there are no more threads than for few."""
	n = 300
	process = start("-j", str(n), *[url(f"late/many?{i}") for i in range(n)], procs=2)
	until(lambda: SERVER.here.get("many") == n, "all have asked")
	threads = of_process(process, "Threads")
	SERVER.release("many")
	code, out, err = finish(process)
	check((code, err) == (0, b""), code, err)
	check(len(lines(out)) == n and all(size == 8 for _, size, _ in lines(out)), out[:200])
	check(threads <= 25, threads, "threads")


def test_many_one_after_the_other():
	for procs, jobs in ((1, 1), (1, 40), (4, 40)):
		SERVER.most = 0
		code, out, err = run("-j", str(jobs), *[url(f"size/{i}?{i}") for i in range(400)], procs=procs)
		check((code, err) == (0, b""), code, err)
		check(lines(out) == sorted((200, i, url(f"size/{i}?{i}")) for i in range(400)), out[:300])


def test_descriptors_that_come_back():
	"""
	Names are looked up through descriptors that libcurl opens and closes for each, and connections that end give theirs
	back: the numbers are used again and again.
	"""
	urls = [url(f"{kind}/9?{i}", "localhost") for i in range(60) for kind in ("size", "cut", "reset", "redirect")]
	for procs in (1, 4):
		code, out, err = run("-j", "20", *urls, procs=procs)
		check(code == 1, code)
		check(len(lines(out)) == 120 and len(err.splitlines()) == 120, len(lines(out)), err[:300])


def test_larger_than_any_buffer():
	code, out, err = run(*[url(f"size/{n}?{i}") for i in range(5) for n in (0, 3_000_000)])
	check((code, err) == (0, b""), code, err)
	check([size for _, size, _ in lines(out)] == [0] * 5 + [3_000_000] * 5, out)


def complaints(err):
	return dict(line.decode().split(": ", 2)[1:] for line in err.splitlines())


def test_faults():
	"""Who hangs up or refuses fails with words that say so, and the others are fetched."""
	with socket.socket() as nobody:
		nobody.bind(("127.0.0.1", 0))  # and does not listen
		refused = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
		code, out, err = run(url("cut"), url("reset"), refused, url("size/5"), "gopher://127.0.0.1/", "http://")
	check(code == 1 and lines(out) == [(200, 5, url("size/5"))], code, out)
	said = complaints(err)
	check(said[url("cut")] == "Transferred a partial file", said)
	check(said[url("reset")] == "Failure when receiving data from the peer", said)
	check(said[refused] == "Couldn't connect to server", said)
	check(len(said) == 5, said)


def test_who_never_answers():
	"""Nor accepts, nor answers: the context's deadline ends both."""
	with socket.socket() as deaf:
		deaf.bind(("127.0.0.1", 0))
		deaf.listen(1)
		silent = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
		code, out, err = run("-t", "0.3", silent, url("silent"))
	check(code == 1 and out == b"", code, out)
	check(complaints(err) == {silent: "Timeout was reached", url("silent"): "Timeout was reached"}, err)


def test_context_of_all():
	"""Its deadline ends those that wait, those not yet begun, and lets go of every descriptor."""
	SERVER.here["silent"] = 0
	code, out, err = run("-j", "50", "-a", "1", *[url(f"silent?{i}") for i in range(200)])
	check(code == 1 and out == b"" and len(err.splitlines()) == 200, code, err[-300:])
	check(all(line.endswith(b": Timeout was reached") for line in err.splitlines()), err[-300:])
	check(SERVER.here["silent"] <= 50, SERVER.here)
	until(lambda: not SERVER.open, "the server sees all connections closed")


def test_context_of_each():
	"""Some end by their contexts while others come and go on the same driver."""
	silent = [url(f"silent?{i}") for i in range(50)]
	quick = [url(f"size/{i}?x") for i in range(200)]
	for procs in (1, 4):
		code, out, err = run("-t", "1", "-j", "300", *[u for pair in zip(silent * 4, quick) for u in pair], procs=procs)
		said = complaints(err)
		check(code == 1 and set(said.values()) == {"Timeout was reached"}, code, set(said.values()))
		# Where the machine is busy a quick one may be late, too; none is both, or neither.
		check(set(silent) <= set(said), "a silent one was not ended")
		check({u for _, _, u in lines(out)} | set(said) >= set(quick), "a quick one is missing")


def test_descriptors_short():
	"""Where there are too few, what finds none fails, and the rest is fetched."""
	code, out, err = run("-j", "100", *[url(f"meet/short/{10}?{i}") for i in range(100)], descriptors=40)
	check(code == 1, code)
	check(len(lines(out)) + len(err.splitlines()) == 100 and len(lines(out)) >= 10, len(lines(out)), err[:300])


def test_usage():
	for wrong in ([], ["-j", "0", "x"], ["-t", "-1", "x"], ["-a", "nan", "x"], ["-q"]):
		code, out, err = run(*wrong)
		check(code == 2 and out == b"" and b"curl_multi" in err, wrong, code, err)


if __name__ == "__main__":
	os.environ["no_proxy"] = app.ENVIRONMENT["no_proxy"] = "*"
	soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
	resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
	SERVER = Server()
	sys.exit(app.main("curl_multi", globals(), "descriptors"))
