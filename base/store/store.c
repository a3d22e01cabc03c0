/*
 * store.c - the checked way into any store: names, defaults, and what an
 * implementation need not do itself.  Knows no implementation but by its opener.
 */
#include "base/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/store/store_impl.h"

static const char file[] = "file://", gs[] = "gs://";

int
store_url_check(const char *url, struct err_info *ei)
{
	size_t len = sizeof(file) - 1;

	if (strncmp(url, gs, sizeof(gs) - 1) == 0 ||
	    (strncmp(url, file, len) == 0 && url[len] == '/'))
		return 0;
	return err_set(ei, ERR_INVAL, "%s: not file:///dir or gs://bucket/prefix", url);
}

int
store_open(const char *url, struct store **ret, struct err_info *ei)
{
	return store_open_with(url, NULL, ret, ei);
}

int
store_open_with(const char *url, const struct store_open_opts *opts, struct store **ret,
    struct err_info *ei)
{
	static const struct store_open_opts defaults;
	int rc = store_url_check(url, ei);

	if (rc != 0)
		return rc;
	if (strncmp(url, gs, sizeof(gs) - 1) == 0)
		return store_gcs_new(url, opts != NULL ? opts : &defaults, ret, ei);
	return store_dir_new(url + sizeof(file) - 1, ret, ei);
}

int
store_url_split(const char *url, char **ret_store, const char **ret_name, struct err_info *ei)
{
	const char *start = strstr(url, "://"), *slash = strrchr(url, '/');
	char *store;

	/* One slash more than the scheme's must be there, with something on both sides. */
	if (start == NULL || slash < start + 4 || slash[1] == '\0')
		return err_set(
		    ei, ERR_INVAL, "%s: not file:///dir/name or gs://bucket/prefix/name", url);
	store = mem_memdup(url, (size_t)(slash - url));
	if (store == NULL)
		return ERR_NOMEM;
	*ret_store = store;
	*ret_name = slash + 1;
	return 0;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	mem_free(s->url);
	s->ops->close(s);
}

const char *
store_url(const struct store *s)
{
	return s->url;
}

static int
unsupported(const struct store *s, const char *what, struct err_info *ei)
{
	return err_set(ei, ERR_UNSUPPORTED, "%s: this store cannot %s", s->url, what);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(
	    ((const struct store_object *)a)->name, ((const struct store_object *)b)->name);
}

int
store_list(struct store *s, const char *prefix, struct store_list *ret, struct err_info *ei)
{
	struct store_list l = { 0 };
	int rc;

	if (strlen(prefix) > STORE_NAME_MAX)
		return err_set(ei, ERR_INVAL, "prefix of more than %d bytes", STORE_NAME_MAX);
	if (s->ops->list == NULL)
		return unsupported(s, "list", ei);
	rc = s->ops->list(s, prefix, &l, ei);
	if (rc != 0) {
		store_list_clear(&l);
		return rc;
	}
	if (l.count > 1)
		qsort(l.items, l.count, sizeof(l.items[0]), compare_names);
	*ret = l;
	return 0;
}

int
store_list_add(struct store_list *l, const char *name, const struct store_object *meta)
{
	struct store_object *items = l->items;

	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 16 : l->cap * 2;

		items = mem_realloc(items, cap * sizeof(items[0]));
		if (items == NULL)
			return ERR_NOMEM;
		l->items = items;
		l->cap = cap;
	}
	items[l->count] = *meta;
	items[l->count].name = mem_strdup(name);
	if (items[l->count].name == NULL)
		return ERR_NOMEM;
	l->count++;
	return 0;
}

void
store_list_clear(struct store_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		mem_free(l->items[i].name);
	mem_free(l->items);
	*l = (struct store_list){ 0 };
}

