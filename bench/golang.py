# SPDX-License-Identifier: MIT
"""Go, as those need it who measure against it: found, named, and its programs built."""

import os
import shutil
import subprocess


class BuildFailed(Exception):
    """What go build said."""


class Go:
    """
    $GO, else the go on the PATH, else Debian's.  label is what it is called in tables; absent says why
    none of its programs can be built, None where they can.
    """

    def __init__(self, cache):
        self.cache = cache  # a folder of its own
        self.label = "go"
        self.absent = None
        go = os.environ.get("GO")
        self.command = (os.path.abspath(go) if "/" in go else go) if go else \
            shutil.which("go") or shutil.which("/usr/lib/go/bin/go")
        if not self.command:
            self.absent = "no Go found: install golang-go, or set GO"
            return
        try:
            words = subprocess.run([self.command, "version"], capture_output=True, text=True, check=True,
                                   env=self.env()).stdout.split()
            self.label = words[2].replace("go", "go ", 1)
        except (OSError, subprocess.CalledProcessError, IndexError) as e:
            self.absent = f"'{self.command} version' failed ({e})"

    def env(self):
        # Nothing of the user's Go settings, and no download, may change what is measured.
        return {**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local",
                "GOWORK": "off", "GOCACHE": str(self.cache)}

    def build(self, path, folder, *files):
        """Build the program path of files, all of them in folder: Go wants it so."""
        done = subprocess.run([self.command, "build", "-o", path, *files], cwd=folder, env=self.env(),
                              capture_output=True, text=True)
        if done.returncode:
            raise BuildFailed("go build failed:\n" + done.stderr.rstrip())
