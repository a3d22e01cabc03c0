/*
 * link.h - doubly linked lists whose links live in the elements; base/fcgi only.
 *
 * A list is a struct link that points at itself; so does an element in no list,
 * and link_remove() on that does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct link {
	struct link *prev, *next;
};

/* The element that holds the link `ptr` as its member `member`. */
#define LINK_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void
link_init(struct link *l)
{
	l->prev = l->next = l;
}

static inline bool
link_empty(const struct link *l)
{
	return l->next == l;
}

static inline void
link_remove(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	link_init(l);
}

/* Put `l`, which is in no list, in front of `at`; with the list itself: at its end. */
static inline void
link_before(struct link *at, struct link *l)
{
	l->prev = at->prev;
	l->next = at;
	at->prev->next = l;
	at->prev = l;
}
