/*
 * trail.h - what was done to each object lately, so that it is not done again before the watch
 * shows it, nor too often.  Pure: time is an argument.  One thread.
 */
#pragma once

#include "sprvsr/observed.h"

struct action;

/* What was done to an object lately: not seen yet, failed, or done again and again. */
struct trail {
	bool running, disturbed;  /* disturbed: the object was removed meanwhile */
	int64_t pending_until_ms; /* done, but the watch has not shown it */
	char version[32];         /* what was seen when it was begun */
	char hash[SHA224_HEX_LEN + 1];
	bool was_ready; /* before it */
	int64_t not_before_ms, done_ms;
	unsigned failures, repairs;
	bool removal_decided; /* of a Deployment: its repository goes, whatever else does */
};

struct trails {
	struct names of[KINDS]; /* -> struct trail */
};

struct trail *trail_get(struct trails *t, enum kind kind, const char *name); /* or NULL */
struct trail *trail_make(struct trails *t, enum kind kind, const char *name);
void trails_clear(struct trails *t);
/* What was decided earlier is to be decided anew. */
void trails_forget_decisions(struct trails *t);
/*
 * Repositories come and go for years: where there are more trails than could be of use, those of
 * repositories that are neither wanted nor have an object are dropped.
 */
void trails_forget_gone(
    struct trails *t, const struct desired *want, const struct observed *seen);
/* An action has begun; it has ended with `rc`, and the object now has `version` ("": none). */
void trail_begin(struct trail *t, const struct action *a, const char *version);
void trail_end(struct trail *t, const struct action *a, int rc, const char *version,
    int64_t now_ms, double jitter);
