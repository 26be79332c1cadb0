/* SPDX-License-Identifier: MIT */
/*
 * A limiter lets so many events pass in a second, and a burst of some at once; who comes too early is turned away, or
 * waits for its turn, or is told at once that it would come too late.  A multi limiter is several limiters as one: an
 * event takes from all of them, or from none.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>

int main(void)
{
	leat_limiter calls = LEAT_LIMITER(LEAT_LIMITER_EVERY(LEAT_HOUR), 3);
	leat_limiter reads = LEAT_LIMITER(1000, 1),
	             disk = LEAT_LIMITER(LEAT_LIMITER_EVERY(LEAT_HOUR), 5);
	leat_multi_limiter both;
	int64_t begin;
	int passed = 0;
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MINUTE);
	defer(leat_ctx_free, ctx);

	for (int i = 0; i < 10; i++)
		passed += leat_limiter_allow(&calls);
	printf("of 10 at once %d pass\n", passed);
	if (leat_limiter_wait_ctx(&calls, ctx) == -ETIME)
		printf("the next one would come too late\n");

	LEAT_MULTI_LIMITER_INIT(&both, LEAT_TIER(&reads), LEAT_TIER(&disk));
	begin = leat_now();
	for (int i = 0; i < 5; i++)
		leat_multi_limiter_wait(&both);
	if (leat_now() - begin >= 4 * LEAT_MILLISECOND)
		printf("5 at 1000 a second take 4 ms or more\n");
	if (leat_multi_limiter_wait_ctx(&both, ctx) == -ETIME)
		printf("now the disk is the limit\n");
}
