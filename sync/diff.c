/* diff.c - building blocks of mutations, and the repository's own facts. */
#include "sync/diff.h"

#include <string.h>

#include "base/json_text.h"
#include "sync/diff_internal.h"

void
diff_init(struct diff *d, struct arena *a, struct snap_view *v, char *owner, char *repo)
{
	*d = (struct diff){ .arena = a, .view = v, .owner = owner, .repo = repo };
	buf_init(&d->text, (size_t)256 << 20);
}

void
diff_clear(struct diff *d)
{
	buf_clear(&d->text);
}

int
diff_push(struct diff *d, struct diff_list *l, void *item)
{
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 8 : l->cap * 2;
		void **more = arena_alloc(d->arena, cap * sizeof(*more));

		if (more == NULL)
			return ERR_NOMEM;
		if (l->count > 0)
			memcpy(more, l->items, l->count * sizeof(*more));
		l->items = more;
		l->cap = cap;
	}
	l->items[l->count++] = item;
	return 0;
}

Maintpb__Mutation *
diff_issue_message(struct diff *d, uint32_t number)
{
	Maintpb__Mutation *m = DIFF_NEW(d, Maintpb__Mutation);
	Maintpb__GithubIssueMutation *i = DIFF_NEW(d, Maintpb__GithubIssueMutation);

	if (m == NULL || i == NULL)
		return NULL;
	maintpb__mutation__init(m);
	maintpb__github_issue_mutation__init(i);
	i->owner = d->owner;
	i->repo = d->repo;
	i->number = (int32_t)number;
	m->github_issue = i;
	return m;
}

Maintpb__Mutation *
diff_repo_message(struct diff *d)
{
	Maintpb__Mutation *m = DIFF_NEW(d, Maintpb__Mutation);
	Maintpb__GithubMutation *g = DIFF_NEW(d, Maintpb__GithubMutation);

	if (m == NULL || g == NULL)
		return NULL;
	maintpb__mutation__init(m);
	maintpb__github_mutation__init(g);
	g->owner = d->owner;
	g->repo = d->repo;
	m->github = g;
	return m;
}

Maintpb__Timestamp *
diff_time(struct diff *d, int64_t ms)
{
	Maintpb__Timestamp *t;

	if (ms == TIME_NONE)
		return NULL;
	t = DIFF_NEW(d, Maintpb__Timestamp);
	if (t == NULL)
		return NULL;
	maintpb__timestamp__init(t);
	t->seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
	t->nanos = (int32_t)(ms - t->seconds * 1000) * 1000000;
	return t;
}

Maintpb__BoolChange *
diff_bool(struct diff *d, bool v)
{
	Maintpb__BoolChange *c = DIFF_NEW(d, Maintpb__BoolChange);

	if (c != NULL) {
		maintpb__bool_change__init(c);
		c->val = v;
	}
	return c;
}

Maintpb__StringChange *
diff_string(struct diff *d, const char *v)
{
	Maintpb__StringChange *c = DIFF_NEW(d, Maintpb__StringChange);

	if (c != NULL) {
		maintpb__string_change__init(c);
		c->val = diff_text(v);
	}
	return c;
}

Maintpb__GithubIssueSyncStatus *
diff_status(struct diff *d, int64_t ms)
{
	Maintpb__GithubIssueSyncStatus *s = DIFF_NEW(d, Maintpb__GithubIssueSyncStatus);

	if (s == NULL)
		return NULL;
	maintpb__github_issue_sync_status__init(s);
	s->server_date = diff_time(d, ms);
	return s->server_date != NULL ? s : NULL;
}

/* --- users --- */

struct diff_user
diff_read_user(struct json_in *in, const json_t *obj, const char *member)
{
	json_t *u = json_in_opt_object(in, obj, member);
	struct diff_user got = { 0, "" };

	if (u == NULL)
		return got;
	got.id = json_in_i64(in, u, "id");
	got.login = json_in_str(in, u, "login");
	return got;
}

Maintpb__GithubUser *
diff_user_message(struct diff *d, struct diff_user u)
{
	Maintpb__GithubUser *m;

	if (u.id <= 0)
		return NULL;
	m = DIFF_NEW(d, Maintpb__GithubUser);
	if (m != NULL) {
		maintpb__github_user__init(m);
		m->id = u.id;
		m->login = diff_text(u.login);
	}
	return m;
}

bool
diff_user_is_news(struct diff *d, struct diff_user u)
{
	struct slice login;

	if (u.id <= 0 || u.login[0] == '\0')
		return false;
	return snap_user_login(d->view, u.id, &login) != 0 ||
	       !diff_same_text(d, u.login, login);
}

int
diff_note_user(struct diff *d, struct diff_list *known, struct diff_user u)
{
	Maintpb__GithubUser *m;

	if (!diff_user_is_news(d, u))
		return 0;
	for (size_t i = 0; i < known->count; i++) {
		if (((Maintpb__GithubUser *)known->items[i])->id == u.id)
			return 0;
	}
	m = diff_user_message(d, u);
	return m == NULL ? ERR_NOMEM : diff_push(d, known, m);
}

