#!/bin/bash
# SPDX-License-Identifier: MIT
# CTEST: timeout=300 env:LEAT_PROCS=2
#
# Goal: frames of C++, and of C compiled with -fexceptions, between a panic and its catch, and under an
# exception, behave as leat_panic(3) says: a record runs once, whichever of the two passes.
# Method: frames.cpp and the C part of it, frames.c, by both compilers, at -O0 to -O3.
#
#	frames.sh BUILD_FOLDER
set -u
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
test -e "$build/libleat.a" || { echo "no $build/libleat.a"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset LEAT_TRACEBACK

fail() {
	echo "FAILED: $what: $1"
	cat out err
	exit 1
}
# try STATUS STDOUT STDERR WAY: the status, all of stdout, and a line of stderr
try() {
	timeout 60 ./frames "$4" >out 2>err </dev/null
	status=$?
	test "$status" = "$1" || fail "$4: status $status, not $1"
	test "$(cat out)" = "$2" || fail "$4: stdout is not '$2'"
	grep -q -e "$3" err || { test -z "$3" && ! test -s err; } || fail "$4: stderr lacks '$3'"
}

ulimit -c 0
tried=0
for pair in gcc:g++ clang:clang++; do
	cc=${pair%:*} cxx=${pair#*:}
	command -v "$cc" >/dev/null && command -v "$cxx" >/dev/null || { echo "no $cxx"; continue; }
	# Headers of C++ may be missing where its compiler is not.
	echo '#include <cstdio>' | "$cxx" -x c++ -fsyntax-only - 2>/dev/null || { echo "no <cstdio> for $cxx"; continue; }
	for level in -O0 -O1 -O2 -O3; do
		for exceptions in -fexceptions -fno-exceptions; do
			what="$cc $level $exceptions"
			"$cc" -std=gnu11 $level -g $exceptions -pthread -I"$root/include" -c "$root/tests/traps/frames.c" -o c.o &&
				"$cxx" -std=c++17 $level -g -pthread -I"$root/include" "$root/tests/traps/frames.cpp" c.o \
					"$build/libleat.a" -ldl -o frames || exit 1
			# A panic abandons the frames: records run, destructors and cleanups do not.
			try 0 "records 1, cleanups 0, destructors 0" "" panic
			try 0 "records 1, cleanups 0, destructors 0" "" goexit
			# An exception unwinds them; C that is not told of exceptions has no part in that.
			if test $exceptions = -fexceptions; then
				try 0 "records 1, cleanups 1, destructors 1" "" throw
			fi
			try 0 "records 0, cleanups 0, destructors 1" "" inside
			# Nobody catches it: the end that C++ has for it in a thread.
			try 134 "" "terminate called after throwing" uncaught
			# Catches, and what runs for a panic, it must not pass.
			try 2 "" "^fatal error: a C++ exception leaves a function that leat called" past_catch
			grep -q '^thrower(' err || grep -q '^thrower' err || fail "past_catch: no frame of thrower"
			try 2 "" "^fatal error: a C++ exception leaves a function that leat called" past_panic
			echo "right: $what"
			tried=1
		done
	done
done
test $tried = 1 || { echo "no compiler for C++"; exit 77; }
