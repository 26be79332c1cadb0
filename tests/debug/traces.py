#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=600 env:LEAT_PROCS=4
"""Goal: stack traces are right however a program was compiled, and whatever its goroutines do.

Method: traces.c has a goroutine in each state, three calls deep, and comments that say on which line each
of its functions stands.  It is built by both compilers in ways that together hold every pair of choices
(optimisation, link-time optimisation, frame pointers, library, position, debug information), and looked at
as it is, without debug information and without symbols.  Its reports must have every function of every
goroutine, in order, and no others; file and line where there is debug information; where there are
addresses alone, those that addr2line finds these functions at in the program before it was stripped.

	traces.py BUILD_FOLDER [WORD...]	with words, only the programs among whose options all of them are
"""

import concurrent.futures
import ctypes
import itertools
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
MODES = ("panic", "quit", "dump", "overflow", "fault")

CHOICES = {
	"compiler": ["gcc", "clang"],
	"level": ["-O2", "-O0", "-O1", "-O3", "-Os"],
	"lto": ["", "-flto"],
	"frames": ["", "-fomit-frame-pointer", "-fno-omit-frame-pointer"],
	"library": ["libleat.a", "libleat.so", "stripped/libleat.so"],
	"place": ["-fPIE -pie", "-no-pie"],
	"debug": ["-g", "-g0", "-g1", "-gdwarf-4 -gz"],
}
# Debug information in a file apart, no libraries to be loaded, and C++.
OTHERS = [
	("gcc", "-O2", "", "", "libleat.a", "-fPIE -pie", "-g -gsplit-dwarf"),
	("clang", "-O3", "", "", "libleat.so", "-fPIE -pie", "-g -gsplit-dwarf"),
	("gcc", "-O2", "", "", "libleat.a", "-static", "-g"),
	("clang", "-O1", "", "", "libleat.a", "-static", "-g"),
	("g++", "-O2", "", "", "libleat.a", "-fPIE -pie", "-g"),
	("g++", "-O3", "-flto", "-fomit-frame-pointer", "libleat.so", "-no-pie", "-g"),
	("clang++", "-O0", "", "", "libleat.so", "-fPIE -pie", "-g"),
	("clang++", "-O2", "", "", "libleat.a", "-no-pie", "-g"),
]

# What goroutines do, in the words of a report.  The crasher runs, main waits for ever or writes the dump.
STATES = {"receiver": "chan receive", "selector": "select", "sleeper": "sleep", "spinner": "running",
	"reader": "syscall", "crasher": "running", "main": "chan receive"}
INLINED = "selector_middle"

# That of binutils (2.40) loses some functions that were inlined and lines of gcc's -flto: it is asked for names.
LLVM = shutil.which("llvm-addr2line")
ADDR2LINE = "llvm-addr2line" if LLVM else "addr2line"
FIRST_WORDS = {"panic": "panic: on purpose\n\n", "quit": "SIGQUIT: quit\n\n", "dump": "goroutine 1 [running]:\n",
	"overflow": "runtime: goroutine stack exceeds ",
	"fault": "panic: runtime error: invalid memory address or nil pointer dereference\n"}


class Failure(Exception):
	pass


def pairwise(choices):
	"""Rows, one choice of each kind, so that any two choices of different kinds meet in one of them, and
	all of the first three kinds."""
	def pairs(values):
		return {*itertools.combinations(enumerate(values), 2), values[:3]}

	rows = list(itertools.product(*choices.values()))
	random.Random(1).shuffle(rows)
	left = set().union(*map(pairs, rows))
	chosen = []
	while left:
		chosen.append(max(rows, key=lambda row: len(pairs(row) & left)))
		left -= pairs(chosen[-1])
	return [dict(zip(choices, row)) for row in chosen]


# ---------------------------------------------------------------------------------- what was printed

