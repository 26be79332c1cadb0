#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=600 env:LEAT_PROCS=1
"""Goal: gdb shows goroutines and their stacks, in a process and in a core file, without being told how.

Method: with one processor, so that ids are 2, 3 and so on, subject.c is built against either library and run under a scripted gdb up to a breakpoint;
then it dies, leaving a core file, with which the same is done.  Once the library is stripped of all
debug information: gdb then needs to be given the script, and must need no more.

	gdb.py BUILD_FOLDER
"""

import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE.parent.parent / "src/sched/gdb.py"
CC = os.environ.get("CC") or "gcc"

COMMANDS = ["info goroutines", "goroutine 2 bt", "goroutine 2 frame function waiter", "goroutine 2 info args",
	"goroutine 3 up-silently 99", "goroutine 5 bt", "goroutine 77", "goroutine nonsense", "bt 1",
	"goroutine apply 2-3 bt 1", "goroutine apply all bt"]

WAITS = r"#\d+ .*wait_for \(.*\n#\d+ .*waiter \(a=.*\n#\d+ .*leat(__|\.)goroutine_start.*\n#\d+ .*leat(__|\.)context_start"


def fail(why, output):
	sys.exit(f"FAILED: {why}\n--- gdb said:\n{output}")


def expect(output, pattern, what):
	if not re.search(pattern, output, re.MULTILINE):
		fail(f"{what}: nothing matches {pattern!r}", output)


def gdb(folder, *arguments, trusted=True, before=(), commands=COMMANDS):
	"""Run gdb on the commands, with a line between their outputs; the pieces of what it printed."""
	trust = ["-iex", f"add-auto-load-safe-path {folder}"] if trusted else []
	line = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", *trust, *arguments]
	for command in before:
		line += ["-ex", command]
	for command in commands:
		line += ["-ex", rf"echo \n=== {command}\n", "-ex", command]
	done = subprocess.run(line, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT, timeout=300, check=False, text=True, errors="replace")
	if re.search("ptrace: (Operation not permitted|Function not implemented)", done.stdout):
		print("gdb may not trace here:", done.stdout)
		sys.exit(77)
	pieces = {}
	for piece in done.stdout.split("\n=== ")[1:]:
		command, _, rest = piece.partition("\n")
		pieces[command] = rest
	return done.stdout, pieces


def check(output, pieces, live, library_symbols=True):
	listed = pieces["info goroutines"]
	expect(listed, r"^[ *] 1 \[running\] in ", "main is goroutine 1")
	expect(listed, r'^  2 "first" \[chan receive\] in wait_for at .*subject.c:\d+, created by main in goroutine 1$',
		"a parked goroutine with a name")
	expect(listed, r"^  3 \[chan receive\] in wait_for at .*subject.c:\d+, created by main in goroutine 1$", "another")
	expect(listed, r"^  4 \[sleep\] in sleeper at .*subject.c:\d+, created by main in goroutine 1$", "a sleeping one")
	expect(listed, r"^  5 \[running\] in spinner at .*subject.c:\d+, created by main in goroutine 1$", "a running one")
	if len([line for line in listed.splitlines() if re.match(r"[ *] \d+ ", line)]) != 5:
		fail("not 5 goroutines", output)
	expect(pieces["goroutine 2 bt"], r"#1 .*\n(#.*\n)*" + WAITS, "the stack of a parked one")
	if re.search(r"^#0 ", pieces["goroutine 2 bt"], re.MULTILINE):
		fail("the frame of another thread shows", output)
	expect(pieces["goroutine 2 frame function waiter"], r"waiter \(a=", "a frame can be selected")
	expect(pieces["goroutine 2 info args"], "." if not library_symbols else r"= ", "arguments of the selected frame")
	expect(pieces["goroutine 5 bt"], r"#0 .*spinner \(", "the stack of a running one")
	expect(pieces["goroutine 77"], "No goroutine 77", "a goroutine that does not exist")
	expect(pieces["goroutine nonsense"], "goroutine ID", "words that make no sense")
	if live:
		expect(pieces["bt 1"], r"#0 .*ready \(", "what was selected before is so again")
	expect(pieces["goroutine apply 2-3 bt 1"],
		r'^goroutine 2 "first" \[chan receive\]:\n#1 (.*\n)+goroutine 3 \[chan receive\]:\n#1 ', "a range of them")
	everything = pieces["goroutine apply all bt"]
	for number in range(1, 6):
		expect(everything, rf'^goroutine {number} ("first" )?\[[a-z ]+\]:\n#[01] ', f"goroutine {number} among all")
	expect(everything, r"goroutine 4 \[sleep\]:\n(#.*\n)+#\d+ .*sleeper \(", "the stack of a sleeping one among all")


def core_of(folder, program):
	"""Where the core file of the program is, or None if the system keeps it elsewhere."""
	place = folder / "core"
	place.mkdir()
	def allow():
		resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
	subprocess.run([program], cwd=place, preexec_fn=allow, check=False, timeout=300,
		stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
	found = list(place.iterdir())
	return found[0] if found else None


def build(folder, *libraries):
	program = folder / "subject"
	subprocess.run([CC, "-O1", "-g", "-pthread", f"-I{HERE.parent.parent}/include", HERE / "subject.c", "-o", program,
		*libraries], check=True)
	return program


def main():
	if not shutil.which("gdb"):
		print("there is no gdb (package gdb)")
		return 77
	if "python" in subprocess.run(["gdb", "-nx", "-batch", "-ex", "python print(1)"], check=False,
			capture_output=True, text=True).stderr.lower():
		print("this gdb has no Python")
		return 77
	tree = pathlib.Path(sys.argv[1]).resolve()
	start = ["break ready", "run"]
	with tempfile.TemporaryDirectory() as scratch:
		folder = pathlib.Path(scratch).resolve()
		for name in ("libleat.a", *(path.name for path in tree.glob("libleat.so*"))):
			shutil.copy2(tree / name, folder / name, follow_symlinks=False)

		program = build(folder, folder / "libleat.a")
		check(*gdb(folder, program, before=start), live=True)
		core = core_of(folder, program)
		if core:
			check(*gdb(folder, program, core), live=False)
		else:
			print("no core file here: see /proc/sys/kernel/core_pattern")

		output, _ = gdb(folder, program, before=start, trusted=False, commands=["info goroutines"])
		expect(output, "auto-load safe-path", "gdb says what to do where it does not trust the program")

		program = build(folder, f"-L{folder}", f"-Wl,-rpath,{folder}", "-l:libleat.so")
		check(*gdb(folder, program, before=start), live=True)

		subprocess.run(["strip", "-g", folder / "libleat.a"], check=True)
		program = build(folder, folder / "libleat.a")
		check(*gdb(folder, program, before=[f"source {SCRIPT}", *start]), live=True, library_symbols=False)
	print("all is well")
	return 0


if __name__ == "__main__":
	sys.exit(main())
