# SPDX-License-Identifier: MIT
"""Goroutines of leat in gdb, in a process or in a core file.

	info goroutines			one line for each
	goroutine 7 bt			any command, in the context of goroutine 7
	goroutine 7			the same as goroutine 7 bt
	goroutine apply all bt		in that of each in turn; also goroutine apply 1 7-9 bt

gdb loads this by itself from the program or from libleat.so if that is trusted; in ~/.gdbinit:

	add-auto-load-safe-path /home/me/project

A goroutine that a thread runs is that thread's stack.  One that is parked has its registers on its own
stack.  To show it, an unwinder says that it has called the newest frame of some thread, which is then
hidden: that changes nothing in the process, so that it works for core files too.
"""

import struct

import gdb
import gdb.unwinder

TABLE = """version bytes slabs registers wait_names waits all_m seconds kind_goroutine g_bytes g_sp g_stack
	g_id g_parent g_fn g_created_at g_kind g_wait g_stopped stack_name m_next m_g m_tid g_special special_locked""".split()
SECONDS_MASK = 0x7fffffff


def read(address, size):
	return bytes(gdb.selected_inferior().read_memory(address, size))


def word(address, size=8):
	return int.from_bytes(read(address, size), "little")


def text(address):
	data = b""
	while address and not data.endswith(b"\0") and len(data) < 128:
		data += read(address + len(data), 1)
	return data.rstrip(b"\0").decode("utf-8", "replace")


class Table:
	"""leat__debugger of src/sched/debugger.h."""

	def __init__(self):
		symbol = gdb.lookup_static_symbol("leat__debugger") or gdb.lookup_global_symbol("leat__debugger")
		try:
			address = int(symbol.value().address) if symbol else int(
				gdb.parse_and_eval("(unsigned long)&leat__debugger"))
			values = struct.unpack(f"<{len(TABLE)}Q", read(address, 8 * len(TABLE)))
		except (gdb.error, gdb.MemoryError) as error:
			raise gdb.GdbError(f"No goroutines: {error}") from error
		self.__dict__.update(zip(TABLE, values))
		if self.version != 1:
			raise gdb.GdbError(f"This leat has tables of version {self.version}, which are unknown here.")
		self.saved = []
		at = self.registers
		while word(at):
			self.saved.append((text(word(at)), word(at + 8)))
			at += 16
		self.frame_bytes = word(at + 8)


class Goroutine:
	def __init__(self, table, address):
		self.table = table
		self.address = address
		data = read(address, table.g_bytes)

		def field(offset, size=8):
			return int.from_bytes(data[offset:offset + size], "little")

		self.kind = field(table.g_kind, 1)
		self.id = field(table.g_id)
		self.parent = field(table.g_parent)
		self.created_at = field(table.g_created_at)
		self.sp = field(table.g_sp)
		self.stack = field(table.g_stack)
		self.fn = field(table.g_fn)
		self.wait = field(table.g_wait, 1)
		self.stopped = field(table.g_stopped, 4)
		self.locked = field(table.g_special, 1) & table.special_locked
		self.thread = None  # which runs it

	@property
	def off_stack(self):
		"""Why there is nothing to walk, or nothing."""
		if self.thread or self.sp:
			return ""
		return "between two stacks" if self.stack else "not started"

	@property
	def name(self):
		return text(word(self.stack + self.table.stack_name)) if self.stack else ""

	@property
	def state(self):
		return self.doing + (", locked to thread" if self.locked else "")

	@property
	def doing(self):
		if self.thread or (self.stack and not self.sp):
			return "running"
		if self.wait == 0 or self.wait >= self.table.waits:
			return "runnable"
		state = text(word(self.table.wait_names + 8 * self.wait))
		minutes = ((word(self.table.seconds, 4) - self.stopped) & SECONDS_MASK) // 60
		return f"{state}, {minutes} minutes" if minutes else state

	def registers(self):
		"""Of one that is parked: where each lies, by name, and the stack pointer above them."""
		saved = {name: self.sp + offset for name, offset in self.table.saved}
		return saved, self.sp + self.table.frame_bytes


def goroutines():
	"""All there are, oldest first."""
	table = Table()
	found = []
	slab = word(word(table.slabs))
	slab_next, slab_g, count = (word(table.slabs + 8 * i) for i in (1, 2, 3))
	while slab:
		for i in range(count):
			g = Goroutine(table, slab + slab_g + i * table.g_bytes)
			if g.kind == table.kind_goroutine:
				found.append(g)
		slab = word(slab + slab_next)

	threads = {thread.ptid[1]: thread for thread in gdb.selected_inferior().threads()}
	running = {}
	m = word(table.all_m)
	while m:
		running[word(m + table.m_g)] = threads.get(word(m + table.m_tid, 4))
		m = word(m + table.m_next)
	for g in found:
		# One whose sp is not 0 is off its stack, although the M may say already that it is next.
		if not g.sp:
			g.thread = running.get(g.address)
	return sorted(found, key=lambda g: g.id)


def pointer(value):
	return gdb.Value(value).cast(gdb.lookup_type("unsigned long"))


class FrameId:
	def __init__(self, sp, pc):
		self.sp = pointer(sp)
		self.pc = pointer(pc)


