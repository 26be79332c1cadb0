# SPDX-License-Identifier: MIT
"""What the scripts of tests/apps are made of: an example program is started, given input, stopped, and looked at.

A script is APP.py BUILD_TREE [TEST...].  Each of its functions test_... makes what it needs in a folder of its own,
where it runs; what it says went wrong is printed.  Nothing waits for a time to pass: until() waits until what is
needed can be seen.
"""
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SHORT_S = 20  # how long a program may take that should take no time
ENVIRONMENT = {**os.environ, "LC_ALL": "C"}
program = b""  # what is tested, once main has begun


class Skip(Exception):
	pass


def check(condition, *what):
	if not condition:
		raise AssertionError(" ".join(str(w) for w in what))


def check_same(got, wanted, what):
	if got == wanted:
		return
	got, wanted = got.splitlines(), wanted.splitlines()
	for line, (a, b) in enumerate(zip(got, wanted)):
		check(a == b, f"{what}: line {line + 1} is {a!r:.200}, not {b!r:.200}")
	raise AssertionError(f"{what}: {len(got)} lines, not {len(wanted)}")


def prepare(descriptors=None, memory=None, ignore=None):
	"""Run in the child: signals as a shell's foreground would have them, and limits."""
	def run():
		for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
			signal.signal(number, signal.SIG_IGN if number == ignore else signal.SIG_DFL)
		if descriptors:
			resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
		if memory:
			resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
	return run


def start(*arguments, procs=None, descriptors=None, memory=None, ignore=None, under=(), **rest):
	"""under: a command that runs it, as the same process."""
	environment = dict(ENVIRONMENT)
	if procs:
		environment["LEAT_PROCS"] = str(procs)
	rest.setdefault("stdin", subprocess.DEVNULL)
	rest.setdefault("stdout", subprocess.PIPE)
	rest.setdefault("stderr", subprocess.PIPE)
	return subprocess.Popen([*under, program, *arguments], env=environment,
	                        preexec_fn=prepare(descriptors, memory, ignore), **rest)


def finish(process, data=None, limit_s=SHORT_S):
	"""Its exit status (-N: signal N), what it wrote, and what it complained of."""
	try:
		out, err = process.communicate(data, timeout=limit_s)
	except subprocess.TimeoutExpired:
		process.kill()
		out, err = process.communicate()
		raise AssertionError(f"still running after {limit_s} s; {err or b''!r:.400}") from None
	return process.returncode, out, err


def run(*arguments, data=None, limit_s=SHORT_S, **rest):
	if data is not None:
		rest["stdin"] = subprocess.PIPE
	return finish(start(*arguments, **rest), data, limit_s)


def until(condition, what):
	end = time.monotonic() + SHORT_S
	while not condition():
		check(time.monotonic() < end, "waited in vain until", what)
		time.sleep(0.005)


def make(path, content=b""):
	folder = os.path.dirname(path)
	if folder:
		os.makedirs(folder, exist_ok=True)
	with open(path, "wb") as file:
		file.write(content)


def run_test(test, scratch):
	"""True when it did not fail."""
	folder = os.path.join(scratch, test.__name__)
	os.mkdir(folder)
	os.chdir(folder)
	begin = time.monotonic()
	verdict = "ok"
	try:
		test()
	except Skip as why:
		verdict = f"skipped: {why}"
	except (AssertionError, OSError, subprocess.SubprocessError) as why:
		verdict = f"FAILED: {why}"
	print(f"{test.__name__}: {verdict} ({time.monotonic() - begin:.1f} s)", flush=True)
	os.chdir(scratch)
	shutil.rmtree(folder, ignore_errors=True)
	return not verdict.startswith("FAILED")


def main(name, namespace, folder="apps"):
	"""Run the tests among the globals of a script about examples/FOLDER/NAME; the exit status."""
	global program
	build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
	program = os.fsencode(os.path.abspath(os.path.join(build, "examples", folder, name)))
	if not os.access(program, os.X_OK):
		print(f"{os.fsdecode(program)} was not built")
		return 77
	words = sys.argv[2:]
	tests = [t for n, t in namespace.items() if n.startswith("test_")]
	with tempfile.TemporaryDirectory() as scratch:
		os.chmod(scratch, 0o755)
		results = [run_test(t, scratch) for t in tests
		           if not words or any(word in t.__name__ for word in words)]
	return 0 if all(results) else 1
