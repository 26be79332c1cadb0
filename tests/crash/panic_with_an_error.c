/* SPDX-License-Identifier: MIT */
/* A panic with an error that nothing catches is reported by what the error says, as Go does. */
#include <leat.h>

static LEAT_ERROR_TYPE(module);

int main(void)
{
	const leat_error *e = leat_error_new(&module, "cannot run job \"%d\"", 1);

	leat_panic_error(leat_errorf(e, "main"));
}
