#!/bin/bash
# SPDX-License-Identifier: MIT
# CTEST: timeout=120 env:LEAT_PROCS=2
#
# Goal: a type is the same one in a program and its shared libraries: a type of a library's, and those of C,
# which are leat's.  Each has one address, though a program that is not position-independent has its own copy
# of what it uses of a library's.
# Method: any_types.c, with both compilers, and programs of both kinds.
#
#	any_types.sh BUILD_FOLDER
set -u
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
test -e "$build/libleat.so" || { echo "no $build/libleat.so"; exit 77; }
command -v gcc >/dev/null || { echo "no gcc"; exit 77; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

for cc in gcc clang; do
	command -v $cc >/dev/null || continue
	for level in -O0 -O2; do
		compile="$cc -std=gnu11 $level -pthread -I$root/include $root/tests/traps/any_types.c"
		libraries="-L. -Wl,-rpath,$scratch -L$build -lleat -Wl,-rpath,$build"
		$compile -DMAKER -fPIC -shared -o libmaker.so $libraries || exit 1
		$compile -DREADER -fPIC -shared -o libreader.so -lmaker $libraries || exit 1
		for kind in "-fPIE -pie" "-fno-pie -no-pie"; do
			$compile $kind -o program -lreader -lmaker $libraries || exit 1
			timeout 60 ./program || { echo "FAILED: $cc $level $kind: status $?"; exit 1; }
			echo "right: $cc $level $kind"
		done
	done
done
