/* store_mem.c - a store for tests; misbehaves on command.  Not for programs. */
#include "base/store/store_mem.h"

#include <string.h>

#include "base/mem.h"
#include "base/store/store_impl.h"

struct mem_object {
	struct mem_object *next;
	char *name;
	char *data;
	size_t len;
	int64_t generation;
	int64_t created_ms;
};

struct mem_held {
	struct store_lock head;
	struct mem_held *next;
	struct mem_store *store;
	char *name;
};

struct mem_store {
	struct store head;
	struct mem_object *objects;
	struct mem_held *held;
	int64_t last_generation;
	int64_t now_ms;
	size_t op_count;
	size_t fault_pass;
	enum store_fault fault;
	int fault_code;
	store_mem_hook_fn hook;
	void *hook_ctx;
};

static struct mem_store *
mem_of(struct store *s)
{
	return (struct mem_store *)s;
}

/*
 * Begin an operation: run the hook, count, and say how this one misbehaves.
 * The hook is off while it runs, so that it may use the store.
 */
static enum store_fault
begin_op(struct mem_store *m, enum store_op op, const char *name)
{
	store_mem_hook_fn hook = m->hook;
	enum store_fault fault;

	if (hook != NULL) {
		m->hook = NULL;
		hook(m->hook_ctx, op, name);
		m->hook = hook;
	}
	m->op_count++;
	fault = m->fault;
	if (fault == STORE_FAULT_NONE)
		return fault;
	if (m->fault_pass-- > 0)
		return STORE_FAULT_NONE;
	m->fault = STORE_FAULT_NONE;
	return fault;
}

static int
fail_op(const struct mem_store *m, const char *name, struct err_info *ei)
{
	return err_set(ei, m->fault_code, "%s: made to fail", name);
}

static struct mem_object *
find(struct mem_store *m, const char *name)
{
	for (struct mem_object *o = m->objects; o != NULL; o = o->next) {
		if (strcmp(o->name, name) == 0)
			return o;
	}
	return NULL;
}

static struct store_object
describe(const struct mem_object *o)
{
	return (struct store_object){
		.size = o->len, .generation = o->generation, .created_ms = o->created_ms
	};
}

static int
not_found(const char *name, struct err_info *ei)
{
	return err_set(ei, ERR_NOENT, "%s does not exist", name);
}

