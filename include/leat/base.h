/* SPDX-License-Identifier: MIT */
/*
 * What every public header of leat stands on: visibility, the compiler's help, and the rules of
 * naming.
 *
 * Every exported symbol begins with leat_, every macro with LEAT_; leat__ and LEAT__ are private to
 * the library and its macros.  A short vocabulary (go, chan, chan_send, chan_select, scope, defer ...)
 * is defined on top of the LEAT_ forms; define LEAT_NO_SHORT_NAMES before the first include to be
 * without it.
 *
 * The typed macros make a wrong element type an incompatible pointer, so this header turns those
 * warnings into errors for the including file.  Define LEAT_LAX to keep your compiler's own setting.
 *
 * The functions may be used from C11 (with GNU extensions) and from C++17; the typed macros are for
 * C alone.
 */
#ifndef LEAT_BASE_H
#define LEAT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAT_VERSION_MAJOR 0
#define LEAT_VERSION_MINOR 1
#define LEAT_VERSION_PATCH 0

#if !defined __GNUC__
#error "leat needs gcc or clang: its macros use statement expressions and __typeof__"
#endif

#ifdef __cplusplus
#define LEAT__BEGIN extern "C" {
#define LEAT__END   }
#else
#define LEAT__BEGIN
#define LEAT__END
#endif

#define LEAT_API           __attribute__((visibility("default")))
#define LEAT__NORETURN     __attribute__((noreturn))
#define LEAT__PRINTF(f, a) __attribute__((format(printf, f, a)))
#define LEAT__UNUSED       __attribute__((unused))
#define LEAT__CLEANUP(fn)  __attribute__((cleanup(fn)))
#define LEAT__WARN_UNUSED  __attribute__((warn_unused_result))

#define LEAT__CAT_(a, b) a##b
#define LEAT__CAT(a, b)  LEAT__CAT_(a, b)

/* The type of what it is initialised with.  clang takes no __extension__ there, which would keep it quiet. */
#ifdef __clang__
#define LEAT__AUTO                                                                                 \
	_Pragma("clang diagnostic push")                                                               \
	    _Pragma("clang diagnostic ignored \"-Wgnu-auto-type\"") __auto_type _Pragma(               \
	        "clang diagnostic pop")
#else
#define LEAT__AUTO __extension__ __auto_type
#endif

/* An expression's evaluation wrapped so that nested uses of one macro do not trip -Wshadow. */
#define LEAT__QUIET_SHADOW(...)                                                                    \
	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")                  \
	    __VA_ARGS__ _Pragma("GCC diagnostic pop")

#if !defined __cplusplus && !defined LEAT_LAX
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#pragma GCC diagnostic error "-Wint-conversion"
#ifdef __clang__
#pragma GCC diagnostic error "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic error "-Wdiscarded-qualifiers"
#endif
#endif

/* The element type of a channel that carries only events; its size is 0 in C. */
__extension__ typedef struct leat_empty {
} leat_empty;

/* A queue of those who wait, in structures that the program holds.  Private. */
struct leat__waiter;
struct leat__waiters {
	struct leat__waiter *first, *last;
};

/* Whatever calls leat may change threads, so it needs an errno that knows. */
#include <leat/errno.h>

#endif
