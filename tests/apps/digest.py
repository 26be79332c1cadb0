#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240
"""digest.py BUILD_TREE [TEST...]: what examples/apps/digest promises, against the real sha256sum."""
import hashlib
import os
import pty
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from fcntl import ioctl

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import (ENVIRONMENT, SHORT_S, Skip, check, check_same, finish, make, run, start,  # noqa: E402
                 until)

MIB = 1 << 20
sys.setrecursionlimit(10000)


def bytes_read(process):
	with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
		return int(re.search(r"rchar: (\d+)", file.read())[1])


def takes_signals(process):
	"""From then on a signal ends what digest does, not the process."""
	with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
		caught = int(re.search(r"SigCgt:\s*(\w+)", file.read())[1], 16)
	return caught >> (signal.SIGTERM - 1) & 1


def sparse(path, size):
	make(path)
	os.truncate(path, size)


def walk(path):
	"""The regular files below path, depth first, as the system gives them."""
	slash = b"" if path.endswith(b"/") else b"/"
	with os.scandir(path) as entries:
		for entry in entries:
			if entry.is_dir(follow_symlinks=False):
				yield from walk(path + slash + entry.name)
			elif entry.is_file(follow_symlinks=False):
				yield path + slash + entry.name


def expected(*operands):
	"""What sha256sum prints for these operands, with folders replaced by their files."""
	files = []
	for operand in operands:
		files += walk(operand) if os.path.isdir(operand) else [operand]
	out = b""
	for i in range(0, len(files), 500):
		out += subprocess.run([b"sha256sum", b"--", *files[i:i + 500]], env=ENVIRONMENT,
		                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
	return out


def check_run(*arguments, operands=None, **rest):
	status, out, err = run(*arguments, **rest)
	check_same(out, expected(*(operands or arguments)), f"digest {arguments} {rest}")
	check(err == b"", f"digest {arguments} says {err!r:.300}")
	check(status == 0, f"digest {arguments} exits {status}")


def check_errors(result, out, *errors, status=1):
	check_same(result[1], out, "with errors")
	lines = result[2].split(b"\n")
	check(lines.pop() == b"" and len(lines) == len(errors), f"stderr is {result[2]!r:.500}")
	for line, error in zip(lines, errors):
		check(line.startswith(b"digest: ") and error in line, f"{line!r} does not say {error!r}")
	check(result[0] == status, f"exits {result[0]}, not {status}")


ODD_NAMES = [b"a\\b", b"new\nline", b"\n", b"\\", b" blank ", b"-dash", b"--help", b"-", b"*?[x]",
             b"latin-\xe9\xff", b"caf\xc3\xa9", b"'\"$(x)`", b"tab\t", b"bell\a\x1b[31m", b"x" * 255]


def test_monitor_says_what_each_stage_did():
	for i in range(300):
		make(f"t/d{i % 7}/f{i}", random.randbytes(i))
	status, out, err = run("-m", "t", "missing")
	check_same(out, expected(b"t"), "digest -m")
	check(status == 1, f"digest -m exits {status}")
	check(re.search(rb"pipeline of 3 stages: 300 came in .*, 0 inside\n", err), err)
	for stage in (b"walk", b"hash", b"print"):
		check(re.search(rb"^%s +\d+ +300 +300 +0 " % stage, err, re.M), stage, err)
	check(re.search(rb"^bottleneck: (who|walk|hash|print)", err, re.M), err)


def test_names():
	make("cr", b"x")
	os.rename("cr", b"c\rr")
	names = list(ODD_NAMES)
	if subprocess.run([b"sha256sum", b"c\rr"], stdout=subprocess.PIPE,
	                  check=True).stdout.startswith(b"\\"):
		names.append(b"c\rr")  # sha256sum escapes it since coreutils 9.0
	os.unlink(b"c\rr")
	for name in names:
		make(b"d/" + name, name)
		make(b"d/dir" + name[:250] + b"/" + name, name + b"2")
	check_run(b"d")
	check_run(b"d/")
	check_run(b"./d//")
	paths = [b"d/" + name for name in names]
	check_run(*paths)
	os.chdir("d")
	check_run(b".")
	dashes = [name for name in names if name != b"-"]
	check_run(b"--", *dashes, operands=dashes)


def test_sizes():
	random.seed(2)
	data = random.randbytes(300000)
	for size in (0, 1, 55, 56, 63, 64, 65, 4095, 4096, 131071, 131072, 131073, 262144, 300000):
		make(f"d/{size}", data[:size])
	make("large", data * 170)
	check_run(b"d", b"large")


def make_tree(root, files, seed=3):
	random.seed(seed)
	data = random.randbytes(70000)
	folders = [root]
	for i in range(files):
		if random.random() < 0.1:
			folders.append(random.choice(folders[-8:]) + f"/d{i}")
		at = random.randrange(60000)
		make(f"{random.choice(folders[-20:])}/f{i}", data[at:at + int(2 ** random.uniform(0, 13))])


def test_order():
	"""The same lines in the same order, however many work on them."""
	make_tree("t", 1200)
	for i in range(3):
		sparse(f"t/d_big{i}/slow", 10 * MIB)
	operands = [b"t/d_big2", b"t", b"t/d_big0/slow", b"t/d_big2", b"t"]
	wanted = expected(*operands)
	check(len(wanted.splitlines()) > 2400, "the tree is small")
	for procs in (1, 2, 3, 4):
		for jobs in (None, 1, 2, 3, 8):
			arguments = operands if jobs is None else [b"-j", str(jobs).encode(), *operands]
			status, out, err = run(*arguments, procs=procs)
			check_same(out, wanted, f"-j {jobs}, {procs} processors")
			check(status == 0 and err == b"", f"-j {jobs}, {procs} processors: {status}, {err!r}")


def test_links():
	make("real/f", b"f")
	make("other/g", b"g")
	os.symlink("f", "real/to_file")
	os.symlink("../other", "real/to_folder")
	os.symlink("nowhere", "real/dangling")
	os.symlink("..", "real/up")
	os.symlink("real", "link")
	os.symlink("real/f", "file_link")
	os.symlink("nowhere", "dangling")
	os.symlink("loop", "loop")
	check_run(b"real")
	check_run(b"link")
	check_run(b"link/")
	check_run(b"file_link", b"real/to_file", b"real/to_folder", b"real/up/other")
	check_errors(run(b"dangling", b"real/f", b"loop"), expected(b"real/f"),
	             b"dangling: No such file", b"loop: Too many levels")


def test_not_regular():
	make("d/a", b"a")
	make("d/z", b"z")
	os.mkfifo("d/fifo")
	with socket.socket(socket.AF_UNIX) as listener:
		listener.bind("d/socket")
		status, out, err = run(b"d")
	check_same(out, expected(b"d"), "among other things")
	check(status == 1, "exits", status)
	check(sorted(err.splitlines()) == [b"digest: d/fifo: is a FIFO", b"digest: d/socket: is a socket"],
	      err)
	os.symlink("fifo", "d/link")
	check_errors(run(b"d/fifo", b"d/link", b"/dev/null", b"d/a"), expected(b"d/a"),
	             b"d/fifo: is a FIFO", b"d/link: is a FIFO", b"/dev/null: is a device")


def test_errors_in_order():
	"""An error line each, between the lines of what came before and after."""
	make("a", b"a")
	make("b", b"b")
	check_errors(run(b"nope", b"a", b"", b"a/x", b"b", b"no\npe\x1b"), expected(b"a", b"b"),
	             b"nope: No such file", b": No such file", b"a/x: Not a directory",
	             b"no\\012pe\\033: No such file")
	both = start(b"nope", b"a", b"nada", b"b", stderr=subprocess.STDOUT)
	a, b = expected(b"a", b"b").splitlines()
	check(finish(both)[1].splitlines() == [b"digest: nope: No such file or directory", a,
	      b"digest: nada: No such file or directory", b], "lines and errors are not in order")
	check_errors(run(b"/proc/self/mem", b"a"), expected(b"a"), b"/proc/self/mem: Input/output error")


def test_unreadable():
	make("d/good", b"good")
	make("d/secret", b"secret")
	make("d/closed/inside", b"x")
	make("d/last/good", b"good")
	os.chmod("d/secret", 0)
	os.chmod("d/closed", 0)
	command = []
	if os.geteuid() == 0:
		if not shutil.which("setpriv"):
			raise Skip("root reads everything, and there is no setpriv")
		command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
		shutil.copy(app.program, "digest")
	program = "./digest" if command else app.program
	done = subprocess.run([*command, program, "d"], capture_output=True, env=ENVIRONMENT,
	                      timeout=SHORT_S)
	os.chmod("d/closed", 0o700)
	wanted = expected(*[f for f in walk(b"d") if b"good" in f])
	check_same(done.stdout, wanted, "with unreadable ones")
	check(sorted(done.stderr.splitlines()) == [b"digest: d/closed: Permission denied",
	      b"digest: d/secret: Permission denied"] and done.returncode == 1, done)


def test_vanishing():
	"""Files that come and go beside others that stay."""
	for i in range(300):
		make(f"d/{i % 7}/stays{i}", b"x" * i)
	over = threading.Event()

	def disturb():
		while not over.is_set():
			for i in range(60):
				make(f"d/{i % 7}/goes{i}", b"y")
			for i in range(60):
				os.unlink(f"d/{i % 7}/goes{i}")

	thread = threading.Thread(target=disturb)
	thread.start()
	try:
		results = [run(b"d") for _ in range(8)]
	finally:
		over.set()
		thread.join()
	wanted = sorted(expected(b"d").splitlines())
	for status, out, err in results:
		out = sorted(line for line in out.splitlines() if b"stays" in line)
		check(out == wanted, "files that stayed are missing, or there twice")
		errors = err.splitlines()
		check(all(re.fullmatch(rb"digest: d/\d/goes\d+: No such file or directory", e)
		          for e in errors), errors)
		check(status == bool(errors), "exits", status, errors)


def make_deep(depth):
	"""A chain of folders, each with files that come before and after the next one."""
	at = os.open(".", os.O_RDONLY)
	for level in range(depth):
		for name in (b"a", b"m", b"z", b"side"):
			if name == b"side":
				os.mkdir(name, dir_fd=at)
				name = b"side/f"
			fd = os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=at)
			os.write(fd, b"%d" % level)
			os.close(fd)
		os.mkdir(b"level-%05d" % level, dir_fd=at)
		below = os.open(b"level-%05d" % level, os.O_RDONLY, dir_fd=at)
		os.close(at)
		at = below
	os.close(at)