class Block:
	"""One goroutine of a report: frames and creator as (function, place)."""

	def __init__(self, text):
		lines = text.splitlines()
		head = re.fullmatch(r'goroutine (\d+) (?:"(\w+)" )?\[([^\]]+)\]:', lines[0])
		if not head:
			raise Failure(f"no goroutine's first line: {lines[0]!r}")
		self.id, self.state = int(head[1]), head[3]
		self.name = head[2] or ("main" if self.id == 1 else "")
		self.frames, self.creator, self.parent = [], None, None
		rest = iter(lines[1:])
		for line in rest:
			if re.fullmatch(r"\.\.\.\d+ frames elided\.\.\.", line):
				continue
			place = next(rest, "")
			frame = re.fullmatch(r"(.+)\(\.\.\.\)", line)
			creator = re.fullmatch(r"created by (.+) in goroutine (\d+)", line)
			if not place.startswith("\t") or not (frame or creator) or self.creator:
				raise Failure(f"goroutine {self.id}: unexpected: {line!r}, {place!r}")
			if frame:
				self.frames.append((frame[1], place[1:]))
			else:
				self.creator, self.parent = (creator[1], place[1:]), int(creator[2])


# ------------------------------------------------------------------------------------- one program

class Source:
	"""The line of each @name, and the names of all functions."""

	def __init__(self, path):
		self.path = path
		self.lines = {name: at for at, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
			for name in re.findall(r"/\* @([\w.]+) \*/$", text)}
		self.functions = {"start", *(name.partition(".")[0] for name in self.lines)} - {"created"}
		self.goroutines = {"main", *(name[len("created."):] for name in self.lines if name.startswith("created."))}

	def plain(self, symbol):
		"""Compilers name a copy or a part of a function after it: f.constprop.0, f.cold.  And C++ has its ways."""
		if self.path.suffix == ".cpp":
			for name in self.functions:
				if re.match(rf"_ZN?.*{len(name)}{name}(?!\d)", symbol):
					return name
		return symbol.partition(".")[0]


class Symbols:
	"""What addr2line and nm know of a program with all its symbols."""

	def __init__(self, program, source):
		self.source = source
		self.process = subprocess.Popen([ADDR2LINE, "-a", "-f", "-i", "-e", program], stdin=subprocess.PIPE,
			stdout=subprocess.PIPE, text=True)
		listed = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout
		self.starts = {}
		for address, name in re.findall(r"^([0-9a-f]+) [tTwW] (\S+)$", listed, re.MULTILINE):
			self.starts.setdefault(name, set()).add(int(address, 16))

	def close(self):
		self.process.stdin.close()
		self.process.wait()

	def at(self, address):
		"""(function, line) of each function at an address in the file, innermost first; line 0: unknown."""
		def read():
			return self.process.stdout.readline().rstrip("\n")

		self.process.stdin.write(f"{address:#x}\n0\n")
		self.process.stdin.flush()
		read()
		found = []
		while not re.fullmatch("0x0+", function := read()):
			file, _, line = read().partition(" (")[0].rpartition(":")
			own = pathlib.PurePath(file).name == self.source.path.name
			found.append((self.source.plain(function), int(line) if own and line.isdigit() else 0))
		read(), read()
		return found if LLVM else [(found[-1][0], 0)]


