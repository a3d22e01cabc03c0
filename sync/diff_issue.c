/* diff_issue.c - the facts of an issue itself. */
#include <string.h>

#include "sync/diff_internal.h"

/* The issue at work: what GitHub says, what the snapshot has, what differs. */
struct work {
	struct diff *d;
	struct json_in in;
	const json_t *json;
	struct snap_issue old; /* zeroed when there is none */
	bool seen;             /* the log has its first facts already */
	Maintpb__GithubIssueMutation *m;
	struct diff_list known; /* users with news */
	bool differs;
	int err; /* ERR_NOMEM */
};

static void
check(struct work *w, int rc)
{
	if (w->err == 0)
		w->err = rc;
}

/* Note a difference whose message was just made; NULL means no memory. */
static void
made(struct work *w, const void *message)
{
	w->differs = true;
	if (message == NULL)
		check(w, ERR_NOMEM);
}

static struct slice
unquoted(const struct work *w, enum snap_member member)
{
	struct slice v;

	if (w->old.row == NULL)
		return (struct slice){ 0 };
	v = snap_issue_value(&w->old, member);
	return (struct slice){ v.ptr + 1, v.len - 2 };
}

static int64_t
old_i64(const struct work *w, int64_t (*get)(const struct snap_issue *), int64_t none)
{
	return w->old.row == NULL ? none : get(&w->old);
}

/* An issue's first mutation must carry these: readers take them from no later one. */
static void
first_facts(struct work *w)
{
	int64_t created = json_in_time(&w->in, w->json, "created_at");

	if (w->seen)
		return;
	w->m->id = json_in_i64(&w->in, w->json, "id");
	w->m->created = diff_time(w->d, created);
	made(w, w->m->created);
}

static void
reporter(struct work *w)
{
	struct diff_user u = diff_read_user(&w->in, w->json, "user");

	if (u.id <= 0)
		return; /* a deleted account: who it was stays as known */
	if (old_i64(w, snap_issue_reporter, 0) == u.id && !diff_user_is_news(w->d, u))
		return;
	w->m->user = diff_user_message(w->d, u);
	made(w, w->m->user);
}

static void
texts(struct work *w)
{
	const char *title = json_in_str(&w->in, w->json, "title");
	const char *body = json_in_opt_str(&w->in, w->json, "body");
	struct slice stored = { 0 };

	/* An empty text, here and of names, is what the log cannot say: it means unchanged. */
	if (title[0] != '\0' && !diff_same_text(w->d, title, unquoted(w, SNAP_M_TITLE))) {
		w->m->title = diff_text(title);
		made(w, title);
	}
	check(w, snap_body_get(w->d->view, w->old.number, &stored));
	if (w->err != 0 || stored.len < 2)
		return;
	stored = (struct slice){ stored.ptr + 1, stored.len - 2 };
	if (!diff_same_text(w->d, body, stored)) {
		w->m->body_change = diff_string(w->d, body);
		made(w, w->m->body_change);
	}
}

static void
times(struct work *w)
{
	int64_t updated = json_in_time(&w->in, w->json, "updated_at");
	int64_t closed = json_in_opt_time(&w->in, w->json, "closed_at");
	json_t *pull = json_in_opt_object(&w->in, w->json, "pull_request");
	int64_t merged = pull != NULL ? json_in_opt_time(&w->in, pull, "merged_at") : TIME_NONE;

	if (updated != old_i64(w, snap_issue_updated_ms, TIME_NONE)) {
		w->m->updated = diff_time(w->d, updated);
		made(w, w->m->updated);
	}
	if (closed != TIME_NONE && closed != old_i64(w, snap_issue_closed_ms, TIME_NONE)) {
		w->m->closed_at = diff_time(w->d, closed);
		made(w, w->m->closed_at);
	}
	if (merged != TIME_NONE && merged != old_i64(w, snap_issue_merged_ms, TIME_NONE)) {
		w->m->merged_at = diff_time(w->d, merged);
		made(w, w->m->merged_at);
	}
}

static Maintpb__BoolChange *
flag_change(struct work *w, bool now, uint32_t flag)
{
	Maintpb__BoolChange *c;

	if (now == ((w->old.flags & flag) != 0))
		return NULL;
	c = diff_bool(w->d, now);
	made(w, c);
	return c;
}

