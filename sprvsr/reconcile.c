/* reconcile.c - see reconcile.h; no sockets and no clock here. */
#include "sprvsr/reconcile.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sprvsr/match.h"

void
plan_clear(struct plan *p)
{
	mem_free(p->actions);
	*p = (struct plan){ .actions = NULL };
}

struct pass {
	const struct desired *want;
	struct observed *seen;
	struct trails *trails;
	const struct reconcile_opts *o;
	struct plan plan;
	size_t rolling; /* changed Deployments that are not ready */
	struct buf scratch;
	int rc;
};

static void
wake_at(struct pass *p, int64_t ms)
{
	if (p->plan.wake_ms == 0 || ms < p->plan.wake_ms)
		p->plan.wake_ms = ms;
}

/* Is there something about this object that must be waited for? */
static bool
must_wait(struct pass *p, enum kind kind, const char *name, const struct obs *b)
{
	struct trail *t = trail_get(p->trails, kind, name);

	if (t == NULL)
		return false;
	if (t->running) {
		p->plan.in_flight++;
		return true;
	}
	/* What the watch shows has moved on since: it is news, ours or others'. */
	if (t->pending_until_ms != 0 && strcmp(b != NULL ? b->version : "", t->version) != 0)
		t->pending_until_ms = 0;
	if (t->pending_until_ms > p->o->now_ms) {
		p->plan.in_flight++;
		wake_at(p, t->pending_until_ms);
		return true;
	}
	if (t->not_before_ms > p->o->now_ms) {
		wake_at(p, t->not_before_ms);
		return true;
	}
	return false;
}

static struct action *
add(struct pass *p, enum verb verb, enum kind kind, const char *name, const struct obs *b)
{
	struct plan *l = &p->plan;
	struct action *a;

	if (p->rc != 0)
		return NULL;
	if (l->count >= p->o->actions_max)
		return NULL; /* a later comparison finds it again */
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 64 : 2 * l->cap;

		a = mem_realloc(l->actions, cap * sizeof(*a));
		if (a == NULL) {
			p->rc = ERR_NOMEM;
			return NULL;
		}
		l->actions = a;
		l->cap = cap;
	}
	a = &l->actions[l->count++];
	*a = (struct action){ .verb = verb, .kind = kind };
	snprintf(a->name, sizeof(a->name), "%s", name);
	snprintf(a->uid, sizeof(a->uid), "%s", b != NULL ? b->uid : "");
	a->repo = b != NULL && b->repo != NULL ? b->repo : "";
	return a;
}

/* Is it not ready, and was before its last change? */
static bool
is_down(const struct obs *b)
{
	return b->ownership == OWNED && b->was_ready && b->replicas > 0 && !obs_is_ready(b);
}

static void
add_for(struct pass *p, enum verb verb, enum kind kind, const struct desired_item *item,
    const struct obs *b)
{
	struct action *a = add(p, verb, kind, item->names[kind], b);

	if (a == NULL)
		return;
	a->entry = item->entry;
	a->repo = item->entry->name;
	snprintf(a->hash, sizeof(a->hash), "%s", item->hashes[kind]);
	if (b != NULL && kind == KIND_DEPLOYMENT)
		a->was_ready = verb == ACT_UPDATE ? (b->replicas > 0 && obs_is_ready(b)) ||
							(is_down(b) && !b->rolled_out)
						  : b->was_ready;
}

/* Does what is there hold all that is wanted?  Asked once for each version of it. */
static bool
drifted(struct pass *p, enum kind kind, const struct desired_item *item, struct obs *b)
{
	char hash[SHA224_HEX_LEN + 1];
	json_t *want = NULL, *have = NULL;
	const json_t *meta;
	bool same = false;

	if (strcmp(b->compared, item->hashes[kind]) == 0)
		return false;
	if (b->text == NULL)
		return true;
	buf_reset(&p->scratch);
	p->rc =
	    desired_render(p->want->opts, item->entry, kind, b->was_ready, &p->scratch, hash);
	if (p->rc == 0)
		p->rc = json_in_parse(buf_view(&p->scratch), "desired", &want, NULL);
	if (p->rc == 0)
		p->rc = json_in_parse(slice_str(b->text), "observed", &have, NULL);
	if (p->rc == 0) {
		meta = json_object_get(want, "metadata");
		same =
		    match_subset(json_object_get(want, "spec"), json_object_get(have, "spec"));
		for (int i = 0; i < 2 && same; i++) {
			const char *part = i == 0 ? "labels" : "annotations";

			same = match_subset(json_object_get(meta, part),
			    json_object_get(json_object_get(have, "metadata"), part));
		}
	}
	json_decref(want);
	json_decref(have);
	if (p->rc != 0 || !same)
		return p->rc == 0;
	snprintf(b->compared, sizeof(b->compared), "%s", item->hashes[kind]);
	free(b->text);
	b->text = NULL;
	return false;
}

