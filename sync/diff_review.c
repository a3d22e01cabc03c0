/* diff_review.c - reviews of a pull request. */
#include "sync/diff_internal.h"

static const char *const review_members[] = { "id", "node_id", "user", "body", "state",
	"html_url", "pull_request_url", "author_association", "_links", "submitted_at",
	"updated_at", "commit_id" };

static int
read_review(struct diff *d, struct json_in *in, const json_t *json, Maintpb__GithubReview *r,
    struct diff_list *known)
{
	struct diff_user u = diff_read_user(in, json, "user");
	int64_t submitted = json_in_opt_time(in, json, "submitted_at");
	int64_t updated = json_in_opt_time(in, json, "updated_at");

	r->id = json_in_i64(in, json, "id");
	r->actor_id = u.id > 0 ? u.id : 0;
	r->created = diff_time(d, submitted);
	r->updated = diff_time(d, updated);
	r->body = diff_text(json_in_opt_str(in, json, "body"));
	r->state = diff_text(json_in_str(in, json, "state"));
	r->commit_id = diff_text(json_in_opt_str(in, json, "commit_id"));
	r->actor_association = diff_text(json_in_opt_str(in, json, "author_association"));
	if (in->err != 0)
		return in->err;
	if ((submitted != TIME_NONE && r->created == NULL) ||
	    (updated != TIME_NONE && r->updated == NULL) || diff_note_user(d, known, u) != 0)
		return ERR_NOMEM;
	return diff_other(d, json, DIFF_NAMES(review_members), &r->other_json);
}

static bool
same_review(struct diff *d, const struct snap_child *old, const Maintpb__GithubReview *r)
{
	ProtobufCBinaryData other = r->other_json;

	return old->actor == r->actor_id && old->created_ms == diff_ms(r->created) &&
	       (r->updated == NULL || old->updated_ms == diff_ms(r->updated)) &&
	       diff_member_is(d, old->members, "state", r->state) &&
	       diff_member_is(d, old->members, "commitId", r->commit_id) &&
	       diff_member_is(d, old->members, "body", r->body) &&
	       diff_member_is(d, old->members, "actorAssociation", r->actor_association) &&
	       !diff_other_differs(d, snap_member_text(old->members, "otherJson"), &other);
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
		rc = d->err;
	if (rc == 0)
		rc = diff_vanished(d, SNAP_REVIEW, number, reviews,
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
