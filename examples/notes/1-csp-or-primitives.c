/* SPDX-License-Identifier: MIT */
/*
 * The same sum in both styles.  A counter that many touch, and nobody hands on, is simplest under a mutex.  With a
 * channel one goroutine owns it and others send what is to be added: more to do for each addition, but the owner can
 * wait for other things too, and stop, and pass the result on.
 */
#include <leat.h>

#include <stdio.h>

enum { GOROUTINES = 4, ADDITIONS = 1000 };

static leat_mutex lock;
static int sum; /* under the lock */

struct add {
	send_chan(int) owner;
};

static void add(struct add *a)
{
	for (int i = 0; i < ADDITIONS; i++) {
		with_lock(&lock);
		sum += i;
	}
	for (int i = 0; i < ADDITIONS; i++)
		chan_send(a->owner, i);
}

int main(void)
{
	int owned = 0;
	scope(s, NULL);
	chan(int) additions = scope_chan(s, int, 16);

	for (int i = 0; i < GOROUTINES; i++)
		scope_go(s, add, .owner = chan_sender(additions));
	for (int i = 0; i < GOROUTINES * ADDITIONS; i++)
		owned += chan_recv(additions);
	scope_wait(s);
	printf("under a mutex: %d\n", sum);
	printf("by an owner:   %d\n", owned);
}
