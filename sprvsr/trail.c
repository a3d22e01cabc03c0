/* trail.c - see trail.h; must not decide what is done. */
#include "sprvsr/trail.h"

#include <stdio.h>

#include "base/mem.h"
#include "sprvsr/reconcile.h"

#define PENDING_MS 30000 /* a watch that has not shown a change by then never will */
#define BACKOFF_MS 1000
#define BACKOFF_MAX_MS 300000
#define QUIET_MS 600000 /* without a repair for so long, the next one is at once */
#define REPAIRS_FREE 3

static void
end_trail(void *t)
{
	mem_free(t);
}

void
trails_clear(struct trails *t)
{
	for (int k = 0; k < KINDS; k++)
		names_clear(&t->of[k], end_trail);
}

void
trails_forget_decisions(struct trails *t)
{
	const struct names *n = &t->of[KIND_DEPLOYMENT];
	size_t at;

	for (struct names_entry *e = names_first(n, &at); e != NULL; e = names_next(n, &at, e))
		((struct trail *)e->thing)->removal_decided = false;
}

struct trail *
trail_get(struct trails *t, enum kind kind, const char *name)
{
	return names_get(&t->of[kind], name);
}

struct trail *
trail_make(struct trails *t, enum kind kind, const char *name)
{
	struct trail *one = trail_get(t, kind, name);

	if (one != NULL)
		return one;
	one = mem_zalloc(sizeof(*one));
	if (one != NULL && names_put(&t->of[kind], name, one) != 0) {
		mem_free(one);
		one = NULL;
	}
	return one;
}

void
trail_begin(struct trail *t, const struct action *a, const char *version)
{
	t->running = true;
	t->disturbed = false;
	t->was_ready = a->was_ready;
	snprintf(t->hash, sizeof(t->hash), "%s", a->hash);
	snprintf(t->version, sizeof(t->version), "%s", version);
}

static int64_t
backoff(unsigned nth, double jitter)
{
	int64_t ms = nth > 9 ? BACKOFF_MAX_MS : (int64_t)BACKOFF_MS << nth;

	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	return ms / 2 + (int64_t)((double)ms * jitter);
}

void
trail_end(struct trail *t, const struct action *a, int rc, const char *version, int64_t now_ms,
    double jitter)
{
	t->running = false;
	t->pending_until_ms = 0;
	if (rc != 0) {
		t->not_before_ms = now_ms + backoff(t->failures++, jitter);
		return;
	}
	t->failures = 0;
	t->not_before_ms = 0;
	if (a->verb == ACT_REPAIR) {
		t->repairs = now_ms - t->done_ms > QUIET_MS ? 0 : t->repairs + 1;
		t->done_ms = now_ms;
		if (t->repairs >= REPAIRS_FREE) /* somebody insists: do not race with it */
			t->not_before_ms =
			    now_ms + backoff(t->repairs - REPAIRS_FREE + 2, jitter);
	}
	/* Unchanged is seen already; a change is waited for until the watch shows it. */
	if (!t->disturbed && (a->verb == ACT_DELETE || strcmp(t->version, version) != 0))
		t->pending_until_ms = now_ms + PENDING_MS;
}

struct known {
	const struct desired *want;
	const struct observed *seen;
};

/* Of a repository that is not wanted and of which nothing is left. */
static bool
leads_nowhere(void *ctx, const char *name, void *thing)
{
	const struct known *known = ctx;
	const struct trail *t = thing;
	const char *sha = name + OBJECT_PREFIX_LEN;
	bool is_there = names_get(&known->want->by_sha, sha) != NULL;

	for (enum kind k = 0; k < KINDS; k++) {
		char object[OBJECT_NAME_MAX];

		desired_name(k, sha, object);
		is_there |= names_get(&known->seen->objects[k], object) != NULL;
	}
	return !t->running && !is_there;
}

void
trails_forget_gone(struct trails *t, const struct desired *want, const struct observed *seen)
{
	struct known known = { want, seen };

	for (enum kind k = 0; k < KINDS; k++) {
		if (t->of[k].count > want->list.count + seen->objects[k].count)
			names_sweep(&t->of[k], leads_nowhere, &known, end_trail);
	}
}
