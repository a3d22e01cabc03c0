/*
 * snap_view.c - handles and views: which environment is current, and points
 * in time in it.  Knows no table but `meta`.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "lmdb-schema/snap_internal.h"

#define MAX_SWITCHES 8 /* successors of successors followed in one call */

struct snap {
	char dir[PATH_MAX];
	pthread_mutex_t lock; /* guards env, every snap_env.refs and .idle, resizing */
	pthread_cond_t drained;
	struct snap_env *env;
	bool resizing; /* the map grew: no view may begin until it is adopted */
};

int
snap_dir_current(const char *dir, char out[4096], struct err_info *ei)
{
	char link[PATH_MAX];
	int n = snprintf(link, sizeof(link), "%s/current", dir);

	if (n < 0 || (size_t)n >= sizeof(link))
		return err_set(ei, ERR_INVAL, "snapshot directory name is too long");
	if (realpath(link, out) == NULL)
		return err_set(
		    ei, err_from_errno(errno), "snapshot %s: %s", link, strerror(errno));
	return 0;
}

int
snap_open(const char *dir, struct snap **ret, struct err_info *ei)
{
	char path[PATH_MAX];
	struct snap *s;
	int rc;

	if (strlen(dir) >= sizeof(s->dir))
		return err_set(ei, ERR_INVAL, "snapshot directory name is too long");
	s = mem_zalloc(sizeof(*s));
	if (s == NULL)
		return ERR_NOMEM;
	memcpy(s->dir, dir, strlen(dir) + 1);
	rc = snap_dir_current(dir, path, ei);
	if (rc == 0)
		rc = snap_env_open(path, MDB_RDONLY, false, 0, &s->env, ei);
	if (rc != 0) {
		mem_free(s);
		return rc;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->drained, NULL);
	*ret = s;
	return 0;
}

/* Under the lock: drop one reference; the last closes. */
static void
unref_env(struct snap_env *e)
{
	if (--e->refs == 0)
		snap_env_close(e);
}

void
snap_close(struct snap *s)
{
	if (s == NULL)
		return;
	unref_env(s->env);
	pthread_cond_destroy(&s->drained);
	pthread_mutex_destroy(&s->lock);
	mem_free(s);
}

/* Under the lock: another process grew the map; adopt its size with no view open. */
static int
adopt_map_size(struct snap *s, struct snap_env *e)
{
	int rc;

	if (s->resizing)
		return 0; /* somebody is at it: the caller tries again */
	s->resizing = true;
	while (e->refs > 2) /* the handle's and the caller's own */
		pthread_cond_wait(&s->drained, &s->lock);
	rc = snap_err(mdb_env_set_mapsize(e->mdb, 0));
	s->resizing = false;
	pthread_cond_broadcast(&s->drained);
	return rc;
}

/* Under the lock: an ended view to renew, or a new one. */
static struct snap_view *
take_view(struct snap_env *e)
{
	struct snap_view *v = e->idle;

	if (v != NULL) {
		e->idle = v->next;
		return v;
	}
	v = mem_zalloc(sizeof(*v));
	if (v != NULL)
		v->env = e;
	return v;
}

static int
start_txn(struct snap_view *v)
{
	if (v->txn != NULL)
		return mdb_txn_renew(v->txn);
	return mdb_txn_begin(v->env->mdb, NULL, MDB_RDONLY, &v->txn);
}

/* Begin on the present environment. */
static int
begin_once(struct snap *s, struct snap_view **ret)
{
	struct snap_view *v;
	int mdb_rc, rc = 0;

	pthread_mutex_lock(&s->lock);
	while (s->resizing)
		pthread_cond_wait(&s->drained, &s->lock);
	v = take_view(s->env);
	if (v == NULL) {
		pthread_mutex_unlock(&s->lock);
		return ERR_NOMEM;
	}
	v->env->refs++;
	v->owner = s;
	v->issues_ready = false;
	mdb_rc = start_txn(v);
	if (mdb_rc == MDB_MAP_RESIZED) {
		rc = adopt_map_size(s, v->env);
		mdb_rc = rc == 0 ? start_txn(v) : mdb_rc;
	}
	if (mdb_rc != 0) {
		v->next = v->env->idle;
		v->env->idle = v;
		unref_env(v->env);
		rc = rc != 0 ? rc : snap_err(mdb_rc);
	}
	pthread_mutex_unlock(&s->lock);
	if (rc == 0)
		*ret = v;
	return rc;
}

/* Replace the environment by what `current` names now. */
static int
follow_successor(struct snap *s, const struct snap_env *old)
{
	char path[PATH_MAX];
	struct snap_env *e;
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	if (s->env == old) { /* else another thread was quicker */
		rc = snap_dir_current(s->dir, path, NULL);
		/* The link may not have moved yet, and LMDB forbids one path twice. */
		if (rc == 0 && strcmp(path, old->path) == 0)
			rc = ERR_STALE;
		if (rc == 0)
			rc = snap_env_open(path, MDB_RDONLY, false, 0, &e, NULL);
		if (rc == 0) {
			unref_env(s->env);
			s->env = e;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

struct snap_memory *
snap_memory_of(struct snap_view *v)
{
	size_t id;

	if (v->owner == NULL)
		return NULL;
	id = mdb_txn_id(v->txn);
	if (v->memory == NULL)
		v->memory = mem_zalloc(sizeof(*v->memory)); /* without it all is looked up */
	else if (v->memory->txn_id != id)
		memset(v->memory, 0, sizeof(*v->memory));
	if (v->memory != NULL)
		v->memory->txn_id = id;
	return v->memory;
}

static bool
has_successor(struct snap_view *v)
{
	struct snap_memory *m = snap_memory_of(v);
	struct slice name;
	int rc;

	if (m != NULL && m->no_successor)
		return false;
	rc = snap_meta_get(v, SNAP_META_SUCCESSOR, 0, &name);
	if (m != NULL)
		m->no_successor = rc == ERR_NOENT;
	return rc == 0;
}

int
snap_view_begin(struct snap *s, struct snap_view **ret)
{
	struct snap_view *v;
	int rc;

	for (int i = 0; i < MAX_SWITCHES; i++) {
		rc = begin_once(s, &v);
		if (rc != 0)
			return rc;
		if (!has_successor(v)) {
			*ret = v;
			return 0;
		}
		struct snap_env *old = v->env;

		rc = follow_successor(s, old);
		if (rc != 0) { /* the old point in time is still a good answer */
			*ret = v;
			return 0;
		}
		snap_view_end(v);
	}
	return ERR_STALE;
}

void
snap_view_end(struct snap_view *v)
{
	struct snap *s;

	if (v == NULL)
		return;
	s = v->owner;
	mdb_txn_reset(v->txn);
	pthread_mutex_lock(&s->lock);
	v->next = v->env->idle;
	v->env->idle = v;
	unref_env(v->env);
	pthread_cond_broadcast(&s->drained);
	pthread_mutex_unlock(&s->lock);
}

struct snap_stamp
snap_view_stamp(const struct snap_view *v)
{
	return (struct snap_stamp){ v->env->serial, mdb_txn_id(v->txn) };
}

int
snap_sweep_readers(struct snap *s)
{
	int dead = 0;

	pthread_mutex_lock(&s->lock);
	if (mdb_reader_check(s->env->mdb, &dead) != 0)
		dead = 0;
	pthread_mutex_unlock(&s->lock);
	return dead;
}