class Program:
	"""An executable and what it was made from; variant: debug, symbols or stripped."""

	def __init__(self, path, row, variant, symbols):
		self.path, self.row, self.variant, self.symbols = path, row, variant, symbols
		self.source, self.lines, self.functions = symbols.source, symbols.source.lines, symbols.source.functions

	def resolve(self, frame, exact):
		"""(function, line) of each function that a frame stands for."""
		function, place = frame
		if self.variant == "debug" and not self.is_static():
			at = re.fullmatch(r"(/.+):(\d+) \+0x[0-9a-f]+", place)
			own = at and pathlib.Path(at[1]) == self.source.path
			return [(function, int(at[2]) if own else 0)]
		if self.variant == "stripped" or self.is_static():
			at = re.fullmatch(rf"{self.path.name}\+0x([0-9a-f]+)", function)
			return self.symbols.at(int(at[1], 16)) if at else [(function, 0)]
		name = self.source.plain(function)
		at = re.fullmatch(rf"{self.path.name} \+0x([0-9a-f]+)", place)
		if not at or name not in self.functions:
			return [(name, 0)]
		# From the start of the function, or of the part of it that was put elsewhere.
		for start in self.symbols.starts.get(function, ()):
			found = self.symbols.at(start + int(at[1], 16) - (not exact))
			if found[-1][0] == name:
				return found
		raise Failure(f"{function} has no place {place}")

	def chain(self, name, mode):
		"""What must be there of a goroutine, innermost first."""
		chain = []
		for function in (f"{name}_inner", f"{name}_middle", name):
			line = self.lines.get(f"{function}.{mode}", self.lines[function])
			if not self.has_lines():
				line = 0
			if function != INLINED or self.has_lines():
				chain.append((function, line))
		return chain

	def has_lines(self):
		return self.row["debug"] != "-g0" and (LLVM or (self.variant == "debug" and not self.is_static()))

	def is_static(self):
		return self.row["place"] == "-static"

	def may_lead(self, name, function):
		"""Whether this may stand above what the program itself called."""
		if function in self.functions:
			return False
		if self.variant != "debug" and function.startswith("leat_"): # it was inlined there
			return True
		return (name == "reader" and "read" in function) or self.shows_leat()

	def may_follow(self, name, function):
		return function not in self.functions and self.shows_leat() or (
			name == "main" and self.variant == "stripped")

	def shows_leat(self):
		"""Nobody can tell leat's own functions from others."""
		return self.is_static() or (self.variant == "stripped" and self.row["library"] == "libleat.a")

	def check(self, name, mode, block):
		first_exact = name in ("spinner", "reader") or (name == "crasher" and mode in ("overflow", "fault"))
		got = []
		for i, frame in enumerate(block.frames):
			got += self.resolve(frame, first_exact and i == 0)
		wanted, left = self.chain(name, mode), got
		while left and self.may_lead(name, left[0][0]):
			left = left[1:]
		if name == "crasher" and mode == "overflow":
			# Where the first one is depends on what did not fit any more.
			deepest, left = left[:1], left[1:]
			calls = list(itertools.takewhile(lambda one: one[0] == "deeper", left))
			left = left[len(calls):]
			line = self.lines["deeper"] if self.has_lines() else 0
			if len(calls) < 90 or deepest[0][0] != "deeper" or set(calls) != {("deeper", line)}:
				raise Failure(f"{name}: not one call in another: {got}")
		if self.is_static() and (name, mode) not in (("crasher", "panic"), ("main", "dump")):
			# Without libraries only who reports himself is told in full, others as far as there are frame pointers.
			left = [one for one in left if one[0] in self.functions]
			wanted = [one for one in wanted if one in left]
		if left[:len(wanted)] != wanted:
			raise Failure(f"{name}: {got} instead of {wanted}")
		for function, _ in left[len(wanted):]:
			if not self.may_follow(name, function):
				raise Failure(f"{name}: {function} is too much: {got}")
		if name == "main":
			if block.creator:
				raise Failure(f"somebody created main: {block.creator}")
			return
		creator = ("main" if name == "crasher" else "start",
			self.lines[f"created.{name}"] if self.has_lines() else 0)
		by = block.creator and self.resolve(block.creator, False)
		if by != [creator] or block.parent != 1:
			raise Failure(f"{name}: created by {by} in goroutine {block.parent} instead of {creator}")

	def run(self, mode):
		env = {**os.environ, "LEAT_TRACEBACK": "all", "LEAT_PROCS": "4"}
		with subprocess.Popen([self.path, mode], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
				env=env) as process:
			try:
				if mode == "quit" and process.stdout.readline() == "ready\n":
					process.send_signal(signal.SIGQUIT)
				out, err = process.communicate(timeout=120)
			except subprocess.TimeoutExpired as late:
				raise Failure("it hangs") from late
			finally:
				process.kill()
		report = out if mode == "dump" else err
		if (process.returncode, out + err) != (0 if mode == "dump" else 2, report):
			raise Failure(f"status {process.returncode}\n{out}{err}")
		return report

	def look(self, mode):
		"""Run it, and raise Failure unless the report is right."""
		report = self.run(mode)
		try:
			if not report.startswith(FIRST_WORDS[mode]):
				raise Failure("its first words are others")
			blocks = [Block(text) for text in report.split("\n\n") if text.startswith("goroutine ")]
			wanted = {name for name in self.source.goroutines if name != "crasher" or mode != "dump"}
			if {block.name for block in blocks} != wanted or len(blocks) != len(wanted):
				raise Failure("not these goroutines, each of them once")
			in_order = blocks if mode in ("quit", "dump") else blocks[1:]
			if [block.id for block in in_order] != sorted(block.id for block in in_order):
				raise Failure("the oldest is not the first")
			for block in blocks:
				if block.name == "crasher" and mode == "quit":
					continue
				state = "running" if block.name == "main" and mode == "dump" else STATES[block.name]
				if block.state != state:
					raise Failure(f"{block.name} is {block.state}, not {state}")
				self.check(block.name, mode, block)
		except Failure as failure:
			short = re.sub(r"(\ndeeper.*\n\t.*){3,}", r"\n\1", report)
			raise Failure(f"{failure}\n--- the report:\n{short}") from None


