#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Goal: Ctrl-C on a terminal reaches the program of leat run once, and leat waits for its end.

Method: leat runs in a session of its own on a pseudo-terminal, where the keys are typed once the
program, or a compiler that never ends, has said that it is there.

	terminal.py BUILD_FOLDER
"""

import os
import pathlib
import pty
import re
import signal
import sys
import tempfile

PROGRAM = r"""
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t count;

static void handle(int number)
{
	(void)number;
	count++;
}

int main(void)
{
	char line[80];

	signal(SIGINT, handle);
	siginterrupt(SIGINT, 0);
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return 99;
	printf("%d interrupts before %s", (int)count, line);
	return 5;
}
"""

COMPILER = "#!/bin/sh\necho x >$TMPDIR/x\necho ready\nwhile :; do sleep 1; done\n"


def read_until(fd, pattern, seen=b""):
	while not re.search(pattern, seen):
		try:
			more = os.read(fd, 4096)
		except OSError:
			more = b""
		if not more:
			sys.exit(f"no {pattern!r} in {seen!r}")
		seen += more
	return seen


def run(command, environment):
	"""Start the command on a new terminal: its pid and the terminal's other side."""
	pid, fd = pty.fork()
	if pid == 0:
		os.execve(command[0], command, environment)
	return pid, fd


def main():
	leat = str(pathlib.Path(sys.argv[1]).resolve() / "leat")
	if not os.path.exists(leat):
		sys.exit(77)
	with tempfile.TemporaryDirectory() as scratch:
		scratch = pathlib.Path(scratch)
		temporary = scratch / "tmp"
		temporary.mkdir()
		(scratch / "program.c").write_text(PROGRAM)
		compiler = scratch / "slow-cc"
		compiler.write_text(COMPILER)
		compiler.chmod(0o755)
		environment = {**os.environ, "TMPDIR": str(temporary)}
		command = [leat, "run", str(scratch / "program.c")]

		pid, fd = run(command, environment)
		read_until(fd, rb"ready")
		os.write(fd, b"\x03")
		read_until(fd, rb"\^C")
		os.write(fd, b"go\n")
		output = read_until(fd, rb"interrupts before go")
		_, status = os.waitpid(pid, 0)
		assert b"1 interrupts before" in output, output
		assert os.waitstatus_to_exitcode(status) == 5, status
		assert not list(temporary.iterdir())

		pid, fd = run(command, {**environment, "CC": str(compiler)})
		read_until(fd, rb"ready")
		os.write(fd, b"\x03")
		_, status = os.waitpid(pid, 0)
		assert os.waitstatus_to_exitcode(status) == -signal.SIGINT, status
		assert not list(temporary.iterdir())


main()
