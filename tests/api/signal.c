/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_signal sends what comes to whoever asked, as often as it came, never waits, and leaves no trace.
 * Method: raise, which returns only when the handler has run, so that what was sent is known; stop, after which nothing
 * is on its way.
 */
#include "signal_help.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

TEST(notify_sends_the_numbers)
{
	chan(int) c = chan_make(int, 1);

	signal_notify(c, SIGUSR1, SIGUSR2);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(chan_recv(c), SIGUSR1);
	kill(getpid(), SIGUSR2);
	CHECK_EQ(chan_recv(c), SIGUSR2);
	signal_stop(c);
	chan_free(c);
}

struct wait_for_one {
	leat_waitgroup *wg;
	chan(int) c;
	int *got;
};

static void wait_for_one(struct wait_for_one *a)
{
	*a->got = chan_recv(a->c);
	leat_waitgroup_done(a->wg);
}

TEST(a_parked_receiver_is_woken)
{
	chan(int) c = chan_make(int, 0);
	leat_waitgroup wg = {0};
	int got = 0;

	signal_notify(c, SIGUSR1);
	leat_waitgroup_add(&wg, 1);
	go(wait_for_one, &wg, c, &got);
	test_parked(1);
	raise(SIGUSR1);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(got, SIGUSR1);
	signal_stop(c);
	chan_free(c);
}

TEST(nothing_is_lost_that_has_room)
{
	enum { N = 1000 };
	chan(int) c = chan_make(int, N);

	signal_notify(c, SIGUSR1);
	for (int i = 0; i < N; i++)
		raise(SIGUSR1);
	signal_stop(c); /* all that came is there on return */
	CHECK_EQ(chan_len(c), N);
	for (int i = 0; i < N; i++)
		CHECK_EQ(chan_recv(c), SIGUSR1);
	chan_free(c);
}

TEST(what_finds_no_room_is_dropped_and_nobody_waits)
{
	chan(int) full = chan_make(int, 3);
	chan(int) none = chan_make(int, 0);

	signal_notify(full, SIGUSR1);
	signal_notify(none, SIGUSR1);
	for (int i = 0; i < 10; i++)
		raise(SIGUSR1);
	signal_stop(none);
	signal_stop(full);
	CHECK_EQ(chan_len(full), 3);
	CHECK(!chan_try_recv(none, NULL, NULL));
	chan_free(full);
	chan_free(none);
}

TEST(what_finds_the_channel_closed_is_dropped)
{
	chan(int) c = chan_make(int, 3);

	signal_notify(c, SIGUSR1);
	raise(SIGUSR1);
	test_until(chan_len(c) == 1);
	chan_close(c);
	raise(SIGUSR1);
	signal_stop(c);
	CHECK_EQ(chan_recv(c), SIGUSR1);
	CHECK(!chan_recv_ok(c, NULL));
	chan_free(c);
}

TEST(each_channel_gets_a_copy_of_what_it_asked_for)
{
	chan(int) a = chan_make(int, 8);
	chan(int) b = chan_make(int, 8);

	signal_notify(a, SIGUSR1);
	signal_notify(b, SIGUSR1, SIGUSR2);
	signal_notify(a, SIGWINCH); /* besides */
	raise(SIGUSR1);
	test_until(chan_len(a) == 1 && chan_len(b) == 1);
	raise(SIGUSR2);
	test_until(chan_len(b) == 2);
	raise(SIGWINCH);
	test_until(chan_len(a) == 2);
	signal_stop(a);
	raise(SIGUSR1);
	signal_stop(b);
	CHECK_EQ(chan_len(a), 2);
	CHECK_EQ(chan_recv(a), SIGUSR1);
	CHECK_EQ(chan_recv(a), SIGWINCH);
	CHECK_EQ(chan_recv(b), SIGUSR1);
	CHECK_EQ(chan_recv(b), SIGUSR2);
	CHECK_EQ(chan_recv(b), SIGUSR1);
	chan_free(a);
	chan_free(b);
}

TEST(a_send_channel_will_do_and_stop_without_notify_too)
{
	chan(int) c = chan_make(int, 1);

	signal_notify(chan_sender(c), SIGUSR1);
	raise(SIGUSR1);
	signal_stop(chan_sender(c));
	signal_stop(c);
	CHECK_EQ(chan_recv(c), SIGUSR1);
	chan_free(c);
}