def expected_deep(at, path):
	out = []
	with os.scandir(at) as entries:
		for entry in entries:
			name = path + b"/" + os.fsencode(entry.name)
			if entry.is_dir(follow_symlinks=False):
				below = os.open(entry.name, os.O_RDONLY, dir_fd=at)
				out += expected_deep(below, name)
				os.close(below)
			else:
				fd = os.open(entry.name, os.O_RDONLY, dir_fd=at)
				digest = hashlib.sha256(os.read(fd, 100)).hexdigest().encode()
				out.append(digest + b"  " + name + b"\n")
				os.close(fd)
	return out


def check_deep(folder):
	"""Paths beyond PATH_MAX, and more levels than descriptors."""
	here = os.getcwd()
	os.mkdir(folder)
	os.chdir(folder)
	make_deep(500)
	at = os.open(".", os.O_RDONLY)
	wanted = b"".join(expected_deep(at, b"."))
	os.close(at)
	check(len(max(wanted.split(b"\n"), key=len)) > 5000, "the tree is not deep")
	for descriptors in (None, 64, 24):
		status, out, err = run(b".", descriptors=descriptors)
		check_same(out, wanted, f"deep, {descriptors} descriptors")
		check(status == 0 and err == b"", f"{descriptors} descriptors: {status}, {err!r:.300}")
	status, out, err = run(b"-j8", b".", descriptors=40)
	check_same(out, wanted, "deep, 8 workers, 40 descriptors")
	check(status == 0 and err == b"", f"8 workers: {status}, {err!r:.300}")
	os.chdir(here)
	subprocess.run(["rm", "-rf", folder], check=True)


