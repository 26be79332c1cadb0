/* SPDX-License-Identifier: MIT */
/*
 * Addresses to names.
 *
 * Invariants
 *	- out[0] is filled in by find_exported before libdw is asked, so that every way out leaves a usable
 *	  answer, and what libdw knows better is put over it.
 *	- `session` is made once and kept: it holds the files that libdw has open.  It is brought up to
 *	  date when an address belongs to a file (module.h says so) that it does not know, which is how
 *	  libraries loaded later are found.  It is never done for an address that belongs to none.
 *	- libdw is not entered while it is being used: if it faults, the report of that does without.
 *
 * The callers' turn protects all statics here.
 *
 * libdw reads line tables with some 150 KiB on the stack (measured, 0.188), which a goroutine or the
 * stack of a signal handler may not have.  So it works on a stack of our own.  That is not switched to
 * with swapcontext, about which ASan prints a warning.
 *
 * The unit of an address is found in .debug_aranges, which clang does not write.  Where a program has
 * units of both compilers, libdwfl gives an address of clang's to the unit of gcc's before it.  So the
 * answer is checked, and failing that each unit of the file is asked.  libdwfl's own
 * dwfl_module_getsrc stops at the first step, hence the way on foot.
 *
 * The process is described to libdw by /proc/self/maps and not by its pid, which is another one in the
 * /proc of an outer pid namespace.
 */
#define _GNU_SOURCE
#include "os/symbol.h"

#include "arch/arch.h"
#include "os/module.h"
#include "os/unwind.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

bool leat__symbol_without_libraries;

#if defined LEAT_HAVE_LIBDW && LEAT_HAVE_LIBDW
#define USE_LIBDW 1
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#else
#define USE_LIBDW 0
#endif

#define LIBRARY     "libdw.so.1"
#define INLINED_MAX 64

/* As much as fits. */
static void copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What is known without debug information: the file, and what it exports. */
static void find_exported(uintptr_t address, struct leat__symbol *out)
{
	struct leat__module module;
	Dl_info info;

	memset(out, 0, sizeof *out);
	if (!leat__module_find(address, &module)) {
		out->offset = address;
		snprintf(out->function, sizeof out->function, "0x%lx", (unsigned long)address);
		return;
	}
	copy(out->module, sizeof out->module, base_name(module.path));
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	if (dladdr((void *)address, &info) && info.dli_sname) {
		out->offset = address - (uintptr_t)info.dli_saddr;
		copy(out->function, sizeof out->function, info.dli_sname);
		return;
	}
	out->offset = address - module.bias;
	/* The precision leaves room for the number. */
	snprintf(out->function, sizeof out->function, "%.100s+0x%lx", out->module,
	         (unsigned long)out->offset);
}

#if USE_LIBDW

/* Every function of libdw that is used. */
#define LIBDW(F)                                                                                   \
	F(dwfl_begin)                                                                                  \
	F(dwfl_report_begin)                                                                           \
	F(dwfl_report_end)                                                                             \
	F(dwfl_linux_proc_maps_report)                                                                 \
	F(dwfl_linux_proc_find_elf)                                                                    \
	F(dwfl_standard_find_debuginfo)                                                                \
	F(dwfl_addrmodule)                                                                             \
	F(dwfl_module_addrinfo)                                                                        \
	F(dwfl_module_addrdie)                                                                         \
	F(dwfl_module_nextcu)                                                                          \
	F(dwarf_haspc)                                                                                 \
	F(dwarf_getsrc_die)                                                                            \
	F(dwarf_linesrc)                                                                               \
	F(dwarf_lineno)                                                                                \
	F(dwarf_child)                                                                                 \
	F(dwarf_siblingof)                                                                             \
	F(dwarf_tag)                                                                                   \
	F(dwarf_diename)                                                                               \
	F(dwarf_attr)                                                                                  \
	F(dwarf_formudata)                                                                             \
	F(dwarf_formstring)                                                                            \
	F(dwarf_getsrcfiles)                                                                           \
	F(dwarf_filesrc)                                                                               \
	F(dwarf_cu_info)

static struct {
#define MEMBER(name) __typeof__(name) *name;
	LIBDW(MEMBER)
#undef MEMBER
} dw;

static Dwfl *session;

static bool load(void)
{
	static enum { UNTRIED, LOADED, MISSING } loaded;
	bool all = true;
	void *lib;

	if (loaded != UNTRIED)
		return loaded == LOADED;
	lib = leat__unwind_can_load() ? dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (lib) {
#define RESOLVE(name) all &= (*(void **)&dw.name = dlsym(lib, #name)) != NULL;
		LIBDW(RESOLVE)
#undef RESOLVE
	}
	loaded = lib && all ? LOADED : MISSING;
	return loaded == LOADED;
}

/*
 * Called for a file without debug information of its own, to find some that was installed apart.
 * libdw's own way ends at the servers that DEBUGINFOD_URLS names: not for a report of a crash.
 */
