#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=300 serial
"""scale.py BUILD_TREE [TEST...]: what leat scale promises.

Each test_ function makes what it needs in a folder of its own; what it says went wrong is printed.

That p is found is shown with programs that sleep, so that the machine's CPUs do not matter.  The parallel
part is a nap in as many goroutines as there are processors.  How a busy machine could make it fail: what a
run takes longer than its naps counts as serial, and p is off by 0.05 when that is 52 ms (at a serial share of
0.25) to 61 ms (0.5).  It is the start of a process and two late wake-ups: 5 ms on an idle machine, 10 to 20
on one with four times the work that its CPUs can do, where up to 35 were seen.  A fit believes the faster
runs of four at each number of processors, and of these not those that lie off the others.  And no other test
runs beside it.
"""
import json
import math
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

LONG_S = 60  # nothing here takes that long
SVG = "{http://www.w3.org/2000/svg}"

# sleeper SERIAL_MS PARALLEL_MS COHERENCY_MS: the serial part, and then the parallel one.
SLEEPER = r"""
#include <leat.h>
#include <stdlib.h>

struct nap { double ms; };

static void nap(struct nap *a)
{
	leat_sleep((int64_t)(a->ms * 1e6));
}

int main(int argc, char **argv)
{
	int n = leat_procs(0);

	if (argc != 4)
		return 9;
	leat_sleep((int64_t)(1e6 * (atof(argv[1]) + atof(argv[3]) * (n - 1))));
	scope(s, NULL);
	for (int i = 0; i < n; i++)
		scope_go(s, nap, .ms = atof(argv[2]) / n);
	return 0;
}
"""

# One that says what it was given, and then does what it is told to at a number of processors.
SCRIPT = """#!/bin/sh
# script LOG PROCS WHAT
echo "$LEAT_PROCS" >>"$1"
cat >>"$1.input"
echo "to stdout"
echo "to stderr" >&2
test "$LEAT_PROCS" = 1 && echo "from one processor" >&2
test "$LEAT_PROCS" = "$2" && eval "$3"
exit 0
"""


def check(condition, *what):
	if not condition:
		raise AssertionError(" ".join(str(w) for w in what))


class Place:
	"""A folder with programs, and leat scale in it."""

	def __init__(self, build, folder):
		self.build, self.folder = build, folder
		self.leat = str(build / "leat")
		self.temporary = folder / "tmp"
		self.temporary.mkdir()
		self.script = self.executable("echo-script", SCRIPT)
		self.log = folder / "log"
		self.environment = {**os.environ, "TMPDIR": str(self.temporary), "LC_ALL": "C"}
		for name in "CC CFLAGS CPPFLAGS LDFLAGS LDLIBS LEAT_PROCS LEAT_DEBUG LEAT_MIGRATE".split():
			self.environment.pop(name, None)

	def executable(self, name, text):
		path = self.folder / name
		path.write_text(text)
		path.chmod(0o755)
		return str(path)

	def sleeper(self):
		path = self.folder / "sleeper.c"
		path.write_text(SLEEPER)
		return str(path)

	def start(self, *words, **options):
		options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
		           "env": self.environment, "cwd": self.folder, **options}
		return subprocess.Popen([self.leat, "scale", *words], **options)

	def finish(self, process, status):
		try:
			out, err = process.communicate(timeout=LONG_S)
		except subprocess.TimeoutExpired:
			process.kill()
			raise AssertionError("it does not end") from None
		out, err = (text.decode(errors="replace") if text else "" for text in (out, err))
		check(process.returncode == status, f"status {process.returncode}, not {status}:\n{out}{err}")
		check(not list(self.temporary.iterdir()), "left behind:", list(self.temporary.iterdir()))
		return out, err

	def run(self, status, *words, **options):
		return self.finish(self.start(*words, **options), status)

	def logged(self):
		return [int(line) for line in self.log.read_text().split()]


def check_says(text, *patterns):
	for pattern in patterns:
		check(re.search(pattern, text, re.M), f"no {pattern!r} in\n{text}")


# ------------------------------------------------------------------------------------- what it finds


