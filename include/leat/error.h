/* SPDX-License-Identifier: MIT */
/*
 * Errors as values: what failed, why, when and where.
 *
 * A leat_error never changes once others know it, and is known by its address: compare pointers, or ask
 * leat_error_is.  There are two kinds.  Those that a program always has are declared once, as Go does with
 * errors.New at the top of a file:
 *
 *	LEAT_ERROR(out_of_paper, -EIO, "printer: out of paper");        in one .c file
 *	LEAT_ERROR_DECLARE(out_of_paper);                               in a header
 *
 * They, and those of the system (leat_error_errno), cost nothing and are never freed.  The others are made when
 * something fails.  Each module has a type for its errors, and wraps what it gets from the modules below:
 *
 *	LEAT_ERROR_TYPE(printing);
 *
 *	const leat_error *e = feed(tray);
 *	if (e)
 *		return leat_error_wrap(e, &printing, "page %d was not printed", page);
 *
 * The wrapper has a message for people, a stack trace and the time as of here, this place in the source, and the
 * error it wraps as its cause.  leat_errorf is the cheap form without trace, time and place.
 *
 * Ownership.  An error on the heap counts who holds it.  Who makes one holds it, and lets go with leat_error_free;
 * who keeps one that is another's takes leat_error_retain.  What wraps errors takes over the caller's hold on
 * them, so a chain is freed as one.  Contexts and channels keep a cause or a reason for as long as they hand it
 * out, beside the caller's hold.  All of this may be said of static errors and of NULL as well, where it does
 * nothing: code need not know which kind it has.
 *
 * A new error may be told more (leat_error_put and the like) until it is shared: retained, wrapped or joined.
 * Hand it out as a const leat_error *.
 *
 * Nothing here panics but leat_panic_error.  Where memory is out each function says what there is instead.
 *
 * Any goroutine, any thread.  Whoever is given an error must be given it in a way that orders (a channel, a
 * mutex); letting go of one happens before it is freed, by whoever is the last.
 */
#ifndef LEAT_ERROR_H
#define LEAT_ERROR_H

#include <leat/base.h>

#include <stdio.h>

LEAT__BEGIN

/* The type of a module's errors, known by its address; LEAT_ERROR_TYPE defines one. */
typedef struct leat_error_type {
	const char *name; /* shown in the log */
} leat_error_type;

/* All fields are private. */
typedef struct leat_error {
	const char *leat__message; /* NULL: the system's words for the code */
	const leat_error_type *leat__type;
	int leat__code;
	unsigned leat__heap;
} leat_error;

/* --- errors that there are always */

/* The errors of a context: "context canceled" (-ECANCELED) and "context deadline exceeded" (-ETIMEDOUT). */
LEAT_API extern const leat_error leat_canceled;
LEAT_API extern const leat_error leat_deadline_exceeded;

/* "out of memory" (-ENOMEM): what there is in place of an error for which there was no memory. */
LEAT_API extern const leat_error leat_out_of_memory;

/*
 * The error for a negative errno code: always the same one for the same code, valid for ever.  NULL for
 * 0; for what is no errno code the error of -EINVAL.  Never allocates.
 */
LEAT_API const leat_error *leat_error_errno(int code);

/* --- made.  The caller holds what these return.  fmt and what follows: as for printf */

/*
 * An error of that type (NULL: of none) with this message, a stack trace (up to 64 frames), the time and
 * this place.  wrap: because of cause, the caller's hold on which goes over; a cause of NULL makes it the same as
 * new.  Where memory is out wrap returns the cause itself, new &leat_out_of_memory.
 * Cost: an allocation, and some 30 ns per frame with libunwind, on Arm more.  The first of all loads that.
 * Macros: they note file, line and function.  After the book's wrapError and Go's debug.Stack.
 */
#define leat_error_new(type, ...)                                                                  \
	leat__error_made(leat_error_new_at(__FILE__, __LINE__, __func__, (type), __VA_ARGS__))
#define leat_error_wrap(cause, type, ...)                                                          \
	leat__error_made(leat_error_wrap_at(__FILE__, __LINE__, __func__, (cause), (type), __VA_ARGS__))

/* The same for a place that is given: file and function are not copied and must live for ever.  For wrappers of a
   program's own. */
LEAT_API leat_error *leat_error_new_at(const char *file, int line, const char *function,
                                       const leat_error_type *type, const char *fmt, ...)
    LEAT__PRINTF(5, 6) LEAT__WARN_UNUSED;
LEAT_API leat_error *leat_error_wrap_at(const char *file, int line, const char *function,
                                        const leat_error *cause, const leat_error_type *type,
                                        const char *fmt, ...) LEAT__PRINTF(6, 7) LEAT__WARN_UNUSED;

