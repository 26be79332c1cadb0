#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240
"""echo.py BUILD_TREE [TEST...]: what examples/apps/echo promises: the server against clients of this script's, the load
generator against servers of this script's, and both against each other."""
import contextlib
import json
import os
import re
import signal
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import check, finish, run, start, until  # noqa: E402


class Server:
	"""The program, serving; stop() gives its exit status and its last words."""

	def __init__(self, address="127.0.0.1:0", *options, **rest):
		self.process = start("serve", address, *options, **rest)
		self.words = self.process.stdout.readline().decode().split()
		check(self.words[:2] == ["echo:", "serving"], self.words or finish(self.process))
		self.address = self.words[3]

	def stop(self, number=signal.SIGTERM):
		self.process.send_signal(number)
		return self.end()

	def end(self):
		code, _, err = finish(self.process)
		return code, err.decode()

	def connect(self):
		if self.words[2] == "unix":
			client = socket.socket(socket.AF_UNIX)
			client.connect(self.address.replace("@", "\0"))
		else:
			host, port = self.address.rsplit(":", 1)
			client = socket.create_connection((host.strip("[]"), int(port)))
		client.settimeout(app.SHORT_S)
		return client


@contextlib.contextmanager
def serving(*arguments, **rest):
	server = Server(*arguments, **rest)
	try:
		yield server
	finally:
		if server.process.poll() is None:
			server.process.kill()
			finish(server.process)


def receive(client, most=None):
	"""All that comes until the end, or so many bytes."""
	parts, n = [], 0
	while most is None or n < most:
		part = client.recv(65536 if most is None else most - n)
		if not part:
			break
		parts.append(part)
		n += len(part)
	return b"".join(parts)


def counts(err):
	"""Connections, reads and bytes, and the bytes that came too late."""
	found = re.search(r"(\d+) connections, (\d+) reads, (\d+) bytes, [\d.]+ s of CPU time", err)
	check(found, err)
	late = re.search(r"(\d+) bytes came after the end", err)
	return [int(n) for n in found.groups()] + [int(late[1]) if late else 0]


def reset(client):
	client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
	client.close()


# --- the server

def check_half_close(client, data):
	"""The answer ends behind the last byte, and comes whole, though the client has shut its side long before."""
	sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
	sender.start()
	answer = receive(client)
	sender.join()
	client.close()
	check(answer == data, len(answer), "bytes came back of", len(data))


def test_half_close():
	for address in ("127.0.0.1:0", "./socket", "@", "[::1]:0"):
		if address[0] == "[" and not socket.has_ipv6:
			continue
		try:
			server = Server(address)
		except AssertionError:
			if address[0] == "[":
				continue  # no IPv6 here
			raise
		for size in (0, 1, 5_000_000):
			check_half_close(server.connect(), os.urandom(size))
		code, err = server.stop()
		check(code == 0 and counts(err)[0] == 3 and counts(err)[2:] == [5_000_001, 0], code, err)
	check(not os.path.exists("socket"), "the socket's file was left")


def test_port_in_use():
	with serving() as server:
		code, out, err = run("serve", server.address)
		check((code, out) == (1, b""), code, out)
		wanted = f"echo: listen tcp {server.address}: bind: address already in use\n"
		check(err.decode() == wanted, err)
	code, out, err = run("serve", "./no/such/place")
	check((code, err) == (1, b"echo: listen unix ./no/such/place: bind: no such file or directory\n"), code, err)


def test_clients_that_vanish():
	"""Resets in all states; the others are served on."""
	with serving() as server:
		for i in range(50):
			client = server.connect()
			if i % 3:
				client.sendall(b"x" * 100_000)
			if i % 3 == 2:
				receive(client, 10)
			reset(client)
		check_half_close(server.connect(), b"still there")
		code, err = server.stop()
		check(code == 0 and counts(err)[0] == 51, code, err)


def test_a_client_that_does_not_read():
	"""It holds up nobody, and the stop no longer than the grace."""
	with serving("127.0.0.1:0", "-q", "1h", "-g", "300ms") as server:
		client = server.connect()

		def send():
			with contextlib.suppress(OSError):
				client.sendall(b"x" * (256 << 20))  # more than there is room for on the way

		sender = threading.Thread(target=send)
		sender.start()
		check_half_close(server.connect(), b"y" * 1000)
		code, err = server.stop()
		check(code == 0 and "cut off" in err, code, err)
		sender.join()
		client.close()


