/* diff_children.c - comments, events and reviews of an issue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/diff_internal.h"

/* The text of a stored `"key":"text"`. */
static struct slice
member_text(struct slice member, const char *key)
{
	size_t before = strlen(key) + 4; /* "":" */

	if (member.len < before + 1)
		return (struct slice){ 0 };
	return (struct slice){ member.ptr + before, member.len - before - 1 };
}

/* Ids of children that the snapshot has and `now` has not. */
static int
vanished(struct diff *d, enum snap_child_kind kind, uint32_t number, const json_t *now,
    size_t *ret_count, int64_t **ret)
{
	struct diff_list gone = { 0 };
	struct snap_walk w;
	struct snap_child c;
	int64_t *ids;
	int rc = snap_walk_begin(d->view, kind, number, &w);

	while (rc == 0 && (rc = snap_walk_next(&w, &c)) == 0) {
		const json_t *o;
		size_t i;
		bool there = false;

		json_array_foreach(now, i, o) there =
		    there || json_integer_value(json_object_get(o, "id")) == c.id;
		if (!there)
			rc = diff_push(d, &gone, (void *)(intptr_t)c.id);
	}
	if (rc != ERR_NOENT)
		return rc;
	ids = arena_alloc(d->arena, (gone.count + 1) * sizeof(*ids));
	if (ids == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < gone.count; i++)
		ids[i] = (intptr_t)gone.items[i];
	*ret = ids;
	*ret_count = gone.count;
	return 0;
}

/* --- comments --- */

struct comment_in {
	int64_t id, created, updated;
	struct diff_user user;
	const char *body;
};

static void
read_comment(struct json_in *in, const json_t *json, struct comment_in *ret)
{
	ret->id = json_in_i64(in, json, "id");
	ret->user = diff_read_user(in, json, "user");
	ret->body = json_in_opt_str(in, json, "body");
	ret->created = json_in_time(in, json, "created_at");
	ret->updated = json_in_time(in, json, "updated_at");
}

/* A comment that the snapshot lacks: everything. */
static int
new_comment(struct diff *d, const struct comment_in *in, Maintpb__GithubIssueCommentMutation *c)
{
	c->user = diff_user_message(d, in->user);
	c->body = diff_text(in->body);
	c->created = diff_time(d, in->created);
	c->updated = diff_time(d, in->updated);
	return (in->user.id > 0 && c->user == NULL) || c->created == NULL || c->updated == NULL
		   ? ERR_NOMEM
		   : 0;
}

/* One that it has: what differs.  *ret_differs tells if anything does. */
static int
changed_comment(struct diff *d, const struct comment_in *in, const struct snap_child *old,
    Maintpb__GithubIssueCommentMutation *c, bool *ret_differs)
{
	bool body = !diff_same_text(d, in->body, member_text(old->last, "body"));
	bool user =
	    in->user.id > 0 && (in->user.id != old->actor || diff_user_is_news(d, in->user));
	bool updated = in->updated != old->updated_ms;

	if (body) {
		c->body = diff_text(in->body);
		c->empty_body = in->body[0] == '\0';
	}
	if (user && (c->user = diff_user_message(d, in->user)) == NULL)
		return ERR_NOMEM;
	if (updated && (c->updated = diff_time(d, in->updated)) == NULL)
		return ERR_NOMEM;
	*ret_differs = body || user || updated;
	return 0;
}

static int
diff_comment(
    struct diff *d, uint32_t number, const struct comment_in *in, struct diff_list *out)
{
	Maintpb__GithubIssueCommentMutation *c =
	    DIFF_NEW(d, Maintpb__GithubIssueCommentMutation);
	struct snap_child old;
	bool differs = true;
	int rc;

	if (c == NULL)
		return ERR_NOMEM;
	maintpb__github_issue_comment_mutation__init(c);
	c->id = in->id;
	rc = snap_child_get(d->view, SNAP_COMMENT, number, in->id, &old);
	if (rc == ERR_NOENT)
		rc = new_comment(d, in, c);
	else if (rc == 0)
		rc = changed_comment(d, in, &old, c, &differs);
	if (rc != 0 || !differs)
		return rc;
	return diff_push(d, out, c);
}

