/*
 * store_impl.h - what an implementation of a store provides; its users include
 * store.h alone.
 *
 * The wrappers in store.c have checked every name and prefix before a function
 * here is called, and `ret_*` pointers are never NULL here.  A NULL entry means
 * ERR_UNSUPPORTED.
 */
#pragma once

#include "base/store/store.h"

struct store_ops {
	void (*close)(struct store *s);
	/* May add in any order; the wrapper sorts, and clears the list on failure. */
	int (*list)(
	    struct store *s, const char *prefix, struct store_list *into, struct err_info *ei);
	int (*stat)(
	    struct store *s, const char *name, struct store_object *ret, struct err_info *ei);
	/* May leave a part in `into` on failure; the wrapper cuts it off. */
	int (*read)(struct store *s, const char *name, const struct store_range *range,
	    struct buf *into, struct store_object *ret_meta, struct err_info *ei);
	int (*put)(struct store *s, const char *name, struct slice data, int64_t if_generation,
	    int64_t *ret_generation, struct err_info *ei);
	int (*delete)(
	    struct store *s, const char *name, int64_t if_generation, struct err_info *ei);
	int (*lock)(
	    struct store *s, const char *name, struct store_lock **ret, struct err_info *ei);
	/* `from` and `to` are of this implementation. */
	int (*copy)(struct store *from, const char *name, struct store *to, const char *to_name,
	    int64_t if_generation, int64_t *ret_generation, struct err_info *ei);
	int (*compose)(struct store *s, const char *const *names, size_t count,
	    const struct store_content *content, const char *to_name, int64_t if_generation,
	    int64_t *ret_generation, struct err_info *ei);
	int (*make_bucket)(struct store *s, const char *project, struct err_info *ei);
	int (*stat_bucket)(struct store *s, struct store_bucket *ret, struct err_info *ei);
};

/* The head of every implementation's own struct. */
struct store {
	const struct store_ops *ops;
	char *url; /* owned; freed by store_close() before ops->close() */
};

/* The head of every implementation's lock. */
struct store_lock {
	void (*unlock)(struct store_lock *l);
};

/* Append an object; copies the name.  ERR_NOMEM. */
int store_list_add(struct store_list *l, const char *name, const struct store_object *meta);

/* ERR_CONFLICT with a text unless `have` (0 = absent) meets the precondition. */
int store_check_generation(
    const char *name, int64_t have, int64_t if_generation, struct err_info *ei);

/* A store in a bucket of Google Cloud Storage; `url` is gs://bucket[/prefix]. */
int store_gcs_new(const char *url, const struct store_open_opts *opts, struct store **ret,
    struct err_info *ei);

/* A store in the directory `path` (absolute), without checking that it exists. */
int store_dir_new(const char *path, struct store **ret, struct err_info *ei);
