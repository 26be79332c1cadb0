#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240
"""chat.py BUILD_TREE [TEST...]: what examples/apps/chat promises, with clients of this script's."""
import asyncio
import os
import re
import resource
import signal
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import Skip, check, finish, run, start, until  # noqa: E402


class Client:
	def __init__(self, address, receive_bytes=None):
		self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
		if receive_bytes:
			self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
		self.socket.settimeout(app.SHORT_S)
		self.socket.connect(address)
		self.lines = self.socket.makefile("rb", buffering=65536)

	def write(self, *lines):
		self.socket.sendall(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))

	def read(self):
		"""The next line; "" at the end."""
		return self.lines.readline().decode().rstrip("\n")

	def reads(self, *wanted):
		for line in wanted:
			got = self.read()
			check(got == line, repr(got), "instead of", repr(line))

	def says(self, line, *answers):
		self.write(line)
		self.reads(*answers)

	def reads_end(self):
		check(self.lines.readline() == b"", "not the end")

	def close(self):
		self.lines.close()
		self.socket.close()

	def vanish(self):
		self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		self.close()


class Server:
	"""With what is used of it as a block; it must end well."""
	def __init__(self, *options, address="127.0.0.1:0", **how):
		self.process = start(*options, address, **how)
		said = self.process.stdout.readline().decode().split()
		check(said[:3] == ["chat:", "listening", "on"], said, self.process.stderr.read() if not said else "")
		host, _, port = said[3].rpartition(":")
		self.address = (host, int(port)) if host else said[3]
		self.complaints = b""
		self.clients = []

	def client(self, name=None, room=None, **how):
		c = Client(self.address, **how)
		self.clients.append(c)
		c.guest = c.read().removeprefix("* welcome, ")
		if name:
			c.says(f"/nick {name}", f"* you are {name}")
		if room:
			c.says(f"/join {room}", f"* {name} joined {room}")
		return c

	def stop(self, how=signal.SIGTERM):
		self.process.send_signal(how)
		code, out, self.complaints = finish(self.process)
		check((code, out) == (0, b"chat: stopped\n"), code, out, self.complaints)

	def __enter__(self):
		return self

	def __exit__(self, kind, what, trace):
		for c in self.clients:
			c.close()
		if self.process.poll() is None:
			if kind:
				self.process.kill()
				self.process.communicate()
			else:
				self.stop()


def test_rooms():
	with Server(procs=4) as server:
		ada, bob, eve = (server.client(n) for n in ("ada", "bob", "eve"))
		ada.says("hello?", "! join a room first: /join ROOM")
		ada.says("/leave", "! you are in no room")
		ada.says("/who", "* rooms: ")
		ada.says("/join  tea", "* ada joined tea")
		bob.says("/join tea", "* bob joined tea")
		ada.reads("* bob joined tea")
		eve.says("/join coffee", "* eve joined coffee")
		ada.says("hello /all", "<ada> hello /all")
		bob.reads("<ada> hello /all")
		ada.says("/join tea", "! you are in tea")
		bob.write("/who")
		check(sorted(bob.read().removeprefix("* tea: ").split()) == ["ada", "bob"])
		bob.says("/leave", "* you left")
		ada.reads("* bob left tea")
		bob.write("/who")
		check(sorted(bob.read().removeprefix("* rooms: ").split()) == ["coffee:1", "tea:1"])
		eve.says("/join tea", "* eve joined tea")
		ada.reads("* eve joined tea")
		eve.says("/quit", "* good-bye")
		eve.reads_end()
		ada.reads("* eve left tea")
		ada.write("", "")  # says nothing
		ada.says("/leave", "* you left")
		ada.says("/who", "* rooms: ")
		ada.says("/join", "! a room's name is up to 32 letters, digits, - and _")
		ada.says("/dance now", "! there is no /dance; try /help")
		ada.says("/", "! there is no /; try /help")
		ada.write("/help")
		check("/nick NAME" in ada.read())


def test_order_is_the_same_for_all():
	with Server("-r", "0", "-q", "5000", procs=4) as server:
		members = [server.client(f"m{i}", None) for i in range(5)]
		watcher = server.client("watcher", "room")
		for m in members:
			m.write("/join room", *[f"{i}" for i in range(200)], "/leave")
		heard = []
		while len([line for line in heard if " left " in line]) < 5:
			heard.append(watcher.read())
		for m in members:
			mine = []
			while not mine or mine[-1] != "* you left":
				mine.append(m.read())
			begin = heard.index(mine[0])
			check(mine[:-1] == heard[begin:begin + len(mine) - 1], "another order")


