/* unlisted.c - a count for each name, in libc's search tree. */
#include "tools/unlisted.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

struct name_count {
	char *name; /* "owner/repo"; owned */
	uint64_t count;
};

struct unlisted {
	void *tree;                  /* of struct name_count, by name */
	struct name_count **entries; /* the same, in no order */
	size_t count, cap;
	uint64_t beyond;
};

int
unlisted_new(struct unlisted **ret)
{
	struct unlisted *u = mem_zalloc(sizeof(*u));

	if (u == NULL)
		return ERR_NOMEM;
	*ret = u;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct name_count *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void
unlisted_free(struct unlisted *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < u->count; i++) {
		tdelete(u->entries[i], &u->tree, by_name);
		mem_free(u->entries[i]->name);
		mem_free(u->entries[i]);
	}
	mem_free(u->entries);
	mem_free(u);
}

static int
add_entry(struct unlisted *u, const char *name)
{
	struct name_count *e = mem_zalloc(sizeof(*e));

	if (u->count == u->cap) {
		size_t cap = u->cap > 0 ? 2 * u->cap : 64;
		struct name_count **more =
		    mem_realloc(u->entries, cap * sizeof(struct name_count *));

		if (more == NULL) {
			mem_free(e);
			return ERR_NOMEM;
		}
		u->entries = more;
		u->cap = cap;
	}
	if (e != NULL)
		e->name = mem_strdup(name);
	if (e == NULL || e->name == NULL || tsearch(e, &u->tree, by_name) == NULL) {
		if (e != NULL)
			mem_free(e->name);
		mem_free(e);
		return ERR_NOMEM;
	}
	e->count = 1;
	u->entries[u->count++] = e;
	return 0;
}

int
unlisted_add(struct unlisted *u, struct slice owner, struct slice repo)
{
	char name[512];
	struct name_count key = { .name = name };
	struct name_count **found;

	snprintf(name, sizeof(name), "%.*s/%.*s", (int)(owner.len < 200 ? owner.len : 200),
	    owner.ptr, (int)(repo.len < 200 ? repo.len : 200), repo.ptr);
	found = tfind(&key, &u->tree, by_name);
	if (found != NULL) {
		(*found)->count++;
		return 0;
	}
	if (u->count == UNLISTED_MAX) {
		u->beyond++;
		return 0;
	}
	return add_entry(u, name);
}

static int
by_count(const void *a, const void *b)
{
	const struct name_count *x = *(struct name_count *const *)a,
				*y = *(struct name_count *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->name, y->name);
}

void
unlisted_print(const struct unlisted *u)
{
	if (u->count > 0)
		qsort(u->entries, u->count, sizeof(struct name_count *), by_count);
	for (size_t i = 0; i < u->count; i++)
		printf("%-14s %10llu records %12s        %s\n", "not listed",
		    (unsigned long long)u->entries[i]->count, "", u->entries[i]->name);
	if (u->beyond > 0)
		printf("not listed     %10llu records of further repositories\n",
		    (unsigned long long)u->beyond);
}
