/* SPDX-License-Identifier: MIT */
/*
 * A value with its type: printing, comparing, and what goes wrong.
 *
 * Numbers are written by hand, since a panic on a small stack prints them, too: printf takes 1.5 KiB, and
 * may allocate for floating point.  Only a type's own print gets a stream.
 *
 * A value lies in its leat_any unaligned, so whoever hands out its address copies it first.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fopencookie */
#endif
#include "base/copy.h"
#include "sched/panic.h"

#include <leat/any.h>
#include <leat/defer.h>
#include <leat/error.h>

#include <string.h>

_Static_assert(sizeof(leat_any) == 24, "a leat_any has 24 bytes");

enum { OWN = 0x10 }; /* one of C's types, printed without its name */

#define OWN_TYPE(id, called, T, kind)                                                              \
	const leat_type leat__type_##id = {                                                            \
	    .name = (called), .bytes = sizeof(T), .leat__kind = LEAT__KIND_##kind | OWN}

OWN_TYPE(bool, "bool", bool, BOOL);
OWN_TYPE(char, "char", char, CHAR);
OWN_TYPE(signed_char, "signed char", signed char, SIGNED);
OWN_TYPE(unsigned_char, "unsigned char", unsigned char, UNSIGNED);
OWN_TYPE(short, "short", short, SIGNED);
OWN_TYPE(unsigned_short, "unsigned short", unsigned short, UNSIGNED);
OWN_TYPE(int, "int", int, SIGNED);
OWN_TYPE(unsigned_int, "unsigned int", unsigned, UNSIGNED);
OWN_TYPE(long, "long", long, SIGNED);
OWN_TYPE(unsigned_long, "unsigned long", unsigned long, UNSIGNED);
OWN_TYPE(long_long, "long long", long long, SIGNED);
OWN_TYPE(unsigned_long_long, "unsigned long long", unsigned long long, UNSIGNED);
OWN_TYPE(float, "float", float, FLOAT);
OWN_TYPE(double, "double", double, FLOAT);
OWN_TYPE(long_double, "long double", long double, FLOAT);
OWN_TYPE(string, "string", const char *, STRING);
OWN_TYPE(pointer, "void *", void *, POINTER);
OWN_TYPE(const_pointer, "const void *", const void *, POINTER);
OWN_TYPE(error, "error", const leat_error *, ERROR);

/* A value out of a leat_any, by what it is in C. */
union value {
	unsigned char bytes[16];
	bool truth;
	long long integer;
	unsigned long long natural;
	float single;
	double real;
	long double extended;
	const char *string;
	const leat_error *error;
	uintptr_t address;
};

static enum leat__any_kind kind_of(const leat_type *type)
{
	return (enum leat__any_kind)(type->leat__kind & ~OWN);
}

/* Integers are widened to 64 bits (behind those without sign there is zero), floating point to long double. */
static void load(union value *v, const leat_any *a)
{
	unsigned bits = 64 - 8 * (unsigned)a->leat__type->bytes;

	leat__copy(v->bytes, a->leat__value.leat__bytes, sizeof v->bytes);
	switch (kind_of(a->leat__type)) {
	case LEAT__KIND_SIGNED:
		v->integer = (long long)(v->natural << bits) >> bits;
		break;
	case LEAT__KIND_FLOAT:
		if (a->leat__type->bytes == sizeof(float))
			v->extended = v->single;
		else if (a->leat__type->bytes == sizeof(double))
			v->extended = v->real;
		break;
	default:
		break;
	}
}

/* --- printing */

/* Where text goes: a stream, or memory. */
struct sink {
	FILE *file;
	char *buf;
	size_t room, length;
};

static void put(struct sink *to, const char *text, size_t bytes)
{
	if (to->file)
		fwrite(text, 1, bytes, to->file);
	else if (to->length < to->room)
		memcpy(to->buf + to->length, text,
		       bytes < to->room - to->length ? bytes : to->room - to->length);
	to->length += bytes;
}

/* The NUL for which room was left. */
static void end_text(struct sink *to)
{
	to->buf[to->length < to->room ? to->length : to->room] = '\0';
}

static void put_string(struct sink *to, const char *text)
{
	put(to, text, strlen(text));
}