bool
diff_same_text(struct diff *d, const char *text, struct slice stored)
{
	buf_reset(&d->text);
	json_text_escape(&d->text, slice_str(text));
	return buf_err(&d->text) == 0 && slice_eq(buf_view(&d->text), stored);
}

/* --- the repository --- */

static int
push_label(struct diff *d, struct diff_list *out, int64_t id, const char *name)
{
	Maintpb__GithubLabel *l;
	struct slice stored;

	/* Label id 0 crashes maintner's readers; GitHub has none. */
	if (id <= 0 ||
	    (snap_label_name(d->view, id, &stored) == 0 && diff_same_text(d, name, stored)))
		return 0;
	l = DIFF_NEW(d, Maintpb__GithubLabel);
	if (l == NULL)
		return ERR_NOMEM;
	maintpb__github_label__init(l);
	l->id = id;
	l->name = diff_text(name);
	return diff_push(d, out, l);
}

int
diff_labels(struct diff *d, const json_t *labels, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "label", .ei = ei };
	struct diff_list out = { 0 };
	Maintpb__Mutation *m;
	json_t *l;
	size_t i;

	json_array_foreach(labels, i, l)
	{
		int64_t id = json_in_i64(&in, l, "id");
		const char *name = json_in_str(&in, l, "name");
		int rc = in.err != 0 ? in.err : push_label(d, &out, id, name);

		if (rc != 0)
			return rc;
	}
	*ret = NULL;
	if (out.count == 0)
		return 0;
	m = diff_repo_message(d);
	if (m == NULL)
		return ERR_NOMEM;
	m->github->n_labels = out.count;
	m->github->labels = (Maintpb__GithubLabel **)out.items;
	*ret = m;
	return 0;
}

struct milestone_in {
	int64_t id, number;
	const char *title;
	bool closed;
};

static int
push_milestone(struct diff *d, struct diff_list *out, const struct milestone_in *in)
{
	Maintpb__GithubMilestone *m;
	struct snap_milestone old;
	int rc;

	if (in->id <= 0)
		return 0;
	rc = snap_milestone_get(d->view, in->id, &old);
	if (rc == 0 && old.number == in->number && old.closed == in->closed &&
	    diff_same_text(d, in->title, old.title))
		return 0;
	m = DIFF_NEW(d, Maintpb__GithubMilestone);
	if (m == NULL)
		return ERR_NOMEM;
	maintpb__github_milestone__init(m);
	m->id = in->id;
	m->number = in->number;
	m->title = diff_text(in->title);
	m->closed = diff_bool(d, in->closed);
	return m->closed == NULL ? ERR_NOMEM : diff_push(d, out, m);
}

int
diff_milestones(
    struct diff *d, const json_t *milestones, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "milestone", .ei = ei };
	struct diff_list out = { 0 };
	Maintpb__Mutation *m;
	json_t *obj;
	size_t i;

	json_array_foreach(milestones, i, obj)
	{
		struct milestone_in got = {
			.id = json_in_i64(&in, obj, "id"),
			.number = json_in_i64(&in, obj, "number"),
			.title = json_in_str(&in, obj, "title"),
			.closed = strcmp(json_in_str(&in, obj, "state"), "closed") == 0,
		};
		int rc = in.err != 0 ? in.err : push_milestone(d, &out, &got);

		if (rc != 0)
			return rc;
	}
	*ret = NULL;
	if (out.count == 0)
		return 0;
	m = diff_repo_message(d);
	if (m == NULL)
		return ERR_NOMEM;
	m->github->n_milestones = out.count;
	m->github->milestones = (Maintpb__GithubMilestone **)out.items;
	*ret = m;
	return 0;
}

Maintpb__Mutation *
diff_sync_state(struct diff *d, const char *family, int64_t server_date_ms, bool complete,
    const char *position)
{
	Maintpb__Mutation *m = diff_repo_message(d);
	Maintpb__GithubSyncState *s = DIFF_NEW(d, Maintpb__GithubSyncState);
	struct diff_list one = { 0 };

	if (m == NULL || s == NULL || diff_push(d, &one, s) != 0)
		return NULL;
	maintpb__github_sync_state__init(s);
	s->family = diff_text(family);
	s->server_date = diff_time(d, server_date_ms);
	if (s->server_date == NULL && server_date_ms != TIME_NONE)
		return NULL;
	s->complete = complete;
	s->position = diff_text(position);
	m->github->n_sync_state = 1;
	m->github->sync_state = (Maintpb__GithubSyncState **)one.items;
	return m;
}

Maintpb__Mutation *
diff_tombstone(struct diff *d, uint32_t number)
{
	Maintpb__Mutation *m = diff_issue_message(d, number);

	if (m != NULL)
		m->github_issue->not_exist = 1;
	return m;
}

uint32_t
diff_number_of_url(const char *url)
{
	const char *slash = strrchr(url, '/');
	uint64_t n = 0;

	if (slash == NULL || slash[1] == '\0')
		return 0;
	for (const char *p = slash + 1; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || n > INT32_MAX)
			return 0;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	return n <= INT32_MAX ? (uint32_t)n : 0;
}