def test_p_of_a_known_program_is_found(place):
	"""The promise: within 0.05 for serial shares of 0.05, 0.25 and 0.5, at 1 to 8 processors."""
	source, running = place.sleeper(), []
	for serial, one_ms in (0.05, 1000), (0.25, 730), (0.5, 550):
		name = place.folder / str(serial)
		running.append((serial, one_ms, name, place.start(
			"--max", "8", "--runs", "4", "--json", f"{name}.json", "--svg", f"{name}.svg",
			source, str(one_ms * serial), str(one_ms * (1 - serial)), "0")))
	for _, _, _, process in running:
		process.wait()
	for serial, one_ms, name, process in running:
		out, _ = place.finish(process, 0)
		found = json.loads(pathlib.Path(f"{name}.json").read_text())
		print(f"serial {serial}: p {found['amdahl']['p']:.3f}, {found['amdahl']['p_95']}")
		check(abs(found["amdahl"]["p"] - (1 - serial)) <= 0.05, "p is not", 1 - serial, "\n", out)
		check_figures(found, one_ms / 1000)
		check_table(out, found)
		check_picture(f"{name}.svg", found)


def check_figures(found, one_s):
	law = found["amdahl"]
	check(found["end"] == "complete" and found["runs"] == 4, found)
	check([row["procs"] for row in found["results"]] == list(range(1, 9)), found)
	check(law["p_95"][0] <= law["p"] <= law["p_95"][1], law)
	check(math.isclose(law["serial"], 1 - law["p"], rel_tol=1e-6) and
	      math.isclose(law["limit"], 1 / (1 - law["p"]), rel_tol=1e-6), law)
	for row in found["results"]:
		times = sorted(row["wall_s"])
		check(len(times) == 4 and len(row["cpu_s"]) == 4 and row["fitted"], row)
		check((row["min_s"], row["max_s"]) == (times[0], times[3]), row)
		check(math.isclose(row["median_s"], (times[1] + times[2]) / 2, rel_tol=1e-6), row)
		check(times[0] >= one_s * (0.05 + 0.95 / 8) and 0 < row["cpu_median_s"] < times[3], row)
		check(math.isclose(row["speedup"], found["results"][0]["median_s"] / row["median_s"], rel_tol=1e-6), row)
		check(math.isclose(row["efficiency"], row["speedup"] / row["procs"], rel_tol=1e-6), row)
		check(math.isclose(row["predicted"], 1 / (law["serial"] + law["p"] / row["procs"]),
		                   rel_tol=1e-6), row)


def seconds(text):
	number, unit = text.split()
	return float(number) * {"s": 1, "ms": 1e-3, "us": 1e-6}[unit]


def check_table(out, found):
	rows = re.findall(r"^ +(\d+)  +([\d.]+ \w+) +([\d.]+ \w+) +([\d.]+ \w+) +([\d.]+) +([\d.]+) +(\d+)% +"
	                  r"([\d.]+ \w+)$", out, re.M)
	check(len(rows) == len(found["results"]), out)
	for row, result in zip(rows, found["results"]):
		check(int(row[0]) == result["procs"], row)
		for text, name in (row[1], "median_s"), (row[2], "min_s"), (row[3], "max_s"), (row[7], "cpu_median_s"):
			check(math.isclose(seconds(text), result[name], rel_tol=0.006), row, result)
		check(abs(float(row[4]) - result["speedup"]) < 0.006, row, result)
		check(abs(float(row[5]) - result["predicted"]) < 0.006, row, result)
		check(abs(int(row[6]) - 100 * result["efficiency"]) <= 0.51, row, result)
	check_says(out, f"^parallel share p   {found['amdahl']['p']:.3f}   \\(95 %: 0", "^serial share 1-p   0",
	           r"^limit 1/\(1-p\)      [\d.]+ times")