int
diff_comments(struct diff *d, uint32_t number, const json_t *comments, bool whole,
    int64_t synced_ms, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "comment", .ei = ei };
	Maintpb__Mutation *m = diff_issue_message(d, number);
	struct diff_list out = { 0 };
	json_t *json;
	size_t i;
	int rc = m == NULL ? ERR_NOMEM : 0;

	json_array_foreach(comments, i, json)
	{
		struct comment_in c = { 0 };

		read_comment(&in, json, &c);
		if (in.err != 0)
			return err_wrap(ei, in.err, "issue %u", number);
		if (rc == 0 && c.id > 0)
			rc = diff_comment(d, number, &c, &out);
	}
	if (rc == 0 && whole)
		rc = vanished(d, SNAP_COMMENT, number, comments,
		    &m->github_issue->n_deleted_comment, &m->github_issue->deleted_comment);
	if (rc != 0)
		return rc;
	m->github_issue->n_comment = out.count;
	m->github_issue->comment = (Maintpb__GithubIssueCommentMutation **)out.items;
	if (synced_ms != TIME_NONE &&
	    (m->github_issue->comment_status = diff_status(d, synced_ms)) == NULL)
		return ERR_NOMEM;
	*ret = out.count > 0 || m->github_issue->n_deleted_comment > 0 || synced_ms != TIME_NONE
		   ? m
		   : NULL;
	return 0;
}

/* --- events --- */

/* Members that have a field of their own, or say again what others say. */
static const char *const event_members[] = { "id", "node_id", "url", "actor", "event",
	"commit_id", "commit_url", "created_at", "label", "milestone", "assignee", "assigner",
	"assignees", "rename", "requested_reviewer", "review_requester", "requested_team",
	"dismissed_review", "issue", "performed_via_github_app" };

/* "https://api.github.com/repos/O/R/commits/SHA" names the commit's repository. */
static void
commit_home(struct diff *d, const char *url, Maintpb__GithubCommit *c)
{
	const char *repos = strstr(url, "/repos/"), *owner, *slash, *end;

	if (repos == NULL)
		return;
	owner = repos + 7;
	slash = strchr(owner, '/');
	end = slash != NULL ? strchr(slash + 1, '/') : NULL;
	if (end == NULL)
		return;
	c->owner = arena_dup(d->arena, (struct slice){ owner, (size_t)(slash - owner) });
	c->repo = arena_dup(d->arena, (struct slice){ slash + 1, (size_t)(end - slash - 1) });
	if (c->owner == NULL || c->repo == NULL)
		c->owner = c->repo = diff_text("");
}

static int
event_commit(
    struct diff *d, struct json_in *in, const json_t *json, Maintpb__GithubIssueEvent *e)
{
	const char *commit = json_in_opt_str(in, json, "commit_id");

	if (commit[0] == '\0')
		return 0;
	e->commit = DIFF_NEW(d, Maintpb__GithubCommit);
	if (e->commit == NULL)
		return ERR_NOMEM;
	maintpb__github_commit__init(e->commit);
	e->commit->commit_id = diff_text(commit);
	commit_home(d, json_in_opt_str(in, json, "commit_url"), e->commit);
	return 0;
}

static int
event_names(
    struct diff *d, struct json_in *in, const json_t *json, Maintpb__GithubIssueEvent *e)
{
	json_t *label = json_in_opt_object(in, json, "label");
	json_t *milestone = json_in_opt_object(in, json, "milestone");
	json_t *rename = json_in_opt_object(in, json, "rename");
	json_t *team = json_in_opt_object(in, json, "requested_team");

	if (label != NULL && (e->label = DIFF_NEW(d, Maintpb__GithubLabel)) != NULL) {
		maintpb__github_label__init(e->label);
		e->label->name = diff_text(json_in_str(in, label, "name"));
	}
	if (milestone != NULL &&
	    (e->milestone = DIFF_NEW(d, Maintpb__GithubMilestone)) != NULL) {
		maintpb__github_milestone__init(e->milestone);
		e->milestone->title = diff_text(json_in_str(in, milestone, "title"));
	}
	if (rename != NULL) {
		e->rename_from = diff_text(json_in_opt_str(in, rename, "from"));
		e->rename_to = diff_text(json_in_opt_str(in, rename, "to"));
	}
	if (team != NULL && (e->team_reviewer = DIFF_NEW(d, Maintpb__GithubTeam)) != NULL) {
		maintpb__github_team__init(e->team_reviewer);
		e->team_reviewer->id = json_in_i64(in, team, "id");
		e->team_reviewer->slug = diff_text(json_in_opt_str(in, team, "slug"));
	}
	return (label != NULL && e->label == NULL) ||
		       (milestone != NULL && e->milestone == NULL) ||
		       (team != NULL && e->team_reviewer == NULL)
		   ? ERR_NOMEM
		   : 0;
}

static int
event_dismissal(
    struct diff *d, struct json_in *in, const json_t *json, Maintpb__GithubIssueEvent *e)
{
	json_t *obj = json_in_opt_object(in, json, "dismissed_review");

