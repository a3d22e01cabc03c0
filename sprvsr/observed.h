/*
 * observed.h - what the cluster holds, as far as it can be ours: Deployments and Services
 * with our kind of name, in the form in which lists and watches gave them last.
 *
 * Watching threads fill it and others read it: all of it under `lock`, which the functions
 * do not take themselves.
 */
#pragma once

#include <pthread.h>

#include "base/json.h"
#include "sprvsr/desired.h"

enum ownership {
	OWNED,   /* label and annotation say so */
	STRAYED, /* one of them was edited away, but our apply still owns fields of it */
	FOREIGN,
};

struct obs {
	char uid[64];
	char version[32]; /* resourceVersion */
	char hash[SHA224_HEX_LEN + 1];
	enum ownership ownership;
	bool deleting, was_ready;
	bool
	    rolled_out; /* its pods of now were all ready once; what came then is another matter */
	int64_t replicas, generation, seen_generation, updated, ready;
	char *repo; /* "owner/name" as its annotations have it, NULL: they do not */
	char *
	    text; /* metadata's labels and annotations, and spec; NULL once it was found to fit */
	char compared[SHA224_HEX_LEN + 1]; /* the desired hash that `text` fits */
	unsigned seen;                     /* the list that named it last */
};

struct observed {
	pthread_mutex_t lock;
	const char *manager, *namespace_name;
	struct names objects[KINDS]; /* -> struct obs */
	struct names removed[KINDS]; /* names that went since the last plan */
	bool synced[KINDS];          /* listed completely at least once */
	unsigned list_number[KINDS];
	uint64_t lists[KINDS], watch_events;
};

void observed_init(struct observed *o, const char *manager, const char *namespace_name);
void observed_clear(struct observed *o);

/* An object as the API gave it; others' names are ignored.  ERR_PROTO, ERR_NOMEM. */
int observed_put(struct observed *o, enum kind kind, const json_t *object, struct err_info *ei);
void observed_remove(struct observed *o, enum kind kind, const json_t *object);

/* Between them the objects of a whole list are put; what it did not name is gone. */
void observed_list_begin(struct observed *o, enum kind kind);
void observed_list_end(struct observed *o, enum kind kind);

/* Does the Deployment run what it should? */
bool obs_is_ready(const struct obs *b);
