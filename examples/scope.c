/* SPDX-License-Identifier: MIT */
/*
 * scope: the first error cancels the rest, and nothing is left behind.
 *
 * Five goroutines carry sacks to the mill.  One of them stumbles, and says so with scope_fail.  That
 * cancels the scope; the others learn of it where they wait, in a select.  scope_wait returns when all
 * of them have ended, with the error that was first.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct carry {
	leat_scope *scope;
	recv_chan(int) sacks;
	_Atomic int *carried;
	int stumbles_at;
};

static void carry(struct carry *a)
{
	for (;;) {
		chan_select {
			case_recv(a->sacks, sack) {
				if (sack == a->stumbles_at) {
					scope_fail(a->scope, -EIO);
					return;
				}
				++*a->carried;
			}
			case_recv(scope_done(a->scope))
				return;
		}
	}
}

int main(void)
{
	_Atomic int carried = 0; /* before the scope: its goroutines use it until the scope is left */
	int err, sack = 0;

	scope(s, NULL);
	chan(int) sacks = scope_chan(s, int, 0);

	for (int i = 0; i < 5; i++)
		scope_go(s, carry, .scope = s, .sacks = chan_receiver(sacks), .carried = &carried,
		         .stumbles_at = 40);

	/* Hand out sacks for as long as somebody takes them. */
	while (!scope_err(s)) {
		chan_select {
			case_send(sacks, sack)
				sack++;
			case_recv(scope_done(s))
				break;
		}
	}
	err = scope_wait(s);
	printf("stopped: %s\n", strerror(-err));
	printf("sacks that arrived: %s\n", carried >= 40 ? "the 40 before it" : "too few");
	return 0;
}
