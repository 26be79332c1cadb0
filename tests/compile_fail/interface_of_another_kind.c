/* SPDX-License-Identifier: MIT */
/* Interfaces with the same methods are different types. */
/* ERROR-GCC: incompatible types when returning type .plant */
/* ERROR-CLANG: returning 'plant'.*from a function with incompatible result type 'animal' */
/* ERROR: interface_of_another_kind\.c:22: */
#include <leat.h>

#define plant_methods(Self)                                                                        \
	double (*height)(const Self *);                                                                \
	void (*grow)(Self *, double metres);
LEAT_INTERFACE(plant);

struct tree {
	double height;
};

#define animal_methods(Self) plant_methods(Self)
LEAT_INTERFACE(animal);

animal f(plant p)
{
	return p;
}