static int
mem_list(struct store *s, const char *prefix, struct store_list *into, struct err_info *ei)
{
	struct mem_store *m = mem_of(s);
	enum store_fault fault = begin_op(m, STORE_OP_LIST, prefix);

	if (fault != STORE_FAULT_NONE)
		return fail_op(m, prefix, ei);
	for (const struct mem_object *o = m->objects; o != NULL; o = o->next) {
		struct store_object meta = describe(o);
		int rc;

		if (strncmp(o->name, prefix, strlen(prefix)) != 0)
			continue;
		rc = store_list_add(into, o->name, &meta);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
mem_stat(struct store *s, const char *name, struct store_object *ret, struct err_info *ei)
{
	struct mem_store *m = mem_of(s);
	enum store_fault fault = begin_op(m, STORE_OP_STAT, name);
	const struct mem_object *o = find(m, name);

	if (fault != STORE_FAULT_NONE)
		return fail_op(m, name, ei);
	if (o == NULL)
		return not_found(name, ei);
	*ret = describe(o);
	return 0;
}

static int
mem_read(struct store *s, const char *name, const struct store_range *range, struct buf *into,
    struct store_object *ret_meta, struct err_info *ei)
{
	struct mem_store *m = mem_of(s);
	enum store_fault fault = begin_op(m, STORE_OP_READ, name);
	const struct mem_object *o = find(m, name);
	size_t left;

	if (fault != STORE_FAULT_NONE)
		return fail_op(m, name, ei);
	if (o == NULL)
		return not_found(name, ei);
	if (range->generation != STORE_ANY && range->generation != o->generation)
		return err_set(ei, ERR_STALE, "%s was replaced", name);
	left = range->offset < o->len ? o->len - (size_t)range->offset : 0;
	if (left > range->len)
		left = range->len;
	if (left > 0)
		buf_add(into, o->data + range->offset, left);
	if (buf_err(into) != 0)
		return err_set(ei, buf_err(into), "%s: %s", name, err_name(buf_err(into)));
	*ret_meta = describe(o);
	return 0;
}

static struct mem_object *
add_object(struct mem_store *m, const char *name)
{
	struct mem_object *o = mem_zalloc(sizeof(*o));

	if (o == NULL)
		return NULL;
	o->name = mem_strdup(name);
	if (o->name == NULL) {
		mem_free(o);
		return NULL;
	}
	o->next = m->objects;
	m->objects = o;
	return o;
}

/* Write an object, as the operation that `fault` was decided for. */
static int
replace_object(struct mem_store *m, enum store_fault fault, const char *name, struct slice data,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei)
{
	struct mem_object *o = find(m, name);
	char *copy;
	int rc;

	if (fault == STORE_FAULT_BEFORE)
		return fail_op(m, name, ei);
	rc = store_check_generation(
	    name, o == NULL ? STORE_ABSENT : o->generation, if_generation, ei);
	if (rc != 0)
		return rc;
	copy = mem_memdup(data.ptr, data.len);
	if (copy != NULL && o == NULL)
		o = add_object(m, name);
	if (copy == NULL || o == NULL) {
		mem_free(copy);
		return ERR_NOMEM;
	}
	mem_free(o->data);
	o->data = copy;
	o->len = data.len;
	o->generation = ++m->last_generation;
	o->created_ms = m->now_ms;
	if (fault == STORE_FAULT_AFTER)
		return fail_op(m, name, ei);
	*ret_generation = o->generation;
	return 0;
}

static int
mem_put(struct store *s, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	struct mem_store *m = mem_of(s);

	return replace_object(
	    m, begin_op(m, STORE_OP_PUT, name), name, data, if_generation, ret_generation, ei);
}

static int
mem_compose(struct store *s, const char *const *names, size_t count,
    const struct store_content *content, const char *to_name, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	struct mem_store *m = mem_of(s);
	enum store_fault fault = begin_op(m, STORE_OP_COMPOSE, to_name);
	struct buf all;
	int rc = 0;

	buf_init(&all, STORE_COPY_MAX);
	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct mem_object *o = find(m, names[i]);

		if (o == NULL)
			rc = not_found(names[i], ei);
		else
			buf_add(&all, o->data, o->len);
	}
	if (rc == 0)
		rc = buf_err(&all);
	if (rc == 0)
		rc = replace_object(
		    m, fault, to_name, buf_view(&all), if_generation, ret_generation, ei);
	if (rc == 0 &&
	    (all.len != content->size || crc32c(0, all.ptr, all.len) != content->crc32c))
		rc = err_set(ei, ERR_CORRUPT, "%s: composed to something else", to_name);
	buf_clear(&all);
	return rc;
}

static void
free_object(struct mem_object *o)
{
	mem_free(o->name);
	mem_free(o->data);
	mem_free(o);
}

static int
mem_delete(struct store *s, const char *name, int64_t if_generation, struct err_info *ei)
{
	struct mem_store *m = mem_of(s);
	enum store_fault fault = begin_op(m, STORE_OP_DELETE, name);
	struct mem_object *o = find(m, name);
	int rc;

	if (fault == STORE_FAULT_BEFORE)
		return fail_op(m, name, ei);
	if (o == NULL)
		return not_found(name, ei);
	rc = store_check_generation(name, o->generation, if_generation, ei);
	if (rc != 0)
		return rc;
	for (struct mem_object **p = &m->objects; *p != NULL; p = &(*p)->next) {
		if (*p == o) {
			*p = o->next;
			break;
		}
	}
	free_object(o);
	return fault == STORE_FAULT_AFTER ? fail_op(m, name, ei) : 0;
}

static void
mem_unlock(struct store_lock *l)
{
	struct mem_held *h = (struct mem_held *)l;

	for (struct mem_held **p = &h->store->held; *p != NULL; p = &(*p)->next) {
		if (*p == h) {
			*p = h->next;
			break;
		}
	}
	mem_free(h->name);
	mem_free(h);
}

static int
mem_lock(struct store *s, const char *name, struct store_lock **ret, struct err_info *ei)
{
	struct mem_store *m = mem_of(s);
	enum store_fault fault = begin_op(m, STORE_OP_LOCK, name);
	struct mem_held *h;

	if (fault != STORE_FAULT_NONE)
		return fail_op(m, name, ei);
	for (h = m->held; h != NULL; h = h->next) {
		if (strcmp(h->name, name) == 0)
			return err_set(ei, ERR_BUSY, "%s is locked", name);
	}
	h = mem_zalloc(sizeof(*h));
	if (h == NULL)
		return ERR_NOMEM;
	h->name = mem_strdup(name);
	if (h->name == NULL) {
		mem_free(h);
		return ERR_NOMEM;
	}
	h->head.unlock = mem_unlock;
	h->store = m;
	h->next = m->held;
	m->held = h;
	*ret = &h->head;
	return 0;
}

static void
mem_close(struct store *s)
{
	struct mem_store *m = mem_of(s);

	while (m->objects != NULL) {
		struct mem_object *o = m->objects;

		m->objects = o->next;
		free_object(o);
	}
	mem_free(m);
}

int
store_mem_new(bool with_locks, struct store **ret)
{
	static const struct store_ops locking = { .close = mem_close,
		.list = mem_list,
		.stat = mem_stat,
		.read = mem_read,
		.put = mem_put,
		.delete = mem_delete,
		.lock = mem_lock };
	static const struct store_ops lockless = { .close = mem_close,
		.list = mem_list,
		.stat = mem_stat,
		.read = mem_read,
		.put = mem_put,
		.delete = mem_delete,
		.compose = mem_compose };
	struct mem_store *m = mem_zalloc(sizeof(*m));

	if (m == NULL)
		return ERR_NOMEM;
	m->head.ops = with_locks ? &locking : &lockless;
	m->head.url = mem_strdup("memory:");
	if (m->head.url == NULL) {
		mem_free(m);
		return ERR_NOMEM;
	}
	*ret = &m->head;
	return 0;
}

void
store_mem_set_time(struct store *s, int64_t now_ms)
{
	mem_of(s)->now_ms = now_ms;
}

void
store_mem_fail(struct store *s, size_t pass, enum store_fault fault, int code)
{
	struct mem_store *m = mem_of(s);

	m->fault_pass = pass;
	m->fault = fault;
	m->fault_code = code;
}

size_t
store_mem_op_count(const struct store *s)
{
	return ((const struct mem_store *)s)->op_count;
}

void
store_mem_hook(struct store *s, store_mem_hook_fn fn, void *ctx)
{
	mem_of(s)->hook = fn;
	mem_of(s)->hook_ctx = ctx;
}

int
store_mem_damage(struct store *s, const char *name, size_t offset, unsigned char xor)
{
	struct mem_object *o = find(mem_of(s), name);

	if (o == NULL || offset >= o->len)
		return ERR_NOENT;
	o->data[offset] = (char)(o->data[offset] ^ (char)xor);
	return 0;
}
