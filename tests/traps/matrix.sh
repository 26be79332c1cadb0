#!/bin/bash
# SPDX-License-Identifier: MIT
# CTEST: timeout=600 env:LEAT_MIGRATE=1 env:LEAT_PROCS=2
#
# Goal: what is a goroutine's own stays so however program and library are compiled.  Compilers keep
# addresses over a call that changes threads, each at other options: errno's at -O1 and above, those of
# thread-local variables with -fPIC, and all of them, through the library's own functions, with -flto.
# Method: tests/api/go_own.c, which says what is a goroutine's own, with every park on another thread, by
# both compilers.  And without protection it must fail: else this would show nothing.
#
#	matrix.sh BUILD_FOLDER
set -u
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
test -e "$build/libleat.a" || { echo "no $build/libleat.a"; exit 77; }
command -v gcc >/dev/null || { echo "no gcc"; exit 77; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
base=(-std=gnu11 -g0 -pthread -I"$root/include" -I"$root/tests")
program=$root/tests/api/go_own.c
# As in CMakeLists.txt, but for what is optional.
library=(-I"$root/src" -DLEAT_HAVE_LIBUNWIND=0 -DLEAT_HAVE_LIBDW=0 -DLEAT_HAVE_VALGRIND=0
	-fvisibility=hidden -ftls-model=initial-exec -fstack-clash-protection)
failed=0

# build COMPILER OPTION...: the program against the library as it was built.
build() {
	"$@" "${base[@]}" "$program" "$build/libleat.a" -ldl -lm -o "$scratch/program" ||
		{ echo "FAILED to build: $*"; exit 1; }
}

# right WHAT...: the program just built passes; wrong WHAT...: it fails.
right() {
	if "$scratch/program" >"$scratch/out" 2>&1; then
		echo "right: $*"
	else
		echo "FAILED: $*: status $?"
		tail -3 "$scratch/out"
		failed=1
	fi
}
wrong() {
	if "$scratch/program" >"$scratch/out" 2>&1; then
		echo "FAILED: $*: nothing went wrong"
		failed=1
	else
		echo "wrong, as it must be: $*: $(tail -1 "$scratch/out")"
	fi
}

for cc in gcc clang; do
	command -v "$cc" >/dev/null || { echo "no $cc: without it"; continue; }
	for options in "-O0 -fstack-protector-all" "-O2 -D_FORTIFY_SOURCE=2" "-O3 -fPIC -pie"; do
		# shellcheck disable=SC2086 # options are several words
		build "$cc" $options
		right "$cc $options"
	done
	build "$cc" -O2 -DLEAT_KEEP_ERRNO
	wrong "$cc -O2, errno as libc defines it"
	build "$cc" -O2 -DOWN_KEEP_ADDRESS
	wrong "$cc -O2, the address of a thread-local kept"
done

# The whole library through the optimiser of link time, with the program; and without any optimisation.
sources=()
for file in "$root"/src/*/*.c "$root/src/arch/$(uname -m)"/*; do
	[[ $file == *_test.c ]] || sources+=("$file")
done
for how in "gcc -O2 -flto=auto" "clang -O2 -flto" "gcc -O0"; do
	# shellcheck disable=SC2086
	command -v ${how%% *} >/dev/null || continue
	# shellcheck disable=SC2086
	if $how "${base[@]}" "${library[@]}" "${sources[@]}" "$program" -ldl -lm -o "$scratch/program" \
		2>"$scratch/err"; then
		right "$how, the library too"
	else
		# A clang without its plugin for the linker cannot.
		echo "not tried: $how: $(tail -1 "$scratch/err")"
	fi
done
exit $failed
