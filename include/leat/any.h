/* SPDX-License-Identifier: MIT */
/*
 * A value with its type: Go's any, or interface{}.
 *
 *	leat_any a = any_of(42);
 *	int n;
 *
 *	if (any_as(int, a, &n))             is it an int?  Go's n, ok := a.(int)
 *		printf("%d\n", n);
 *	n = any_must(int, a);               panics if it is none
 *
 * C's own types are known: bool, characters, integers, floating point, strings (char *), void * and
 * leat_errors.  The program declares others, once, and names them where C's are named:
 *
 *	LEAT_TYPE(point, struct point, .print = print_point);       in one .c file
 *	LEAT_TYPE_DECLARE(point, struct point);                     in a header, for the others
 *
 *	a = any_of_type(point, {3, 4});
 *	any_switch(a) {
 *		any_case(int, n)
 *			printf("%d\n", n);
 *		any_case(point, p)
 *			draw(p.x, p.y);
 *		any_case_nil
 *			puts("nothing");
 *		any_default
 *			leat_any_print(stdout, a);
 *	}
 *
 * A leat_any is a value of 24 bytes like any other: it is copied, stored, sent on a chan(leat_any), and
 * compared with leat_any_equal.  It owns nothing: a string, and what a pointer points to, must live as long
 * as it is used.  It holds 16 bytes; of a larger type it holds a pointer.  All zero it is Go's nil.
 *
 * A type is known by the address of its leat_type, so two that look alike are two: int is neither long nor
 * a LEAT_TYPE(meters, int), and types of one name in two files, both static, are not the same.
 */
#ifndef LEAT_ANY_H
#define LEAT_ANY_H

#include <leat/base.h>

#include <stdio.h>

LEAT__BEGIN

/*
 * A type.  LEAT_TYPE makes one; print and equal are for the program to give.
 *
 * print writes a value, as Go's String and Error do, on the stack of who prints; it may park and panic.
 * NULL: as leat_any_print does.  equal compares two values.  NULL: as leat_any_equal does.
 * The values are aligned, and only there during the call.
 */
typedef struct leat_type {
	const char *name; /* as panics and prints call it */
	size_t bytes;     /* at most 16 */
	void (*print)(FILE *to, const void *value);
	bool (*equal)(const void *a, const void *b);
	unsigned char leat__kind;
} leat_type;

/* A value and its type.  All fields are private. */
typedef struct leat_any {
	const leat_type *leat__type; /* NULL: nil */
	union {
		unsigned char leat__bytes[16];
		unsigned long long leat__words[2];
		void *leat__pointer;
		long long leat__integer;
		double leat__real;
	} leat__value; /* what the value leaves free is zero */
} leat_any;

/*
 * Print v as Go prints the value of a panic: 42, true, +1.500000e+000, a string without quotes, nil; for the
 * program's types what their print writes, else meters(42), title("leat"), and for what is no number,
 * string or bool its address: (point) 0x7f5c1be0.  A char is a number, too.
 *
 * Any goroutine, any thread, for which to is like any other use of it.  Allocates nothing, and uses little
 * stack, but for what print and stdio do.
 */
LEAT_API void leat_any_print(FILE *to, leat_any v);

/*
 * The same into buf, cut to room - 1 characters and a NUL (none where room is 0).  Returns the whole length,
 * as snprintf.
 *
 * Where a type's print is called it gets a stream, for which stdio allocates; without memory for that it is
 * as if the type had no print.  Else it allocates nothing, and its stack is less than 1 KiB.
 */
LEAT_API size_t leat_any_text(leat_any v, char *buf, size_t room);

/* Is v nil, that is without type and value?  A NULL pointer in a leat_any has a type, and is not nil. */
LEAT_API bool leat_any_is_nil(leat_any v);

/* The name of v's type; "nil" for nil. */
LEAT_API const char *leat_any_type_name(leat_any v);

