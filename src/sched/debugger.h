/* SPDX-License-Identifier: MIT */
/*
 * What a debugger must know to find the goroutines of a process or of its core file, as data, so that
 * it needs neither the library's debug information nor its version: gdb.py is its reader.
 *
 * All members are 8 bytes.  Whoever changes their meaning or order changes version and gdb.py; new
 * ones go to the end.
 */
#ifndef LEAT_SCHED_DEBUGGER_H
#define LEAT_SCHED_DEBUGGER_H

#include "sched/goroutine.h"

struct leat__debugger {
	uint64_t version; /* 1 */
	uint64_t bytes;   /* of this structure */
	const struct leat__g_slabs *slabs;
	const struct leat__saved_register *registers;
	const char *const *wait_names;
	uint64_t waits;      /* how many names */
	const void *all_m;   /* of the pointer to the first M */
	const void *seconds; /* of the clock, 4 bytes, that g.stopped was read from */
	uint64_t kind_goroutine;
	/* Offsets: in a descriptor, */
	uint64_t g_bytes, g_sp, g_stack, g_id, g_parent, g_fn, g_created_at, g_kind, g_wait, g_stopped;
	/* in a stack's header and in an M. */
	uint64_t stack_name, m_next, m_g, m_tid;
	/* Of a byte in a descriptor, and what of it says that it is locked to its thread. */
	uint64_t g_special, special_locked;
};

/* In the dynamic symbol table too, for files without another. */
extern LEAT_API const struct leat__debugger leat__debugger;

#endif