static void
plan_update(struct pass *p, enum kind kind, const struct desired_item *item, struct obs *b)
{
	if (kind == KIND_DEPLOYMENT && b->replicas > 0 && obs_is_ready(b)) {
		if (p->rolling >= p->o->batch) {
			p->plan.held_back++;
			return;
		}
		p->rolling++;
	}
	add_for(p, ACT_UPDATE, kind, item, b);
}

/*
 * The apply that found nothing to change has looked closer than we can; or a webhook makes of all
 * that is written what it wants, and would of the next.
 */
static bool
was_applied_as_is(
    struct pass *p, enum kind kind, const char *name, struct obs *b, const char *hash)
{
	struct trail *t = trail_get(p->trails, kind, name);

	if (t == NULL || t->failures > 0 || t->pending_until_ms != 0 || t->hash[0] == '\0' ||
	    strcmp(t->version, b->version) != 0 || strcmp(t->hash, hash) != 0)
		return false;
	snprintf(b->compared, sizeof(b->compared), "%s", hash);
	return true;
}

static void
plan_item(struct pass *p, enum kind kind, const struct desired_item *item)
{
	const char *name = item->names[kind];
	struct obs *b = names_get(&p->seen->objects[kind], name);
	struct trail *t = trail_get(p->trails, kind, name);

	if (t != NULL)
		t->removal_decided = false; /* it is back */
	if (b != NULL && b->ownership == FOREIGN) {
		if (p->plan.conflicts++ == 0)
			p->plan.conflict_name = name;
		return;
	}
	if (b != NULL && kind == KIND_DEPLOYMENT && b->replicas == 0)
		p->plan.scaled_to_zero++;
	if ((b != NULL && b->deleting) || must_wait(p, kind, name, b))
		return;
	if (b == NULL)
		add_for(p, ACT_CREATE, kind, item, NULL);
	else if (b->ownership != STRAYED && strcmp(b->hash, item->hashes[kind]) != 0)
		plan_update(p, kind, item, b);
	else if (b->ownership == STRAYED ||
		 (drifted(p, kind, item, b) &&
		     !was_applied_as_is(p, kind, name, b, item->hashes[kind])))
		add_for(p, ACT_REPAIR, kind, item, b);
}

/*
 * Deployments that were ready, were changed, and are not ready again.  Those that a change broke
 * count until they are ready, also when the next change has been made to them: else each
 * attempt at mending a bad one would break as many more.
 */
static void
count_rolling(struct pass *p)
{
	for (size_t i = 0; i < p->want->list.count; i++) {
		const struct desired_item *item = &p->want->items[i];
		const char *name = item->names[KIND_DEPLOYMENT];
		struct trail *t = trail_get(p->trails, KIND_DEPLOYMENT, name);
		struct obs *b = names_get(&p->seen->objects[KIND_DEPLOYMENT], name);
		bool coming = t != NULL && (t->running || t->pending_until_ms > p->o->now_ms) &&
			      b != NULL && strcmp(t->version, b->version) == 0;

		if (coming)
			p->rolling += t->was_ready;
		else if (b != NULL && is_down(b) &&
			 (!b->rolled_out ||
			     strcmp(b->hash, item->hashes[KIND_DEPLOYMENT]) == 0))
			p->rolling++;
	}
	p->plan.waiting_for_ready = p->rolling;
}

/*
 * Removing.
 */

static struct trail *
repo_trail(struct pass *p, const char *sha, bool make)
{
	char name[OBJECT_NAME_MAX];

	desired_name(KIND_DEPLOYMENT, sha, name);
	return make ? trail_make(p->trails, KIND_DEPLOYMENT, name)
		    : trail_get(p->trails, KIND_DEPLOYMENT, name);
}

static bool
is_decided(struct pass *p, const char *sha)
{
	const struct trail *t = repo_trail(p, sha, false);

	return t != NULL && t->removal_decided;
}

/*
 * Repositories that have objects of ours, those of them that left the list, and those of
 * these that nobody has decided about: what hangs in its removal (a finalizer, a refusal)
 * neither uses up the limit nor keeps a confirmation alive.
 */