/*
 * Are a and b of the same type and equal?  nil equals nil.
 *
 * Numbers compare as C's ==, so NaN equals nothing; strings by what they say; pointers and errors by
 * address; the program's types by their equal, else as what they are in C.
 * Panics "runtime error: comparing uncomparable type NAME" for structs and unions without equal, which C
 * cannot compare.  After Go's ==.
 */
LEAT_API bool leat_any_equal(leat_any a, leat_any b);

/*
 * The same by hand, for code that knows types at run time only: a value of the type, from where it lies; and
 * true when a is of that type, with its value copied to where `to` points.
 */
LEAT_API leat_any leat_any_make(const leat_type *type, const void *value);
LEAT_API bool leat_any_get(leat_any a, const leat_type *type, void *to);

/* What any_must panics with: a runtime panic.  Private. */
LEAT_API LEAT__NORETURN void leat__any_wrong(const leat_type *is, const leat_type *wanted);

/* C's own types.  Private: LEAT_TYPE_OF gives them. */
LEAT_API extern const leat_type leat__type_bool, leat__type_char, leat__type_signed_char,
    leat__type_unsigned_char, leat__type_short, leat__type_unsigned_short, leat__type_int,
    leat__type_unsigned_int, leat__type_long, leat__type_unsigned_long, leat__type_long_long,
    leat__type_unsigned_long_long, leat__type_float, leat__type_double, leat__type_long_double,
    leat__type_string, leat__type_pointer, leat__type_const_pointer, leat__type_error;

LEAT__END

#ifndef __cplusplus

/* --- declaring types */

/* What a type is in C, which decides how it is printed and compared. */
enum leat__any_kind {
	LEAT__KIND_OTHER,
	LEAT__KIND_BOOL,
	LEAT__KIND_SIGNED,
	LEAT__KIND_UNSIGNED,
	LEAT__KIND_FLOAT,
	LEAT__KIND_STRING,
	LEAT__KIND_POINTER,
	LEAT__KIND_ERROR,
};

#ifdef __CHAR_UNSIGNED__
#define LEAT__KIND_CHAR LEAT__KIND_UNSIGNED
#else
#define LEAT__KIND_CHAR LEAT__KIND_SIGNED
#endif

/* Enumerations are the integers that the compiler makes of them; 5 is a pointer. */
/* clang-format off */
#define LEAT__KIND(T)                                                                              \
	_Generic(*(__typeof__(T) *)0,                                                                  \
		_Bool: LEAT__KIND_BOOL,                                                                    \
		char: LEAT__KIND_CHAR,                                                                     \
		signed char: LEAT__KIND_SIGNED,                                                            \
		unsigned char: LEAT__KIND_UNSIGNED,                                                        \
		short: LEAT__KIND_SIGNED,                                                                  \
		unsigned short: LEAT__KIND_UNSIGNED,                                                       \
		int: LEAT__KIND_SIGNED,                                                                    \
		unsigned: LEAT__KIND_UNSIGNED,                                                             \
		long: LEAT__KIND_SIGNED,                                                                   \
		unsigned long: LEAT__KIND_UNSIGNED,                                                        \
		long long: LEAT__KIND_SIGNED,                                                              \
		unsigned long long: LEAT__KIND_UNSIGNED,                                                   \
		float: LEAT__KIND_FLOAT,                                                                   \
		double: LEAT__KIND_FLOAT,                                                                  \
		long double: LEAT__KIND_FLOAT,                                                             \
		char *: LEAT__KIND_STRING,                                                                 \
		const char *: LEAT__KIND_STRING,                                                           \
		default: __builtin_classify_type(*(__typeof__(T) *)0) == 5 ? LEAT__KIND_POINTER : LEAT__KIND_OTHER)
/* clang-format on */

/*
 * LEAT_TYPE(name, T), LEAT_TYPE(name, T, .print = f, .equal = g): define the type `name`, an identifier,
 * which is T in C; static may stand before it.  T has 16 bytes at most, and is no array.
 * LEAT_TYPE_DECLARE(name, T) declares it in a header.
 * The object is called leat_type_name.  Where the dynamic linker resolves it, all libraries of a process
 * agree on its address.
 */
