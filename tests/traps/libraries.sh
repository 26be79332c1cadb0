#!/bin/bash
# SPDX-License-Identifier: MIT
# CTEST: timeout=300 env:LEAT_PROCS=2
#
# Goal: libraries that use leat work in programs that do not, loaded at run time and from any thread; two
# of them share one runtime if they share libleat.so, and have one each, without harm, if each was linked
# with libleat.a.
# Method: part.c becomes such libraries, host.c loads them.
#
#	libraries.sh BUILD_FOLDER
set -u
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
test -e "$build/libleat.so" || { echo "no $build/libleat.so"; exit 77; }
command -v gcc >/dev/null || { echo "no gcc"; exit 77; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

library() { # library OUTPUT PREFIX LINK-OPTION...
	gcc -std=gnu11 -O2 -g -fPIC -shared -pthread -fstack-clash-protection -I"$root/include" \
		-fvisibility=hidden -DPART="$2" "$root/tests/traps/part.c" -o "$1" "${@:3}" || exit 1
}
fail() {
	echo "FAILED: $what: $1"
	cat out err
	exit 1
}
# try STATUS WHAT ARGUMENT...
try() {
	local expected=$1
	what=$2
	timeout 60 ./host "${@:3}" >out 2>err </dev/null
	status=$?
	test "$status" = "$expected" || fail "status $status, not $expected"
	echo "right: $what"
}
out() { grep -qx -e "$1" out || fail "stdout lacks: $1"; }
err() { grep -q -e "$1" err || fail "stderr lacks: $1"; }

gcc -std=gnu11 -O2 -g -pthread "$root/tests/traps/host.c" -o host -ldl || exit 1
for prefix in a b; do
	library $prefix.so $prefix "-L$build" -lleat "-Wl,-rpath,$build"
	library own_$prefix.so $prefix "$build/libleat.a" -ldl -Wl,--exclude-libs,ALL -Wl,-z,nodelete
done

for kind in "" own_; do
	for migrate in 0 1; do
		export LEAT_MIGRATE=$migrate
		try 0 "${kind}a.so from main, migrate $migrate" one ./${kind}a.so
		try 0 "${kind}a.so from a thread, migrate $migrate" thread ./${kind}a.so
		try 0 "${kind}a.so closed, migrate $migrate" close ./${kind}a.so
		try 0 "${kind}a.so and ${kind}b.so, migrate $migrate" both ./${kind}a.so ./${kind}b.so
		if [ -z "$kind" ]; then out "1 1"; else out "\([01] 0\|0 1\)"; fi
	done
	LEAT_MIGRATE=0
	# The handlers of two runtimes know whose goroutine it was.
	try 2 "${kind}a.so overflows a stack beside ${kind}b.so" overflow ./${kind}a.so ./${kind}b.so
	err "fatal error: stack overflow"
	err "^deep("
done
