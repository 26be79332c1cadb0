/* SPDX-License-Identifier: MIT */
/*
 * Fork and join: a merge sort whose left half is sorted by a goroutine of its own while this one sorts the right half.
 * The wait for it is the join point; only then can the halves be merged.  And so on in each half.
 */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 10000 };

static unsigned numbers[COUNT];

struct sort {
	unsigned *from;
	size_t count;
};

static void merge(unsigned *from, size_t half, size_t count)
{
	unsigned *left = malloc(half * sizeof *left);
	size_t i = 0, j = half;

	defer(free, left);
	memcpy(left, from, half * sizeof *left);
	for (size_t k = 0; i < half; k++)
		from[k] = j == count || left[i] <= from[j] ? left[i++] : from[j++];
}

static void sort(struct sort *a)
{
	size_t half = a->count / 2;
	scope(s, NULL);

	if (half == 0)
		return;
	scope_go(s, sort, .from = a->from, .count = half);
	sort(&(struct sort){.from = a->from + half, .count = a->count - half});
	scope_wait(s);
	merge(a->from, half, a->count);
}

int main(void)
{
	size_t in_order = 1;

	for (size_t i = 1; i < COUNT; i++)
		numbers[i] = numbers[i - 1] * 1664525 + 1013904223;
	sort(&(struct sort){.from = numbers, .count = COUNT});
	while (in_order < COUNT && numbers[in_order - 1] <= numbers[in_order])
		in_order++;
	printf("%zu numbers in order, from %u to %u\n", in_order, numbers[0], numbers[COUNT - 1]);
}
