/* diff_review_comment.c - comments on lines of a pull request's diff. */
#include <inttypes.h>
#include <stdio.h>

#include "sync/diff_internal.h"

static const char *const known_members[] = { "id", "node_id", "url", "html_url",
	"pull_request_url", "_links", "user", "pull_request_review_id", "body", "path",
	"created_at", "updated_at", "commit_id", "original_commit_id", "in_reply_to_id",
	"diff_hunk", "line", "original_line", "start_line", "original_start_line", "side",
	"start_side", "subject_type", "author_association", "reactions" };

static int32_t
line(struct json_in *in, const json_t *json, const char *member)
{
	int64_t n = json_in_opt_i64(in, json, member);

	if (n >= 0 && n <= INT32_MAX)
		return (int32_t)n;
	json_in_fail(in, member, "is out of range");
	return 0;
}

static void
read_place(struct json_in *in, const json_t *json, Maintpb__GithubReviewComment *c)
{
	c->path = diff_text(json_in_opt_str(in, json, "path"));
	c->commit_id = diff_text(json_in_opt_str(in, json, "commit_id"));
	c->original_commit_id = diff_text(json_in_opt_str(in, json, "original_commit_id"));
	c->diff_hunk = diff_text(json_in_opt_str(in, json, "diff_hunk"));
	c->line = line(in, json, "line");
	c->original_line = line(in, json, "original_line");
	c->start_line = line(in, json, "start_line");
	c->original_start_line = line(in, json, "original_start_line");
	c->side = diff_text(json_in_opt_str(in, json, "side"));
	c->start_side = diff_text(json_in_opt_str(in, json, "start_side"));
	c->subject_type = diff_text(json_in_opt_str(in, json, "subject_type"));
}

/* All but reactions, which are told apart from the stored ones first. */
static int
read_comment(struct diff *d, struct json_in *in, const json_t *json,
    Maintpb__GithubReviewComment *c, struct diff_user *ret_user)
{
	*ret_user = diff_read_user(in, json, "user");
	c->id = json_in_i64(in, json, "id");
	c->review_id = json_in_opt_i64(in, json, "pull_request_review_id");
	c->in_reply_to_id = json_in_opt_i64(in, json, "in_reply_to_id");
	c->body = diff_text(json_in_opt_str(in, json, "body"));
	c->author_association = diff_text(json_in_opt_str(in, json, "author_association"));
	c->created = diff_time(d, json_in_time(in, json, "created_at"));
	c->updated = diff_time(d, json_in_time(in, json, "updated_at"));
	read_place(in, json, c);
	if (in->err != 0)
		return in->err;
	if (ret_user->id > 0 && (c->user = diff_user_message(d, *ret_user)) == NULL)
		return ERR_NOMEM;
	if (c->created == NULL || c->updated == NULL)
		return ERR_NOMEM;
	return diff_other(d, json, DIFF_NAMES(known_members), &c->other_json);
}

static bool
same_line(const struct snap_child *old, const char *key, int32_t n)
{
	struct slice stored;
	char text[16];

	snprintf(text, sizeof(text), "%" PRId32, n);
	return snap_member_find(old->members, key, &stored) &&
	       slice_is(stored, n == 0 ? "null" : text);
}

static bool
same_place(struct diff *d, const struct snap_child *old, const Maintpb__GithubReviewComment *c)
{
	return same_line(old, "line", c->line) && same_line(old, "startLine", c->start_line) &&
	       same_line(old, "originalLine", c->original_line) &&
	       same_line(old, "originalStartLine", c->original_start_line) &&
	       diff_member_is(d, old->members, "path", c->path) &&
	       diff_member_is(d, old->members, "side", c->side) &&
	       diff_member_is(d, old->members, "startSide", c->start_side) &&
	       diff_member_is(d, old->members, "subjectType", c->subject_type) &&
	       diff_member_is(d, old->members, "commitId", c->commit_id) &&
	       diff_member_is(d, old->members, "originalCommitId", c->original_commit_id) &&
	       diff_member_is(d, old->members, "diffHunk", c->diff_hunk);
}