def test_deep():
	check_deep("deep")


def test_deep_on_tmpfs():
	"""Another file system keeps positions in folders in another way."""
	if not os.access("/dev/shm", os.W_OK):
		raise Skip("no /dev/shm")
	with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
		check_deep(folder + "/deep")


def test_mount_loop():
	make("d/a/f", b"f")
	make("d/g", b"g")
	os.makedirs("d/a/loop")
	script = 'mount --bind d d/a/loop && exec "$0" d'
	done = subprocess.run(["unshare", "-rm" if os.geteuid() else "-m", "sh", "-c", script, app.program],
	                      capture_output=True, env=ENVIRONMENT, timeout=SHORT_S)
	if b"digest" not in done.stderr and done.returncode not in (0, 1):
		raise Skip("mounting is not permitted")
	if b"unshare" in done.stderr or b"mount:" in done.stderr:
		raise Skip("mounting is not permitted")
	check_errors((done.returncode, done.stdout, done.stderr), expected(b"d"), b"d/a/loop: is one of")


def sha256(data):
	return hashlib.sha256(data).hexdigest().encode()


def test_stdin():
	make("f", b"file")
	data = random.randbytes(400000)
	line = sha256(data) + b"  -\n"
	empty = sha256(b"") + b"  -\n"
	check(run(data=data) == (0, line, b""), "no operand")
	check(run(b"-", data=data) == (0, line, b""), "-")
	for procs in (1, 4):
		status, out, err = run(b"-j4", b"f", b"-", b"f", b"-", b"-", data=data, procs=procs)
		check_same(out, expected(b"f") + line + expected(b"f") + empty + empty, "- more than once")
		check(status == 0 and err == b"", "- more than once")
	with open("f", "rb") as file:
		check(run(stdin=file) == (0, sha256(b"file") + b"  -\n", b""), "stdin is a file")
	folder = os.open(".", os.O_RDONLY)
	check_errors(run(b"-", b"f", stdin=folder), expected(b"f"), b"-: Is a directory")
	os.close(folder)
	closed = subprocess.run(["sh", "-c", 'exec "$0" - f <&-', app.program], capture_output=True,
	                        env=ENVIRONMENT, timeout=SHORT_S)
	check_errors((closed.returncode, closed.stdout, closed.stderr), expected(b"f"),
	             b"-: Bad file descriptor")


