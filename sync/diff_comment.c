/* diff_comment.c - comments of an issue, and children of any kind that vanished. */

#include "sync/diff_internal.h"

bool
diff_array_has_id(const json_t *array, int64_t id)
{
	const json_t *o;
	size_t i;

	json_array_foreach(array, i, o)
	{
		if (json_integer_value(json_object_get(o, "id")) == id)
			return true;
	}
	return false;
}

int
diff_vanished(struct diff *d, enum snap_child_kind kind, uint32_t number, const json_t *now,
    size_t *ret_count, int64_t **ret)
{
	struct diff_list gone = { 0 };
	struct snap_walk w;
	struct snap_child c;
	int64_t *ids;
	int rc = snap_walk_begin(d->view, kind, number, &w);

	while (rc == 0 && (rc = snap_walk_next(&w, &c)) == 0) {
		if (!diff_array_has_id(now, c.id))
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
	const char *body, *association;
	Maintpb__GithubReactions *reactions; /* NULL when they are as stored */
	ProtobufCBinaryData other;
};

static const char *const comment_members[] = { "id", "node_id", "url", "html_url", "issue_url",
	"user", "body", "created_at", "updated_at", "author_association", "reactions" };

static void
read_comment(struct json_in *in, const json_t *json, struct comment_in *ret)
{
	ret->id = json_in_i64(in, json, "id");
	ret->user = diff_read_user(in, json, "user");
	ret->body = json_in_opt_str(in, json, "body");
	ret->created = json_in_time(in, json, "created_at");
	ret->updated = json_in_time(in, json, "updated_at");
	ret->association = json_in_opt_str(in, json, "author_association");
}

/* A comment that the snapshot lacks: everything. */
static int
new_comment(struct diff *d, const struct comment_in *in, Maintpb__GithubIssueCommentMutation *c)
{
	c->user = diff_user_message(d, in->user);
	c->body = diff_text(in->body);
	c->created = diff_time(d, in->created);
	c->updated = diff_time(d, in->updated);
	c->author_association = diff_text(in->association);
	c->reactions = in->reactions;
	c->other_json = in->other;
	return (in->user.id > 0 && c->user == NULL) || c->created == NULL || c->updated == NULL
		   ? ERR_NOMEM
		   : 0;
}

/* Body, association and unnamed members, where they differ. */
static bool
changed_texts(struct diff *d, const struct comment_in *in, const struct snap_child *old,
    Maintpb__GithubIssueCommentMutation *c)
{
	bool body = !diff_same_text(d, in->body, snap_member_text(old->last, "body"));
	bool association = in->association[0] != '\0' &&
			   !diff_same_text(d, in->association,
			       snap_member_text(old->members, "authorAssociation"));
	ProtobufCBinaryData other_json = in->other;
	bool other =
	    diff_other_differs(d, snap_member_text(old->members, "otherJson"), &other_json);

	if (body) {
		c->body = diff_text(in->body);
		c->empty_body = in->body[0] == '\0';
	}
	if (association)
		c->author_association = diff_text(in->association);
	if (other)
		c->other_json = other_json;
	return body || association || other;
}

/* One that it has: what differs.  *ret_differs tells if anything does. */
static int
changed_comment(struct diff *d, const struct comment_in *in, const struct snap_child *old,
    Maintpb__GithubIssueCommentMutation *c, bool *ret_differs)
{
	bool texts = changed_texts(d, in, old, c);
	bool user =
	    in->user.id > 0 && (in->user.id != old->actor || diff_user_is_news(d, in->user));
	bool updated = in->updated != old->updated_ms;

	c->reactions = in->reactions;
	if (user && (c->user = diff_user_message(d, in->user)) == NULL)
		return ERR_NOMEM;
	if (updated && (c->updated = diff_time(d, in->updated)) == NULL)
		return ERR_NOMEM;
	*ret_differs = texts || user || updated || c->reactions != NULL;
	return 0;
}

static int
diff_comment(struct diff *d, struct json_in *in, uint32_t number, const json_t *json,
    struct diff_list *out)
{
	Maintpb__GithubIssueCommentMutation *c =
	    DIFF_NEW(d, Maintpb__GithubIssueCommentMutation);
	struct comment_in now = { 0 };
	struct snap_child old = { 0 };
	struct slice reactions;
	bool differs = true;
	int rc, found;

	read_comment(in, json, &now);
	if (in->err != 0 || now.id <= 0)
		return in->err;
	if (c == NULL)
		return ERR_NOMEM;
	maintpb__github_issue_comment_mutation__init(c);
	c->id = now.id;
	found = snap_child_get(d->view, SNAP_COMMENT, number, now.id, &old);
	if (found != 0 && found != ERR_NOENT)
		return found;
	(void)snap_member_find(old.members, "reactions", &reactions);
	rc = diff_reactions(d, in, json, reactions, false, &now.reactions);
	if (rc == 0)
		rc = diff_other(d, json, DIFF_NAMES(comment_members), &now.other);
	if (rc == 0)
		rc = found == 0 ? changed_comment(d, &now, &old, c, &differs)
				: new_comment(d, &now, c);
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
		if (rc == 0)
			rc = diff_comment(d, &in, number, json, &out);
		if (in.err != 0)
			return err_wrap(ei, in.err, "issue %u", number);
	}
	if (rc == 0)
		rc = d->err;
	if (rc == 0 && whole)
		rc = diff_vanished(d, SNAP_COMMENT, number, comments,
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
