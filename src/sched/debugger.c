/* SPDX-License-Identifier: MIT */
/*
 * Goroutines in gdb: the table that its script reads, and the script itself, in the section where gdb
 * looks for what to load with a program or library.  strip -g takes the script along, as it does all
 * for debuggers; then `source src/sched/gdb.py` does the same.
 */
#include "sched/debugger.h"

#include "sched/scheduler.h"

#include <stddef.h>

const struct leat__debugger leat__debugger = {
    .version = 1,
    .bytes = sizeof leat__debugger,
    .slabs = &leat__g_slabs,
    .registers = leat__saved_registers,
    .wait_names = leat__wait_names,
    .waits = LEAT__WAITS,
    .all_m = &leat__sched.all_m,
    .seconds = &leat__coarse.seconds,
    .kind_goroutine = LEAT__GOROUTINE,
    .g_bytes = sizeof(struct leat__g),
    .g_sp = offsetof(struct leat__g, sp),
    .g_stack = offsetof(struct leat__g, stack),
    .g_id = offsetof(struct leat__g, id),
    .g_parent = offsetof(struct leat__g, parent),
    .g_fn = offsetof(struct leat__g, fn),
    .g_created_at = offsetof(struct leat__g, created_at),
    .g_kind = offsetof(struct leat__g, kind),
    .g_wait = offsetof(struct leat__g, wait),
    .g_stopped = offsetof(struct leat__g, stopped),
    .stack_name = offsetof(struct leat__stack, name),
    .m_next = offsetof(struct leat__m, all_next),
    .m_g = offsetof(struct leat__m, g),
    .m_tid = offsetof(struct leat__m, tid),
    .g_special = offsetof(struct leat__g, special),
    .special_locked = LEAT__LOCKED,
};

/* 4: a script in Python, inline; then its name and a line feed, the text, and a 0. */
__asm__(".pushsection \".debug_gdb_scripts\", \"MS\", %progbits, 1\n\t"
        ".byte 4\n\t"
        ".ascii \"gdb.inlined-leat\\n\"\n\t"
        ".incbin \"sched/gdb.py\"\n\t"
        ".byte 0\n\t"
        ".popsection");
