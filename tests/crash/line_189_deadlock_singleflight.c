/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A call for a key from the function of that key. */
#include <leat.h>

static leat_singleflight group;

static int work(void *arg, void **value)
{
	(void)value;
	leat_singleflight_do(&group, "key", work, arg, NULL);
	return 0;
}

int main(void)
{
	leat_singleflight_do(&group, "key", work, NULL, NULL);
	return 0;
}
