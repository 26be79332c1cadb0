/* SPDX-License-Identifier: MIT */
/*
 * What others can see is changed at the end, at once.  Until then an order of several payments is only noted down: one
 * that is canceled half-way leaves the accounts as they were, and there is nothing to take back.
 */
#include <leat.h>

#include <stdio.h>

static leat_mutex lock;
static int balances[3] = {100, 100, 100}; /* under the lock */

static void show(const char *what)
{
	with_lock(&lock);
	printf("%s: %d %d %d\n", what, balances[0], balances[1], balances[2]);
}

/* Pay to each of the others; patience is how many payments the customer waits for. */
static int pay_all(leat_ctx *ctx, int amount, int patience)
{
	int noted[3] = {0};

	for (int to = 1; to < 3; to++) {
		int err = leat_ctx_err(ctx);

		if (err)
			return err;
		noted[0] -= amount;
		noted[to] += amount;
		if (to == patience)
			leat_ctx_cancel(ctx);
	}
	with_lock(&lock);
	for (int i = 0; i < 3; i++)
		balances[i] += noted[i];
	return 0;
}

int main(void)
{
	scope(s, NULL);

	show(pay_all(leat_ctx_with_cancel(s), 20, 1) ? "canceled half-way" : "paid");
	show(pay_all(leat_ctx_with_cancel(s), 20, 3) ? "canceled half-way" : "paid");
}