static void
count_left(struct pass *p, size_t *ret_present)
{
	size_t present = 0;

	for (enum kind k = 0; k < KINDS; k++) {
		const struct names *n = &p->seen->objects[k];
		struct names_entry *e;
		size_t at;

		for (e = names_first(n, &at); e != NULL; e = names_next(n, &at, e)) {
			const char *sha = e->name + OBJECT_PREFIX_LEN;
			struct obs *b = e->thing, *other = NULL;
			char name[OBJECT_NAME_MAX];

			desired_name(KIND_DEPLOYMENT, sha, name);
			if (k == KIND_SERVICE)
				other = names_get(&p->seen->objects[KIND_DEPLOYMENT], name);
			if (b->ownership != OWNED ||
			    (other != NULL && other->ownership == OWNED))
				continue; /* counted with its Deployment */
			present++;
			if (names_get(&p->want->by_sha, sha) != NULL)
				continue;
			p->plan.left++;
			p->plan.undecided += !b->deleting && !is_decided(p, sha);
		}
	}
	*ret_present = present;
}

/* Whether a repository that left the list is removed; `all`: also what was undecided. */
static bool
may_go(struct pass *p, const char *sha, bool all)
{
	struct trail *t;

	if (!all || !p->o->decide)
		return all || is_decided(p, sha);
	t = repo_trail(p, sha, true);
	if (t == NULL) {
		p->rc = ERR_NOMEM;
		return false;
	}
	t->removal_decided = true;
	return true;
}

static void
prune(struct pass *p, enum kind kind, bool all)
{
	const struct names *n = &p->seen->objects[kind];
	struct names_entry *e;
	size_t at;

	for (e = names_first(n, &at); e != NULL; e = names_next(n, &at, e)) {
		const char *sha = e->name + OBJECT_PREFIX_LEN;
		struct obs *b = e->thing, *service;
		char name[OBJECT_NAME_MAX];

		if (b->ownership != OWNED || b->deleting ||
		    names_get(&p->want->by_sha, sha) != NULL || !may_go(p, sha, all))
			continue;
		desired_name(KIND_SERVICE, sha, name);
		service = names_get(&p->seen->objects[KIND_SERVICE], name);
		/* Nobody is sent to a pod that goes. */
		if (kind == KIND_DEPLOYMENT && service != NULL && service->ownership == OWNED)
			continue;
		if (!must_wait(p, kind, e->name, b))
			add(p, ACT_DELETE, kind, e->name, b);
	}
}

static void
plan_removal(struct pass *p)
{
	size_t present, limit;

	count_left(p, &present);
	limit = present * p->o->prune_percent / 100;
	p->plan.prune_limit = limit > PRUNE_LEAST ? limit : PRUNE_LEAST;
	/* However few they are, all of them at once is no edit but an accident. */
	p->plan.prune_refused =
	    (p->plan.undecided > p->plan.prune_limit || p->want->list.count == 0) &&
	    p->plan.undecided > p->o->prune_allowed;
	prune(p, KIND_SERVICE, !p->plan.prune_refused);
	prune(p, KIND_DEPLOYMENT, !p->plan.prune_refused);
}

/*
 * What was made and removed again before a plan saw it looks as if it had not come yet: the
 * removal is the news that was waited for.
 */
static void
note_removals(struct pass *p)
{
	for (enum kind k = 0; k < KINDS; k++) {
		struct names *n = &p->seen->removed[k];
		struct names_entry *e;
		size_t at;

		for (e = names_first(n, &at); e != NULL; e = names_next(n, &at, e)) {
			struct trail *t = trail_get(p->trails, k, e->name);

			if (t == NULL)
				continue;
			t->disturbed = t->running;
			t->pending_until_ms = 0;
		}
		names_clear(n, NULL);
	}
}

int
reconcile(const struct desired *want, struct observed *seen, struct trails *trails,
    const struct reconcile_opts *o, struct plan *ret)
{
	struct pass p = { .want = want, .seen = seen, .trails = trails, .o = o };

	buf_init(&p.scratch, OBJECT_BYTES_MAX);
	note_removals(&p);
	trails_forget_gone(trails, want, seen);
	count_rolling(&p);
	for (size_t i = 0; i < want->list.count && p.rc == 0; i++) {
		plan_item(&p, KIND_DEPLOYMENT, &want->items[i]);
		if (p.rc == 0)
			plan_item(&p, KIND_SERVICE, &want->items[i]);
	}
	if (p.rc == 0)
		plan_removal(&p);
	buf_clear(&p.scratch);
	if (p.rc == 0)
		*ret = p.plan;
	else
		plan_clear(&p.plan);
	return p.rc;
}