static void
state(struct work *w)
{
	const char *word = json_in_str(&w->in, w->json, "state");
	const char *reason = json_in_opt_str(&w->in, w->json, "state_reason");
	bool pull = json_in_opt_object(&w->in, w->json, "pull_request") != NULL;

	if (strcmp(word, "open") != 0 && strcmp(word, "closed") != 0)
		json_in_fail(&w->in, "state", "is neither open nor closed");
	w->m->closed = flag_change(w, word[0] == 'c', SNAP_ISSUE_CLOSED);
	w->m->locked =
	    flag_change(w, json_in_opt_bool(&w->in, w->json, "locked"), SNAP_ISSUE_LOCKED);
	w->m->draft =
	    flag_change(w, json_in_opt_bool(&w->in, w->json, "draft"), SNAP_ISSUE_DRAFT);
	if (pull && (w->old.flags & SNAP_ISSUE_PULL) == 0) {
		w->m->pull_request = 1;
		w->differs = true;
	}
	if (!diff_same_text(w->d, reason, unquoted(w, SNAP_M_STATE_REASON))) {
		w->m->state_reason = diff_string(w->d, reason);
		made(w, w->m->state_reason);
	}
}

/*
 * A null closed_by of a closed issue is unknown, not nobody: what is known stays, but
 * not over a reopening or a new closing.
 */
static void
closer(struct work *w)
{
	struct diff_user u = diff_read_user(&w->in, w->json, "closed_by");
	int64_t old = old_i64(w, snap_issue_closed_by, 0);

	if (u.id > 0 && (u.id != old || diff_user_is_news(w->d, u))) {
		w->m->closed_by = diff_user_message(w->d, u);
		made(w, w->m->closed_by);
	} else if (u.id <= 0 && old != 0 &&
		   (w->m->closed_at != NULL ||
		       json_in_opt_time(&w->in, w->json, "closed_at") == TIME_NONE)) {
		w->m->no_closed_by = 1;
		w->differs = true;
	}
}

static void
milestone(struct work *w)
{
	json_t *obj = json_in_opt_object(&w->in, w->json, "milestone");
	int64_t old = old_i64(w, snap_issue_milestone, 0), id;
	const char *title;
	struct snap_milestone known;

	if (obj == NULL) {
		if (old != 0) {
			w->m->no_milestone = 1;
			w->differs = true;
		}
		return;
	}
	id = json_in_i64(&w->in, obj, "id");
	title = json_in_str(&w->in, obj, "title");
	if (id <= 0 || (id == old && snap_milestone_get(w->d->view, id, &known) == 0 &&
			   (title[0] == '\0' || diff_same_text(w->d, title, known.title))))
		return;
	w->m->milestone_id = id;
	w->m->milestone_num = json_in_i64(&w->in, obj, "number");
	w->m->milestone_title = diff_text(title);
	w->differs = true;
}

/* Members of GET /issues that have a field, or are found in another way. */
static const char *const issue_members[] = { "url", "repository_url", "labels_url",
	"comments_url", "events_url", "html_url", "timeline_url", "id", "node_id", "number",
	"title", "user", "labels", "state", "locked", "assignee", "assignees", "milestone",
	"comments", "created_at", "updated_at", "closed_at", "author_association",
	"active_lock_reason", "draft", "pull_request", "body", "closed_by", "reactions",
	"state_reason", "repository" };

static void
facts(struct work *w)
{
	const char *association = json_in_opt_str(&w->in, w->json, "author_association");
	const char *lock = json_in_opt_str(&w->in, w->json, "active_lock_reason");
	struct slice stored = { 0 };

	if (association[0] != '\0' &&
	    !diff_same_text(w->d, association, unquoted(w, SNAP_M_AUTHOR_ASSOCIATION))) {
		w->m->author_association = diff_text(association);
		w->differs = true;
	}
	if (!diff_same_text(w->d, lock, unquoted(w, SNAP_M_ACTIVE_LOCK_REASON))) {
		w->m->active_lock_reason = diff_string(w->d, lock);
		made(w, w->m->active_lock_reason);
	}
	if (w->old.row != NULL)
		stored = snap_issue_value(&w->old, SNAP_M_REACTIONS);
	check(w, diff_reactions(w->d, &w->in, w->json, stored, true, &w->m->reactions));
	check(w, diff_other_half(w->d, w->old.number, NULL,
		     diff_unnamed(w->json, DIFF_NAMES(issue_members)), &w->m->other_json));
	w->differs = w->differs || w->m->reactions != NULL || w->m->other_json.len > 0;
}

/* --- lists --- */

static bool
has_label(const struct work *w, int64_t id)
{
	for (uint32_t i = 0; w->old.row != NULL && i < w->old.label_count; i++) {
		if (snap_issue_label(&w->old, i) == id)
			return true;
	}
	return false;
}

static bool
has_assignee(const struct work *w, int64_t id)
{
	for (uint32_t i = 0; w->old.row != NULL && i < w->old.assignee_count; i++) {
		if (snap_issue_assignee(&w->old, i) == id)
			return true;
	}
	return false;
}

