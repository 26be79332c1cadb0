#!/bin/bash
# SPDX-License-Identifier: MIT
# CTEST: timeout=300
#
# Goal: leat run compiles with the right flags, runs, hands on what it should and leaves nothing behind.
# Method: small programs in a scratch folder; after each the folder that TMPDIR names must be empty.
#
#	run.sh BUILD_FOLDER
set -u
build=$(cd "$1" && pwd)
leat=$build/leat
test -x "$leat" || { echo "no $leat"; exit 77; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
mkdir tmp
export TMPDIR=$scratch/tmp LC_ALL=C
unset CC CPPFLAGS CFLAGS LDFLAGS LDLIBS LEAT_PROCS LEAT_TRACEBACK ASAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS

fail() {
	echo "FAILED: $what: $1"
	echo "--- status $status, stdout:"
	cat out
	echo "--- stderr:"
	cat err
	exit 1
}

# try STATUS WHAT COMMAND...: run it, with its output in the files out and err.
try() {
	local expected=$1
	what=$2
	shift 2
	"$@" >out 2>err </dev/null
	status=$?
	test "$status" = "$expected" || fail "the status is not $expected"
	clean
}
clean() { test -z "$(ls -A tmp)" || fail "left behind: $(ls -A tmp)"; }
out() { grep -q -e "$1" out || fail "stdout lacks: $1"; }
err() { grep -q -e "$1" err || fail "stderr lacks: $1"; }
no_err() { test -s err && fail "stderr is not empty"; }

# ------------------------------------------------------------------------------- the ordinary case

cat >hello.c <<'END'
#include <leat.h>
#include <stdio.h>

struct greet { send_chan(const char *) to; };

static void greet(struct greet *a)
{
	chan_send(a->to, "hello");
}

int main(void)
{
	chan(const char *) c = chan_make(const char *, 0);

	go(greet, .to = chan_sender(c));
	puts(chan_recv(c));
	chan_free(c);
	return 0;
}
END
try 0 hello "$leat" run hello.c
out '^hello$'
no_err

cat >args.c <<'END'
#include <stdio.h>

int main(int argc, char **argv)
{
	char line[80];

	printf("%d\n", argc);
	for (int i = 1; i < argc; i++)
		printf("[%s]\n", argv[i]);
	if (fgets(line, sizeof line, stdin))
		printf("stdin: %s", line);
	return argc > 1 ? 7 : 0;
}
END
try 7 'arguments and status' "$leat" run args.c --race -v 'a b' ''
printf '5\n[--race]\n[-v]\n[a b]\n[]\n' | cmp -s - out || fail 'other arguments'
no_err
what='stdin'
echo 'from a pipe' | "$leat" run args.c >out 2>err
status=$?
out '^stdin: from a pipe$'
clean

mkdir 'a folder'
cp args.c 'a folder/-x y.c'
try 0 'a name with blanks' "$leat" run 'a folder/-x y.c'
cp args.c ./-x.c
cp args.c @x.c
try 0 'a name like an option' "$leat" run -- -x.c
try 0 'a name like a response file' "$leat" run @x.c
cp args.c noending
try 0 'a name without an ending' "$leat" run noending

cat >signal.c <<'END'
#include <signal.h>

int main(void)
{
	raise(SIGUSR1);
	return 0;
}
END
try 138 'death by a signal' "$leat" run signal.c
err 'killed by signal 10 (User defined signal 1)'

# ------------------------------------------------------------------------------------ what is wrong

cat >broken.c <<'END'
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 0);

	chan_send(c, nonsense);
	return 0;
}
END
try 1 'a compile error' "$leat" run broken.c
err 'broken.c:7'
err 'nonsense'
echo 'int main(void) { extern int nowhere(void); return nowhere(); }' >unlinked.c
try 1 'a link error' "$leat" run unlinked.c
err 'nowhere'
try 1 'a missing file' "$leat" run nothere.c
err 'nothere.c: No such file or directory'
try 1 'a folder' "$leat" run "$scratch"
err 'Is a directory'
mkfifo fifo.c
try 1 'a FIFO' "$leat" run fifo.c
err 'not a regular file'
cp hello.c secret.c
chmod 0 secret.c
if ! test -r secret.c; then
	try 1 'an unreadable file' "$leat" run secret.c
	err 'secret.c: Permission denied'