static int find_debuginfo(Dwfl_Module *module, void **data, const char *module_name,
                          Dwarf_Addr base, const char *file, const char *link, GElf_Word link_crc,
                          char **result)
{
	const char *servers = getenv("DEBUGINFOD_URLS");

	if (servers && *servers)
		return -1;
	return dw.dwfl_standard_find_debuginfo(module, data, module_name, base, file, link, link_crc,
	                                       result);
}

/* Tell libdw which files are mapped where. */
static void report(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");

	if (!maps)
		return;
	dw.dwfl_report_begin(session);
	dw.dwfl_linux_proc_maps_report(session, maps);
	dw.dwfl_report_end(session, NULL, NULL);
	fclose(maps);
}

/* The file that holds the address, NULL if libdw cannot say. */
static Dwfl_Module *find_module(uintptr_t address, bool in_a_file)
{
	static Dwfl_Callbacks callbacks; /* libdw keeps the pointer */
	Dwfl_Module *module;

	if (!load())
		return NULL;
	if (!session) {
		callbacks.find_elf = dw.dwfl_linux_proc_find_elf;
		callbacks.find_debuginfo = find_debuginfo;
		session = dw.dwfl_begin(&callbacks);
		if (!session)
			return NULL;
		report();
	}
	module = dw.dwfl_addrmodule(session, address);
	if (module || !in_a_file)
		return module;
	report();
	return dw.dwfl_addrmodule(session, address);
}

/* The unit of translation that holds the address; *bias is what libdw adds to its own addresses. */
static Dwarf_Die *find_unit(Dwfl_Module *module, uintptr_t address, Dwarf_Addr *bias)
{
	Dwarf_Die *unit = dw.dwfl_module_addrdie(module, address, bias);

	if (unit && dw.dwarf_haspc(unit, address - *bias) > 0)
		return unit;
	unit = NULL;
	do
		unit = dw.dwfl_module_nextcu(module, unit, bias);
	while (unit && dw.dwarf_haspc(unit, address - *bias) <= 0);
	return unit;
}

/* A file name as the compiler wrote it may start in the folder it ran in, which it wrote down too. */
static void put_file(struct leat__symbol *out, Dwarf_Die *unit, const char *name)
{
	char path[4096];
	Dwarf_Attribute attribute;
	const char *folder = NULL;
	size_t length;

	if (!name)
		return;
	if (name[0] != '/' && dw.dwarf_attr(unit, DW_AT_comp_dir, &attribute))
		folder = dw.dwarf_formstring(&attribute);
	snprintf(path, sizeof path, "%s%s%s", folder ? folder : "", folder ? "/" : "", name);
	length = strlen(path);
	if (length < sizeof out->file)
		copy(out->file, sizeof out->file, path);
	else
		snprintf(out->file, sizeof out->file, "...%s", path + length - (sizeof out->file - 4));
}

static void put_line(struct leat__symbol *out, Dwarf_Die *unit, Dwarf_Addr address)
{
	Dwarf_Line *line = dw.dwarf_getsrc_die(unit, address);

	if (!line)
		return;
	put_file(out, unit, dw.dwarf_linesrc(line, NULL, NULL));
	if (dw.dwarf_lineno(line, &out->line) != 0)
		out->line = 0;
}

static Dwarf_Word number(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;

	if (!dw.dwarf_attr(die, name, &attribute) || dw.dwarf_formudata(&attribute, &value) != 0)
		return 0;
	return value;
}

/* What describes the functions of a unit: with -gsplit-dwarf not itself, but what is in another file. */
static Dwarf_Die *split_off(Dwarf_Die *unit, Dwarf_Die *room)
{
	uint8_t type = 0;

	if (dw.dwarf_cu_info(unit->cu, NULL, &type, NULL, room, NULL, NULL, NULL) == 0 &&
	    type == DW_UT_skeleton && room->addr)
		return room;
	return unit;
}

/* The place where the inlined function `die` was called. */
static void put_call(struct leat__symbol *out, Dwarf_Die *unit, Dwarf_Die *die)
{
	Dwarf_Die room;
	Dwarf_Files *files;
	size_t count;
	Dwarf_Word file = number(die, DW_AT_call_file);

	out->file[0] = '\0';
	out->line = (int)number(die, DW_AT_call_line);
	if (dw.dwarf_getsrcfiles(split_off(unit, &room), &files, &count) == 0 && file < count)
		put_file(out, unit, dw.dwarf_filesrc(files, file, NULL, NULL));
}

/* Whether one of the addresses that the entry covers is this one. */
static bool covers(Dwarf_Die *die, Dwarf_Addr address)
{
	return dw.dwarf_haspc(die, address) > 0;
}

/* What holds functions without covering any address itself. */
static bool is_container(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
	       tag == DW_TAG_union_type || tag == DW_TAG_module;
}

/* The compiled function at the address, among what stands within an entry; nested: also one that was
   written inside another, whose addresses are not among that one's. */
static bool find_function(Dwarf_Die *within, Dwarf_Addr address, bool nested, Dwarf_Die *out)
{
	Dwarf_Die die;

	if (dw.dwarf_child(within, &die) != 0)
		return false;
	do {
		int tag = dw.dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && covers(&die, address)) {
			*out = die;
			return true;
		}
		if ((is_container(tag) ||
		     (nested && (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block))) &&
		    find_function(&die, address, nested, out))
			return true;
	} while (dw.dwarf_siblingof(&die, &die) == 0);
	return false;
}