def test_options():
	make("f", b"f")
	for option in (b"-h", b"--help"):
		status, out, err = run(option)
		check(status == 0 and out.startswith(b"Usage: digest") and err == b"", option, out, err)
	check(run(b"--version")[:2] != (0, b""), "--version")
	check(re.fullmatch(rb"digest \(leat\) \d+\.\d+\.\d+\n", run(b"--version")[1]), "--version")
	for bad in ([b"-j", b"0"], [b"-j", b"x"], [b"-j", b""], [b"-j", b"1x"], [b"-j99999"], [b"-j"],
	            [b"--nope"], [b"-x"]):
		status, out, err = run(*bad, b"f")[:3] if bad != [b"-j"] else run(*bad)
		check(status == 2 and out == b"" and err, f"{bad} exits {status}")
	check_run(b"f", b"-j3", operands=[b"f"])
	check_run(b"--jobs=2", b"f", operands=[b"f"])
	check_run(b"-j", b"100", b"f", operands=[b"f"])


def stop_with(number, status):
	"""In the middle of a file that would take a minute; what came before is there, nothing after."""
	make("a", b"a")
	make("z", b"z")
	sparse("huge", 1 << 37)
	process = start(b"a", b"huge", b"z", b"huge", b"z")
	until(lambda: bytes_read(process) > 20 * MIB, "it reads")
	before = time.monotonic()
	process.send_signal(number)
	result = finish(process)
	took = time.monotonic() - before
	check(result == (status, expected(b"a"), b""), f"after {number.name}: {result}")
	check(took < 5, f"{number.name} took {took} s")


def test_interrupt():
	stop_with(signal.SIGINT, 130)


def test_terminate():
	stop_with(signal.SIGTERM, 143)


def test_interrupt_while_nobody_writes_or_reads():
	"""Neither an idle standard input nor a full pipe keeps it from stopping."""
	for jobs in (b"-j1", b"-j4"):
		reader, writer = os.pipe()
		process = start(jobs, b"-", stdin=reader)
		until(lambda p=process: takes_signals(p), "it takes signals")
		process.send_signal(signal.SIGINT)
		check(finish(process) == (130, b"", b""), "with an idle standard input")
		os.close(reader)
		os.close(writer)
	make_tree("t", 1500)
	process = start(*[b"t"] * 4)

	until(lambda: takes_signals(process), "it takes signals")
	last = 0

	def full():
		nonlocal last
		before, last = last, struct.unpack("i", ioctl(process.stdout, termios.FIONREAD, bytes(4)))[0]
		time.sleep(0.05)
		return before == last > 16384

	until(full, "the pipe is full")
	process.send_signal(signal.SIGTERM)
	try:
		process.wait(SHORT_S)
	except subprocess.TimeoutExpired:
		process.kill()
		raise AssertionError("a pipe that nobody reads keeps it from stopping") from None
	out = process.stdout.read()
	process.stdout.close()
	process.stderr.close()
	check(process.returncode == 143, "exits", process.returncode)
	check(expected(b"t") * 4 != out and (expected(b"t") * 4).startswith(out), "not a part of it")


def test_interrupt_ignored():
	"""A shell starts jobs in the background with SIGINT ignored, and that is to stay."""
	sparse("some", 200 * MIB)
	process = start(b"some", ignore=signal.SIGINT)
	until(lambda: bytes_read(process) > 20 * MIB, "it reads")
	process.send_signal(signal.SIGINT)
	check(finish(process) == (0, expected(b"some"), b""), "SIGINT was not ignored")


