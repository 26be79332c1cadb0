/* SPDX-License-Identifier: MIT */
/* What the compilers offer beyond C11, by short names. */
#ifndef LEAT_BASE_COMPILER_H
#define LEAT_BASE_COMPILER_H

#include <leat/base.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE      __attribute__((noinline))
#define COLD          __attribute__((noinline, cold))
/* Of variables in other files that are looked at often: not by way of the global offset table. */
#define HIDDEN     __attribute__((visibility("hidden")))
#define CACHE_LINE 64
#define ON_LINE    __attribute__((aligned(CACHE_LINE)))

/* A variable that assembly names: keep it, and its name, under -flto too. */
#ifdef __clang__
#define LEAT__FOR_ASM __attribute__((used))
#else
#define LEAT__FOR_ASM __attribute__((used, externally_visible))
#endif

/* Keeps the compiler, not the processor, from moving memory accesses across. */
#define compiler_barrier() __asm__ volatile("" ::: "memory")

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Checks too costly for release builds. */
#ifdef LEAT_DEBUG_BUILD
#define LEAT_ASSERT(cond) ((cond) ? (void)0 : __builtin_trap())
#else
#define LEAT_ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
