#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240
"""portscan.py BUILD_TREE [TEST...]: what examples/apps/portscan promises, against listeners of this script's on loopback."""
import contextlib
import json
import os
import pty
import random
import re
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import check, finish, run, start, until  # noqa: E402


@contextlib.contextmanager
def ports(n, family=socket.AF_INET, address="127.0.0.1"):
	"""So many listeners; their ports, in order."""
	with contextlib.ExitStack() as stack:
		sockets = [stack.enter_context(socket.socket(family)) for _ in range(n)]
		for s in sockets:
			s.bind((address, 0))
			s.listen(100)
		yield sorted(s.getsockname()[1] for s in sockets)


@contextlib.contextmanager
def closed_port():
	"""A port that nobody listens to, and nobody else gets."""
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		yield s.getsockname()[1]


@contextlib.contextmanager
def filtered_port():
	"""A listener with a full queue, whose machine does not answer."""
	with contextlib.ExitStack() as stack:
		listener = stack.enter_context(socket.socket())
		listener.bind(("127.0.0.1", 0))
		listener.listen(0)
		for _ in range(20):
			client = stack.enter_context(socket.socket())
			client.setblocking(False)
			client.connect_ex(listener.getsockname())
		yield listener.getsockname()[1]


def scan(*arguments, **rest):
	code, out, err = run("--json", *arguments, **rest)
	return code, json.loads(out) if out else None, err.decode()


def listed(which):
	return ",".join(str(p) for p in which)


def states(got):
	return {r["port"]: r["state"] for r in got["results"]}


def test_open_and_closed():
	with ports(5) as there, closed_port() as nobody:
		for procs in (1, 4):
			code, got, err = scan("-a", "-t", "15s", "-p", listed([nobody, *there]), procs=procs)
			check((code, err) == (0, ""), code, err)
			check(states(got) == {**{p: "open" for p in there}, nobody: "closed"}, got)
			check([r["port"] for r in got["results"]] == sorted([nobody, *there]), "not in order", got)
			check([got[k] for k in ("host", "ports", "tried", "open", "closed", "filtered", "trouble", "stopped")] ==
			      ["127.0.0.1", 6, 6, 5, 1, 0, 0, False], got)
		code, got, err = scan("-t", "15s", "-p", listed([nobody, *there]), "localhost")
		check(code == 0 and states(got) == {p: "open" for p in there}, got)


def test_table():
	with ports(2) as there, closed_port() as nobody:
		code, out, err = run("-a", "-t", "15s", "-p", listed([nobody, *there]))
		check((code, err) == (0, b""), code, err)
		lines = out.decode().splitlines()
		check(lines[0] == "PORT   STATE     SERVICE", lines)
		rows = [line.split()[:2] for line in lines[1:4]]
		wanted = sorted([(nobody, "closed"), *((p, "open") for p in there)])
		check([(int(p), s) for p, s in rows] == wanted, rows, wanted)
		check(lines[4] == "" and re.fullmatch(r"127\.0\.0\.1: 3 of 3 ports tried in \d+\.\d\d s: 2 open, 1 closed, "
		                                      r"0 filtered", lines[5]), lines)
		code, out, err = run("-t", "15s", "-p", str(nobody))
		check(code == 0 and len(out.splitlines()) == 1 and b"0 open, 1 closed" in out, out)


def test_filtered():
	with filtered_port() as silent, ports(1) as there:
		code, got, err = scan("-a", "-t", "200ms", "-p", str(silent))
		check(code == 0 and err == "" and states(got) == {silent: "filtered"}, code, err, got)
		code, got, err = scan("-a", "-t", "5s", "-p", listed([silent, *there]))
		check(code == 0 and states(got) == {silent: "filtered", there[0]: "open"}, got)


def test_ipv6():
	try:
		with ports(2, socket.AF_INET6, "::1") as there:
			for host in ("::1", "[::1]"):
				code, got, err = scan("-t", "15s", "-p", listed(there), host)
				check(code == 0 and states(got) == {p: "open" for p in there}, code, got, err)
	except OSError as why:
		raise app.Skip(f"no IPv6: {why}") from None


def test_many_ports():
	"""All those below the range that the system gives out, where no other test listens: the open ones are found."""
	with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
		end = int(file.read().split()[0])
	first = max(1, end - 20000)
	if end - first < 1000:
		raise app.Skip(f"the system gives out ports from {end} on")
	with contextlib.ExitStack() as stack:
		there = set()
		while len(there) < 20:
			number = random.randrange(first, end)
			with contextlib.suppress(OSError):
				there.add(stack.enter_context(socket.create_server(("127.0.0.1", number))).getsockname()[1])
		code, got, err = scan("-p", f"{first}-{end - 1}", "-c", "50", "-t", "15s", limit_s=120)
		check(code == 0 and err == "" and got["tried"] == end - first, code, err, got)
		check(there <= set(states(got)) and set(states(got).values()) == {"open"}, got["results"])


def test_few_descriptors():
	"""No more at once than there are descriptors for."""
	with ports(60) as there:
		code, got, err = scan("-p", listed(there), "-c", "5000", "-t", "15s", descriptors=30)
		check(code == 0 and err == "" and got["open"] == 60, code, err, got)


