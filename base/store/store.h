/*
 * store.h - objects by name, as a bucket has them: whole-object writes under
 * a generation precondition, reads by range, listing by prefix.
 *
 * Names are UTF-8, 1..1024 bytes, parts joined by '/'; no part is empty, ".",
 * ".." or begins with ".maintner-", and no byte is below 0x20.  Every write gives
 * an object a generation, a number above 0 that differs from that of every other
 * content the name had.  A write is durable when its function has returned 0.
 *
 * A handle may be used by one thread at a time, except that close comes last.
 * Besides the codes that a function names, each may return ERR_INVAL (bad name),
 * ERR_NOMEM, ERR_IO, ERR_DENIED, ERR_FULL, and from a network store ERR_AUTH,
 * ERR_RATE, ERR_TIMEOUT, ERR_CLOSED, ERR_UNAVAILABLE.  After one of these a write
 * may or may not have happened.  `ei` names the object and may be NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/http.h"

#define STORE_ANY INT64_C(-1)              /* as a precondition: none; to read: the newest */
#define STORE_ABSENT INT64_C(0)            /* as a precondition: the object must not exist */
#define STORE_NAME_MAX 1024                /* bytes */
#define STORE_COPY_MAX ((size_t)256 << 20) /* bytes of an object copied through this machine */
#define STORE_COMPOSE_MAX 32U         /* objects that one is composed of, as Google allows */
#define STORE_OWN_PREFIX ".maintner-" /* no part of a name begins so */

struct store;
struct store_lock;

struct store_object {
	char *name; /* owned by the list; NULL from store_stat() */
	uint64_t size;
	int64_t generation;
	int64_t created_ms; /* when this generation was written, by the store's clock */
};

struct store_list {
	struct store_object *items; /* sorted by name, bytewise */
	size_t count;
	size_t cap;
};

/* Which bytes of an object to read. */
struct store_range {
	int64_t generation; /* STORE_ANY or the generation that must be read */
	uint64_t offset;    /* bytes from the start; past the end reads nothing */
	size_t len;         /* at most so many bytes */
};

/* How a network store is reached; zeroes mean the default in brackets. */
struct store_open_opts {
	const struct cancel *cancel; /* copied; ends waits and transfers [none] */
	const char *ca_file;         /* PEM certificates to trust [the system's] */
	int64_t deadline_ms;         /* for one operation with all its retries [300,000] */
	int64_t backoff_ms;          /* the first pause after a fault [1,000] */
};

/*
 * Open a store: "file:///dir" (which need not exist yet) or "gs://bucket[/prefix]", with
 * the credentials of gcp_auth.h (none under STORAGE_EMULATOR_HOST; MAINTNER_STORAGE_ENDPOINT
 * names another server that gets them).  Names are below the
 * prefix.  ERR_INVAL for another URL or bad credentials.
 */
int store_open(const char *url, struct store **ret, struct err_info *ei);
int store_open_with(const char *url, const struct store_open_opts *opts, struct store **ret,
    struct err_info *ei); /* `opts` may be NULL */
/* ERR_INVAL for a URL that is neither; opens nothing, and looks at no bucket's name. */
int store_url_check(const char *url, struct err_info *ei);
/*
 * Cut the URL of one object into its store's (a heap string, mem_free) and its name (borrowed
 * from `url`): "gs://b/lists/repos.json" into "gs://b/lists" and "repos.json".  ERR_INVAL.
 */
int store_url_split(
    const char *url, char **ret_store, const char **ret_name, struct err_info *ei);
void store_close(struct store *s); /* NULL is fine; end locks first */

/* The store as its user wrote it, for messages; borrowed from `s`. */
const char *store_url(const struct store *s);

/*
 * Every object whose name begins with `prefix` ("" for all), below any number of
 * further '/'.  A prefix under which nothing exists gives an empty list.
 * `ret` is overwritten on success and ended with store_list_clear().
 */
int store_list(
    struct store *s, const char *prefix, struct store_list *ret, struct err_info *ei);
void store_list_clear(struct store_list *l);
const struct store_object *store_list_find(const struct store_list *l, const char *name);

/* Size, generation and time of an object.  ERR_NOENT. */
int store_stat(
    struct store *s, const char *name, struct store_object *ret, struct err_info *ei);

/*
 * Append the bytes of `range` to `into`; fewer than range->len only at the end of
 * the object.  ERR_NOENT; ERR_STALE when the object is of another generation than
 * the one asked for (a bucket may say ERR_NOENT for that, too); ERR_LIMIT when
 * `into` may not grow so far.  *ret_meta (may be NULL; name NULL) describes the
 * object that was read.  On failure `into` is as before.
 */
int store_read(struct store *s, const char *name, const struct store_range *range,
    struct buf *into, struct store_object *ret_meta, struct err_info *ei);

/*
 * Append a whole object of at most `max_bytes` to `into`.  ERR_NOENT, ERR_LIMIT.
 * *ret_generation may be NULL.
 */
int store_get(struct store *s, const char *name, size_t max_bytes, struct buf *into,
    int64_t *ret_generation, struct err_info *ei);

/*
 * Write a whole object.  `if_generation` is the generation it must have now, or
 * STORE_ABSENT, or STORE_ANY; ERR_CONFLICT when that is not so, and then nothing
 * was written.  *ret_generation (may be NULL) is that of the new content.
 */
int store_put(struct store *s, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei);

/* Delete an object.  ERR_NOENT, ERR_CONFLICT as above (STORE_ABSENT is ERR_INVAL). */
int store_delete(struct store *s, const char *name, int64_t if_generation, struct err_info *ei);

/*
 * Copy an object, on the server's side within one kind of store, else through this
 * machine.  The precondition is on the copy.  ERR_NOENT, ERR_CONFLICT.
 */
int store_copy(struct store *from, const char *name, struct store *to, const char *to_name,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei);

/* What the caller knows of a composed object's content, to recognise it by. */
struct store_content {
	uint64_t size;
	uint32_t crc32c;
};

/*
 * Make `to_name` out of `count` (1..32) objects, one behind the other, without moving
 * their bytes through here.  ERR_UNSUPPORTED where the store has no such thing (write
 * the whole object instead); ERR_NOENT, ERR_CONFLICT, ERR_CORRUPT when the result is not
 * `content`.
 */
int store_compose(struct store *s, const char *const *names, size_t count,
    const struct store_content *content, const char *to_name, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei);

/* The bucket that a gs:// URL names; ERR_UNSUPPORTED for other stores. */
struct store_bucket {
	char location[64];
	char storage_class[32];
	int64_t created_ms;
};
int store_make_bucket(
    struct store *s, const char *project, struct err_info *ei); /* ERR_CONFLICT: exists */
int store_stat_bucket(struct store *s, struct store_bucket *ret, struct err_info *ei);

/*
 * Hold `name` for this process until store_unlock() or its death; no object of that
 * name is needed or made.  ERR_BUSY while somebody else holds it, ERR_UNSUPPORTED
 * where the store has no locks (buckets).
 */
int store_lock(struct store *s, const char *name, struct store_lock **ret, struct err_info *ei);
void store_unlock(struct store_lock *l); /* NULL is fine */

/* ERR_INVAL unless `name` may name an object. */
int store_name_check(const char *name, struct err_info *ei);