def test_names():
	with Server() as server:
		ada, bob = server.client("ada"), server.client()
		check(re.fullmatch(r"guest-\d+", bob.guest), bob.guest)
		bob.says("/nick ada", "! ada is taken")
		for wrong in ("", "a b", "x" * 33, "<ada>", "*", "a/b"):
			bob.says(f"/nick {wrong}", "! a name is up to 32 letters, digits, - and _")
		bob.says("/nick Ünïcödé-_1", "* you are Ünïcödé-_1")
		bob.says("/join room", "* Ünïcödé-_1 joined room")
		ada.says("/join room", "* ada joined room")
		bob.reads("* ada joined room")
		ada.says("/nick bob", "* ada is now bob")
		bob.reads("* ada is now bob")
		bob.says("/nick ada", "* Ünïcödé-_1 is now ada")
		ada.says("/quit", "* Ünïcödé-_1 is now ada", "* good-bye")
		bob.reads("* bob left room")

		def is_free():
			bob.write("/nick bob")
			return bob.read() == "* ada is now bob"
		until(is_free, "the name is free again")
		bob.says("/nick bob", "! bob is taken")


def test_one_of_many_gets_the_name():
	with Server(procs=4) as server:
		clients = [server.client() for _ in range(30)]
		for c in clients:
			c.write("/nick king")
		answers = sorted(c.read() for c in clients)
		check(answers == ["! king is taken"] * 29 + ["* you are king"], answers)


def test_long_lines():
	with Server("-r", "0") as server:
		ada = server.client("ada", "room")
		ada.says("x" * 512, "<ada> " + "x" * 512)
		ada.says("x" * 512 + "\r", "<ada> " + "x" * 512)
		for n in (513, 514, 1024, 1025, 100_000, 1_000_000):
			ada.says("y" * n, "! a line is up to 512 bytes")
			ada.says("after", "<ada> after")
		ada.says("é" * 256, "<ada> " + "é" * 256)
		ada.says("/join " + "z" * 512, "! a line is up to 512 bytes")
		ada.says("/" + "z" * 500, "! there is no /" + "z" * 31 + "; try /help")