/*
 * The message, then ": " and what the cause says; no type, trace, time or place.  The caller's hold on the cause
 * goes over; without one (NULL) there is only the message.  Where memory is out: the cause, or
 * &leat_out_of_memory.  Cost: an allocation and the formatting.  After fmt.Errorf("...: %w", cause).
 */
LEAT_API leat_error *leat_errorf(const leat_error *cause, const char *fmt, ...)
    LEAT__PRINTF(2, 3) LEAT__WARN_UNUSED;

/*
 * One for those of the n errors that are not NULL, whose messages are its lines; NULL when there are none.  The
 * caller's hold on all of them goes over.  Where memory is out: the first, and the others are freed.
 *
 * Where the first of several is itself a joined error, and neither shared nor told more, that one is extended by the others, and
 * returned: so to join many one by one takes time in proportion to their number.  Others are causes as they are.
 * After errors.Join.
 */
LEAT_API leat_error *leat_error_join(const leat_error *const *errors, size_t n) LEAT__WARN_UNUSED;

/* --- told more, until it is shared.  False, and nothing changed, when it is shared already, is static or NULL,
   and where memory is out */

/* What else may help, by a key: for the log.  Copied.  The same key again is another entry. */
LEAT_API bool leat_error_put(leat_error *e, const char *key, const char *fmt, ...)
    LEAT__PRINTF(3, 4);

/* Where people can read more, an address or a page of the manual.  Copied. */
LEAT_API bool leat_error_set_help(leat_error *e, const char *link);

/* What ties that which the user is shown to the log.  0: a fresh one. */
LEAT_API bool leat_error_set_log_id(leat_error *e, uint64_t id);

/* Its own code, a negative errno code; false for another number. */
LEAT_API bool leat_error_set_code(leat_error *e, int code);

/* --- held */

/* Hold e once more, and return it. */
LEAT_API const leat_error *leat_error_retain(const leat_error *e);

/* Let go of e: who is the last frees it, and lets go of its causes.  Takes no stack for long chains. */
LEAT_API void leat_error_free(const leat_error *e);

/* --- asked.  What these return lives as long as e */

/* What e says, for people; "" for NULL.  After error.Error. */
LEAT_API const char *leat_error_message(const leat_error *e);

/* A negative errno code: its own, else that of the first below it that has one; 0 without any, and for NULL. */
LEAT_API int leat_error_code(const leat_error *e);

/* Something took too long: the code is -ETIMEDOUT.  After the method Timeout of Go's errors. */
LEAT_API bool leat_error_timeout(const leat_error *e);

/* Its own type; NULL: none. */
LEAT_API const leat_error_type *leat_error_type_of(const leat_error *e);

/* The error that e wraps; NULL for one that wraps none, and for joined ones.  After errors.Unwrap. */
LEAT_API const leat_error *leat_error_unwrap(const leat_error *e);

/* The i-th, from 0, of those that e wraps or joins; NULL when there are no more. */
LEAT_API const leat_error *leat_error_cause(const leat_error *e, size_t i);

/*
 * Is target e itself, or somewhere below it?  By address; those of leat_error_errno are targets like others.
 * NULL is only NULL.  After errors.Is.
 */
LEAT_API bool leat_error_is(const leat_error *e, const leat_error *target);

/* The first of that type among e and those below it, an error before its causes; or NULL.  After errors.As. */
LEAT_API const leat_error *leat_error_as(const leat_error *e, const leat_error_type *type);

/* Its i-th entry, in the order they were put; false when there are no more. */
LEAT_API bool leat_error_extra(const leat_error *e, size_t i, const char **key, const char **value);

/* The first entry of that key, the first help link and the first log id (0: none) among e and those below. */
LEAT_API const char *leat_error_get(const leat_error *e, const char *key);
LEAT_API const char *leat_error_help(const leat_error *e);
LEAT_API uint64_t leat_error_log_id(const leat_error *e);

/* When it was made, in nanoseconds since 1970 UTC; 0: it does not know. */
LEAT_API int64_t leat_error_time(const leat_error *e);

/* Where it was made. */
typedef struct leat_error_place {
	const char *file, *function; /* NULL: it does not know */
	int line;
} leat_error_place;

LEAT_API leat_error_place leat_error_where(const leat_error *e);

/* The *n return addresses of its stack trace, innermost first. */
LEAT_API void *const *leat_error_trace(const leat_error *e, size_t *n);

/* --- shown */

/* A log id that no other call of the process returns: 1, 2, 3, ... */
LEAT_API uint64_t leat_error_new_log_id(void);

