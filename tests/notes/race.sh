#!/bin/bash
# SPDX-License-Identifier: MIT
# CTEST: timeout=300
#
# Goal: leat run --race tells of the data race of the notes, with the stacks of both goroutines, and says
# nothing of those of the notes' programs that put it right.
#
#	race.sh BUILD_FOLDER
set -u
leat=$(cd "$1" && pwd)/leat
test -x "$leat" || { echo "no $leat"; exit 77; }
notes=$(cd "$(dirname "$0")/../../examples/notes" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset CC CPPFLAGS CFLAGS LDFLAGS LDLIBS LEAT_PROCS TSAN_OPTIONS

fail() {
	echo "FAILED: $1"
	cat "$scratch/out" "$scratch/err"
	exit 1
}

run() { # run PROCESSORS PROGRAM: sets status
	LEAT_PROCS=$1 "$leat" run --race "$notes/$2.c" >"$scratch/out" 2>"$scratch/err"
	status=$?
}

run 1 1-fork-join
if [ $status != 0 ]; then
	echo 'int main(void) { return 0; }' >"$scratch/plain.c"
	"$leat" run --race "$scratch/plain.c" 2>"$scratch/err" ||
		{ echo "no ThreadSanitizer that runs here"; cat "$scratch/err"; exit 77; }
	fail "1-fork-join: the status is $status"
fi

for procs in 1 2; do
	run $procs 1-data-race
	[ $status = 66 ] || fail "1-data-race at $procs: the status is $status, not 66"
	for words in 'data race' 'increment .*1-data-race.c:15' 'main .*1-data-race.c:23' "global 'data'"; do
		grep -q -e "$words" "$scratch/err" || fail "1-data-race at $procs: the report lacks: $words"
	done
	for program in 1-race-condition 1-atomicity 1-critical-section 3-confinement 3-fan-out; do
		run $procs $program
		[ $status = 0 ] || fail "$program at $procs: the status is $status"
		[ -s "$scratch/err" ] && fail "$program at $procs: stderr is not empty"
	done
done
exit 0
