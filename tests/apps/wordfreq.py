#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240
"""wordfreq.py BUILD_TREE [TEST...]: what examples/apps/wordfreq promises, against tr, sort and uniq."""
import os
import pty
import random
import subprocess
import sys
from glob import glob

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import check, check_same, finish, make, run, start, until  # noqa: E402

BLOCK = 256 * 1024
SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


def expected(*files, data=None, fold=False):
	"""What the pipeline of the program's description prints, each file ended by a blank."""
	if data is None:
		data = b"".join(open(f, "rb").read() + b" " for f in files)
	fold = "tr A-Z a-z |" if fold else ""
	pipeline = (fold + r"tr -cs 'A-Za-z\200-\377' '[\n*]' | { grep -a . || :; } | sort | uniq -c"
	            " | sort -k1,1nr -k2")
	return subprocess.run(pipeline, shell=True, input=data, env=app.ENVIRONMENT,
	                      stdout=subprocess.PIPE, check=True).stdout


def check_counts(*files, fold=False, **how):
	options = ["-i"] if fold else []
	code, out, err = run(*options, *files, **how)
	check(code == 0 and err == b"", "exits", code, err)
	check_same(out, expected(*files, fold=fold), " ".join(files)[:80])


def test_real_texts():
	"""The sources and the manual of this project, at several numbers of processors."""
	files = [f for pattern in ("src/*/*.[ch]", "man/*.[0-9]", "docs/*.md", "include/leat/*.h")
	         for f in glob(os.path.join(SOURCES, pattern))]
	check(len(files) > 100, "found only", len(files), "files")
	for procs in (1, 2, 8):
		check_counts(*files, procs=procs)
	check_counts(*files, fold=True)


def test_standard_input():
	data = b"the cat and the dog\nThe End"
	wanted = b"      2 the\n      1 End\n      1 The\n      1 and\n      1 cat\n      1 dog\n"
	for operands in ([], ["-"]):
		code, out, err = run(*operands, data=data)
		check((code, out, err) == (0, wanted, b""), code, out, err)


def test_files_end_words():
	make("a", b"one tw")
	make("b", b"o three")
	check_counts("a", "b")


def test_nothing():
	make("empty")
	make("blanks", b" \n\t 123 .,;" * 1000)
	for operands in (["empty"], ["blanks"], ["empty", "blanks", "empty"]):
		code, out, err = run(*operands)
		check((code, out, err) == (0, b"", b""), operands, code, out, err)


def test_block_ends():
	"""Words before, on and after the end of a block, of every length there."""
	for offset in range(-4, 5):
		for length in (1, 2, 3, 7):
			before = b"x " * ((BLOCK + offset) // 2) + b"y" * ((BLOCK + offset) % 2)
			make("text", before + b"w" * length + b" end")
			check_counts("text", "text")


def test_words_longer_than_blocks():
	make("long", b"a" * (3 * BLOCK + 5) + b" b " + b"c" * BLOCK + b"\n" + b"a" * (3 * BLOCK + 5))
	check_counts("long", procs=4)
	make("endless", b"z" * (2 * BLOCK))
	check_counts("endless")


def test_any_bytes():
	generator = random.Random(1)
	make("noise", generator.randbytes(3 * BLOCK))
	make("zeros", b"\0" * BLOCK + b"word" + b"\0" * 10)
	check_counts("noise", "zeros")


def test_many_words():
	"""More different words than a table begins with, by many workers."""
	generator = random.Random(2)
	letters = "abcdefghij"
	words = ["".join(generator.choices(letters, k=5)) for _ in range(400000)]
	make("words", " ".join(words).encode())
	for jobs in ("1", "2", "7"):
		code, out, err = run("-j", jobs, "words", procs=4)
		check(code == 0, code, err)
		check_same(out, expected("words"), f"-j {jobs}")


def test_first_lines():
	make("text", b"a b b c c c d d d d")
	code, out, _ = run("-n", "2", "text")
	check((code, out) == (0, b"      4 d\n      3 c\n"), code, out)


def test_what_cannot_be_read():
	"""It is complained of, the rest is counted, and the exit status tells."""
	make("good", b"word word")
	os.mkdir("folder")
	code, out, err = run("missing", "good", "folder", "good")
	check(code == 1, "exits", code)
	check_same(out, b"      4 word\n", "the rest")
	check_same(err, b"wordfreq: missing: No such file or directory\nwordfreq: folder: Is a directory\n",
	           "the complaints")


def test_closed_input():
	process = subprocess.run(["sh", "-c", 'exec "$0" <&-', app.program], capture_output=True, check=False,
	                         timeout=app.SHORT_S, env=app.ENVIRONMENT)
	check(process.returncode == 1, process.returncode)
	check(process.stderr == b"wordfreq: standard input: Bad file descriptor\n", process.stderr)


def test_full_disk():
	make("text", b"a b c")
	with open("/dev/full", "wb") as full:
		code, _, err = run("text", stdout=full)
	check((code, err) == (1, b"wordfreq: cannot write: No space left on device\n"), code, err)


def test_reader_that_leaves():
	make("text", b" ".join(b"%c%c%c" % (a, b, c) for a in range(97, 123) for b in range(97, 123)
	                       for c in range(97, 123)))
	process = start("text")
	process.stdout.readline()
	process.stdout.close()
	code = process.wait(app.SHORT_S)
	check(code == -13, "ends by SIGPIPE like others, but exits", code)


def test_out_of_memory():
	"""Less and less memory: the result or a message, never half of it, and no crash."""
	make("words", b"".join(b"%c%c%c%c " % tuple(97 + i // 26 ** k % 26 for k in range(4))
	                       for i in range(26 ** 4)))
	wanted, failures = expected("words"), 0
	if run("--help", memory=200 << 20)[0] != 0:
		raise app.Skip("it does not start with so little address space")
	for mib in (1000, 700, 500, 400, 300, 250, 200):
		code, out, err = run("-j", "1", "words", memory=mib << 20, procs=1)
		check((code, err) in ((0, b""), (1, b"wordfreq: out of memory\n")), mib, "MiB:", code, err)
		check(out == (b"" if code else wanted), mib, "MiB: printed something else")
		failures += code
	check(failures, "there was always enough")


def test_usage():
	for wrong in (["-j", "0"], ["-j", "x"], ["-n", "-1"], ["-n", ""], ["-j", "99999"], ["--what"]):
		code, out, err = run(*wrong)
		check(code == 2 and out == b"" and err.startswith(b"wordfreq: ") or b"unrecognized" in err, wrong, err)
	code, out, err = run("--help")
	check(code == 0 and out.startswith(b"Usage: wordfreq") and err == b"", code, out, err)


def test_progress():
	"""On a terminal, and wiped away at the end."""
	ours, theirs = pty.openpty()
	process = start(stdin=subprocess.PIPE, stderr=theirs)
	os.close(theirs)
	process.stdin.write(b"word " * 100000)
	process.stdin.flush()
	seen = b""

	def shows():
		nonlocal seen
		seen += os.read(ours, 1000)
		return b"MiB/s" in seen
	until(shows, "progress is shown")
	code, out, _ = finish(process, b"word")
	os.set_blocking(ours, False)
	try:
		while True:
			more = os.read(ours, 1000)
			if not more:
				break
			seen += more
	except OSError:
		pass
	os.close(ours)
	check((code, out) == (0, b" 100001 word\n"), code, out)
	check(seen.endswith(b"\r\x1b[K"), "the line stays:", seen[-40:])


if __name__ == "__main__":
	sys.exit(app.main("wordfreq", globals()))
