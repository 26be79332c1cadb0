#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=900
"""The twins in Go of examples/notes do what is expected of the programs in C.

Each must be as gofmt writes it and pass go vet, and what it says and how it ends is compared with the
.expect of its program by tests/tools/expect.  Skipped where there is no Go.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parent.parent.parent
notes = root / "examples" / "notes"
expect = root / "tests" / "tools" / "expect"


def say(command, folder):
	"""Run a command of Go's; returns what it said, and whether it succeeded."""
	env = {"GOCACHE": str(pathlib.Path(sys.argv[1]).resolve() / "go-cache"), **os.environ,
	       "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GO111MODULE": "on", "CGO_ENABLED": "0"}
	done = subprocess.run(command, cwd=folder, env=env, text=True,
	                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
	return done.stdout, done.returncode == 0


def main():
	go = shutil.which("go") or shutil.which("go", path="/usr/lib/go/bin:/usr/local/go/bin")
	if not go:
		print("no go in PATH")
		return 77
	twins = sorted((notes / "go").glob("*.go"))
	failed = not twins
	with tempfile.TemporaryDirectory() as scratch:
		# One module with a package for each, so that Go builds them all at once.
		module = pathlib.Path(scratch)
		(module / "go.mod").write_text("module notes\n\ngo 1.19\n")
		for twin in twins:
			(module / twin.stem).mkdir()
			shutil.copy(twin, module / twin.stem / "main.go")
		for command in ([go, "vet", "./..."], [go, "build", "-o", "bin/", "./..."]):
			words, ok = say(command, module)
			if not ok:
				print(words)
				return 1
		gofmt = pathlib.Path(go).resolve().parent / "gofmt"
		words, ok = say([str(gofmt), "-l", str(notes / "go")], module)
		if words or not ok:
			print(f"not formatted:\n{words}")
			failed = True
		for twin in twins:
			done = subprocess.run([sys.executable, expect, notes / f"{twin.stem}.expect", module / "bin" / twin.stem],
			                      text=True, stdout=subprocess.PIPE, check=False)
			if done.returncode != 0:
				print(f"go/{twin.name}:\n{done.stdout}")
				failed = True
	print(f"{len(twins)} programs")
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