def test_broken_pipe():
	make_tree("t", 2000)
	process = start(b"t", b"t", b"t")
	line = process.stdout.readline()
	process.stdout.close()
	err = process.stderr.read()
	process.stderr.close()
	status = process.wait(SHORT_S)
	check(line == expected(next(walk(b"t"))), "first line is", line)
	check(status == 141 and err == b"", f"exits {status}, says {err!r}")


def test_full_disk():
	make_tree("t", 2000)
	make("f", b"f")
	for operands in ([b"t"], [b"f"]):
		with open("/dev/full", "wb") as full:
			status, _, err = run(*operands, stdout=full)
		check_errors((status, b"", err), b"", b"cannot write: No space left on device")
	closed = subprocess.run(["sh", "-c", 'exec "$0" f >&-', app.program], capture_output=True,
	                        env=ENVIRONMENT, timeout=SHORT_S)
	check_errors((closed.returncode, b"", closed.stderr), b"", b"cannot write: Bad file descriptor")


class Terminal:
	"""A pseudo-terminal with a thread that collects what is written to it."""

	def __init__(self, columns):
		self.master, self.slave = pty.openpty()
		ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
		self.seen = b""
		self.thread = threading.Thread(target=self.collect)
		self.thread.start()

	def collect(self):
		try:
			while data := os.read(self.master, 65536):
				self.seen += data
		except OSError:  # all ends of it are closed
			pass

	def close(self):
		os.close(self.slave)
		self.thread.join(SHORT_S)
		os.close(self.master)
		return self.seen


def test_progress():
	sparse("huge", 1 << 37)
	make("a", b"a")
	for columns in (100, 60, 25, 8):
		terminal = Terminal(columns)
		begin = time.monotonic()
		process = start(b"a", b"huge", stderr=terminal.slave)
		until(lambda t=terminal: t.seen.count(b"\r") >= 5, "the bar was drawn five times")
		process.send_signal(signal.SIGINT)
		status, out, _ = finish(process)
		took = time.monotonic() - begin
		seen = terminal.close()
		check(status == 130 and out == expected(b"a"), f"exits {status}, {out!r}")
		check(seen.endswith(b"\r\x1b[K"), f"the bar is not cleared: {seen[-80:]!r}")
		draws = [d.removesuffix(b"\x1b[K") for d in seen.split(b"\r") if d != b"\x1b[K"]
		check(draws.pop(0) == b"", f"something else is on the terminal: {seen[:80]!r}")
		check(len(draws) <= took / 0.1 + 1, f"{len(draws)} draws in {took} s")
		for draw in draws:
			check(len(draw) < columns, f"{draw!r} does not fit in {columns} columns")
			if columns >= 60:
				check(re.fullmatch(rb"1 files, [\d.]+ [KMG]?i?B, [\d.]+ [KMG]?i?B/s \[ *<=> *\]", draw),
				      f"the bar is {draw!r}")
			check(b"1 files, "[:columns - 1] in draw, f"the bar is {draw!r}")


def test_progress_beside_lines():
	"""With everything on one terminal, what remains on it is the lines."""
	make_tree("t", 300)
	for i in range(4):
		sparse(f"t/slow{i}", 100 * MIB)
	terminal = Terminal(200)
	process = start(b"t", b"nope", stdout=terminal.slave, stderr=terminal.slave)
	status, _, _ = finish(process)
	lines = []
	for line in terminal.close().split(b"\r\n"):
		lines.append(line.split(b"\r\x1b[K")[-1])
	check(status == 1 and lines.pop() == b"", "exits", status)
	check(lines.pop() == b"digest: nope: No such file or directory", "no error line")
	check_same(b"\n".join(lines) + b"\n", expected(b"t"), "on a terminal")


def peak_kib(operand, files):
	"""Measured when all files are printed and it waits for its standard input, as a last operand."""
	process = start(operand, b"-", stdin=subprocess.PIPE)
	for _ in range(files):
		check(process.stdout.readline(), "a line is missing")
	with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
		peak = int(re.search(r"VmHWM:\s*(\d+) kB", file.read())[1])
	check(finish(process, b"")[0] == 0, "exits", process.returncode)
	return peak


def test_memory():
	"""A hundred times the files, no more memory."""
	for i in range(200):
		make(f"few/{i}", b"x")
	os.mkdir("many")
	for i in range(20000):
		with open(f"many/{i:0200}", "wb") as file:
			file.write(b"y")
	few, many = peak_kib(b"few", 200), peak_kib(b"many", 20000)
	check(many < few + 2048, f"{few} KiB for 200 files, {many} KiB for 20,000")
	check(many < 16 * 1024, f"{many} KiB")


if __name__ == "__main__":
	sys.exit(app.main("digest", globals()))