def check_picture(path, found):
	"""Each dot is where its speed-up is, by the scale that the grid's numbers have."""
	root = xml.etree.ElementTree.parse(path).getroot()
	ticks = [(float(t.text), float(t.get("y")) - 4) for t in root.iter(SVG + "text")
	         if t.get("text-anchor") == "end"]
	(low, low_y), (top, top_y) = ticks[0], ticks[-1]

	def speedup(y):
		return low + (float(y) - low_y) / (top_y - low_y) * (top - low)

	dots = list(root.iter(SVG + "circle"))
	whiskers = [line for line in root.iter(SVG + "line") if line.get("class") == "dot"]
	check(len(dots) == 9 and len(whiskers) == 8, "dots and the legend's:", dots, whiskers)
	for dot, whisker, result in zip(dots, whiskers, found["results"]):
		one_s = found["results"][0]["median_s"]
		check(abs(speedup(dot.get("cy")) - result["speedup"]) < 0.02, result)
		check(abs(speedup(whisker.get("y1")) - one_s / result["min_s"]) < 0.02, result)
		check(abs(speedup(whisker.get("y2")) - one_s / result["max_s"]) < 0.02, result)
	classes = {element.get("class") for element in root.iter()}
	check({"line law", "range", "line ideal", "dot"} <= classes, classes)
	words = "".join(root.itertext())
	check(("line limit" in classes) != ("above" in words), "the limit is neither drawn nor said")
	if found["amdahl"]["limit"] < 3:
		limit = next(e for e in root.iter() if e.get("class") == "line limit" and e.get("y1") == e.get("y2")
		             and float(e.get("x1")) < 100)
		check(abs(speedup(limit.get("y1")) - found["amdahl"]["limit"]) < 0.02, found["amdahl"])


def test_coherency_is_noticed(place):
	"""130 ms, of which 100 are parallel, and 40 ms more for each further processor: 130, 120, 143 to 247 ms."""
	out, _ = place.run(0, "--max", "6", "--runs", "3", "--svg", "picture", place.sleeper(), "30", "100", "40")
	check_says(out, "^scalability law    contention 0", "fastest at [123] processors?$",
	           "^note: the scalability law describes this program, which Amdahl's does not",
	           "^note: negative scaling: at 6 processors even the fastest run took longer than the median at [123]$",
	           "^note: at 6 processors even the fastest run took [0-9.]+ times as long as predicted")
	root = xml.etree.ElementTree.parse(place.folder / "picture").getroot()
	check("line usl" in {element.get("class") for element in root.iter()}, "no curve for it")