fi
try 1 'a missing compiler' env CC=no-such-compiler "$leat" run hello.c
err 'no-such-compiler: No such file or directory (chosen by CC)'
try 1 'no compiler at all' env PATH=/nowhere "$leat" run hello.c
err 'cannot start the compiler cc'
try 1 'a TMPDIR that is missing' env TMPDIR=/no/such "$leat" run hello.c
err '/no/such: No such file or directory'
try 1 'a quote without end' env CFLAGS="-DX='1" "$leat" run hello.c
err 'CFLAGS: a quote has no end'

# A full folder for temporary files, where namespaces allow to make one.
cat >full.sh <<'END'
mount -t tmpfs -o size=16k none tmp && head -c 1M /dev/zero >tmp/fill 2>/dev/null
"$1" run hello.c
status=$?
rm tmp/fill
test -z "$(ls -A tmp)" || status=99
exit $status
END
if unshare -rm mount -t tmpfs none tmp 2>/dev/null; then
	try 1 'a full TMPDIR' unshare -rm sh full.sh "$leat"
	err 'No space left on device'
fi

try 2 'no file' "$leat" run
err 'which file'
try 2 'an unknown option' "$leat" run --rcae hello.c
err "unrecognized option '--rcae'"
try 2 'both sanitizers' "$leat" run --race --asan hello.c
err 'cannot be combined'
try 2 'an unknown command' "$leat" rnu hello.c
err 'did you mean "run"?'
try 2 'a forgotten command' "$leat" hello.c
err 'leat run hello.c'
try 2 'no command' "$leat"
err 'usage: leat'

# ------------------------------------------------------------------------------------ help, version

for words in help -h --help; do
	try 0 "leat $words" "$leat" $words
	out 'run  *compile'
done
for words in 'help run' 'run --help' 'run -h'; do
	try 0 "leat $words" "$leat" $words
	out 'usage: leat run'
	out 'CFLAGS'
done
for words in version --version; do
	try 0 "leat $words" "$leat" $words
	out '^leat [0-9]*\.[0-9]*\.[0-9]*$'
done
try 2 'help for nothing' "$leat" help rum
err 'did you mean "run"?'
what='help into a full file'
"$leat" help >/dev/full 2>err
status=$?
test $status = 1 || fail 'the status is not 1'

# ---------------------------------------------------------------------------------- the environment

cat >flags.c <<'END'
#include <math.h>
#include <stdio.h>

#ifndef ANSWER
#define ANSWER "none"
#endif
#ifdef __OPTIMIZE__
#define OPTIMIZED 1
#else
#define OPTIMIZED 0
#endif
#ifdef __clang__
#define COMPILER "clang"
#else
#define COMPILER "gcc"
#endif
#ifndef WITH
#define WITH 0
#endif

int main(int argc, char **argv)
{
	(void)argv;
	printf("%s %d %s %d %g\n", ANSWER, OPTIMIZED, COMPILER, WITH, WITH ? cos(argc - 1.0) : 0.0);
	return 0;
}
END
try 0 'the flags unless told otherwise' "$leat" run flags.c
out '^none 1 '
try 0 'CFLAGS' env CFLAGS="-O0 '-DANSWER=\"forty two\"'" CPPFLAGS=-DWITH=0 "$leat" run flags.c
out '^forty two 0 '
try 0 'CFLAGS with backslashes' env CFLAGS='-DANSWER=\"a\ b\"  -O1 ' "$leat" run flags.c
out '^a b 1 '
try 0 'LDLIBS' env CPPFLAGS=-DWITH=3 CFLAGS='-O0 -fno-builtin' LDFLAGS=-Wl,--as-needed LDLIBS=-lm \
	"$leat" run flags.c
out ' 3 1$'
for cc in gcc clang; do
	command -v $cc >/dev/null || continue
	try 0 "CC=$cc" env CC=$cc "$leat" run flags.c
	out " $cc "
	try 0 "CC=$cc, with goroutines" env CC=$cc CFLAGS='-O2 -Wall -Wextra -Werror' "$leat" run hello.c
	out '^hello$'
	no_err
