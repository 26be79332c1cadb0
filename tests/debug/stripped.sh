#!/bin/bash
# SPDX-License-Identifier: MIT
# CTEST: timeout=300 env:LEAT_PROCS=2
#
# Goal: dumps are of use without debug information, without any symbols, and without the libraries that
# know about either.
# Method: one program, built in each of these ways, dumps itself; what is an address is looked up in
# the symbols of the same program before they were stripped.
#
#	stripped.sh BUILD_FOLDER
set -u
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset LEAT_TRACEBACK

cat >subject.c <<'END'
#include <leat.h>

__attribute__((noinline)) static void wait_here(void)
{
	leat_sleep(LEAT_HOUR);
	__asm__ volatile("");
}

static void waiter(void)
{
	wait_here();
	__asm__ volatile("");
}

__attribute__((noinline)) void exported(void)
{
	leat_dump(stdout);
	__asm__ volatile("");
}

int main(void)
{
	go0(waiter);
	while (leat_num_parked() != 1)
		leat_yield();
	exported();
	return 0;
}
END

fail() {
	echo "FAILED: $what: $1"
	cat out err
	exit 1
}
# make WHAT OPTIONS...: the program, with options for the compiler
make_it() {
	what=$1
	shift
	${CC:-gcc} -O2 -I"$root/include" -pthread -o subject subject.c "$@" || exit 1
}
run() {
	./subject >out 2>err || fail "the status is $?"
	test -s err && fail "it wrote to stderr"
	test "$(grep -c '^goroutine ' out)" = 2 || fail "there are not 2 blocks"
	grep -q '^goroutine 1 \[running\]:$' out || fail "goroutine 1 is not there"
	grep -q '^goroutine 2 \[sleep\]:$' out || fail "goroutine 2 is not there"
}
# has NAME...: lines in this order, among others
has() {
	local line at=0
	for name in "$@"; do
		line=$(tail -n +$((at + 1)) out | grep -n -x -e "$name" | head -n 1 | cut -d: -f1)
		test -n "$line" || fail "no line \"$name\" after line $at"
		at=$((at + line))
	done
}
# The names of the functions at all addresses like PROGRAM+0x1234, by the symbols of `whole`.
addresses() { sed -n 's/^\(created by \)\{0,1\}subject+0x\([0-9a-f]*\)\((\.\.\.)\| in goroutine.*\)$/0x\2/p' out; }
names() { addresses | addr2line -f -e whole | sed -n 'p;n'; }
has_names() {
	for name in "$@"; do
		names | grep -q -x "$name" || fail "no address of $name; there are: $(names | tr '\n' ' ')"
	done
}

make_it "without debug information" "$build/libleat.a" -g0
run
has 'exported(\.\.\.)' 'main(\.\.\.)' 'goroutine 2.*' 'wait_here(\.\.\.)' 'waiter(\.\.\.)' 'created by main in goroutine 1'
cp subject whole

strip subject
what="stripped"
run
has_names wait_here waiter main exported
has 'created by subject+0x.* in goroutine 1'

make_it "the shared library" -L"$build" -Wl,-rpath,"$build" -l:libleat.so
run
has 'exported(\.\.\.)' 'main(\.\.\.)' 'goroutine 2.*' 'wait_here(\.\.\.)' 'waiter(\.\.\.)'
cp subject whole
strip subject
what="the shared library, stripped"
run
has_names wait_here waiter main exported
grep -q leat_ out && fail "leat's own frames show"

if make_it "statically linked, where no library can be loaded" -g0 -static "$build/libleat.a" 2>/dev/null; then
	run
	cp subject whole
	has_names main exported
	has 'created by subject+0x.* in goroutine 1'
fi

make_it "with exported names, and no libdw" -g0 -rdynamic "$build/libleat.a"
cat >nothing.c <<'END'
/* As on a machine without libdw and libunwind. */
#define _GNU_SOURCE
#include <dlfcn.h>
void *dlopen(const char *file, int mode)
{
	(void)file, (void)mode;
	return 0;
}
END
${CC:-gcc} -shared -fPIC -o nothing.so nothing.c || exit 1
export LD_PRELOAD=$scratch/nothing.so
run
unset LD_PRELOAD
grep -q -x 'created by main in goroutine 1' out || fail "no creator"
echo "all is well"