class GoroutineUnwinder(gdb.unwinder.Unwinder):
	"""While goroutine is set: it has called the newest frame, which is at newest."""

	def __init__(self):
		super().__init__("leat")
		self.goroutine = None
		self.newest = None
		self.asked = False

	def __call__(self, pending):
		if not self.goroutine or (int(pending.read_register("pc")), int(pending.read_register("sp"))) != self.newest:
			return None
		saved, sp = self.goroutine.registers()
		# The frame's own identity: further in than its caller, or gdb takes the stack for corrupt.
		info = pending.create_unwind_info(FrameId(self.goroutine.sp, self.newest[0]))
		for name, address in saved.items():
			info.add_saved_register(name, pointer(word(address)))
		info.add_saved_register("sp", pointer(sp))
		self.asked = True
		return info


class HideNewest:
	"""The frame that the goroutine seems to have called is none of its own."""

	name = "leat"
	priority = 1000
	enabled = True

	def filter(self, frames):
		if unwinder.goroutine:
			next(frames, None)
		return frames


def select_carrier():
	"""A thread whose newest frame may have a caller; gdb looks for none beyond main."""
	for thread in gdb.selected_inferior().threads():
		thread.switch()
		if gdb.newest_frame().name() not in ("main", None):
			return
	gdb.selected_inferior().threads()[0].switch()


class Context:
	"""Whatever is done within `with` is done in the context of a goroutine."""

	def __init__(self, goroutine):
		self.goroutine = goroutine

	def __enter__(self):
		self.thread = gdb.selected_thread()
		self.level = gdb.selected_frame().level()
		if self.goroutine.thread:
			self.goroutine.thread.switch()
			gdb.newest_frame().select()
			return self
		select_carrier()
		frame = gdb.newest_frame()
		unwinder.newest = (int(frame.read_register("pc")), int(frame.read_register("sp")))
		unwinder.goroutine = self.goroutine
		unwinder.asked = False
		gdb.invalidate_cached_frames()
		caller = gdb.newest_frame().older()
		if not caller or not unwinder.asked:
			self.__exit__()
			raise gdb.GdbError(f"The stack of goroutine {self.goroutine.id} cannot be read.")
		caller.select()
		return self

	def __exit__(self, *_):
		unwinder.goroutine = None
		gdb.invalidate_cached_frames()
		self.thread.switch()
		frame = gdb.newest_frame()
		for _ in range(self.level):
			frame = frame.older() or frame
		frame.select()


def symbol_at(pc):
	"""FUNCTION, and FILE:LINE where that is known."""
	found = gdb.execute(f"info symbol {pc}", to_string=True)
	name = "??" if found.startswith("No symbol") else found.split(" in section")[0].split(" + ")[0]
	line = gdb.find_pc_line(pc)
	return f"{name} at {line.symtab.filename}:{line.line}" if line.symtab else name


def where(g):
	"""The innermost frame that is none of leat's."""
	if g.off_stack:
		return f"{symbol_at(g.fn)} ({g.off_stack})"
	with Context(g):
		frame = gdb.selected_frame()
		# Without debug information gdb takes the name leat__park for Ada's.
		while frame.older() and (frame.name() or "").startswith(("leat_", "leat.")):
			frame = frame.older()
		pc = frame.pc()
		return symbol_at(pc if frame.level() == 0 else pc - 1)


def title(g):
	name = f' "{g.name}"' if g.name else ""
	return f"goroutine {g.id}{name} [{g.state}]"


class InfoGoroutines(gdb.Command):
	"""All goroutines of leat: id, name, state, where, and who created it.
A * marks the one that the selected thread runs."""

	def __init__(self):
		super().__init__("info goroutines", gdb.COMMAND_STATUS)

	def invoke(self, argument, from_tty):
		selected = gdb.selected_thread()
		for g in goroutines():
			mark = "*" if g.thread and selected and g.thread.ptid == selected.ptid else " "
			line = f"{mark} {title(g)[10:]} in {where(g)}"
			if g.id > 1 and g.created_at:
				line += f", created by {symbol_at(g.created_at - 1).split(' at ')[0]} in goroutine {g.parent}"
			print(line)


class GoroutineCommand(gdb.Command):
	"""Do something in the context of a goroutine of leat.

	goroutine ID [COMMAND]			COMMAND is bt unless it is given
	goroutine apply all|ID... COMMAND	for several; ID may be FIRST-LAST

info goroutines shows the ids."""

	def __init__(self):
		super().__init__("goroutine", gdb.COMMAND_STACK)

	def invoke(self, argument, from_tty):
		first, _, rest = argument.strip().partition(" ")
		if first == "apply":
			self.apply(rest.split())
		elif first.isdigit():
			self.execute(self.find(int(first)), rest.strip() or "bt")
		else:
			raise gdb.GdbError('goroutine ID [COMMAND], or goroutine apply all|ID... COMMAND; "info goroutines" shows the ids.')

	def find(self, number):
		for g in goroutines():
			if g.id == number:
				return g
		raise gdb.GdbError(f"No goroutine {number}.")

	def execute(self, g, command):
		if g.off_stack:
			print(f"goroutine {g.id} is {g.off_stack}: {symbol_at(g.fn)}")
			return
		with Context(g):
			gdb.execute(command)

	def apply(self, words):
		chosen = []
		everything = goroutines()
		while words and (words[0] == "all" or words[0][0].isdigit()):
			first, _, last = words.pop(0).partition("-")
			chosen += [g for g in everything
				if first == "all" or int(first) <= g.id <= int(last or first)]
		if not words or not chosen:
			raise gdb.GdbError("goroutine apply all|ID... COMMAND: no such goroutine, or no command.")
		for g in chosen:
			print(f"\n{title(g)}:")
			try:
				self.execute(g, " ".join(words))
			except gdb.error as error:
				print(error)


unwinder = GoroutineUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)
gdb.frame_filters[HideNewest.name] = HideNewest()
InfoGoroutines()
GoroutineCommand()