/*
 * For people, in lines:
 *
 *	[1] cannot run job "1": requisite binaries not available
 *	See https://example.org/jobs
 *
 * Where type is not NULL, an error of another type is a bug of the program's: users need not know its words, and
 * are told
 *
 *	[1] There was an unexpected issue; please report this as a bug.
 *
 * log_id: 0 for that of the error; without one there are no brackets.  Nothing for a NULL error.
 * print: to f, whose errors are left to ferror.  text: from malloc, NULL where memory is out.
 */
LEAT_API void leat_error_print(FILE *f, const leat_error *e, const leat_error_type *type,
                               uint64_t log_id);
LEAT_API char *leat_error_text(const leat_error *e, const leat_error_type *type, uint64_t log_id);

/*
 * For the log: e and each of those below it, with all there is to say.
 *
 *	[logID: 1] 2026-11-29T08:09:10.123456Z intermediate: cannot run job "1": requisite binaries not available
 *		help: https://example.org/jobs
 *		id: 1
 *		at run_job (jobs.c:31)
 *		run_job(...)
 *			/home/u/jobs.c:31 +0x4e
 *		main(...)
 *			/home/u/main.c:20 +0x1d
 *	[logID: 1] caused by: 2026-11-29T08:09:10.123398Z lowlevel: ...
 *
 * A message or value of several lines goes on after a tab.  log_id, f and results as above.  Where memory is out
 * frames may be missing.  Costs 70 us for the name of each frame; calls take turns with dumps and reports.
 */
LEAT_API void leat_error_log(FILE *f, const leat_error *e, uint64_t log_id);
LEAT_API char *leat_error_log_text(const leat_error *e, uint64_t log_id);

/*
 * What main does with an error: all of it to log, and what people need to user, as an error of another type than
 * this (see above); either may be NULL.  Both have the error's log id, or else a fresh one, which is returned; 0
 * for no error, which is not shown.  e stays the caller's.
 */
LEAT_API uint64_t leat_error_report(const leat_error *e, const leat_error_type *type, FILE *user,
                                    FILE *log);

/* --- panicked with */

/*
 * Panic with e, as leat_panic_any does with a value: who catches it finds e with
 * any_as(const leat_error *, info.value, &e), and the caller's hold on it is his.  NULL: as leat_panic_any of nil.
 *
 * The text is for who mends the program: what e says, then ": " and what its cause says, and so on, each once; of
 * joined errors a line each.  Uncaught it is reported uncut up to 64 KiB, and so is the trace of the innermost of them
 * that has one, of joined ones the first, unless LEAT_TRACEBACK is none:
 *
 *	panic: cannot run job "1": requisite binaries not available
 *
 *	error made at:
 *	find_binary(...)
 *		/home/u/jobs.c:31 +0x4e
 *	main(...)
 *		/home/u/main.c:20 +0x1d
 *
 *	goroutine 1 [running]:
 *	...
 *
 * All is taken down when the panic is raised: what is deferred may let go of e.  After panic(err).
 */
LEAT_API LEAT__NORETURN void leat_panic_error(const leat_error *e);

LEAT__END

/* LEAT_ERROR(name, code, message): define the error `name`; static may stand before it.  OF: of a type.  A code
   above 0 does not compile. */
#define LEAT_ERROR(name, code, message)                                                            \
	const leat_error name = {(message), NULL, LEAT__ERROR_CODE(code), 0}
#define LEAT_ERROR_OF(type, name, code, message)                                                   \
	const leat_error name = {(message), &(type), LEAT__ERROR_CODE(code), 0}
#ifdef __cplusplus
#define LEAT__ERROR_CODE(code) (code)
#else
#define LEAT__ERROR_CODE(code)                                                                     \
	((code) + 0 * (int)sizeof(struct {                                                             \
		          _Static_assert((code) <= 0,                                                      \
		                         "the code of an error is a negative errno code: -EIO, not EIO");  \
		          char leat__none;                                                                 \
	          }))
#endif
#define LEAT_ERROR_DECLARE(name) extern const leat_error name

/* LEAT_ERROR_TYPE(name): define the type `name` of a module's errors; static may stand before it. */
#define LEAT_ERROR_TYPE(name)         const leat_error_type name = {#name}
#define LEAT_ERROR_TYPE_DECLARE(name) extern const leat_error_type name

/* Keeps the call that makes an error from being its function's last jump, which would take that function off the
   trace. */
static inline LEAT__WARN_UNUSED __attribute__((always_inline)) leat_error *
leat__error_made(leat_error *e)
{
	__asm__ volatile("" : "+r"(e));
	return e;
}

#endif