def test_more_processors_than_cpus(place):
	"""
	A program that computes, on one CPU: more are not fitted, and then there is no law.  On a busy machine it
	does not compute all of the time, but more than a sixteenth.
	"""
	compute = place.executable("compute", "#!/bin/sh\ni=0\nwhile [ $i -lt 50000 ]; do i=$((i + 1)); done\n")
	cpu = min(os.sched_getaffinity(0))
	out, _ = place.run(0, "--procs", "16,32", "--runs", "1", "--json", "figures", "--svg", "picture", compute,
	                   preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
	found = json.loads((place.folder / "figures").read_text())
	check(found["cpus"] == 1 and [r["fitted"] for r in found["results"]] == [True, False, False], found)
	check(found["amdahl"] is None and found["usl"] is None, found)
	check(found["results"][1]["predicted"] is None, found)
	check_says(out, "^ +16\\* .* - ", "^note: 16 and more processors .* more than the 1 CPU here", "too little to fit")
	hollow = [e for e in xml.etree.ElementTree.parse(place.folder / "picture").getroot().iter()
	          if e.get("class") == "hollow"]
	check(len(hollow) == 3, "not hollow:", hollow)


def test_programs_that_gain_nothing(place):
	nap = place.executable("nap", "#!/bin/sh\nexec sleep 0.0$LEAT_PROCS\n")
	out, _ = place.run(0, "--max", "3", "--runs", "3", nap)
	check_says(out, r"^limit 1/\(1-p\)      1.00", "^note: it gained nothing beyond noise; LEAT_PROCS is for programs that are linked")
	out, _ = place.run(0, "--max", "2", "--runs", "1", "true")
	check_says(out, "^note: the runs are short", "^note: one run at each number of processors does not tell")
	check("95 %" not in out, out)


# ---------------------------------------------------------------------------------- how it runs them


def test_numbers_of_processors_take_turns(place):
	place.run(0, "--max", "3", "--runs", "3", place.script, str(place.log), "0", ":")
	check(place.logged() == [1, 2, 3, 3, 2, 1, 1, 2, 3], place.logged())
	place.log.unlink()
	out, _ = place.run(0, "--procs", "8,2,8", "--runs", "1", "--warmup", place.script, str(place.log), "0", ":")
	check(place.logged() == [8, 2, 1, 1, 2, 8], place.logged())
	check_says(out, "at 1 to 8 processors, 1 run each")


def test_as_many_as_cpus_unless_told(place):
	"""As many as it may use; whatever LEAT_PROCS is."""
	out, _ = place.run(0, "--runs", "1", "--json", "-", place.script, str(place.log), "0", ":",
	                   env={**place.environment, "LEAT_PROCS": "1"})
	cpus = json.loads(out)["cpus"]
	check(1 <= cpus <= len(os.sched_getaffinity(0)), cpus)
	check(place.logged() == list(range(1, max(2, cpus) + 1)), place.logged())
	place.log.unlink()
	cpu = min(os.sched_getaffinity(0))
	place.run(0, "--runs", "1", place.script, str(place.log), "0", ":",
	          preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
	check(place.logged() == [1, 2], place.logged())


def test_input_and_output(place):
	words = "--max", "2", "--runs", "1"
	program = place.script, str(place.log), "0", ":"
	read = place.folder / "log.input"
	out, err = place.run(0, *words, *program)
	check("to std" not in out + err and read.read_text() == "", out, err)
	out, err = place.run(0, *words, "--output", *program)
	check(out.count("to stdout\n") == 2 and err.count("to stderr\n") == 2, out, err)
	(place.folder / "lines").write_text("one\ntwo\n")
	place.run(0, *words, "--input", "lines", *program)
	check(read.read_text() == 2 * "one\ntwo\n", read.read_text())
	_, err = place.run(1, *words, "--input", "nowhere", *program)
	check_says(err, "nowhere: No such file")
	os.mkfifo(place.folder / "fifo")
	_, err = place.run(1, *words, "--input", "fifo", *program)
	check_says(err, "fifo: cannot be read again")
	# Without the three descriptors that one expects: the table goes nowhere, which is an error.
	place.log.unlink()
	place.run(1, *words, "--json", "figures", *program, close_fds=True,
	          preexec_fn=lambda: (os.close(0), os.close(1), os.close(2)), stdout=None, stderr=None)
	check(json.loads((place.folder / "figures").read_text())["end"] == "complete", "no figures")
	check(place.logged() == [1, 2], place.logged())
	place.run(1, *words, "--json", "figures", place.script, str(place.log), "2", "exit 3",
	          preexec_fn=lambda: os.close(2), stderr=None)
	check(json.loads((place.folder / "figures").read_text())["end"] == "failed", "messages among the figures")


def test_what_is_said(place):
	program = place.script, str(place.log), "0", ":"
	out, err = place.run(0, "--max", "2", "--runs", "2", "-q", *program)
	check(re.fullmatch(r"p [01]\.\d{3} \(95 %: [01]\.\d{3} to [01]\.\d{3}\)\n", out) and not err, out, err)
	out, err = place.run(0, "--max", "2", "--runs", "2", "--json", "-", *program)
	check(json.loads(out)["arguments"] == list(program[1:]) and not err, out, err)
	out, _ = place.run(0, "--help")
	check_says(out, "^usage: leat scale")


def test_names_of_all_kinds(place):
	name = b"a \"<&\xff\x01\xc3\xa9'"
	path = os.path.join(os.fsencode(place.folder), name)
	shutil.copy(place.script, path)
	out, _ = place.run(0, "--max", "2", "--runs", "1", "--json", "-", "--svg", "picture", path, place.log, "0", ":")
	check(json.loads(out)["program"].endswith("a \"<&\ufffd\x01é'"), out)
	title = xml.etree.ElementTree.parse(place.folder / "picture").getroot().find(SVG + "title").text
	check(title.startswith("Speed-up of /"), title)
	os.rename(path, os.path.join(os.fsencode(place.folder), name[-6:]))
	place.run(0, "--max", "2", "--runs", "1", "--svg", "picture", b"./" + name[-6:], place.log, "0", ":")
	title = xml.etree.ElementTree.parse(place.folder / "picture").getroot().find(SVG + "title").text
	check(title.startswith("Speed-up of ./&\ufffd\ufffdé' "), title)


# ------------------------------------------------------------------------------------- what goes wrong


def test_a_run_that_fails(place):
	for what, said in (("exit 3", "ended with status 3"), ("kill -SEGV $$", "was killed by signal 11 .Segm")):
		out, err = place.run(1, "--max", "3", "--runs", "2", "--json", "figures", place.script, str(place.log),
		                     "2", f'test -e once && {what}; touch once')
		check_says(err, f"script {said}.* in run 2 with LEAT_PROCS=2; 4 before it had ended with status 0$",
		           "^to stderr$", "^leat: what follows was measured before$")
		check("to stdout" not in out + err and "from one" not in err, out, err)
		check_says(out, "at 1 to 3 processors, 1 to 2 runs each", "^ +1 ", r"^ +2\*? ", r"^ +3\*? ")
		found = json.loads((place.folder / "figures").read_text())
		check(found["end"] == "failed" and [len(r["wall_s"]) for r in found["results"]] == [1, 1, 2], found)
		(place.folder / "once").unlink()


def test_a_run_that_fails_at_once(place):
	"""What was to be written is not there, and what was there is as it was."""
	(place.folder / "old").write_text("precious")
	out, err = place.run(1, "--json", "old", "--svg", "new", place.script, str(place.log), "1", "exit 3")
	check_says(err, "script ended with status 3 in run 1 with LEAT_PROCS=1$")
	check(not out and place.logged() == [1], out, err)
	check((place.folder / "old").read_text() == "precious", "a file was lost")
	check(not (place.folder / "new").exists(), "an empty file")
	_, err = place.run(1, "--warmup", place.script, str(place.log), "1", "exit 3")
	check_says(err, "ended with status 3 in the warm-up run with LEAT_PROCS=1$")
	_, err = place.run(1, place.script, str(place.log), "1",
	                   "i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo line $i >&2; done; exit 4")
	check_says(err, "it wrote to stderr, at the end:", "^line 3000$")
	check("line 1\n" not in err, "all of it is shown")


def test_what_cannot_be_run(place):
	(place.folder / "plain").write_text("#!/bin/sh\n")
	(place.folder / "bad.c").write_text("int main(void) { return x; }\n")
	(place.folder / "folder.c").mkdir()
	(place.folder / "bad.sh").write_text("#!/no/such\n")
	(place.folder / "bad.sh").chmod(0o755)
	for program, said in (("./nothing", "cannot start ./nothing: No such file"),
	                      ("nothing", "cannot start nothing: No such file.*y$"),
	                      ("echo-script", r"cannot start echo-script: No such file.* in PATH \(the one in this folder"),
	                      ("./plain", "cannot start ./plain: Permission denied"),
	                      ("./bad.sh", "cannot start ./bad.sh: No such file"),
	                      ("none.c", "none.c: No such file"), ("folder.c", "folder.c: Is a directory"),
	                      ("bad.c", "bad.c:1:.*error")):
		out, err = place.run(1, "--json", "figures", program)
		check_says(err, said)
		check(not out and not (place.folder / "figures").exists(), out, err)


def test_signals(place):
	"""A signal to leat while a run waits for one: what was measured before is shown."""
	os.mkfifo(place.folder / "ready")
	for number in signal.SIGINT, signal.SIGTERM:
		def ordinary():
			signal.signal(number, signal.SIG_DFL)
		process = place.start("--max", "3", "--runs", "2", "--json", "figures", place.script,
		                      str(place.log), "3", "echo > ready; exec sleep 60", preexec_fn=ordinary)
		with open(place.folder / "ready") as ready:
			ready.read()
		process.send_signal(number)
		out, err = place.finish(process, -number)
		check_says(err, f"^leat: stopped by signal {int(number)} ", "^leat: what follows was measured before$")
		check_says(out, "at 1 to 2 processors, 0 to 1 runs each", "^ +1 ", "^ +2 ")
		found = json.loads((place.folder / "figures").read_text())
		check(found["end"] == "stopped" and len(found["results"]) == 2, found)


def test_a_terminal(place):
	"""Progress is shown there; Ctrl-C reaches the program and leat, which tells what it has."""
	command = [place.leat, "scale", "--max", "2", "--runs", "2", place.script, str(place.log), "2", "exec sleep 60"]
	pid, fd = pty.fork()
	if pid == 0:
		os.execve(command[0], command, place.environment)
	seen = b""
	while b"round 1 of 2, 2 processors" not in seen or not place.log.exists() or place.logged() != [1, 2]:
		seen += os.read(fd, 4096) if b"2 processors" not in seen else b""
	os.write(fd, b"\x03")
	try:
		while more := os.read(fd, 4096):
			seen += more
	except OSError: # the other side is closed
		pass
	_, status = os.waitpid(pid, 0)
	check(os.waitstatus_to_exitcode(status) == -signal.SIGINT, status, seen)
	check_says(seen.decode(), "stopped by signal 2", "too little to fit")


def test_what_cannot_be_written(place):
	program = "--max", "2", "--runs", "1", place.script, str(place.log), "0", ":"
	with open("/dev/full", "w") as full:
		_, err = place.run(1, *program, stdout=full)
	check_says(err, "cannot write: the output is incomplete")
	for option in "--json", "--svg":
		_, err = place.run(1, option, "/dev/full", *program)
		check_says(err, "cannot write /dev/full: it is incomplete")
		place.log.unlink()
		_, err = place.run(1, option, "nowhere/file", *program)
		check_says(err, "cannot write nowhere/file: No such file or directory")
		check(not place.log.exists(), "found out too late")


def test_wrong_calls(place):
	for words, said in (
			([], "which program\\?"), ([""], "which program"), (["--max", "4"], "which program"),
			(["--max", "1", "true"], '--max: "1" is no number from 2 to 1024'),
			(["--max", "1025", "true"], '--max: "1025" is no'), (["--max", "2x", "true"], '"2x" is no number'),
			(["--max", "", "true"], '"" is no number'), (["--max", "-2", "true"], '"-2" is no number'),
			(["--max", "99999999999999999999", "true"], "is no number"),
			(["--runs", "0", "true"], '--runs: "0" is no number from 1 to 1000'),
			(["--runs", "1001", "true"], "--runs"), (["--procs", "1", "true"], "takes another number"),
			(["--procs", "1,,2", "true"], "is no list"), (["--procs", "2,", "true"], "is no list"),
			(["--procs", "0,2", "true"], "is no list"), (["--procs", "2;3", "true"], "is no list"),
			(["--procs", "2", "--max", "3", "true"], "say the same thing"),
			(["--max"], "requires an argument"), (["--rnus", "3", "true"], "unrecognized option '--rnus'"),
			(["--output", "--json", "-", "true"], "both want standard output"),
			(["--svg", "-", "true"], "--svg - is not supported")):
		out, err = place.run(2, *words)
		check_says(err, said)
		check(not out, out)


def main():
	build = pathlib.Path(sys.argv[1]).resolve()
	if not (build / "leat").exists():
		print(f"no {build / 'leat'}")
		return 77
	failed = 0
	for name, test in list(globals().items()):
		if not name.startswith("test_") or (sys.argv[2:] and not any(word in name for word in sys.argv[2:])):
			continue
		with tempfile.TemporaryDirectory() as folder:
			print(name, flush=True)
			try:
				test(Place(build, pathlib.Path(folder)))
			except AssertionError as error:
				failed += 1
				print(f"FAILED: {name}: {error}", flush=True)
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