static void
add_label(struct work *w, struct diff_list *add, const json_t *json)
{
	int64_t id = json_in_i64(&w->in, json, "id");
	const char *name = json_in_str(&w->in, json, "name");
	Maintpb__GithubLabel *l;
	struct slice stored;

	if (id <= 0 || (has_label(w, id) &&
			   (name[0] == '\0' || (snap_label_name(w->d->view, id, &stored) == 0 &&
						   diff_same_text(w->d, name, stored)))))
		return;
	l = DIFF_NEW(w->d, Maintpb__GithubLabel);
	made(w, l);
	if (l == NULL)
		return;
	maintpb__github_label__init(l);
	l->id = id;
	l->name = diff_text(name);
	check(w, diff_push(w->d, add, l));
}

/* Ids that the snapshot has and GitHub has not; *ret_count of them. */
static int64_t *
removed(struct work *w, const json_t *now, uint32_t count,
    int64_t (*at)(const struct snap_issue *, uint32_t), size_t *ret_count)
{
	int64_t *ids = arena_alloc(w->d->arena, (count + (size_t)1) * sizeof(*ids));
	size_t n = 0;

	if (ids == NULL)
		check(w, ERR_NOMEM);
	for (uint32_t i = 0; ids != NULL && i < count; i++) {
		if (!diff_array_has_id(now, at(&w->old, i)))
			ids[n++] = at(&w->old, i);
	}
	w->differs = w->differs || n > 0;
	*ret_count = n;
	return ids;
}

static void
labels(struct work *w)
{
	json_t *now = json_in_array(&w->in, w->json, "labels"), *l;
	struct diff_list add = { 0 };
	size_t i;

	json_array_foreach(now, i, l) add_label(w, &add, l);
	w->m->n_add_label = add.count;
	w->m->add_label = (Maintpb__GithubLabel **)add.items;
	if (w->in.err == 0 && w->old.row != NULL)
		w->m->remove_label = removed(
		    w, now, w->old.label_count, snap_issue_label, &w->m->n_remove_label);
}

static void
add_assignee(struct work *w, struct diff_list *add, const json_t *json)
{
	struct diff_user u = { json_in_i64(&w->in, json, "id"),
		json_in_str(&w->in, json, "login") };
	Maintpb__GithubUser *m;

	if (u.id <= 0 || (has_assignee(w, u.id) && !diff_user_is_news(w->d, u)))
		return;
	m = diff_user_message(w->d, u);
	made(w, m);
	if (m != NULL)
		check(w, diff_push(w->d, add, m));
}

static void
assignees(struct work *w)
{
	json_t *now = json_in_opt_array(&w->in, w->json, "assignees"), *a;
	struct diff_list add = { 0 };
	size_t i;

	if (now == NULL)
		return;
	json_array_foreach(now, i, a) add_assignee(w, &add, a);
	w->m->n_assignees = add.count;
	w->m->assignees = (Maintpb__GithubUser **)add.items;
	if (w->in.err == 0 && w->old.row != NULL)
		w->m->deleted_assignees = removed(w, now, w->old.assignee_count,
		    snap_issue_assignee, &w->m->n_deleted_assignees);
}

int
diff_issue(struct diff *d, const json_t *issue, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct work w = { .d = d, .in = { .what = "issue", .ei = ei }, .json = issue };
	int64_t number = json_in_i64(&w.in, issue, "number");
	Maintpb__Mutation *m;
	int rc;

	if (w.in.err == 0 && (number <= 0 || number > INT32_MAX))
		json_in_fail(&w.in, "number", "is out of range");
	if (w.in.err != 0)
		return w.in.err;
	rc = snap_issue_get(d->view, (uint32_t)number, &w.old);
	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	w.old.number = (uint32_t)number;
	w.seen = rc == 0 && (w.old.flags & SNAP_ISSUE_SEEN) != 0;
	w.differs = rc == 0 && (w.old.flags & SNAP_ISSUE_NOT_EXIST) != 0; /* it is back */
	m = diff_issue_message(d, (uint32_t)number);
	if (m == NULL)
		return ERR_NOMEM;
	w.m = m->github_issue;
	first_facts(&w);
	reporter(&w);
	texts(&w);
	times(&w);
	state(&w);
	closer(&w);
	milestone(&w);
	labels(&w);
	assignees(&w);
	facts(&w);
	check(&w, d->err);
	if (w.in.err != 0)
		return err_wrap(ei, w.in.err, "issue %lld", (long long)number);
	if (w.err != 0)
		return w.err;
	*ret = w.differs ? m : NULL;
	return 0;
}