	if (obj == NULL)
		return 0;
	e->dismissed_review = DIFF_NEW(d, Maintpb__GithubDismissedReviewEvent);
	if (e->dismissed_review == NULL)
		return ERR_NOMEM;
	maintpb__github_dismissed_review_event__init(e->dismissed_review);
	e->dismissed_review->review_id = json_in_opt_i64(in, obj, "review_id");
	e->dismissed_review->dismissal_message =
	    diff_text(json_in_opt_str(in, obj, "dismissal_message"));
	e->dismissed_review->state = diff_text(json_in_opt_str(in, obj, "state"));
	return 0;
}

static int
event_users(struct diff *d, struct json_in *in, const json_t *json,
    Maintpb__GithubIssueEvent *e, struct diff_list *known)
{
	const struct {
		const char *member;
		int64_t *id;
	} fields[] = {
		{ "actor", &e->actor_id },
		{ "assignee", &e->assignee_id },
		{ "assigner", &e->assigner_id },
		{ "requested_reviewer", &e->reviewer_id },
		{ "review_requester", &e->review_requester_id },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct diff_user u = diff_read_user(in, json, fields[i].member);

		*fields[i].id = u.id > 0 ? u.id : 0;
		if (diff_note_user(d, known, u) != 0)
			return ERR_NOMEM;
	}
	return 0;
}

/* What has no field of its own, as a JSON object; nothing if there is none. */
static int
other_members(struct diff *d, const json_t *json, const char *const *named, size_t named_count,
    ProtobufCBinaryData *ret)
{
	json_t *rest = json_object(), *v;
	const char *key;
	char *text;

	json_object_foreach((json_t *)(uintptr_t)json, key, v)
	{
		bool skip = json_is_null(v);

		for (size_t i = 0; i < named_count; i++)
			skip = skip || strcmp(key, named[i]) == 0;
		if (!skip)
			json_object_set(rest, key, v);
	}
	text =
	    json_object_size(rest) > 0 ? json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(rest);
	if (text == NULL)
		return 0;
	ret->len = strlen(text);
	ret->data = (uint8_t *)arena_dup(d->arena, (struct slice){ text, ret->len });
	free(text);
	return ret->data == NULL ? ERR_NOMEM : 0;
}

static int
diff_event(struct diff *d, struct json_in *in, uint32_t number, const json_t *json,
    struct diff_list *out, struct diff_list *known)
{
	Maintpb__GithubIssueEvent *e;
	struct snap_child old;
	int64_t id = json_in_i64(in, json, "id");
	int rc;

	if (in->err != 0 || id <= 0)
		return in->err;
	rc = snap_child_get(d->view, SNAP_EVENT, number, id, &old);
	if (rc != ERR_NOENT)
		return rc; /* known already, or an error */
	e = DIFF_NEW(d, Maintpb__GithubIssueEvent);
	if (e == NULL)
		return ERR_NOMEM;
	maintpb__github_issue_event__init(e);
	e->id = id;
	e->event_type = diff_text(json_in_str(in, json, "event"));
	e->created = diff_time(d, json_in_time(in, json, "created_at"));
	rc = in->err == 0 && e->created == NULL ? ERR_NOMEM : 0;
	if (rc == 0)
		rc = event_names(d, in, json, e);
	if (rc == 0)
		rc = event_users(d, in, json, e, known);
	if (rc == 0)
		rc = event_commit(d, in, json, e);
	if (rc == 0)
		rc = event_dismissal(d, in, json, e);
	if (rc == 0)
		rc = other_members(d, json, event_members,
		    sizeof(event_members) / sizeof(event_members[0]), &e->other_json);
	if (rc == 0)
		rc = in->err;
	return rc != 0 ? rc : diff_push(d, out, e);
}

int
diff_events(struct diff *d, uint32_t number, const json_t *events, int64_t synced_ms,
    Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "event", .ei = ei };
	Maintpb__Mutation *m = diff_issue_message(d, number);
	struct diff_list out = { 0 }, known = { 0 };
	json_t *json;
	size_t i;
	int rc = m == NULL ? ERR_NOMEM : 0;

	json_array_foreach(events, i, json)
	{
		if (rc == 0)
			rc = diff_event(d, &in, number, json, &out, &known);
	}
	if (rc != 0)
		return err_wrap(ei, rc, "issue %u", number);
	m->github_issue->n_event = out.count;
	m->github_issue->event = (Maintpb__GithubIssueEvent **)out.items;
	m->github_issue->n_known_user = known.count;
	m->github_issue->known_user = (Maintpb__GithubUser **)known.items;
	if (synced_ms != TIME_NONE &&
	    (m->github_issue->event_status = diff_status(d, synced_ms)) == NULL)
		return ERR_NOMEM;
	*ret = out.count > 0 || synced_ms != TIME_NONE ? m : NULL;
	return 0;
}

