/* diff.c - building blocks of mutations. */
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
	if (buf_err(&d->text) != 0)
		d->err = buf_err(&d->text);
	return slice_eq(buf_view(&d->text), stored);
}

bool
diff_member_is(struct diff *d, struct slice members, const char *key, const char *text)
{
	return diff_same_text(d, text, snap_member_text(members, key));
}

int64_t
diff_ms(const Maintpb__Timestamp *t)
{
	return t == NULL ? TIME_NONE : t->seconds * 1000 + t->nanos / 1000000;
}

int
diff_live_issue(struct diff *d, uint32_t number, struct snap_issue *ret)
{
	int rc = snap_issue_get(d->view, number, ret);

	return rc == 0 && (ret->flags & SNAP_ISSUE_NOT_EXIST) != 0 ? ERR_NOENT : rc;
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
diff_rename(struct diff *d, const char *full_name)
{
	Maintpb__Mutation *m = diff_repo_message(d);

	if (m != NULL)
		m->github->renamed_to = diff_text(full_name);
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

Maintpb__Mutation *
diff_transfer(struct diff *d, uint32_t number, const char *destination)
{
	Maintpb__Mutation *m = diff_tombstone(d, number);

	if (m != NULL)
		m->github_issue->transferred_to = diff_text(destination);
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
