/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced noemulator */
/* A page of a file that has become shorter: a bus error at an address that is no NULL pointer's.  Go calls
   such a fault fatal, and shows all goroutines. */
#include <leat.h>

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((noinline)) static int read_byte(const volatile char *p)
{
	return *p;
}

static void worker(void)
{
	FILE *f = tmpfile();
	char *p = NULL;

	if (f && ftruncate(fileno(f), 4096) == 0)
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
	if (!p || p == MAP_FAILED || ftruncate(fileno(f), 0) != 0)
		_exit(77);
	printf("%d\n", read_byte(p));
}

int main(void)
{
	chan(int) never = chan_make(int, 0);

	go0(worker);
	chan_recv(never);
	return 0;
}
