/* diff_repo.c - the repository's labels and milestones. */
#include <string.h>

#include "sync/diff_internal.h"

/* A label or a milestone: `gone` are those that GitHub no longer lists. */
struct refs {
	struct diff_list news;
	struct diff_list gone; /* ids as pointers */
};

static bool
reads_otherwise(struct diff *d, const char *text, struct slice stored)
{
	return !diff_same_text(d, text, stored);
}

static int
note_gone(struct diff *d, struct refs *r, const json_t *listed, int64_t id)
{
	if (diff_array_has_id(listed, id))
		return 0;
	return diff_push(d, &r->gone, (void *)(intptr_t)id);
}

static int64_t *
gone_ids(struct diff *d, const struct refs *r)
{
	int64_t *ids = arena_alloc(d->arena, (r->gone.count + 1) * sizeof(*ids));

	for (size_t i = 0; ids != NULL && i < r->gone.count; i++)
		ids[i] = (intptr_t)r->gone.items[i];
	return ids;
}

/* --- labels --- */

struct label_in {
	int64_t id;
	const char *name, *color, *description;
};

static int
push_label(struct diff *d, struct diff_list *out, const struct label_in *in)
{
	struct snap_label old = { 0 };
	Maintpb__GithubLabel *l;
	int rc;

	/* Label id 0 crashes maintner's readers, and the log cannot say an empty name. */
	if (in->id <= 0 || in->name[0] == '\0')
		return 0;
	rc = snap_label_get(d->view, in->id, &old);
	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	l = DIFF_NEW(d, Maintpb__GithubLabel);
	if (l == NULL)
		return ERR_NOMEM;
	maintpb__github_label__init(l);
	l->id = in->id;
	l->name = diff_text(in->name); /* always: readers that know no other field need it */
	if (in->color[0] != '\0' && reads_otherwise(d, in->color, old.color))
		l->color = diff_text(in->color);
	if (reads_otherwise(d, in->description, old.description) &&
	    (l->description = diff_string(d, in->description)) == NULL)
		return ERR_NOMEM;
	if (rc == 0 && !reads_otherwise(d, in->name, old.name) && l->color[0] == '\0' &&
	    l->description == NULL)
		return 0;
	return diff_push(d, out, l);
}

static int
vanished_labels(struct diff *d, const json_t *listed, struct refs *r)
{
	struct snap_label l = { 0 };
	int rc = 0;

	while (rc == 0 && (rc = snap_label_next(d->view, l.id, &l)) == 0)
		rc = note_gone(d, r, listed, l.id);
	return rc == ERR_NOENT ? 0 : rc;
}

static int
label_message(struct diff *d, const struct refs *r, Maintpb__Mutation **ret)
{
	Maintpb__Mutation *m;

	*ret = NULL;
	if (r->news.count == 0 && r->gone.count == 0)
		return 0;
	m = diff_repo_message(d);
	if (m == NULL)
		return ERR_NOMEM;
	m->github->n_labels = r->news.count;
	m->github->labels = (Maintpb__GithubLabel **)r->news.items;
	m->github->n_deleted_label = r->gone.count;
	m->github->deleted_label = gone_ids(d, r);
	if (m->github->deleted_label == NULL)
		return ERR_NOMEM;
	*ret = m;
	return 0;
}

int
diff_labels(struct diff *d, const json_t *labels, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "label", .ei = ei };
	struct refs r = { 0 };
	json_t *obj;
	size_t i;
	int rc = 0;

	json_array_foreach(labels, i, obj)
	{
		struct label_in got = { .id = json_in_i64(&in, obj, "id"),
			.name = json_in_str(&in, obj, "name"),
			.color = json_in_opt_str(&in, obj, "color"),
			.description = json_in_opt_str(&in, obj, "description") };

		rc = in.err != 0 ? in.err : push_label(d, &r.news, &got);
		if (rc != 0)
			return rc;
	}
	rc = vanished_labels(d, labels, &r);
	if (rc == 0)
		rc = d->err;
	return rc != 0 ? rc : label_message(d, &r, ret);
}

/* --- milestones --- */

struct milestone_in {
	int64_t id, number;
	const char *title, *description;
	bool closed;
	int64_t created, updated, closed_at, due;
	struct diff_user creator;
};

static void
read_milestone(struct json_in *in, const json_t *obj, struct milestone_in *ret)
{
	ret->id = json_in_i64(in, obj, "id");
	ret->number = json_in_i64(in, obj, "number");
	ret->title = json_in_str(in, obj, "title");
	ret->description = json_in_opt_str(in, obj, "description");
	ret->closed = strcmp(json_in_str(in, obj, "state"), "closed") == 0;
	ret->created = json_in_opt_time(in, obj, "created_at");
	ret->updated = json_in_opt_time(in, obj, "updated_at");
	ret->closed_at = json_in_opt_time(in, obj, "closed_at");
	ret->due = json_in_opt_time(in, obj, "due_on");
	ret->creator = diff_read_user(in, obj, "creator");
}

