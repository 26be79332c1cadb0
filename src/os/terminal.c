/* SPDX-License-Identifier: MIT */
/*
 * The contract of terminal.h.
 *
 * Who draws, and who gives back, holds `busy`.  A signal handler, or a process that dies, may have interrupted the
 * holder: it waits for a moment and then goes on without, so that at worst the two texts mix.
 */
#include "os/terminal.h"

#include "os/lock.h"
#include "os/os.h"
#include "os/signal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PATIENCE_US 20000

enum { FREE, TAKEN, OVER };

static _Atomic int state;
static _Atomic int busy;
static int terminal;
static _Atomic char give_back[LEAT__RESTORE_BYTES]; /* empty: nothing was drawn */
static bool at_exit_set;

bool leat__os_is_terminal(int fd)
{
	int saved = errno;
	bool is = isatty(fd) == 1;

	errno = saved;
	return is;
}

bool leat__os_terminal_size(int fd, int *rows, int *columns)
{
	struct winsize window = {0};
	int saved = errno;
	bool said = ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0;

	errno = saved;
	if (said) {
		*rows = window.ws_row;
		*columns = window.ws_col;
	}
	return said;
}

static bool take_turn(int64_t patience_us)
{
	int64_t end = leat__os_now() + patience_us * 1000;
	int free = 0;

	while (!cas_acq_rel(&busy, &free, 1)) {
		free = 0;
		if (leat__os_now() > end)
			return false;
		leat__cpu_relax();
	}
	return true;
}

/* By atomic bytes: who goes on without its turn meets another. */
static void put_back(void)
{
	char text[LEAT__RESTORE_BYTES];
	size_t bytes = 0;

	while (bytes < sizeof text && (text[bytes] = load_relaxed(&give_back[bytes])) != '\0')
		bytes++;
	store_relaxed(&give_back[0], '\0');
	if (bytes)
		leat__os_write(terminal, text, bytes);
}

void leat__os_terminal_last(void)
{
	int was = atomic_exchange_explicit(&state, OVER, memory_order_acq_rel);
	bool turn;

	if (was != TAKEN)
		return;
	turn = take_turn(PATIENCE_US);
	put_back();
	if (turn)
		store_release(&busy, 0);
}

bool leat__os_terminal_take(int fd)
{
	int free = FREE, saved = errno;

	if (!cas_acq_rel(&state, &free, TAKEN))
		return false;
	terminal = fd;
	if (!at_exit_set)
		atexit(leat__os_terminal_last);
	at_exit_set = true;
	leat__os_on_end(leat__os_terminal_last);
	errno = saved;
	return true;
}

bool leat__os_terminal_draw(const char *text, size_t bytes, const char *restore)
{
	bool drawn = false;

	if (!take_turn(INT64_MAX / 2000))
		return false;
	if (load_acquire(&state) == TAKEN) {
		for (size_t i = 0; i < sizeof give_back - 1; i++) {
			store_relaxed(&give_back[i], restore[i]);
			if (!restore[i])
				break;
		}
		leat__os_write(terminal, text, bytes);
		drawn = true;
	}
	store_release(&busy, 0);
	return drawn;
}

void leat__os_terminal_give(void)
{
	int taken = TAKEN, saved = errno;

	take_turn(INT64_MAX / 2000);
	if (load_acquire(&state) == TAKEN)
		put_back();
	store_release(&busy, 0);
	leat__os_on_end(NULL);
	cas_acq_rel(&state, &taken, FREE);
	errno = saved;
}

void leat__os_terminal_forget(void)
{
	store_relaxed(&give_back[0], '\0');
	store_relaxed(&busy, 0);
	if (load_relaxed(&state) != OVER)
		store_relaxed(&state, FREE);
}