done
try 0 'CC with options' env CC='cc -DWITH=5' LDLIBS=-lm "$leat" run flags.c
out ' 5 1$'
try 0 'what is shown' "$leat" run -v hello.c
err '^cc .*-fstack-clash-protection.* -O1 -g .*hello.c.*libleat\.a'

# --------------------------------------------------------------------------------------- sanitizers

# Whether the compiler can link with the sanitizer and the result starts.
can() { echo 'int main(void) { return 0; }' >can.c && "$1" "-fsanitize=$2" can.c -o can 2>/dev/null && ./can; }

cat >overflow.c <<'END'
#include <leat.h>
#include <stdlib.h>

struct job { int n; send_chan(int) done; };

static void job(struct job *a)
{
	volatile char *p = malloc(8);

	p[a->n] = 1;
	free((void *)p);
	chan_send(a->done, 1);
}

int main(int argc, char **argv)
{
	chan(int) done = chan_make(int, 0);

	(void)argv;
	go(job, .n = argc > 1 ? 8 : 7, .done = chan_sender(done));
	chan_recv(done);
	chan_free(done);
	return 0;
}
END
cat >trace.c <<'END'
#include <leat.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The unwinder and what looks up names are loaded by one of several threads that run already. */
enum { THREADS = 8 };
static pthread_barrier_t turn;

static void trace(void)
{
	const leat_error *e = leat_error_new(NULL, "a trace");

	free(leat_error_log_text(e, 0));
	leat_error_free(e);
}

static void *thread(void *unused)
{
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	trace();
	pthread_barrier_wait(&turn);
	leat_sleep(LEAT_HOUR);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t id;

	(void)argv;
	puts(getenv("ASAN_OPTIONS"));
	if (argc > 1)
		*(volatile char *)malloc(8) = 1;
	pthread_barrier_init(&turn, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&id, NULL, thread, NULL);
	pthread_barrier_wait(&turn);
	trace();
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	return 0;
}
END
echo 'int main(int argc, char **argv) { int n = 0x7fffffff; (void)argv; n += argc; return n == 5; }' >ub.c
for cc in gcc clang; do
	command -v $cc >/dev/null && can $cc address || continue
	try 0 "--asan, $cc, nothing wrong" env CC=$cc "$leat" run --asan overflow.c
	no_err
	try 1 "--asan, $cc, an overflow" env CC=$cc "$leat" run --asan overflow.c x
	err 'heap-buffer-overflow'
	err 'in job .*overflow.c:10'
	try 0 "--asan, $cc, traces on another thread" env CC=$cc "$leat" run --asan trace.c
	no_err
	out '^allow_addr2line=1:intercept_tls_get_addr=0$'
	try 23 "--asan, $cc, options of the user's" env CC=$cc ASAN_OPTIONS=allow_addr2line=0:exitcode=23 \
		"$leat" run --asan overflow.c x
	err 'heap-buffer-overflow'
	try 0 "--asan, $cc, no leaks wanted" env CC=$cc ASAN_OPTIONS=detect_leaks=0 "$leat" run --asan trace.c leak
	out '^allow_addr2line=1:intercept_tls_get_addr=0:detect_leaks=0$'
	try 1 "--asan, $cc, undefined" env CC=$cc "$leat" run --asan ub.c
	err 'ub.c:1:.*signed integer overflow'
done

cat >race.c <<'END'
#include <leat.h>
#include <stdio.h>
#include <string.h>

struct add { int *total; leat_mutex *lock; leat_waitgroup *wg; bool yields; };