#define LEAT_TYPE(name, ...) LEAT__TYPE_DEFINE(name, __VA_ARGS__, )
#define LEAT__TYPE_DEFINE(id, T, ...)                                                              \
	const leat_type leat_type_##id = {                                                             \
	    .name = #id, .bytes = sizeof(T), .leat__kind = LEAT__KIND(T), __VA_ARGS__};                \
	LEAT__TYPE_IN_C(id, T)
#define LEAT_TYPE_DECLARE(id, T)                                                                   \
	extern const leat_type leat_type_##id;                                                         \
	LEAT__TYPE_IN_C(id, T)
/* The right operand of a comma is a pointer where it was an array. */
#define LEAT__IS_ARRAY(T)                                                                          \
	!__builtin_types_compatible_p(__typeof__(T), __typeof__(((void)0, *(__typeof__(T) *)0)))
#define LEAT__TYPE_IN_C(id, T)                                                                     \
	_Static_assert(sizeof(T) <= sizeof(((leat_any *)0)->leat__value),                              \
	               "a leat_any holds 16 bytes: declare a pointer to " #T " as the type");          \
	_Static_assert(!__builtin_types_compatible_p(__typeof__(T), void), "void has no values");      \
	_Static_assert(!LEAT__IS_ARRAY(T), "arrays cannot be copied: put " #T " into a structure");    \
	_Static_assert(!__builtin_types_compatible_p(__typeof__(T) *, __typeof__(T) const *),          \
	               "values are copied: " #T " cannot be const");                                   \
	typedef __typeof__(T) leat__type_of_##id LEAT__UNUSED

/* --- naming types: T is one of C's own, or a name of LEAT_TYPE */

/* Of a value; what c and e are for those that are taken as strings and errors, but not given back so. */
struct leat_error;
struct leat__type_none;
#define LEAT__TYPE_NONE ((struct leat__type_none *)0)
/* clang-format off */
#define LEAT__TYPE_OWN(v, c, e)                                                                    \
	_Generic((v),                                                                                  \
		_Bool: &leat__type_bool,                                                                   \
		char: &leat__type_char,                                                                    \
		signed char: &leat__type_signed_char,                                                      \
		unsigned char: &leat__type_unsigned_char,                                                  \
		short: &leat__type_short,                                                                  \
		unsigned short: &leat__type_unsigned_short,                                                \
		int: &leat__type_int,                                                                      \
		unsigned: &leat__type_unsigned_int,                                                        \
		long: &leat__type_long,                                                                    \
		unsigned long: &leat__type_unsigned_long,                                                  \
		long long: &leat__type_long_long,                                                          \
		unsigned long long: &leat__type_unsigned_long_long,                                        \
		float: &leat__type_float,                                                                  \
		double: &leat__type_double,                                                                \
		long double: &leat__type_long_double,                                                      \
		const char *: &leat__type_string,                                                          \
		char *: c,                                                                                 \
		void *: &leat__type_pointer,                                                               \
		const void *: &leat__type_const_pointer,                                                   \
		const struct leat_error *: &leat__type_error,                                              \
		struct leat_error *: e,                                                                    \
		default: LEAT__TYPE_NONE)
/* clang-format on */

/*
 * A type of C's own may be several words, which no identifier can be made of; it begins with one of these.
 * LEAT__TYPE_IS_OWN(T) is 1 then: the word puts that in the second place, which is 0 else.
 */
#define LEAT__WORD_bool         ~, 1,
#define LEAT__WORD__Bool        ~, 1,
#define LEAT__WORD_char         ~, 1,
#define LEAT__WORD_signed       ~, 1,
#define LEAT__WORD_unsigned     ~, 1,
#define LEAT__WORD_short        ~, 1,
#define LEAT__WORD_int          ~, 1,
#define LEAT__WORD_long         ~, 1,
#define LEAT__WORD_float        ~, 1,
#define LEAT__WORD_double       ~, 1,
#define LEAT__WORD_void         ~, 1,
#define LEAT__WORD_const        ~, 1,
#define LEAT__WORD_struct       ~, 1,
#define LEAT__WORD_union        ~, 1,
#define LEAT__WORD_enum         ~, 1,
#define LEAT__WORD___typeof__   ~, 1,
#define LEAT__WORD_int8_t       ~, 1,
#define LEAT__WORD_int16_t      ~, 1,
#define LEAT__WORD_int32_t      ~, 1,
#define LEAT__WORD_int64_t      ~, 1,
#define LEAT__WORD_uint8_t      ~, 1,
#define LEAT__WORD_uint16_t     ~, 1,
#define LEAT__WORD_uint32_t     ~, 1,
#define LEAT__WORD_uint64_t     ~, 1,
#define LEAT__WORD_size_t       ~, 1,
#define LEAT__WORD_ssize_t      ~, 1,
#define LEAT__WORD_ptrdiff_t    ~, 1,
#define LEAT__WORD_intptr_t     ~, 1,
#define LEAT__WORD_uintptr_t    ~, 1,
#define LEAT__SECOND(a, b, ...) b
#define LEAT__SECOND_OF(...)    LEAT__SECOND(__VA_ARGS__, 0, )
#define LEAT__TYPE_IS_OWN(T)    LEAT__SECOND_OF(LEAT__WORD_##T)

/* LEAT_TYPE_OF(T): the leat_type; LEAT__TYPE_C(T): the type in C. */
#define LEAT_TYPE_OF(T)     LEAT__CAT(LEAT__TYPE_OF_, LEAT__TYPE_IS_OWN(T))(T)
#define LEAT__TYPE_OF_0(id) (&leat_type_##id)
#define LEAT__TYPE_OF_1(T)  LEAT__TYPE_OWN(*(__typeof__(T) *)0, LEAT__TYPE_NONE, LEAT__TYPE_NONE)
#define LEAT__TYPE_C(T)     LEAT__CAT(LEAT__TYPE_C_, LEAT__TYPE_IS_OWN(T))(T)
#define LEAT__TYPE_C_0(id)  leat__type_of_##id
#define LEAT__TYPE_C_1(T)   __typeof__(T)

#define LEAT__TYPE_IS(type) __builtin_types_compatible_p(__typeof__(type), const leat_type *)
#define LEAT__TYPE_CHECK(T)                                                                        \
	_Static_assert(LEAT__TYPE_IS(LEAT_TYPE_OF(T)),                                                 \
	               "not a type that a leat_any gives: those are types of C (a string is a const "  \
	               "char *), and names of LEAT_TYPE")

/* --- values */

/*
 * bytes is a constant.  What fits a word is made one, so that who copies the whole next need not wait for smaller
 * stores to be over.  The second word is not made by hand: of a long double, six bytes of it are padding, and
 * clang 14 loses the others.
 */
static inline __attribute__((always_inline)) leat_any
leat__any_make(const leat_type *type, const void *value, size_t bytes)
{
	unsigned long long first = 0;
	leat_any a;

	__builtin_memcpy(&first, value, bytes < 8 ? bytes : 8);
	a.leat__type = type;
	a.leat__value.leat__words[0] = first;
	a.leat__value.leat__words[1] = 0;
	__builtin_memcpy(a.leat__value.leat__bytes, value, bytes > 8 ? bytes : 0);
	return a;
}

/* It is one already. */
static inline leat_any leat__any_same(const leat_type *type, const void *value, size_t bytes)
{
	(void)type;
	(void)bytes;
	return *(const leat_any *)value;
}

#define LEAT__ANY_VAR(name, n) LEAT__CAT(leat__any_##name, n)

/* LEAT_ANY_OF(x): x, of one of C's own types, with its type; a leat_any as it is.  x is evaluated once. */
#define LEAT_ANY_OF(...) LEAT__ANY_OF(__COUNTER__, __VA_ARGS__)
#define LEAT__ANY_OF(n, ...)                                                                       \
	__extension__({                                                                                \
		__auto_type LEAT__ANY_VAR(value, n) = __VA_ARGS__;                                         \
		_Static_assert(LEAT__TYPE_IS(LEAT__ANY_OF_TYPE(LEAT__ANY_VAR(value, n))),                  \
		               "any_of knows the types of C alone: declare this one with LEAT_TYPE, and "  \
		               "use any_of_type");                                                         \
		LEAT__ANY_OF_HOW(LEAT__ANY_VAR(value, n))                                                  \
		(LEAT__ANY_OF_TYPE(LEAT__ANY_VAR(value, n)), &LEAT__ANY_VAR(value, n),                     \
		 sizeof(LEAT__ANY_VAR(value, n)));                                                         \
	})
#define LEAT__ANY_OF_HOW(v) _Generic((v), leat_any : leat__any_same, default : leat__any_make)
#define LEAT__ANY_OF_TYPE(v)                                                                       \
	_Generic((v), leat_any                                                                         \
	         : (const leat_type *)0, default                                                       \
	         : LEAT__TYPE_OWN(v, &leat__type_string, &leat__type_error))

/* LEAT_ANY_OF_TYPE(T, value), LEAT_ANY_OF_TYPE(T, {1, 2}): value must be assignable to T. */
#define LEAT_ANY_OF_TYPE(T, ...) LEAT__ANY_FROM(__COUNTER__, T, __VA_ARGS__)
#define LEAT__ANY_FROM(n, T, ...)                                                                  \
	__extension__({                                                                                \
		LEAT__TYPE_CHECK(T);                                                                       \
		LEAT__TYPE_C(T) LEAT__ANY_VAR(value, n) = __VA_ARGS__;                                     \
		leat__any_make(LEAT_TYPE_OF(T), &LEAT__ANY_VAR(value, n),                                  \
		               sizeof(LEAT__ANY_VAR(value, n)));                                           \
	})

/* LEAT_ANY_IS(T, a): is a of the type? */
#define LEAT_ANY_IS(T, a)                                                                          \
	__extension__({                                                                                \
		LEAT__TYPE_CHECK(T);                                                                       \
		(a).leat__type == LEAT_TYPE_OF(T);                                                         \
	})

/* LEAT_ANY_AS(T, a, vp): the same, and *(T *)vp is the value then; else it is left alone. */
#define LEAT_ANY_AS(T, a, vp) LEAT__ANY_AS(__COUNTER__, T, a, vp)
#define LEAT__ANY_AS(n, T, a, vp)                                                                  \
	__extension__({                                                                                \
		LEAT__TYPE_CHECK(T);                                                                       \
		const leat_any LEAT__ANY_VAR(any, n) = (a);                                                \
		LEAT__TYPE_C(T) * LEAT__ANY_VAR(to, n) = (vp);                                             \
		bool LEAT__ANY_VAR(is, n) = LEAT__ANY_VAR(any, n).leat__type == LEAT_TYPE_OF(T);           \
		if (LEAT__ANY_VAR(is, n))                                                                  \
			LEAT__ANY_COPY(LEAT__ANY_VAR(to, n), LEAT__ANY_VAR(any, n));                           \
		LEAT__ANY_VAR(is, n);                                                                      \
	})
#define LEAT__ANY_COPY(to, a)                                                                      \
	__builtin_memcpy((void *)(to), (a).leat__value.leat__bytes, sizeof *(to))

/*
 * LEAT_ANY_MUST(T, a): the value; a runtime panic where a is of another type, "interface conversion: interface
 * {} is string, not int", in Go's words.
 */
#define LEAT_ANY_MUST(T, a) LEAT__ANY_MUST(__COUNTER__, T, a)
#define LEAT__ANY_MUST(n, T, a)                                                                    \
	__extension__({                                                                                \
		LEAT__TYPE_CHECK(T);                                                                       \
		const leat_any LEAT__ANY_VAR(any, n) = (a);                                                \
		LEAT__TYPE_C(T) LEAT__ANY_VAR(value, n);                                                   \
		if (__builtin_expect(LEAT__ANY_VAR(any, n).leat__type != LEAT_TYPE_OF(T), 0))              \
			leat__any_wrong(LEAT__ANY_VAR(any, n).leat__type, LEAT_TYPE_OF(T));                    \
		LEAT__ANY_COPY(&LEAT__ANY_VAR(value, n), LEAT__ANY_VAR(any, n));                           \
		LEAT__ANY_VAR(value, n);                                                                   \
	})

/* --- the type switch */

struct leat__any_switch {
	leat_any any;
	bool over;   /* the body has been gone through */
	bool chosen; /* a case has been */
};

static inline bool leat__any_chosen(struct leat__any_switch *s, bool mine)
{
	mine &= !s->chosen;
	s->chosen |= mine;
	return mine;
}

/*
 * LEAT_ANY_SWITCH(a) { cases }: run the statement after the case whose type a has.  Nothing but cases may
 * stand between the braces.  break and continue leave the switch.  After Go's switch v := a.(type).
 *
 *	LEAT_ANY_CASE(T)        a is a T
 *	LEAT_ANY_CASE(T, v)     the same, and v is the value, declared here
 *	LEAT_ANY_CASE_NIL       a is nil
 *	LEAT_ANY_DEFAULT        none of the cases above; comes last
 */
#define LEAT_ANY_SWITCH(...)                                                                       \
	LEAT__QUIET_SHADOW(for (struct leat__any_switch leat__switch = {.any = __VA_ARGS__};           \
	                        !leat__switch.over; leat__switch.over = true))

/* Every case is a for of at most one turn: an if would leave a dangling else. */
#define LEAT__ANY_ONCE(n, cond)                                                                    \
	for (bool LEAT__ANY_VAR(o, n) = leat__any_chosen(&leat__switch, (cond)); LEAT__ANY_VAR(o, n);  \
	     LEAT__ANY_VAR(o, n) = false)
#define LEAT__ANY_CASE1(n, T) LEAT__ANY_ONCE(n, LEAT_ANY_IS(T, leat__switch.any))
#define LEAT__ANY_CASE2(n, T, v)                                                                   \
	LEAT__ANY_ONCE(n, LEAT_ANY_IS(T, leat__switch.any))                                            \
	for (LEAT__TYPE_C(T) v; LEAT__ANY_VAR(o, n) && (LEAT__ANY_COPY(&v, leat__switch.any),          \
	                                                LEAT__ANY_VAR(o, n) = false, true);)
#define LEAT__ANY_PICK(a, b, name, ...) name
#define LEAT_ANY_CASE(...)                                                                         \
	LEAT__ANY_PICK(__VA_ARGS__, LEAT__ANY_CASE2, LEAT__ANY_CASE1, 0)(__COUNTER__, __VA_ARGS__)
#define LEAT_ANY_CASE_NIL LEAT__ANY_ONCE(__COUNTER__, !leat__switch.any.leat__type)
#define LEAT_ANY_DEFAULT  LEAT__ANY_ONCE(__COUNTER__, true)

#ifndef LEAT_NO_SHORT_NAMES
#define any_of(...)         LEAT_ANY_OF(__VA_ARGS__)
#define any_of_type(T, ...) LEAT_ANY_OF_TYPE(T, __VA_ARGS__)
#define any_is(T, a)        LEAT_ANY_IS(T, a)
#define any_as(T, a, vp)    LEAT_ANY_AS(T, a, vp)
#define any_must(T, a)      LEAT_ANY_MUST(T, a)
#define any_switch(...)     LEAT_ANY_SWITCH(__VA_ARGS__)
#define any_case(...)       LEAT_ANY_CASE(__VA_ARGS__)
#define any_case_nil        LEAT_ANY_CASE_NIL
#define any_default         LEAT_ANY_DEFAULT
#endif

#endif /* !__cplusplus */

#endif