/* A time that GitHub tells and that is stored otherwise; no memory latches `*rc`. */
static Maintpb__Timestamp *
news_of_time(struct diff *d, int64_t now, int64_t stored, bool *differs, int *rc)
{
	Maintpb__Timestamp *t;

	if (now == TIME_NONE || now == stored)
		return NULL;
	*differs = true;
	t = diff_time(d, now);
	if (t == NULL)
		*rc = ERR_NOMEM;
	return t;
}

/* What differs, into `m`; id, number, title and state are always told. */
static int
milestone_news(struct diff *d, const struct milestone_in *in, const struct snap_milestone *old,
    Maintpb__GithubMilestone *m, bool *differs)
{
	int rc = 0;

	*differs = *differs || old->number != in->number || old->closed != in->closed ||
		   reads_otherwise(d, in->title, old->title);
	m->created = news_of_time(d, in->created, old->created_ms, differs, &rc);
	m->updated = news_of_time(d, in->updated, old->updated_ms, differs, &rc);
	m->closed_at =
	    in->closed ? news_of_time(d, in->closed_at, old->closed_ms, differs, &rc) : NULL;
	m->due = news_of_time(d, in->due, old->due_ms, differs, &rc);
	m->no_due = in->due == TIME_NONE && old->due_ms != TIME_NONE;
	*differs = *differs || m->no_due != 0;
	if (reads_otherwise(d, in->description, old->description)) {
		*differs = true;
		m->description = diff_string(d, in->description);
		rc = m->description == NULL ? ERR_NOMEM : rc;
	}
	if (in->creator.id > 0 &&
	    (in->creator.id != old->creator || diff_user_is_news(d, in->creator))) {
		*differs = true;
		m->creator = diff_user_message(d, in->creator);
		rc = m->creator == NULL ? ERR_NOMEM : rc;
	}
	return rc;
}

static int
push_milestone(struct diff *d, struct diff_list *out, const struct milestone_in *in)
{
	struct snap_milestone old = { .created_ms = TIME_NONE,
		.updated_ms = TIME_NONE,
		.closed_ms = TIME_NONE,
		.due_ms = TIME_NONE };
	Maintpb__GithubMilestone *m;
	bool differs;
	int rc;

	if (in->id <= 0 || in->title[0] == '\0')
		return 0;
	rc = snap_milestone_get(d->view, in->id, &old);
	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	differs = rc == ERR_NOENT;
	m = DIFF_NEW(d, Maintpb__GithubMilestone);
	if (m == NULL)
		return ERR_NOMEM;
	maintpb__github_milestone__init(m);
	m->id = in->id;
	m->number = in->number;
	m->title = diff_text(in->title);
	m->closed = diff_bool(d, in->closed);
	rc = milestone_news(d, in, &old, m, &differs);
	if (rc != 0 || !differs)
		return rc;
	return m->closed == NULL ? ERR_NOMEM : diff_push(d, out, m);
}

static int
vanished_milestones(struct diff *d, const json_t *listed, struct refs *r)
{
	struct snap_milestone m = { 0 };
	int rc = 0;

	while (rc == 0 && (rc = snap_milestone_next(d->view, m.id, &m)) == 0)
		rc = note_gone(d, r, listed, m.id);
	return rc == ERR_NOENT ? 0 : rc;
}

static int
milestone_message(struct diff *d, const struct refs *r, Maintpb__Mutation **ret)
{
	Maintpb__Mutation *m;

	*ret = NULL;
	if (r->news.count == 0 && r->gone.count == 0)
		return 0;
	m = diff_repo_message(d);
	if (m == NULL)
		return ERR_NOMEM;
	m->github->n_milestones = r->news.count;
	m->github->milestones = (Maintpb__GithubMilestone **)r->news.items;
	m->github->n_deleted_milestone = r->gone.count;
	m->github->deleted_milestone = gone_ids(d, r);
	if (m->github->deleted_milestone == NULL)
		return ERR_NOMEM;
	*ret = m;
	return 0;
}

int
diff_milestones(
    struct diff *d, const json_t *milestones, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "milestone", .ei = ei };
	struct refs r = { 0 };
	json_t *obj;
	size_t i;
	int rc = 0;

	json_array_foreach(milestones, i, obj)
	{
		struct milestone_in got = { 0 };

		read_milestone(&in, obj, &got);
		rc = in.err != 0 ? in.err : push_milestone(d, &r.news, &got);
		if (rc != 0)
			return rc;
	}
	rc = vanished_milestones(d, milestones, &r);
	if (rc == 0)
		rc = d->err;
	return rc != 0 ? rc : milestone_message(d, &r, ret);
}
