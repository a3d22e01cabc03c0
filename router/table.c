/* table.c - see table.h. */
#include "router/table.h"

#include <strings.h>

#include "base/mem.h"

void
table_clear(struct table *t)
{
	for (size_t i = 0; i < t->list.count && t->backends != NULL; i++) {
		if (t->backends[i] == NULL)
			continue;
		backend_close(t->backends[i]);
		backend_release(t->backends[i]);
	}
	mem_free(t->backends);
	repo_list_clear(&t->list);
	*t = (struct table){ .loaded = false };
}

/* Both lists are sorted alike.  A new spelling is a new address: then nothing is kept. */
static void
carry_over(struct table *t, const struct repo_list *list, struct backend **backends)
{
	size_t j = 0;

	for (size_t i = 0; i < t->list.count; i++) {
		struct backend *b = t->backends[i];

		while (j < list->count &&
		       strcasecmp(list->items[j].name, t->list.items[i].name) < 0)
			j++;
		if (j < list->count && strcmp(list->items[j].name, t->list.items[i].name) == 0)
			backends[j] = b;
		else
			backend_release(b);
	}
}

int
table_replace(struct table *t, struct repo_list *list, struct err_info *ei)
{
	struct backend **backends;

	if (list->count == 0 && t->list.count > 0)
		return err_set(ei, ERR_INVAL,
		    "the list is empty, and had %zu repositories before: nothing is changed",
		    t->list.count);
	backends = mem_calloc(list->count + 1, sizeof(struct backend *));
	if (backends == NULL)
		return ERR_NOMEM;
	carry_over(t, list, backends);
	mem_free(t->backends);
	repo_list_clear(&t->list);
	*t = (struct table){ .list = *list, .backends = backends, .loaded = true };
	*list = (struct repo_list){ .items = NULL };
	return 0;
}

int
table_backend_at(struct table *t, const struct backend_opts *opts, size_t index,
    struct backend **ret, struct err_info *ei)
{
	int rc = 0;

	if (t->backends[index] == NULL)
		rc = backend_new(opts, &t->list.items[index], &t->backends[index], ei);
	if (rc == 0)
		*ret = t->backends[index];
	return rc;
}

int
table_backend(struct table *t, const struct backend_opts *opts, struct slice owner,
    struct slice name, struct backend **ret, struct err_info *ei)
{
	const struct repo_entry *e = repo_list_find(&t->list, owner, name);

	if (e == NULL)
		return ERR_NOENT;
	return table_backend_at(t, opts, (size_t)(e - t->list.items), ret, ei);
}