static bool
same_comment(
    struct diff *d, const struct snap_child *old, const Maintpb__GithubReviewComment *c)
{
	ProtobufCBinaryData other = c->other_json;

	return old->created_ms == diff_ms(c->created) &&
	       old->updated_ms == diff_ms(c->updated) && old->others[0] == c->review_id &&
	       old->others[1] == c->in_reply_to_id && same_place(d, old, c) &&
	       diff_member_is(d, old->members, "body", c->body) &&
	       diff_member_is(d, old->members, "authorAssociation", c->author_association) &&
	       !diff_other_differs(d, snap_member_text(old->members, "otherJson"), &other);
}

/*
 * The record replaces the stored comment, so it must tell the reactions also when they are
 * as stored: read against none for it, against the stored ones to see a difference.
 */
static int
reactions(struct diff *d, struct json_in *in, const json_t *json, const struct snap_child *old,
    Maintpb__GithubReviewComment *c, bool *ret_differ)
{
	Maintpb__GithubReactions *news;
	struct slice stored;
	int rc;

	(void)snap_member_find(old->members, "reactions", &stored);
	rc = diff_reactions(d, in, json, stored, false, &news);
	if (rc == 0)
		rc = diff_reactions(d, in, json, (struct slice){ 0 }, false, &c->reactions);
	if (rc == 0)
		*ret_differ = news != NULL;
	return rc;
}

static int
diff_comment(struct diff *d, struct json_in *in, uint32_t number, const json_t *json,
    struct diff_list *out)
{
	Maintpb__GithubReviewComment *c = DIFF_NEW(d, Maintpb__GithubReviewComment);
	struct snap_child old = { 0 };
	struct diff_user user;
	bool differ = false;
	int rc, found;

	if (c == NULL)
		return ERR_NOMEM;
	maintpb__github_review_comment__init(c);
	rc = read_comment(d, in, json, c, &user);
	if (rc != 0 || c->id <= 0)
		return rc;
	found = snap_child_get(d->view, SNAP_REVIEW_COMMENT, number, c->id, &old);
	if (found != 0 && found != ERR_NOENT)
		return found;
	rc = reactions(d, in, json, &old, c, &differ);
	if (rc != 0)
		return rc;
	if (found == 0 && !differ && same_comment(d, &old, c) &&
	    old.actor == (user.id > 0 ? user.id : 0) && !diff_user_is_news(d, user))
		return 0;
	return diff_push(d, out, c);
}

int
diff_review_comments(struct diff *d, uint32_t number, const json_t *comments, bool whole,
    Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "review comment", .ei = ei };
	Maintpb__Mutation *m = diff_issue_message(d, number);
	struct diff_list out = { 0 };
	struct snap_issue issue;
	json_t *json;
	size_t i;
	int rc = m == NULL ? ERR_NOMEM : diff_live_issue(d, number, &issue);

	if (rc == ERR_NOENT) {
		*ret = NULL;
		return 0;
	}
	json_array_foreach(comments, i, json)
	{
		if (rc == 0)
			rc = diff_comment(d, &in, number, json, &out);
	}
	if (rc == 0)
		rc = d->err;
	if (rc == 0 && whole)
		rc = diff_vanished(d, SNAP_REVIEW_COMMENT, number, comments,
		    &m->github_issue->n_deleted_review_comment,
		    &m->github_issue->deleted_review_comment);
	if (rc != 0)
		return err_wrap(ei, rc, "issue %u", number);
	m->github_issue->n_review_comment = out.count;
	m->github_issue->review_comment = (Maintpb__GithubReviewComment **)out.items;
	*ret = out.count > 0 || m->github_issue->n_deleted_review_comment > 0 ? m : NULL;
	return 0;
}