/* From a function, or a block of one, to the next one that was inlined there. */
static bool find_inlined(Dwarf_Die *die, Dwarf_Addr address)
{
	Dwarf_Die child;

	for (;;) {
		int tag;

		if (dw.dwarf_child(die, &child) != 0)
			return false;
		for (;;) {
			tag = dw.dwarf_tag(&child);
			if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
			     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
			    covers(&child, address))
				break;
			if (dw.dwarf_siblingof(&child, &child) != 0)
				return false;
		}
		*die = child;
		if (tag == DW_TAG_inlined_subroutine)
			return true;
	}
}

/*
 * The functions at the address from the innermost to the one that was compiled, which the caller has
 * described in out[0] but for its name.  How many there are.
 *
 * On foot, since libdw's dwarf_getscopes passes over whatever stands in a namespace or a class, and
 * where units were joined by gcc's -flto loses the functions that were inlined.
 */
static size_t put_functions(Dwarf_Die *unit, Dwarf_Addr address, struct leat__symbol *out,
                            size_t max)
{
	Dwarf_Die chain[INLINED_MAX], room, *described = split_off(unit, &room);
	size_t depth = 1, n;

	if (!find_function(described, address, false, &chain[0]) &&
	    !find_function(described, address, true, &chain[0]))
		return 1;
	for (Dwarf_Die next = chain[0]; find_inlined(&next, address); depth++) {
		if (depth == INLINED_MAX) /* the outer ones of too many */
			memmove(&chain[1], &chain[2], (--depth - 1) * sizeof *chain);
		chain[depth] = next;
	}
	for (n = 0; n < depth && n < max; n++) {
		Dwarf_Die *die = &chain[depth - 1 - n];
		const char *name = dw.dwarf_diename(die);

		if (n) {
			out[n] = out[0];
			put_call(&out[n], unit, die + 1);
		}
		if (name)
			copy(out[n].function, sizeof out[n].function, name);
	}
	return n;
}

static size_t ask_libdw(uintptr_t address, struct leat__symbol *out, size_t max)
{
	Dwfl_Module *module = find_module(address, out->module[0] != '\0');
	Dwarf_Die *unit;
	Dwarf_Addr bias = 0;
	GElf_Off offset;
	GElf_Sym symbol;
	const char *name;

	if (!module)
		return 1;
	name = dw.dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
	if (name) {
		copy(out->function, sizeof out->function, name);
		out->offset = offset;
	}
	unit = find_unit(module, address, &bias);
	if (!unit)
		return 1;
	put_line(out, unit, address - bias);
	return put_functions(unit, address - bias, out, max);
}

#define STACK_BYTES ((size_t)1 << 20)
#define GUARD_BYTES ((size_t)64 << 10)

struct question {
	uintptr_t address;
	struct leat__symbol *out;
	size_t max, count;
	bool loads_only, has_lines;
};

static void answer(void *arg)
{
	struct question *q = arg;

	if (q->loads_only)
		q->has_lines = load();
	else
		q->count = ask_libdw(q->address, q->out, q->max);
}

/* Have the question answered if there is a stack to do it on, and leave it as it is otherwise. */
static void ask(struct question *q)
{
	static char *stack;
	static bool inside;

	if (inside || leat__symbol_without_libraries)
		return;
	if (!stack) {
		stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
		if (stack == MAP_FAILED) {
			stack = NULL;
			return;
		}
		mprotect(stack, GUARD_BYTES, PROT_NONE);
	}
	inside = true;
	leat__call_on(stack + STACK_BYTES, answer, q);
	inside = false;
}

static size_t find_in_debug_info(uintptr_t address, struct leat__symbol *out, size_t max)
{
	struct question q = {.address = address, .out = out, .max = max, .count = 1};

	ask(&q);
	return q.count;
}

bool leat__symbol_has_lines(void)
{
	struct question q = {.loads_only = true};

	ask(&q);
	return q.has_lines;
}

#else

static size_t find_in_debug_info(uintptr_t address, struct leat__symbol *out, size_t max)
{
	(void)address;
	(void)out;
	(void)max;
	return 1;
}

bool leat__symbol_has_lines(void)
{
	return false;
}

#endif

size_t leat__symbol_frames(void *pc, bool is_return_address, struct leat__symbol *out, size_t max)
{
	uintptr_t address = (uintptr_t)pc - (is_return_address && pc);
	size_t n;

	find_exported(address, out);
	n = find_in_debug_info(address, out, max);
	/* The reader's disassembler wants the address as the stack has it. */
	for (size_t i = 0; i < n; i++)
		out[i].offset += (uintptr_t)pc - address;
	return n;
}

void leat__symbol_find(void *pc, bool is_return_address, struct leat__symbol *out)
{
	leat__symbol_frames(pc, is_return_address, out, 1);
}

void *leat__symbol_named(const char *name)
{
	return leat__unwind_can_load() ? dlsym(RTLD_DEFAULT, name) : NULL;
}
