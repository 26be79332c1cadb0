/* SPDX-License-Identifier: MIT */
/*
 * Interfaces: tables of functions, checked when the program is compiled.
 *
 * What an interface asks for is written down once, for a Self that is yet to be known:
 *
 *	#define shape_methods(Self)                                              \
 *		double (*area)(const Self *);                                        \
 *		void (*scale)(Self *, double by);
 *	LEAT_INTERFACE(shape);
 *
 *	struct circle { double r; };
 *	static double circle_area(const struct circle *c) { ... }
 *	static void circle_scale(struct circle *c, double by) { ... }
 *	static LEAT_IMPLEMENT(shape, struct circle, circle_shape,
 *	                      .area = circle_area, .scale = circle_scale);
 *
 *	struct circle c = {1};
 *	shape s = circle_shape(&c);
 *	s.methods->scale(s.self, 2);
 *
 * A method of another type, or for another struct, does not compile, nor does a struct that lacks one.
 *
 * A shape is two pointers, owns nothing, and is copied; all zero it is Go's nil interface.  Like any value of 16
 * bytes it fits a leat_any (LEAT_TYPE(shape, shape)).  s.methods == circle_shape(NULL).methods asks whether it
 * is a circle: Go's s.(*circle).
 *
 * A method is called through a pointer that says void * where the function says struct circle *, as defer and
 * go call theirs.
 */
#ifndef LEAT_INTERFACE_H
#define LEAT_INTERFACE_H

#include <leat/base.h>

#ifndef __cplusplus

/*
 * LEAT_INTERFACE(name): the types of an interface whose methods NAME_methods(Self) lists: a pointer to a
 * function each, ended by semicolons, 32 at most.
 *
 *	typedef struct name { const struct name_methods *methods; void *self; } name;
 */
#define LEAT_INTERFACE(name)                                                                       \
	struct name##_methods {                                                                        \
		name##_methods(void)                                                                       \
	};                                                                                             \
	typedef struct name {                                                                          \
		const struct name##_methods *methods;                                                      \
		void *self;                                                                                \
	} name

/*
 * LEAT_IMPLEMENT(interface, T, make, .method = function, ...): define the function
 *
 *	interface make(T *self);
 *
 * which gives the T as an interface; static may stand before it, and without it a header can declare it.  All
 * methods must be there.
 *
 * They are kept by their own types and read by those of the interface, which a union may do.
 */
#define LEAT_IMPLEMENT(interface, T, make, ...)                                                    \
	interface make(T *self);                                                                       \
	_Static_assert(sizeof(struct interface##_methods) ==                                           \
	                   LEAT__COUNT(__VA_ARGS__) * sizeof(void (*)(void)),                          \
	               #make " must be given each method of " #interface " once");                     \
	union leat__methods_of_##make {                                                                \
		struct {                                                                                   \
			interface##_methods(T)                                                                 \
		} own;                                                                                     \
		struct interface##_methods methods;                                                        \
	};                                                                                             \
	static const union leat__methods_of_##make leat__methods_of_##make;                            \
	interface make(T *self)                                                                        \
	{                                                                                              \
		return (interface){&leat__methods_of_##make.methods, self};                                \
	}                                                                                              \
	static const union leat__methods_of_##make leat__methods_of_##make = {{__VA_ARGS__}}

#define LEAT__COUNT(...)                                                                           \
	LEAT__COUNT_(__VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,  \
	             15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define LEAT__COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, \
                     aa, ab, ac, ad, ae, af, count, ...)                                           \
	count

#endif /* !__cplusplus */

#endif