def test_not_text():
	"""What RFC 3629 forbids, and what terminals obey."""
	wrong = [b"\x80", b"\xbf", b"\xc0\xaf", b"\xc1\xbf", b"a\xc3", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
	         b"\xe2\x82", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff", b"\xfe", b"a\0b",
	         b"\x1b[2J", b"\x7f", b"\xc2\x85", b"\xc2\x9b1m", b"a\rb", b"\xc3\x28"]
	good = ["ÿ", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff", "a\tb", "\u00a0", "日本"]
	with Server("-r", "0") as server:
		ada = server.client("ada", "room")
		for line in wrong:
			ada.says(line, "! a line is UTF-8, without control characters")
		for line in good:
			ada.says(line, f"<ada> {line}")


def test_in_pieces():
	"""Lines come in bytes, and many in one; the last need not end."""
	with Server("-r", "0") as server:
		ada = server.client("ada", "room")
		for byte in "piece by piece\r\n".encode():
			ada.socket.sendall(bytes([byte]))
		ada.reads("<ada> piece by piece")
		ada.write(*[str(i) for i in range(90)])
		ada.reads(*[f"<ada> {i}" for i in range(90)])
		ada.socket.sendall(b"the end")
		ada.socket.shutdown(socket.SHUT_WR)
		ada.reads("<ada> the end", "* good-bye")
		ada.reads_end()


def test_half_close():
	"""Who has said all hears what was on its way, and leaves."""
	with Server("-r", "0") as server:
		bob = server.client("bob", "room")
		for _ in range(20):
			ada = server.client()
			ada.write("/nick ada", "/join room", *[str(i) for i in range(50)])
			ada.socket.shutdown(socket.SHUT_WR)
			ada.reads("* you are ada", "* ada joined room", *[f"<ada> {i}" for i in range(50)], "* good-bye")
			ada.reads_end()
			bob.reads("* ada joined room", *[f"<ada> {i}" for i in range(50)], "* ada left room")


def test_vanished_peers():
	"""By reset, also while they are being written to."""
	with Server("-r", "0", procs=4) as server:
		bob = server.client("bob", "room")
		for i in range(50):
			ada = server.client(f"ada-{i}", "room")
			bob.reads(f"* ada-{i} joined room")
			ada.write(*["going"] * (i % 3))
			ada.vanish()
			heard = [bob.read()]
			while heard[-1] == f"<ada-{i}> going":
				heard.append(bob.read())
			check(heard[-1] == f"* ada-{i} left room" and len(heard) <= 1 + i % 3, heard)
		bob.says("/who", "* room: bob")


def talk(client, n, each):
	"""n lines, whose echoes a thread reads: it is joined."""
	def read():
		for i in range(n):
			while not client.read().startswith("<bob> "):
				pass

	reader = threading.Thread(target=read)
	reader.start()
	for i in range(0, n, each):
		client.write(*[f"{k} " + "x" * 480 for k in range(i, min(i + each, n))])
	reader.join()


def test_slow_reader_misses_the_oldest():
	"""He is told how many; what he heard and what he missed is what was said, and in order."""
	n = 15_000
	with Server("-r", "0", "-q", "50", procs=2) as server:
		ada = server.client("ada", "room", receive_bytes=4096)
		bob = server.client("bob", "room")
		ada.reads("* bob joined room")
		sender = threading.Thread(target=lambda: bob.write(*[f"{k} " + "x" * 480 for k in range(n)], "/leave"))
		sender.start()
		while bob.read() != "* you left":
			pass
		sender.join()
		heard = missed = 0
		while (line := ada.read()) != "* bob left room":
			m = re.fullmatch(r"\* you missed (\d+) lines", line)
			if m:
				missed += int(m[1])
				continue
			check(line.startswith(f"<bob> {heard + missed} "), line[:30], "after", heard, "and", missed)
			heard += 1
		check(heard + missed == n and missed > 0, heard, missed)


def test_slow_reader_is_disconnected():
	with Server("-r", "0", "-q", "200", "-s", "disconnect", procs=2) as server:
		ada = server.client("ada", "room", receive_bytes=4096)
		bob = server.client("bob", "room")
		for i in range(200):
			talk(bob, 100, 20)
			if server.process.poll() is not None:
				break
		bob.says("/who", "* room: bob")
		while ada.lines.readline():
			pass  # what was on its way, and the end
		server.stop()
		check(b"chat: ada was too slow\n" == server.complaints, server.complaints)


def test_flood():
	"""Who writes faster is read slower, and loses nothing; others are not held up by it."""
	with Server("-r", "20") as server:
		ada, bob, eve = server.client("ada", "room"), server.client("bob", "room"), server.client("eve")
		begin = time.monotonic()
		ada.write(*[str(i) for i in range(60)])
		bob.reads(*[f"<ada> {i}" for i in range(60)])
		check(time.monotonic() - begin > 1.5, "too fast")
		eve.write("/join room", *["flood"] * 2000)  # a hundred seconds' worth
		bob.write("me too")
		heard = 0
		while (line := bob.read()) != "<bob> me too":
			heard += line == "<eve> flood"
		check(heard < 2000, "bob was held up")
		eve.vanish()


def test_stop_says_good_bye():
	for how in (signal.SIGTERM, signal.SIGINT):
		with Server("-r", "5", procs=4) as server:
			clients = [server.client() for _ in range(30)]
			for i, c in enumerate(clients):
				c.write("/join room" if i % 2 else "/help", *["and more than may be read"] * (30 if i % 3 else 0))
			for c in clients[1::2]:
				while "joined room" not in c.read():
					pass
			server.process.send_signal(how)
			for c in clients:
				line = c.read()
				while not line.startswith("* the server stops") and line:
					line = c.read()
				check(line == "* the server stops; good-bye", repr(line))
				c.reads_end()
				c.close()
			code, out, err = finish(server.process)
			check((code, out, err) == (0, b"chat: stopped\n", b""), code, out, err)


def test_stop_does_not_wait_for_the_deaf():
	with Server("-r", "0", "-q", "5000") as server:
		ada = server.client("ada", "room", receive_bytes=4096)
		bob = server.client("bob", "room")
		talk(bob, 12_000, 20)
		server.stop()
		ada.close()


class Member(asyncio.Protocol):
	"""Of the thousand: counts what it reads, and keeps the end."""
	lines, tail, ended = 0, b"", False

	def connection_made(self, transport):
		self.transport = transport

	def data_received(self, data):
		self.lines += data.count(b"\n")
		self.tail = (self.tail + data)[-20_000:]

	def connection_lost(self, why):
		self.ended = True


async def thousand(server, n):
	loop = asyncio.get_running_loop()

	async def all_have(members, condition, what):
		end = loop.time() + 2 * app.SHORT_S
		while not all(map(condition, members)):
			check(loop.time() < end, "waited in vain until all", what)
			await asyncio.sleep(0.01)

	members = []
	for begin in range(0, n, 100):
		members += [m for _, m in await asyncio.gather(
			*[loop.create_connection(Member, *server.address) for _ in range(100)])]
		await all_have(members, lambda m: m.lines >= 1, "are welcome")
	for i, m in enumerate(members):
		m.transport.write(f"/nick member-{i}\n/join room\n".encode())
	await all_have(members, lambda m: b" joined room" in m.tail, "are in")
	asker = members[7]
	await all_have([asker], lambda m: m.lines >= 2, "hear")
	members[0].transport.write(b"/join elsewhere\n")
	await all_have(members[1:], lambda m: b"* member-0 left room\n" in m.tail, "hear that one left")
	members[1].transport.write("hear, hear\n".encode())
	await all_have(members[1:], lambda m: b"<member-1> hear, hear\n" in m.tail, "hear")
	asker.transport.write(b"/who\n/nick asked\n")
	await all_have([asker], lambda m: b"is now asked\n" in m.tail, "are told")
	names = re.findall(rb"^\* room: (.*)$", asker.tail, re.M)
	check(sorted(b" ".join(names).split()) == sorted(b"member-%d" % i for i in range(1, n)), names[:1])
	server.process.send_signal(signal.SIGTERM)
	await all_have(members, lambda m: m.tail.endswith(b"* the server stops; good-bye\n") and m.ended, "hear good-bye")


def test_thousand_in_a_room():
	n = 1000
	if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < n + 100:
		raise Skip("too few descriptors")
	with Server("-q", "3000", procs=2) as server:
		asyncio.run(thousand(server, n))
		code, out, err = finish(server.process)
		check((code, out, err) == (0, b"chat: stopped\n", b""), code, out, err)


def test_too_many_members():
	with Server("-m", "2") as server:
		ada, _ = server.client("ada"), server.client()
		third = Client(server.address)
		third.reads("! there are too many members")
		third.reads_end()
		third.close()
		ada.says("/quit", "* good-bye")
		ada.reads_end()
		ada.close()

		def welcome():
			c = Client(server.address)
			line = c.read()
			c.close()
			return line.startswith("* welcome")
		until(welcome, "there is room again")


def test_descriptors_short():
	"""Who comes while there is none waits, and is served when there is."""
	with Server(descriptors=24) as server:
		clients = [Client(server.address) for _ in range(40)]
		served = 0
		for c in clients:
			check(c.read().startswith("* welcome"), "not served")
			served += 1
			c.close()
		check(served == 40)


def test_unix_socket_and_trouble():
	with Server(address=f"{os.getcwd()}/chat") as server:
		server.client("ada", "room").says("hello", "<ada> hello")
		code, out, err = run(f"{os.getcwd()}/chat")
		check(code == 1 and b"address already in use" in err, code, err)
	check(not os.path.exists("chat"), "the socket's file was left")
	for wrong in (["-q", "0"], ["-s", "newest"], ["-r", "-1"], ["-m", "x"], ["-x"], ["a:1", "b:2"]):
		code, out, err = run(*wrong)
		check(code == 2 and out == b"" and b"chat" in err, wrong, code, err)
	code, out, err = run("nowhere")
	check((code, err) == (1, b"chat: listen tcp: address nowhere: missing port in address\n"), code, err)
	code, out, err = run("--help")
	check(code == 0 and out.startswith(b"Usage: chat") and err == b"", code, out, err)


if __name__ == "__main__":
	soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
	resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard < 8192 else 8192, hard))
	sys.exit(app.main("chat", globals()))