static void add(struct add *a)
{
	for (int i = 0; i < 1000; i++) {
		if (a->lock)
			leat_mutex_lock(a->lock);
		++*a->total;
		if (a->lock)
			leat_mutex_unlock(a->lock);
		if (a->yields && i % 10 == 0)
			leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

int main(int argc, char **argv)
{
	leat_mutex lock = {0};
	leat_waitgroup wg = {0};
	int total = 0;

	/* "turns": by turns; "after": one after the other; "parent": the parent after it has said go. */
	const char *race = argc > 1 ? argv[1] : "";
	bool parent = strcmp(race, "parent") == 0, turns = strcmp(race, "after") != 0;

	leat_waitgroup_add(&wg, parent ? 1 : 2);
	go(add, &total, *race ? NULL : &lock, &wg, turns);
	if (parent)
		total++;
	else
		go(add, &total, *race ? NULL : &lock, &wg, turns);
	leat_waitgroup_wait(&wg);
	printf("%d\n", total);
	return 0;
}
END
if command -v clang >/dev/null && can clang thread; then
	for procs in 1 4; do
		try 0 "--race at $procs, no race" env LEAT_PROCS=$procs "$leat" run --race race.c
		out '^2000$'
		no_err
		for race in turns after parent; do
			try 66 "--race at $procs, a race: $race" env LEAT_PROCS=$procs \
				"$leat" run --race race.c $race
			err 'data race'
			err 'add .*race.c:12'
		done
	done
	try 0 '--race, channels' "$leat" run --race hello.c
	no_err
fi

# ------------------------------------------------------------------------------------------- panics

cat >panic.c <<'END'
#include <leat.h>

struct producer { send_chan(int) out; };

static __attribute__((noinline)) void deliver(send_chan(int) out)
{
	chan_send(out, 1);
	__asm__ volatile("");
}

static void producer(struct producer *a)
{
	deliver(a->out);
	__asm__ volatile("");
}

int main(void)
{
	chan(int) c = chan_make(int, 0), done = chan_make(int, 0);

	chan_close(c);
	go(producer, .out = chan_sender(c));
	chan_recv(done);
	return 0;
}
END
for cc in gcc clang; do
	command -v $cc >/dev/null || continue
	try 2 "a panic, $cc" env CC=$cc "$leat" run panic.c
	err '^panic: send on closed channel$'
	err '^goroutine [0-9]* \[running\]:$'
	for place in deliver:7 producer:13; do
		grep -A 1 "^${place%:*}(" err | grep -q "/panic.c:${place#*:}\\b" || fail "no line for $place"
	done
	grep -A 1 '^created by main' err | grep -q '/panic.c:22\b' || fail 'created by whom?'
done

# ------------------------------------------------------------------------------- signals, to be sure

# The program says over a FIFO that it has begun; a signal to leat reaches it.
cat >wait.c <<'END'
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t got;

static void handle(int number)
{
	got = number;
}

int main(int argc, char **argv)
{
	FILE *ready;

	signal(SIGTERM, handle);
	signal(SIGINT, handle);
	if (argc < 2 || !(ready = fopen(argv[1], "w")))
		return 99;
	fputs("ready\n", ready);
	fclose(ready);
	while (!got)
		usleep(1000);
	return 40 + got;
}
END
mkfifo ready
for signal in TERM:55 INT:42; do
	what="SIG${signal%:*} to leat"
	# A job in the background of a script ignores SIGINT from its start; python undoes that.
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$leat" run wait.c ready >out 2>err &
	leat_pid=$!
	read -r _ <ready
	test "$(ls -A tmp | wc -l)" = 1 || fail 'the program is not in TMPDIR'
	kill "-${signal%:*}" $leat_pid
	wait $leat_pid
	status=$?
	test $status = "${signal#*:}" || fail "the status is not ${signal#*:}"
	clean
done

# Nobody reads what leat says: it cleans up all the same.  The program's own SIGPIPE is as it was.
what='stderr that nobody reads'
"$leat" run -v signal.c 2>&1 >out | true
"$leat" run -v hello.c 2>&1 >out | true
status=0
clean
cat >pipe.c <<'END'
#include <signal.h>

int main(void)
{
	return signal(SIGPIPE, SIG_DFL) == SIG_IGN ? 5 : signal(SIGUSR1, SIG_DFL) != SIG_DFL;
}
END
try 0 'the signals as they were' "$leat" run pipe.c
try 5 'SIGPIPE ignored as it was' env --ignore-signal=PIPE "$leat" run pipe.c

# A compiler that does not end; it has a child, and both write into TMPDIR.
cat >slow-cc <<'END'
#!/bin/bash
echo x >"$TMPDIR/one"
(while :; do echo x >"$TMPDIR/two"; echo $BASHPID; done >"$SCRATCH/child") &
echo ready >"$SCRATCH/ready"
wait
END
chmod +x slow-cc
for signal in TERM:143 HUP:129 QUIT:131; do
	what="SIG${signal%:*} to leat while it compiles"
	env SCRATCH="$scratch" CC="$scratch/slow-cc" python3 -c 'import os, signal, sys
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$leat" run hello.c >out 2>err &
	leat_pid=$!
	read -r _ <ready
	kill "-${signal%:*}" $leat_pid
	wait $leat_pid 2>/dev/null
	status=$?
	test $status = "${signal#*:}" || fail "the status is not ${signal#*:}"
	clean
	# The kernel has been told to kill it; it may take a moment, and nobody may collect it.
	child=$(tail -n 1 child)
	tries=0
	while grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$child/status"; do
		test $((tries += 1)) -lt 1000 || fail 'the compiler lives on'
		read -r -t 0.01 _ <>ready
	done
done

# ---------------------------------------------------------------------------------------- --locks

cat >locks.c <<'END'
#include <leat.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&mutex);
	if (argc > 1 && strcmp(argv[1], "pin") == 0)
		leat_lock_thread();
	if (argc > 1)
		leat_sleep(300 * LEAT_MILLISECOND);
	puts(getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "none");
	return 0;
}
END
try 0 'a lock, without --locks' "$leat" run locks.c park
no_err
out '^none$'
try 2 '--locks, a park' "$leat" run --locks locks.c park
err '^runtime: thread [0-9]* holds a pthread mutex at 0x[0-9a-f]*, locked by main$'
err 'locks.c:11 '
err '^fatal error: goroutine 1 parks \[sleep\] while its thread holds a pthread mutex$'
try 0 '--locks, a pinned goroutine' "$leat" run --locks locks.c pin
no_err
try 0 '--locks, main returns' "$leat" run --locks locks.c
no_err
out "^$build/libleat_locks.so\$"
try 2 '--locks, the shared library' env LDFLAGS="$build/libleat.so -Wl,-rpath,$build" \
	"$leat" run --locks locks.c park
err 'holds a pthread mutex'
try 0 '--locks beside another' env LD_PRELOAD=libm.so.6 "$leat" run --locks locks.c
out "^$build/libleat_locks.so:libm.so.6\$"
for other in --race --asan; do
	try 2 "--locks $other" "$leat" run --locks $other locks.c
	err "--locks goes with neither --race nor --asan"
done
if cc -static args.c -o static 2>/dev/null; then
	try 1 '--locks, linked statically' env LDFLAGS=-static "$leat" run --locks locks.c
	err 'linked statically'
fi

# ----------------------------------------------------------------------------------- other places

# An installation is found from its command, wherever it was moved to, and by a link to it.
include=$(cd "$build/../.." && pwd)/include
for libdir in lib lib64 "lib/$(uname -m)-linux-gnu"; do
	rm -rf prefix
	mkdir -p "prefix/bin" "prefix/$libdir" prefix/include
	cp -r "$include/." prefix/include
	cp "$leat" prefix/bin
	cp "$build/libleat.a" "prefix/$libdir"
	try 0 "an installation with $libdir" prefix/bin/leat run hello.c
	out '^hello$'
	try 1 "an installation with $libdir but libleat_locks.so" prefix/bin/leat run --locks hello.c
	err "prefix/$libdir/libleat_locks.so: No such file"
	cp "$build/libleat_locks.so" "prefix/$libdir"
	try 2 "an installation with $libdir, --locks" prefix/bin/leat run --locks locks.c park
	err 'holds a pthread mutex'
done
ln -s "$scratch/prefix/bin/leat" link
try 0 'a link to the command' ./link run hello.c
if ls "$build"/libleat.so.* >/dev/null 2>&1; then
	rm "prefix/$libdir/libleat.a"
	cp -P "$build"/libleat.so* "prefix/$libdir"
	try 0 'an installation with the shared library alone' prefix/bin/leat run hello.c
	out '^hello$'
fi
rm -r "prefix/lib"
try 1 'half an installation' prefix/bin/leat run hello.c
err 'cannot find leat.h and libleat.a'
exit 0