TEST(the_handler_of_the_program_is_back_after_stop)
{
	chan(int) c = chan_make(int, 4);

	set_handler(SIGUSR1, count);
	atomic_store(&handled, 0);
	signal_notify(c, SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(atomic_load(&handled), 0);
	signal_stop(c);
	CHECK(handler_of(SIGUSR1) == count);
	raise(SIGUSR1);
	CHECK_EQ(atomic_load(&handled), 1);
	CHECK_EQ(chan_len(c), 1);
	set_handler(SIGUSR1, SIG_DFL);
	chan_free(c);
}

TEST(a_handler_that_the_program_installs_meanwhile_stays)
{
	chan(int) c = chan_make(int, 4);

	atomic_store(&handled, 0);
	signal_notify(c, SIGUSR1);
	set_handler(SIGUSR1, count);
	raise(SIGUSR1);
	CHECK_EQ(atomic_load(&handled), 1);
	signal_stop(c);
	CHECK(handler_of(SIGUSR1) == count);
	set_handler(SIGUSR1, SIG_DFL);

	/* Who asks anew has it again, and leaves that one behind. */
	signal_notify(c, SIGUSR1);
	set_handler(SIGUSR1, count);
	signal_notify(c, SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(chan_recv(c), SIGUSR1);
	signal_stop(c);
	CHECK(handler_of(SIGUSR1) == count);
	set_handler(SIGUSR1, SIG_DFL);
	chan_free(c);
}

TEST(ignore_and_reset)
{
	chan(int) c = chan_make(int, 4);

	set_handler(SIGUSR1, count);
	atomic_store(&handled, 0);
	CHECK(!signal_ignored(SIGUSR1));
	signal_notify(c, SIGUSR1, SIGUSR2);
	signal_ignore(SIGUSR1);
	CHECK(signal_ignored(SIGUSR1));
	raise(SIGUSR1);
	raise(SIGUSR2);
	CHECK_EQ(chan_recv(c), SIGUSR2);
	CHECK_EQ(atomic_load(&handled), 0);

	signal_notify(c, SIGUSR1);
	CHECK(!signal_ignored(SIGUSR1));
	raise(SIGUSR1);
	CHECK_EQ(chan_recv(c), SIGUSR1);

	signal_reset(SIGUSR1, SIGUSR2); /* c has nothing left to be stopped */
	CHECK(handler_of(SIGUSR1) == count && handler_of(SIGUSR2) == SIG_DFL);
	raise(SIGUSR1);
	CHECK_EQ(atomic_load(&handled), 1);
	CHECK_EQ(chan_len(c), 0);
	signal_stop(c);

	signal_ignore(SIGUSR1);
	signal_reset(SIGUSR1);
	CHECK(handler_of(SIGUSR1) == count);
	set_handler(SIGUSR1, SIG_DFL);
	chan_free(c);
}

TEST(all_signals)
{
	chan(int) c = chan_make(int, 8);
	static const int some[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGCHLD, SIGWINCH};

	signal_notify(c);
	for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
		raise(some[i]);
		CHECK_EQ(chan_recv(c), some[i]);
	}
	raise(SIGRTMAX);
	CHECK_EQ(chan_recv(c), SIGRTMAX);
	signal_stop(c);
	CHECK(handler_of(SIGTERM) == SIG_DFL && handler_of(SIGRTMAX) == SIG_DFL);
	leat_signal_ignore(NULL, 0);
	CHECK(signal_ignored(SIGTERM) && signal_ignored(SIGHUP) && !signal_ignored(SIGSEGV));
	raise(SIGTERM);
	leat_signal_reset(NULL, 0);
	CHECK(handler_of(SIGTERM) == SIG_DFL && handler_of(SIGHUP) == SIG_DFL);
	chan_free(c);
}

struct bad {
	leat_chan *c;
	int sig;
};

static void notify_bad(void *arg)
{
	const struct bad *b = arg;

	leat_signal_notify(b->c, &b->sig, 1);
}

static void stop_nil(void *arg)
{
	leat_signal_stop(arg);
}

TEST(what_is_refused)
{
	chan(int) c = chan_make(int, 1);
	chan(char) odd = chan_make(char, 1);
	leat_chan *raw = (leat_chan *)(void *)c;

#define REFUSED(message, ...) CHECK(test_panics(notify_bad, &(struct bad){__VA_ARGS__}, message))
	REFUSED("signal: SIGKILL cannot be caught", raw, SIGKILL);
	REFUSED("signal: SIGSTOP cannot be caught", raw, SIGSTOP);
	REFUSED("signal: SIGURG is leat's own", raw, SIGURG);
	REFUSED("signal: 11: a fault is no message: leat_fault_panics makes a panic of it", raw,
	        SIGSEGV);
	REFUSED("signal: 0: there is no such signal", raw, 0);
	REFUSED("signal: -3: there is no such signal", raw, -3);
	REFUSED("signal: 33: there is no such signal", raw, 33);
	REFUSED("signal: 99: there is no such signal", raw, 99);
	REFUSED("signal.Notify using nil channel", NULL, SIGUSR1);
	REFUSED("signal: not a channel of int", (leat_chan *)(void *)odd, SIGUSR1);
	CHECK(test_panics(stop_nil, NULL, "signal.Notify using nil channel"));
	signal_stop(c);
	chan_free(c);
	chan_free(odd);
}

TEST(names_are_go_s)
{
	CHECK_STR(leat_signal_string(SIGINT), "interrupt");
	CHECK_STR(leat_signal_string(SIGKILL), "killed");
	CHECK_STR(leat_signal_string(SIGUSR1), "user defined signal 1");
	CHECK_STR(leat_signal_string(SIGTERM), "terminated");
	CHECK_STR(leat_signal_string(SIGSYS), "bad system call");
	CHECK_STR(leat_signal_string(40), "signal 40");
	CHECK_STR(leat_signal_string(64), "signal 64");
	CHECK_STR(leat_signal_string(0), "unknown signal");
	CHECK_STR(leat_signal_string(65), "unknown signal");
}

struct raise_one {
	leat_waitgroup *wg;
};

static void raise_one(struct raise_one *a)
{
	raise(SIGUSR1);
	leat_waitgroup_done(a->wg);
}

TEST(on_the_smallest_stack)
{
	chan(int) c = chan_make(int, 16);
	leat_waitgroup wg = {0};
	leat_go_opts opts = {.stack_bytes = 2048};

	signal_notify(c, SIGUSR1);
	for (int i = 0; i < 16; i++) {
		leat_waitgroup_add(&wg, 1);
		go_with(&opts, raise_one, &wg);
	}
	leat_waitgroup_wait(&wg);
	signal_stop(c);
	CHECK_EQ(chan_len(c), 16);
	chan_free(c);
}

struct read_one {
	leat_waitgroup *wg;
	int fd;
	_Atomic(pthread_t) *thread;
};

static void read_one(struct read_one *a)
{
	char got = 0;

	atomic_store(a->thread, pthread_self());
	CHECK(read(a->fd, &got, 1) == 1 && got == 'x');
	leat_waitgroup_done(a->wg);
}

TEST(a_blocking_call_goes_on)
{
	chan(int) c = chan_make(int, 1);
	_Atomic(pthread_t) thread = 0;
	leat_waitgroup wg = {0};
	int fds[2];

	CHECK(pipe(fds) == 0);
	signal_notify(c, SIGUSR1);
	leat_waitgroup_add(&wg, 1);
	go(read_one, &wg, fds[0], &thread);
	test_until(atomic_load(&thread) != 0);
	for (int i = 0; i < 20; i++) { /* before it sleeps, or while it does */
		pthread_kill(atomic_load(&thread), SIGUSR1);
		CHECK_EQ(chan_recv(c), SIGUSR1);
	}
	CHECK(write(fds[1], "x", 1) == 1);
	leat_waitgroup_wait(&wg);
	signal_stop(c);
	close(fds[0]);
	close(fds[1]);
	chan_free(c);
}

static void *plain(void *arg)
{
	chan(int) c = chan_make(int, 1);

	signal_notify(c, SIGUSR2);
	raise(SIGUSR2);
	*(int *)arg = chan_recv(c);
	signal_stop(c);
	chan_free(c);
	return NULL;
}

TEST(plain_threads_too)
{
	pthread_t thread;
	int got = 0;

	CHECK(pthread_create(&thread, NULL, plain, &got) == 0);
	pthread_join(thread, NULL);
	CHECK_EQ(got, SIGUSR2);
}

TEST_MAIN