def test_banner():
	answers = [b"220 hello\r\n", b"in pieces\n", b"\x00\xff\"quoted\\\n", b"", b"y" * 5000]
	listener = socket.create_server(("127.0.0.1", 0))
	others = [socket.create_server(("127.0.0.1", 0)) for _ in answers[1:]]
	listeners = [listener, *others]

	def talk(s, answer):
		with contextlib.suppress(OSError):
			client = s.accept()[0]
			with client:
				for i in range(0, len(answer), 4):
					client.sendall(answer[i:i + 4])
				if answer:
					client.recv(1)

	for s, answer in zip(listeners, answers):
		threading.Thread(target=talk, args=(s, answer), daemon=True).start()
	numbers = [s.getsockname()[1] for s in listeners]
	code, got, err = scan("-b", "-t", "15s", "-p", listed(numbers))
	check((code, err) == (0, ""), code, err)
	said = {r["port"]: r.get("banner") for r in got["results"]}
	check([said[n] for n in numbers] == ["220 hello", "in pieces", "\\x00\\xff\"quoted\\x5c", None, "y" * 256], said)
	for s in listeners:
		s.close()
	with ports(1) as there:  # one that says nothing
		code, out, err = run("-b", "-t", "2s", "-p", listed(there))
		check(code == 0 and b"1 open" in out, code, out, err)


def test_rate():
	"""No more than so many begin in a time: one, and then one each 50 ms at the earliest."""
	with ports(10) as there:
		code, got, err = scan("-r", "20", "-t", "15s", "-p", listed(there))
		check(code == 0 and got["open"] == 10 and got["seconds"] >= 0.44, code, got)


def test_remote():
	"""Other machines are not touched, unless that is wanted."""
	for host in ("192.0.2.1", "2001:db8::1", "0.0.0.0", "::"):
		code, out, err = run("-p", "1", host)
		check(code == 2 and out == b"", host, code, out)
		check(err.decode() == f"portscan: {host} is not this machine's own address; --allow-remote, if you may scan it\n",
		      err)
	with ports(1) as there:
		code, got, err = scan("--allow-remote", "-t", "15s", "-p", listed(there), "0.0.0.0")
		check(code == 0 and got["open"] == 1, code, got, err)


def test_names():
	"""Names are looked up, and what they mean must be this machine, too."""
	with ports(2) as there:
		code, got, err = scan("-t", "15s", "-p", listed(there), "localhost")
		check((code, err) == (0, "") and got["host"] == "localhost" and got["open"] == 2, code, got, err)
	for host in ("a b", "/tmp/socket", ""):
		code, out, err = run("-p", "1", host)
		check((code, out) == (2, b"") and err.decode() == f"portscan: lookup {host}: no such host\n", host, code, err)


def test_stopped():
	"""What is known by then is printed."""
	with ports(3) as there, filtered_port() as silent:
		process = start("--json", "-a", "-t", "1h", "-p", listed([silent, *there]))
		until(lambda: waits_for(process, silent), "it tries the silent one")
		process.send_signal(signal.SIGINT)
		code, out, err = finish(process)
		got = json.loads(out)
		check(code == 128 + signal.SIGINT and got["stopped"] is True, code, got)
		check(silent not in states(got) and got["tried"] < 4, got)
		check(err.decode() == f"portscan: Interrupt: stopped after {got['tried']} of 4 ports\n", err)


def waits_for(process, port):
	"""The process has a connection to this port under way (SYN-SENT, or queued and established)."""
	end = f":{port:04X}"
	inodes = set()
	with contextlib.suppress(OSError):
		for fd in os.listdir(f"/proc/{process.pid}/fd"):
			with contextlib.suppress(OSError):
				found = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{process.pid}/fd/{fd}"))
				if found:
					inodes.add(found[1])
	with open("/proc/net/tcp", encoding="ascii") as table:
		for line in list(table)[1:]:
			fields = line.split()
			if fields[2].endswith(end) and fields[9] in inodes:
				return True
	return False


def test_progress():
	"""On a terminal, and gone at the end."""
	master, slave = pty.openpty()
	with filtered_port() as silent:
		process = start("-p", str(silent), "-t", "1s", stderr=slave)
		os.close(slave)
		code, out, _ = finish(process)
	seen = b""
	with contextlib.suppress(OSError):
		while part := os.read(master, 4096):
			seen += part
	os.close(master)
	check(code == 0 and b"1 filtered" in out, code, out)
	check(b"0 of 1 ports, 0 open" in seen and seen.endswith(b"\r\033[K"), seen)


def test_full_disk():
	with ports(1) as there, open("/dev/full", "wb") as full:
		code, _, err = run("-p", listed(there), stdout=full)
		check((code, err) == (1, b"portscan: cannot write: No space left on device\n"), code, err)


def test_usage():
	for wrong in ("", "0", "65536", "1-65536", "9-8", "1,,2", "1,", "-5", "1-", "x", "1 2", "99999999999999999999"):
		code, out, err = run("-p", wrong)
		check(code == 2 and out == b"" and err.startswith(f"portscan: {wrong}: ".encode()), wrong, code, err)
	for wrong in (["-c", "0"], ["-c", "x"], ["-t", "5"], ["-t", "-1s"], ["-r", "0"], ["-r", "nan"], ["a", "b"],
	              ["no-such-host.invalid"], [""], ["@socket"], ["./socket"], ["127.0.0.1:80"], ["1" * 200], ["-x"]):
		code, out, err = run("-p", "1", *wrong)
		check(code == 2 and out == b"" and b"portscan: " in err, wrong, code, err)
	code, out, err = run("--help")
	check(code == 0 and out.startswith(b"Usage: portscan") and err == b"", code, out, err)


if __name__ == "__main__":
	sys.exit(app.main("portscan", globals()))
