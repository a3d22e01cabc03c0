/* names.c - chains in slots, doubled when they are as many as the entries. */
#include "sprvsr/names.h"

#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

#define SLOTS_FIRST 256

static struct names_entry **
slot_of(const struct names *n, const char *name)
{
	return &n->slots[hash64(slice_str(name)) & (n->slot_count - 1)];
}

static struct names_entry **
find(const struct names *n, const char *name)
{
	struct names_entry **at;

	if (n->slot_count == 0)
		return NULL;
	for (at = slot_of(n, name); *at != NULL; at = &(*at)->next) {
		if (strcmp((*at)->name, name) == 0)
			return at;
	}
	return NULL;
}

void *
names_get(const struct names *n, const char *name)
{
	struct names_entry **at = find(n, name);

	return at != NULL ? (*at)->thing : NULL;
}

static int
grow(struct names *n)
{
	struct names bigger = { .count = n->count };

	bigger.slot_count = n->slot_count == 0 ? SLOTS_FIRST : 2 * n->slot_count;
	bigger.slots = mem_calloc(bigger.slot_count, sizeof(struct names_entry *));
	if (bigger.slots == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n->slot_count; i++) {
		struct names_entry *e = n->slots[i], *next;

		for (; e != NULL; e = next) {
			struct names_entry **at = slot_of(&bigger, e->name);

			next = e->next;
			e->next = *at;
			*at = e;
		}
	}
	mem_free(n->slots);
	*n = bigger;
	return 0;
}

int
names_put(struct names *n, const char *name, void *thing)
{
	struct names_entry **at = find(n, name), *e;

	if (at != NULL) {
		(*at)->thing = thing;
		return 0;
	}
	if (n->count >= n->slot_count && grow(n) != 0)
		return ERR_NOMEM;
	e = mem_zalloc(sizeof(*e));
	if (e == NULL)
		return ERR_NOMEM;
	e->name = mem_strdup(name);
	if (e->name == NULL) {
		mem_free(e);
		return ERR_NOMEM;
	}
	e->thing = thing;
	at = slot_of(n, name);
	e->next = *at;
	*at = e;
	n->count++;
	return 0;
}

static void *
unlink_entry(struct names *n, struct names_entry **at)
{
	struct names_entry *e = *at;
	void *thing = e->thing;

	*at = e->next;
	n->count--;
	mem_free(e->name);
	mem_free(e);
	return thing;
}

void *
names_take(struct names *n, const char *name)
{
	struct names_entry **at = find(n, name);

	return at != NULL ? unlink_entry(n, at) : NULL;
}

void
names_sweep(struct names *n, bool (*is_old)(void *ctx, const char *name, void *thing),
    void *ctx, void (*end)(void *thing))
{
	for (size_t i = 0; i < n->slot_count; i++) {
		struct names_entry **at = &n->slots[i];

		while (*at != NULL) {
			if (is_old(ctx, (*at)->name, (*at)->thing))
				end(unlink_entry(n, at));
			else
				at = &(*at)->next;
		}
	}
}

struct names_entry *
names_first(const struct names *n, size_t *at)
{
	for (*at = 0; *at < n->slot_count; ++*at) {
		if (n->slots[*at] != NULL)
			return n->slots[*at];
	}
	return NULL;
}

struct names_entry *
names_next(const struct names *n, size_t *at, const struct names_entry *e)
{
	if (e->next != NULL)
		return e->next;
	while (++*at < n->slot_count) {
		if (n->slots[*at] != NULL)
			return n->slots[*at];
	}
	return NULL;
}

void
names_clear(struct names *n, void (*end)(void *thing))
{
	for (size_t i = 0; i < n->slot_count; i++) {
		struct names_entry *e = n->slots[i], *next;

		for (; e != NULL; e = next) {
			next = e->next;
			if (end != NULL)
				end(e->thing);
			mem_free(e->name);
			mem_free(e);
		}
	}
	mem_free(n->slots);
	*n = (struct names){ .slots = NULL };
}