# ------------------------------------------------------------------------------------- all of them

def build(row, program, tree, source):
	line = [row["compiler"], *" ".join(row[kind] for kind in row if kind not in ("compiler", "library")).split(),
		"-fstack-clash-protection", "-pthread", f"-I{INCLUDE}", source, "-o", program]
	library = (program.parent.parent.parent if "stripped" in row["library"] else tree) / row["library"]
	line += [library, f"-Wl,-rpath,{library.parent}"]
	done = subprocess.run(line, cwd=program.parent, check=False, capture_output=True, text=True)
	if done.returncode != 0:
		raise Failure(f"it cannot be built: {done.stdout}{done.stderr}")


def look_at(number, row, tree, scratch):
	"""What is wrong with the program of this row, in all its variants: pairs of where and what."""
	folder = scratch / str(number)
	source = Source(HERE / ("traces.cpp" if row["compiler"].endswith("++") else "traces.c"))
	failures = []
	paths = {}
	for variant in ("debug", "symbols", "stripped"):
		(folder / variant).mkdir(parents=True)
		paths[variant] = folder / variant / "traces"
	try:
		build(row, paths["debug"], tree, source.path)
		subprocess.run(["strip", "-g", paths["debug"], "-o", paths["symbols"]], check=True)
		subprocess.run(["strip", paths["debug"], "-o", paths["stripped"]], check=True)
	except Failure as failure:
		return [("building", failure)]
	symbols = Symbols(paths["debug"], source)
	if row["debug"] == "-g0":
		del paths["debug"]
	for variant, path in paths.items():
		program = Program(path, row, variant, symbols)
		modes = MODES if os.environ.get("TEST_FULL") else MODES[number % 2::2]
		number += 1
		if source.path.suffix == ".cpp" or row["place"] == "-static":
			modes = ("panic", "dump")
		for mode in modes:
			try:
				program.look(mode)
			except Failure as failure:
				failures.append((f"{variant} {mode}", failure))
	symbols.close()
	shutil.rmtree(folder)
	return failures


def main():
	tree = pathlib.Path(sys.argv[1]).resolve()
	for compiler in CHOICES["compiler"]:
		if not shutil.which(compiler):
			print(f"there is no {compiler}")
	CHOICES["compiler"] = [compiler for compiler in CHOICES["compiler"] if shutil.which(compiler)]
	missing = [tool for tool in (ADDR2LINE, "nm", "strip") if not shutil.which(tool)]
	if missing or not CHOICES["compiler"]:
		print(f"no {missing or 'compiler'} (package binutils)")
		return 77
	known = (tree / "libleat.so").read_bytes()
	for library in ("libdw.so.1", "libunwind.so.8"):
		try:
			ctypes.CDLL(library)
		except OSError:
			known = b""
		if library.encode() not in known:
			print(f"no {library}, or no headers of it when leat was compiled")
			return 77
	rows = pairwise(CHOICES) + [dict(zip(CHOICES, row)) for row in OTHERS if shutil.which(row[0])]
	rows = [row for row in rows if set(sys.argv[2:]) <= set(row.values())]
	failed = 0
	with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(
			os.cpu_count()) as pool:
		stripped = pathlib.Path(scratch).resolve() / "stripped"
		stripped.mkdir()
		for library in tree.glob("libleat.so*"):
			shutil.copy2(library, stripped / library.name, follow_symlinks=False)
		subprocess.run(["strip", (stripped / "libleat.so").resolve()], check=True)
		jobs = {pool.submit(look_at, number, row, tree, pathlib.Path(scratch).resolve()): row
			for number, row in enumerate(rows)}
		for job in concurrent.futures.as_completed(jobs):
			for where, failure in job.result():
				failed += 1
				print(f"FAILED: {' '.join(filter(None, jobs[job].values()))}: {where}: {failure}\n", flush=True)
	print(f"{len(rows)} programs, {failed} failures")
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