const struct store_object *
store_list_find(const struct store_list *l, const char *name)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(l->items[mid].name, name);

		if (order == 0)
			return &l->items[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

int
store_stat(struct store *s, const char *name, struct store_object *ret, struct err_info *ei)
{
	int rc = store_name_check(name, ei);

	if (rc != 0)
		return rc;
	return s->ops->stat == NULL ? unsupported(s, "stat", ei)
				    : s->ops->stat(s, name, ret, ei);
}

int
store_read(struct store *s, const char *name, const struct store_range *range, struct buf *into,
    struct store_object *ret_meta, struct err_info *ei)
{
	struct store_object meta = { 0 };
	size_t before = into->len;
	int rc = store_name_check(name, ei);

	if (rc != 0)
		return rc;
	if (s->ops->read == NULL)
		return unsupported(s, "read", ei);
	rc = s->ops->read(s, name, range, into, &meta, ei);
	if (rc != 0) {
		into->len = before;
		into->err = 0;
		return rc;
	}
	if (ret_meta != NULL)
		*ret_meta = meta;
	return 0;
}

int
store_get(struct store *s, const char *name, size_t max_bytes, struct buf *into,
    int64_t *ret_generation, struct err_info *ei)
{
	/* One byte more than allowed tells an object that is too large. */
	struct store_range range = { .generation = STORE_ANY,
		.len = max_bytes < SIZE_MAX ? max_bytes + 1 : max_bytes };
	struct store_object meta = { 0 };
	size_t before = into->len;
	int rc = store_read(s, name, &range, into, &meta, ei);

	if (rc != 0)
		return rc;
	if (meta.size > max_bytes) {
		into->len = before;
		return err_set(ei, ERR_LIMIT, "%s is larger than %zu bytes", name, max_bytes);
	}
	if (ret_generation != NULL)
		*ret_generation = meta.generation;
	return 0;
}

int
store_put(struct store *s, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	int64_t generation = 0;
	int rc = store_name_check(name, ei);

	if (rc != 0)
		return rc;
	if (if_generation < STORE_ANY)
		return err_set(ei, ERR_INVAL, "%s: bad precondition", name);
	if (s->ops->put == NULL)
		return unsupported(s, "write", ei);
	rc = s->ops->put(s, name, data, if_generation, &generation, ei);
	if (rc == 0 && ret_generation != NULL)
		*ret_generation = generation;
	return rc;
}

int
store_delete(struct store *s, const char *name, int64_t if_generation, struct err_info *ei)
{
	int rc = store_name_check(name, ei);

	if (rc != 0)
		return rc;
	if (if_generation < STORE_ANY || if_generation == STORE_ABSENT)
		return err_set(ei, ERR_INVAL, "%s: bad precondition", name);
	return s->ops->delete == NULL ? unsupported(s, "delete", ei)
				      : s->ops->delete (s, name, if_generation, ei);
}

/* Between two kinds of stores: the bytes come through here. */
static int
copy_through(struct store *from, const char *name, struct store *to, const char *to_name,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei)
{
	struct buf b;
	int rc;

	buf_init(&b, STORE_COPY_MAX);
	rc = store_get(from, name, STORE_COPY_MAX, &b, NULL, ei);
	if (rc == 0)
		rc = store_put(to, to_name, buf_view(&b), if_generation, ret_generation, ei);
	buf_clear(&b);
	return rc;
}

int
store_copy(struct store *from, const char *name, struct store *to, const char *to_name,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei)
{
	int64_t generation = 0;
	int rc = store_name_check(name, ei);

	if (rc == 0)
		rc = store_name_check(to_name, ei);
	if (rc != 0)
		return rc;
	if (from->ops != to->ops || from->ops->copy == NULL)
		return copy_through(from, name, to, to_name, if_generation, ret_generation, ei);
	rc = from->ops->copy(from, name, to, to_name, if_generation, &generation, ei);
	if (rc == 0 && ret_generation != NULL)
		*ret_generation = generation;
	return rc;
}

int
store_compose(struct store *s, const char *const *names, size_t count,
    const struct store_content *content, const char *to_name, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	int64_t generation = 0;
	int rc = store_name_check(to_name, ei);

	for (size_t i = 0; i < count && rc == 0; i++)
		rc = store_name_check(names[i], ei);
	if (rc != 0)
		return rc;
	if (count == 0 || count > STORE_COMPOSE_MAX)
		return err_set(ei, ERR_INVAL, "%s: composed of %zu objects", to_name, count);
	if (s->ops->compose == NULL)
		return unsupported(s, "compose", ei);
	rc = s->ops->compose(s, names, count, content, to_name, if_generation, &generation, ei);
	if (rc == 0 && ret_generation != NULL)
		*ret_generation = generation;
	return rc;
}

int
store_make_bucket(struct store *s, const char *project, struct err_info *ei)
{
	return s->ops->make_bucket == NULL ? unsupported(s, "make buckets", ei)
					   : s->ops->make_bucket(s, project, ei);
}

int
store_stat_bucket(struct store *s, struct store_bucket *ret, struct err_info *ei)
{
	return s->ops->stat_bucket == NULL ? unsupported(s, "describe buckets", ei)
					   : s->ops->stat_bucket(s, ret, ei);
}

int
store_lock(struct store *s, const char *name, struct store_lock **ret, struct err_info *ei)
{
	int rc = store_name_check(name, ei);

	if (rc != 0)
		return rc;
	return s->ops->lock == NULL ? unsupported(s, "lock", ei)
				    : s->ops->lock(s, name, ret, ei);
}

void
store_unlock(struct store_lock *l)
{
	if (l != NULL)
		l->unlock(l);
}

int
store_check_generation(
    const char *name, int64_t have, int64_t if_generation, struct err_info *ei)
{
	if (if_generation == STORE_ANY || if_generation == have)
		return 0;
	if (if_generation == STORE_ABSENT)
		return err_set(ei, ERR_CONFLICT, "%s exists already", name);
	if (have == STORE_ABSENT)
		return err_set(ei, ERR_CONFLICT, "%s is gone, generation %lld was expected",
		    name, (long long)if_generation);
	return err_set(ei, ERR_CONFLICT, "%s is of generation %lld, %lld was expected", name,
	    (long long)have, (long long)if_generation);
}