static void put_natural(struct sink *to, unsigned long long n, unsigned base, const char *before)
{
	char digits[24], *at = digits + sizeof digits;

	do {
		*--at = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	for (size_t i = strlen(before); i-- > 0;)
		*--at = before[i];
	put(to, at, (size_t)(digits + sizeof digits - at));
}

static void put_integer(struct sink *to, long long n)
{
	if (n < 0)
		put_natural(to, -(unsigned long long)n, 10, "-");
	else
		put_natural(to, (unsigned long long)n, 10, "");
}

/* Seven digits that matter and the power of ten, in at least three digits: +1.500000e+000. */
static void put_real(struct sink *to, long double x)
{
	char text[16], *at = text + sizeof text;
	bool negative = __builtin_signbit(x);
	unsigned long digits;
	int power = 6; /* x is a number of seven digits, times ten to the power less six */

	if (x != x) {
		put(to, "NaN", 3);
		return;
	}
	if (negative)
		x = -x;
	if (x > 0 && x + x == x) { /* not by its bits: Valgrind's long double is a double */
		put(to, negative ? "-Inf" : "+Inf", 4);
		return;
	}
	for (; x >= 1e7L; power++)
		x /= 10;
	for (; x > 0 && x < 1e6L; power--)
		x *= 10;
	digits = (unsigned long)(x + 0.5L);
	if (digits == 10000000) {
		digits /= 10;
		power++;
	}
	if (digits == 0)
		power = 0;

	unsigned exponent = (unsigned)(power < 0 ? -power : power);

	for (int i = 0; i < 3 || exponent; i++, exponent /= 10)
		*--at = (char)('0' + exponent % 10);
	*--at = power < 0 ? '-' : '+';
	*--at = 'e';
	for (int i = 0; i < 6; i++, digits /= 10)
		*--at = (char)('0' + digits % 10);
	*--at = '.';
	*--at = (char)('0' + digits);
	*--at = negative ? '-' : '+';
	put(to, at, (size_t)(text + sizeof text - at));
}

static void put_value(struct sink *to, const leat_any *a)
{
	const leat_type *type = a->leat__type;
	enum leat__any_kind kind = kind_of(type);
	bool own = type->leat__kind & OWN;
	bool named = !own && kind != LEAT__KIND_OTHER && kind != LEAT__KIND_POINTER;
	union value v;

	load(&v, a);
	if (named) {
		put_string(to, type->name);
		put_string(to, kind == LEAT__KIND_STRING ? "(\"" : "(");
	}
	switch (kind) {
	case LEAT__KIND_BOOL:
		put_string(to, v.truth ? "true" : "false");
		break;
	case LEAT__KIND_SIGNED:
		put_integer(to, v.integer);
		break;
	case LEAT__KIND_UNSIGNED:
		put_natural(to, v.natural, 10, "");
		break;
	case LEAT__KIND_FLOAT:
		put_real(to, v.extended);
		break;
	case LEAT__KIND_STRING:
		put_string(to, v.string ? v.string : "(null)");
		break;
	case LEAT__KIND_ERROR:
		put_string(to, v.error ? leat_error_message(v.error) : "nil");
		break;
	case LEAT__KIND_POINTER:
	case LEAT__KIND_OTHER:
		put_string(to, "(");
		put_string(to, type->name);
		put_string(to, ") ");
		put_natural(to, kind == LEAT__KIND_POINTER ? v.address : (uintptr_t)&a->leat__value, 16,
		            "0x");
		break;
	}
	if (named)
		put_string(to, kind == LEAT__KIND_STRING ? "\")" : ")");
}

static void put_any(struct sink *to, const leat_any *a)
{
	if (!a->leat__type)
		put_string(to, "nil");
	else
		put_value(to, a);
}

void leat_any_print(FILE *to, leat_any v)
{
	struct sink sink = {.file = to};

	if (v.leat__type && v.leat__type->print) {
		union value copy;

		leat__copy(copy.bytes, v.leat__value.leat__bytes, sizeof copy.bytes);
		v.leat__type->print(to, &copy);
		return;
	}
	/* In one piece, though several goroutines write; nothing below parks. */
	flockfile(to);
	put_any(&sink, &v);
	funlockfile(to);
}

static ssize_t write_sink(void *to, const char *text, size_t bytes)
{
	put(to, text, bytes);
	return (ssize_t)bytes;
}

static void close_stream(void *stream)
{
	fclose(stream);
}

/* What the type's print writes; false without memory for a stream.  The stream is closed however print ends,
   and has a small buffer of ours, since stdio would take BUFSIZ bytes from the heap or the stack. */
static bool leat__any_print_into(struct sink *to, const leat_any *a)
{
	char buffer[128];
	union value copy;
	FILE *stream = fopencookie(to, "w", (cookie_io_functions_t){.write = write_sink});
	leat__record record = {.fn = close_stream, .arg = stream};

	if (!stream)
		return false;
	setvbuf(stream, buffer, _IOFBF, sizeof buffer);
	leat__copy(copy.bytes, a->leat__value.leat__bytes, sizeof copy.bytes);
	leat__record_push(&record);
	a->leat__type->print(stream, &copy);
	leat__record_leave(&record);
	return true;
}

size_t leat_any_text(leat_any v, char *buf, size_t room)
{
	struct sink sink = {.buf = buf, .room = room ? room - 1 : 0};

	if (!v.leat__type || !v.leat__type->print || !leat__any_print_into(&sink, &v))
		put_any(&sink, &v);
	if (room)
		end_text(&sink);
	return sink.length;
}

/* --- asking and comparing */

bool leat_any_is_nil(leat_any v)
{
	return !v.leat__type;
}

const char *leat_any_type_name(leat_any v)
{
	return v.leat__type ? v.leat__type->name : "nil";
}

leat_any leat_any_make(const leat_type *type, const void *value)
{
	leat_any a = {type, {{0}}};

	leat__copy(a.leat__value.leat__bytes, value, type->bytes);
	return a;
}

bool leat_any_get(leat_any a, const leat_type *type, void *to)
{
	if (a.leat__type != type)
		return false;
	leat__copy(to, a.leat__value.leat__bytes, type->bytes);
	return true;
}

/* The panic's own copy lies on the same stack, which may be small. */
enum { MESSAGE = 192 };

void leat__any_wrong(const leat_type *is, const leat_type *wanted)
{
	char message[MESSAGE];
	struct sink to = {.buf = message, .room = sizeof message - 1};
	const char *name = is ? is->name : "nil";

	put_string(&to, "interface conversion: interface {} is ");
	put_string(&to, name);
	put_string(&to, ", not ");
	put_string(&to, wanted->name);
	if (strcmp(name, wanted->name) == 0)
		put_string(&to, " (types from different scopes)");
	end_text(&to);
	leat__panic_runtime(message);
}

LEAT__NORETURN static void leat__any_uncomparable(const leat_type *type)
{
	char message[MESSAGE];
	struct sink to = {.buf = message, .room = sizeof message - 1};

	put_string(&to, "runtime error: comparing uncomparable type ");
	put_string(&to, type->name);
	end_text(&to);
	leat__panic_runtime(message);
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool leat_any_equal(leat_any a, leat_any b)
{
	const leat_type *type = a.leat__type;
	union value x, y;

	if (type != b.leat__type || !type)
		return type == b.leat__type;
	if (type->equal) {
		leat__copy(x.bytes, a.leat__value.leat__bytes, sizeof x.bytes);
		leat__copy(y.bytes, b.leat__value.leat__bytes, sizeof y.bytes);
		return type->equal(&x, &y);
	}
	load(&x, &a);
	load(&y, &b);
	switch (kind_of(type)) {
	case LEAT__KIND_BOOL:
		return x.truth == y.truth;
	case LEAT__KIND_FLOAT:
		return x.extended == y.extended;
	case LEAT__KIND_STRING:
		return same_string(x.string, y.string);
	case LEAT__KIND_SIGNED:
	case LEAT__KIND_UNSIGNED:
	case LEAT__KIND_POINTER:
	case LEAT__KIND_ERROR:
		return x.natural == y.natural;
	case LEAT__KIND_OTHER:
		break;
	}
	leat__any_uncomparable(type);
}
