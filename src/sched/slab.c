/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *  - A slab begins at a multiple of its size, so whoever has an object finds its slab.
 *  - In the list are those with room: objects that were given back, or bytes that no object had.
 *  - One slab at most has no object.  It stays, so that to take and give by turns maps nothing.
 *
 * The first of the list is taken from until it is full; one that has room again stands behind it, and may run empty.
 */
#include "sched/slab.h"

#include "os/os.h"

#define SLAB ((size_t)2 << 20) /* a huge page on x86-64 and, with pages of 4 KiB, on Arm */

struct leat__slab {
	struct leat__slab *next, *before;
	void *given;    /* back: a list, linked by each one's first word */
	uint32_t used;  /* so many objects */
	uint32_t fresh; /* nothing from this byte on was ever used */
} ON_LINE;

static bool has_room(const struct leat__slab *slab, size_t bytes)
{
	return slab->given || slab->fresh + bytes <= SLAB;
}

/* Behind the first. */
static void link_in(struct leat__slabs *s, struct leat__slab *slab)
{
	slab->before = s->first;
	slab->next = s->first ? s->first->next : NULL;
	if (slab->next)
		slab->next->before = slab;
	if (s->first)
		s->first->next = slab;
	else
		s->first = slab;
}

static void link_out(struct leat__slabs *s, struct leat__slab *slab)
{
	if (slab->next)
		slab->next->before = slab->before;
	if (slab->before)
		slab->before->next = slab->next;
	else
		s->first = slab->next;
}

/* Twice as much has all of a slab somewhere in it. */
static struct leat__slab *map(void)
{
	char *pages = leat__os_map(2 * SLAB), *slab;
	size_t before;

	if (!pages)
		return NULL;
	before = -(uintptr_t)pages % SLAB;
	slab = pages + before;
	if (before)
		leat__os_unmap(pages, before);
	leat__os_unmap(slab + SLAB, SLAB - before);
	return (struct leat__slab *)(void *)slab;
}

static COLD struct leat__slab *add(struct leat__slabs *s)
{
	struct leat__slab *slab = map();

	if (!slab)
		return NULL;
	if (s->count++ > 0)
		leat__os_may_be_huge(slab, SLAB);
	s->empty++;
	slab->fresh = sizeof *slab;
	link_in(s, slab);
	return slab;
}

void *leat__slabs_take(struct leat__slabs *s, size_t bytes)
{
	struct leat__slab *slab = s->first;
	void *object;

	if (unlikely(!slab) && !(slab = add(s)))
		return NULL;
	object = slab->given;
	if (object) {
		slab->given = *(void **)object;
	} else {
		object = (char *)slab + slab->fresh;
		slab->fresh += (uint32_t)bytes;
	}
	if (slab->used++ == 0)
		s->empty--;
	if (!has_room(slab, bytes))
		link_out(s, slab);
	return object;
}

void leat__slabs_give(struct leat__slabs *s, void *object, size_t bytes)
{
	struct leat__slab *slab =
	    (struct leat__slab *)(void *)((char *)object - (uintptr_t)object % SLAB);

	if (!has_room(slab, bytes))
		link_in(s, slab);
	*(void **)object = slab->given;
	slab->given = object;
	if (--slab->used > 0)
		return;
	if (s->empty) {
		link_out(s, slab);
		s->count--;
		leat__os_unmap(slab, SLAB);
	} else {
		s->empty++;
	}
}
