/* SPDX-License-Identifier: MIT */
/* How much stack a call uses: what lies below the caller's frame is painted, and then looked at for how far the paint is gone. */
#ifndef STACK_USE_H
#define STACK_USE_H

#include <stddef.h>
#include <stdint.h>

enum { PAINTED = 32 << 10, NEAR = 192 };

#define PAINT ((unsigned char)0xa5)

__attribute__((noinline)) static void paint(uintptr_t frame)
{
	for (uintptr_t p = frame - PAINTED; p < frame - NEAR; p++)
		*(volatile unsigned char *)p = PAINT;
}

__attribute__((noinline)) static size_t depth(uintptr_t frame)
{
	uintptr_t p = frame - PAINTED;

	while (p < frame - NEAR && *(volatile unsigned char *)p == PAINT)
		p++;
	return frame - p;
}

/* How much stack op uses; on a stack of at least twice PAINTED. */
__attribute__((noinline)) static size_t use_of(void (*op)(void))
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);

	paint(frame);
	op();
	return depth(frame);
}

#endif
