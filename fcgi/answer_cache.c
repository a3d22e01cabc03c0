/*
 * answer_cache.c - a table of answers, and a ring of their ages: the one that was not used
 * for the longest time goes first.
 */
#include "fcgi/answer_cache.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define PLACES 256U   /* answers at most; a power of two */
#define SEEN 4096U    /* requests remembered as asked once; a power of two */
#define KEY_MAX 2048U /* bytes of path and query */
#define PROBES 4U     /* places that a request may be in */

struct place {
	uint64_t hash;
	char *bytes; /* path, query, answer; NULL = empty */
	size_t path_len, query_len, len;
	uint64_t used; /* the clock's value when it was last found */
};

struct answer_cache {
	struct snap_stamp stamp;
	size_t bytes, max_bytes;
	uint64_t clock;
	struct place places[PLACES];
	uint32_t seen[SEEN]; /* the upper half of a hash; 0 = nothing */
};

struct answer_cache *
answer_cache_new(size_t max_bytes)
{
	struct answer_cache *c = mem_zalloc(sizeof(*c));

	if (c != NULL)
		c->max_bytes = max_bytes;
	return c;
}

static void
drop(struct answer_cache *c, struct place *p)
{
	if (p->bytes == NULL)
		return;
	c->bytes -= p->path_len + p->query_len + p->len;
	mem_free(p->bytes);
	*p = (struct place){ 0 };
}

static void
drop_all(struct answer_cache *c)
{
	for (size_t i = 0; i < PLACES; i++)
		drop(c, &c->places[i]);
	memset(c->seen, 0, sizeof(c->seen));
}

void
answer_cache_free(struct answer_cache *c)
{
	if (c == NULL)
		return;
	drop_all(c);
	mem_free(c);
}

/* A client that makes its requests collide only spoils its own share. */
static uint64_t
hash_of(struct slice path, struct slice query)
{
	uint64_t h = hash64_add(HASH64_START, path);

	h = hash64_add(h, SLICE("\xff")); /* ends the path: no text has this byte */
	return hash64_end(hash64_add(h, query));
}

/* Whatever was kept belongs to another snapshot. */
static void
turn_to(struct answer_cache *c, struct snap_stamp stamp)
{
	if (c->stamp.environment == stamp.environment &&
	    c->stamp.transaction == stamp.transaction)
		return;
	drop_all(c);
	c->stamp = stamp;
}

static bool
is_for(const struct place *p, uint64_t hash, struct slice path, struct slice query)
{
	return p->bytes != NULL && p->hash == hash && p->path_len == path.len &&
	       p->query_len == query.len && memcmp(p->bytes, path.ptr, path.len) == 0 &&
	       (query.len == 0 || memcmp(p->bytes + path.len, query.ptr, query.len) == 0);
}

bool
answer_cache_find(struct answer_cache *c, struct snap_stamp stamp, struct slice path,
    struct slice query, struct slice *ret)
{
	uint64_t hash;

	if (c == NULL)
		return false;
	turn_to(c, stamp);
	hash = hash_of(path, query);
	for (unsigned i = 0; i < PROBES; i++) {
		struct place *p = &c->places[(hash + i) & (PLACES - 1)];

		if (!is_for(p, hash, path, query))
			continue;
		p->used = ++c->clock;
		*ret = (struct slice){ p->bytes + p->path_len + p->query_len, p->len };
		return true;
	}
	return false;
}

/* An empty place where the request may stand, or the one that was not used the longest. */
static struct place *
place_for(struct answer_cache *c, uint64_t hash)
{
	struct place *best = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		struct place *p = &c->places[(hash + i) & (PLACES - 1)];

		if (p->bytes == NULL)
			return p;
		if (best == NULL || p->used < best->used)
			best = p;
	}
	return best;
}

static void
make_room(struct answer_cache *c, size_t bytes)
{
	while (c->bytes + bytes > c->max_bytes) {
		struct place *oldest = NULL;

		for (size_t i = 0; i < PLACES; i++) {
			struct place *p = &c->places[i];

			if (p->bytes != NULL && (oldest == NULL || p->used < oldest->used))
				oldest = p;
		}
		drop(c, oldest);
	}
}

/* Was it asked for before?  From now on it was. */
static bool
was_seen(struct answer_cache *c, uint64_t hash)
{
	uint32_t *mark = &c->seen[hash & (SEEN - 1)], half = (uint32_t)(hash >> 32) | 1;
	bool seen = *mark == half;

	*mark = half;
	return seen;
}

void
answer_cache_put(struct answer_cache *c, struct snap_stamp stamp, struct slice path,
    struct slice query, struct slice answer)
{
	size_t bytes = path.len + query.len + answer.len;
	uint64_t hash;
	struct place *p;
	char *copy;

	if (c == NULL || path.len + query.len > KEY_MAX || bytes > c->max_bytes / 4)
		return;
	turn_to(c, stamp);
	hash = hash_of(path, query);
	if (!was_seen(c, hash))
		return;
	copy = mem_alloc(bytes);
	if (copy == NULL)
		return;
	memcpy(copy, path.ptr, path.len);
	if (query.len > 0)
		memcpy(copy + path.len, query.ptr, query.len);
	memcpy(copy + path.len + query.len, answer.ptr, answer.len);
	p = place_for(c, hash);
	drop(c, p);
	make_room(c, bytes);
	*p = (struct place){ hash, copy, path.len, query.len, answer.len, ++c->clock };
	c->bytes += bytes;
}