/* --- reviews --- */

static const char *const review_members[] = { "id", "node_id", "user", "body", "state",
	"html_url", "pull_request_url", "author_association", "_links", "submitted_at",
	"commit_id", "performed_via_github_app" };

static int
read_review(struct diff *d, struct json_in *in, const json_t *json, Maintpb__GithubReview *r,
    struct diff_list *known)
{
	struct diff_user u = diff_read_user(in, json, "user");
	int64_t submitted = json_in_opt_time(in, json, "submitted_at");

	r->id = json_in_i64(in, json, "id");
	r->actor_id = u.id > 0 ? u.id : 0;
	r->created = diff_time(d, submitted);
	r->body = diff_text(json_in_opt_str(in, json, "body"));
	r->state = diff_text(json_in_str(in, json, "state"));
	r->commit_id = diff_text(json_in_opt_str(in, json, "commit_id"));
	r->actor_association = diff_text(json_in_opt_str(in, json, "author_association"));
	if (in->err != 0)
		return in->err;
	if ((submitted != TIME_NONE && r->created == NULL) || diff_note_user(d, known, u) != 0)
		return ERR_NOMEM;
	return other_members(d, json, review_members,
	    sizeof(review_members) / sizeof(review_members[0]), &r->other_json);
}

/* Does the stored row hold `"key":"text"` (escaped) as a member? */
static bool
row_says(struct diff *d, const struct snap_child *old, const char *key, const char *text)
{
	char head[64];
	size_t len = (size_t)snprintf(head, sizeof(head), "\"%s\":\"", key);
	const char *at = memmem(old->members.ptr, old->members.len, head, len);
	size_t left;

	if (at == NULL)
		return false;
	left = (size_t)(old->members.ptr + old->members.len - at) - len;
	if (diff_same_text(d, text, (struct slice){ 0 }))
		return left > 0 && at[len] == '"';
	return left > d->text.len && memcmp(at + len, d->text.ptr, d->text.len) == 0 &&
	       at[len + d->text.len] == '"';
}

static bool
same_review(struct diff *d, const struct snap_child *old, const Maintpb__GithubReview *r)
{
	int64_t created = r->created == NULL
			      ? TIME_NONE
			      : r->created->seconds * 1000 + r->created->nanos / 1000000;

	return old->actor == r->actor_id && old->created_ms == created &&
	       row_says(d, old, "state", r->state) &&
	       row_says(d, old, "commitId", r->commit_id) &&
	       row_says(d, old, "body", r->body) &&
	       row_says(d, old, "actorAssociation", r->actor_association);
}

static int
diff_review(struct diff *d, struct json_in *in, uint32_t number, const json_t *json,
    struct diff_list *out, struct diff_list *known)
{
	Maintpb__GithubReview *r = DIFF_NEW(d, Maintpb__GithubReview);
	struct snap_child old;
	int rc;

	if (r == NULL)
		return ERR_NOMEM;
	maintpb__github_review__init(r);
	rc = read_review(d, in, json, r, known);
	if (rc != 0 || r->id <= 0)
		return rc;
	rc = snap_child_get(d->view, SNAP_REVIEW, number, r->id, &old);
	if (rc == 0 && same_review(d, &old, r))
		return 0;
	return rc == 0 || rc == ERR_NOENT ? diff_push(d, out, r) : rc;
}

int
diff_reviews(struct diff *d, uint32_t number, const json_t *reviews, int64_t synced_ms,
    Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "review", .ei = ei };
	Maintpb__Mutation *m = diff_issue_message(d, number);
	struct diff_list out = { 0 }, known = { 0 };
	json_t *json;
	size_t i;
	int rc = m == NULL ? ERR_NOMEM : 0;

	json_array_foreach(reviews, i, json)
	{
		if (rc == 0)
			rc = diff_review(d, &in, number, json, &out, &known);
	}
	if (rc == 0)
		rc = vanished(d, SNAP_REVIEW, number, reviews,
		    &m->github_issue->n_deleted_review, &m->github_issue->deleted_review);
	if (rc != 0)
		return err_wrap(ei, rc, "issue %u", number);
	m->github_issue->n_review = out.count;
	m->github_issue->review = (Maintpb__GithubReview **)out.items;
	m->github_issue->n_known_user = known.count;
	m->github_issue->known_user = (Maintpb__GithubUser **)known.items;
	if (synced_ms != TIME_NONE &&
	    (m->github_issue->review_status = diff_status(d, synced_ms)) == NULL)
		return ERR_NOMEM;
	*ret = out.count > 0 || known.count > 0 || m->github_issue->n_deleted_review > 0 ||
		       synced_ms != TIME_NONE
		   ? m
		   : NULL;
	return 0;
}