def test_stop_while_busy():
	"""With clients that write and read without a pause, a signal loses no echo, and no connection is reset."""
	size, clients = 3_000_000, 10
	for address in ("127.0.0.1:0", "./socket"):
		with serving(address, "-q", "15s", "-g", "60s") as server:
			halfway = threading.Semaphore(0)
			wrong = []

			def talk(client, number):
				data = bytes([number]) * size

				def send():
					client.sendall(data[:size // 2])
					halfway.release()
					client.sendall(data[size // 2:])
					client.shutdown(socket.SHUT_WR)
				sender = threading.Thread(target=send)
				try:
					sender.start()
					answer = receive(client)
					if answer != data:
						wrong.append(f"client {number}: {len(answer)} bytes")
					sender.join()
				except OSError as why:
					wrong.append(f"client {number}: {why}")
				client.close()

			threads = [threading.Thread(target=talk, args=(server.connect(), i)) for i in range(clients)]
			for thread in threads:
				thread.start()
			for _ in threads:
				check(halfway.acquire(timeout=app.SHORT_S), "they do not come halfway")
			server.process.send_signal(signal.SIGTERM)
			for thread in threads:
				thread.join()
			code, err = server.end()
			check(not wrong, wrong)
			check(code == 0 and counts(err)[2:] == [clients * size, 0], code, err)


def test_stop_answers_what_is_on_its_way():
	"""Clients that go on until they see the end: what they get back is all that the server read, in order."""
	with serving("127.0.0.1:0", "-q", "20ms") as server:
		sent, got, threads = [0] * 5, [0] * 5, []

		def talk(i):
			client = server.connect()
			while True:
				message = struct.pack("=I", sent[i]) * 64
				client.sendall(message)
				sent[i] += 1
				answer = receive(client, len(message))
				got[i] += len(answer)
				if answer != message:
					break
			client.close()

		for i in range(5):
			threads.append(threading.Thread(target=talk, args=(i,)))
			threads[-1].start()
		until(lambda: min(sent) > 10, "they talk")
		code, err = server.stop()
		for thread in threads:
			thread.join()
		_, _, answered, late = counts(err)
		check(code == 0 and answered == sum(got), code, err, got)
		check(late <= 256 * sum(sent) - answered, err, sent)


def test_stop_while_idle():
	with serving("127.0.0.1:0", "-g", "60s") as server:
		clients = [server.connect() for _ in range(10)]
		for client in clients:
			client.sendall(b"hello")
			check(receive(client, 5) == b"hello", "no echo")
		server.process.send_signal(signal.SIGINT)
		for client in clients:
			check(receive(client) == b"", "more came")
			client.close()
		code, err = server.end()
		check(code == 0 and err.startswith("echo: Interrupt: 10 connections"), code, err)


def test_second_signal():
	with serving("127.0.0.1:0", "-q", "1h", "-g", "1h") as server:
		client = server.connect()
		client.sendall(b"hello")
		check(receive(client, 5) == b"hello", "no echo")
		server.process.send_signal(signal.SIGTERM)

		def refused():
			try:
				server.connect().close()
			except ConnectionError:
				return True
			return False
		until(refused, "it listens no more")
		check(server.process.poll() is None, "it is gone")
		client.sendall(b"again")
		check(receive(client, 5) == b"again", "no echo after the signal")
		code, err = server.stop()
		check(code == 0 and "cut off" in err, code, err)
		client.close()


# --- the load generator

def load(*arguments, **rest):
	code, out, err = run("load", *arguments, "--json", **rest)
	return code, json.loads(out) if out else None, err.decode()


def test_load():
	for address in ("127.0.0.1:0", "@"):
		for procs in (1, 4):
			with serving(address, procs=procs) as server:
				code, got, err = load(server.address, "-c", "20", "-s", "1000", "-d", "300ms", procs=procs)
				check(code == 0 and err == "" and got["errors"] == 0, code, err, got)
				check(got["requests"] >= 20 and got["connections"] == 20 and got["bytes"] == 1000, got)
				check(got["seconds"] >= 0.3, got)
				check(abs(got["requests_per_second"] * got["seconds"] - got["requests"]) < 1, got)
				times = [got["latency_us"][p] for p in ("p50", "p99", "p99.9", "max")]
				check(times[0] > 0 and times == sorted(times), times)
				code, err = server.stop()
				check(code == 0 and counts(err)[0] == 20, code, err)
				check(counts(err)[2] == 1000 * got["requests"], err, got)
	with serving() as server:
		code, out, err = run("load", server.address, "-d", "100ms", "-c", "3", "-s", "1")
		check((code, err) == (0, b""), code, err)
		check(re.fullmatch(rb"tcp \S+: 3 connections, 1 bytes, \d+\.\d\d s\n"
		                   rb"requests  \d+, \d+ a second, \d+\.\d\d MB a second each way\n"
		                   rb"time      50% within [\d.]+ us, 99% [\d.]+ us, 99.9% [\d.]+ us, all [\d.]+ us\n"
		                   rb"errors    0\n", out), out)


def test_thousand_connections():
	with serving() as server:
		code, got, err = load(server.address, "-c", "1000", "-d", "500ms", "-t", "60s", limit_s=120)
		check(code == 0 and got["errors"] == 0 and got["requests"] >= 1000, code, err, got)
		code, err = server.stop()
		check(code == 0 and counts(err)[0] == 1000, code, err)


def test_nobody_is_there():
	with socket.socket() as nobody:
		nobody.bind(("127.0.0.1", 0))  # and does not listen
		address = f"127.0.0.1:{nobody.getsockname()[1]}"
		code, got, err = load(address, "-c", "3", "-d", "1h")
	check(code == 1 and got["errors"] == 3 and got["requests"] == 0, code, got)
	check(err == f"echo: dial tcp {address}: connect: connection refused (the first of several errors)\n", err)


@contextlib.contextmanager
def strange_server(answer):
	"""A server of this script's, whose connections are handed to answer(); its address."""
	listener = socket.create_server(("127.0.0.1", 0))
	kept = []

	def accept():
		with contextlib.suppress(OSError):
			while True:
				kept.append(listener.accept()[0])
				threading.Thread(target=quietly, args=(kept[-1],), daemon=True).start()

	def quietly(client):
		with contextlib.suppress(OSError):
			answer(client)

	threading.Thread(target=accept, daemon=True).start()
	try:
		yield f"127.0.0.1:{listener.getsockname()[1]}"
	finally:
		listener.shutdown(socket.SHUT_RDWR)
		listener.close()
		for client in kept:
			client.close()


def test_servers_that_vanish():
	def after_some(end):
		def answer(client):
			for _ in range(3):
				client.sendall(receive(client, 64))
			receive(client, 10)
			end(client)
		return answer

	def close_it(client):
		receive(client, 54)
		client.close()

	for end, why in ((reset, "read: connection reset by peer"), (close_it, "EOF")):
		with strange_server(after_some(end)) as address:
			code, got, err = load(address, "-c", "2", "-d", "1h")
			check(code == 1 and got["errors"] == 2 and got["requests"] == 6, code, got, err)
			check(re.match(rf"echo: read tcp 127\.0\.0\.1:\d+->{address}: {why} \(the first", err), err)


def test_servers_that_are_silent():
	with strange_server(lambda client: receive(client)) as address:
		code, got, err = load(address, "-c", "2", "-d", "100ms", "-t", "100ms")
		check(code == 1 and got["errors"] == 2 and got["requests"] == 0, code, got)
		check(": i/o timeout (the first of several errors)\n" in err, err)


def test_servers_that_lie():
	with strange_server(lambda client: client.sendall(receive(client, 63) + b"!")) as address:
		code, got, err = load(address, "-c", "1", "-d", "1h")
		check(code == 1 and got["errors"] == 1 and err == "echo: the answer is not what was sent\n", code, got, err)


def test_load_stopped():
	"""It says what it has measured by then; also where no answer ever comes."""
	asked = threading.Event()

	def answer(client):
		while client.send(receive(client, 64)):
			asked.set()

	with strange_server(answer) as address:
		process = start("load", address, "-d", "1h", "--json")
		check(asked.wait(app.SHORT_S), "it asks nothing")
		process.send_signal(signal.SIGINT)
		code, out, err = finish(process)
		check(code == 128 + signal.SIGINT and err == b"echo: Interrupt: stopped\n", code, err)
		check(json.loads(out)["errors"] == 0, out)
	asked.clear()
	with strange_server(lambda client: (receive(client, 64), asked.set(), receive(client))) as address:
		process = start("load", address, "-c", "1", "-d", "1h", "-t", "1h", "--json")
		check(asked.wait(app.SHORT_S), "it asks nothing")
		process.send_signal(signal.SIGTERM)
		code, out, err = finish(process)
		check(code == 128 + signal.SIGTERM and json.loads(out)["requests"] == 0, code, out, err)


def test_full_disk():
	with serving() as server, open("/dev/full", "wb") as full:
		code, _, err = run("load", server.address, "-d", "10ms", stdout=full)
		check((code, err) == (1, b"echo: cannot write: No space left on device\n"), code, err)


def test_usage():
	for wrong in ([], ["serve"], ["load"], ["talk", ":0"], ["serve", ":0", ":0"], ["load", ":1", "-c", "0"],
	              ["load", ":1", "-s", "many"], ["load", ":1", "-d", "5"], ["load", ":1", "-d", "-5s"],
	              ["load", ":1", "-t", "nans"], ["load", ":1", "-x"], ["load", ":1", "-c"]):
		code, out, err = run(*wrong)
		check(code == 2 and out == b"" and b"echo: " in err, wrong, code, err)
	for wrong in ("127.0.0.1", "127.0.0.1:99999", "no-such-host.invalid:7"):
		code, out, err = run("serve", wrong)
		check(code == 1 and out == b"" and err.startswith(b"echo: listen tcp"), wrong, code, err)
	code, out, err = run("--help")
	check(code == 0 and out.startswith(b"Usage: echo serve") and err == b"", code, out, err)


if __name__ == "__main__":
	sys.exit(app.main("echo", globals()))
