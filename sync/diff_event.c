/* diff_event.c - events of an issue. */
#include <string.h>

#include "sync/diff_internal.h"

/* Members that have a field of their own, or say again what others say. */
static const char *const event_members[] = { "id", "node_id", "url", "actor", "event",
	"commit_id", "commit_url", "created_at", "label", "milestone", "assignee", "assigner",
	"assignees", "rename", "requested_reviewer", "review_requester", "requested_team",
	"dismissed_review", "issue" };

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

/* What has no field of its own; of a dismissal, the commit that made the review stale. */
static int
event_other(struct diff *d, const json_t *json, Maintpb__GithubIssueEvent *e)
{
	static const char *const stale = "dismissal_commit_id";
	json_t *rest = diff_unnamed(json, DIFF_NAMES(event_members));
	json_t *commit = json_object_get(json_object_get(json, "dismissed_review"), stale);
	int rc = 0;

	if (rest != NULL && json_is_string(commit) && json_string_length(commit) > 0 &&
	    json_object_set_new(rest, "dismissed_review", json_pack("{s:O}", stale, commit)) !=
		0)
		rc = ERR_NOMEM;
	if (rc == 0)
		rc = diff_dump(d, rest, &e->other_json);
	json_decref(rest);
	return rc;
}

/* The listing of pull requests does not say who merged them; the first event does. */
static int
merger(struct diff *d, uint32_t number, const json_t *events, struct json_in *in,
    Maintpb__GithubIssueMutation *m)
{
	struct snap_issue issue;
	int64_t first = INT64_MAX;
	json_t *e;
	size_t i;
	int rc = diff_live_issue(d, number, &issue);

	if (rc != 0 || snap_issue_merged_by(&issue) != 0)
		return rc == ERR_NOENT ? 0 : rc;
	json_array_foreach(events, i, e)
	{
		struct diff_user u;
		int64_t id;

		if (strcmp(json_in_opt_str(in, e, "event"), "merged") != 0)
			continue;
		u = diff_read_user(in, e, "actor");
		id = json_in_i64(in, e, "id");
		if (u.id <= 0 || id >= first)
			continue;
		first = id;
		m->merged_by = diff_user_message(d, u);
		if (m->merged_by == NULL)
			return ERR_NOMEM;
	}
	return in->err;
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
		rc = event_other(d, json, e);
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
	if (rc == 0)
		rc = d->err;
	if (rc == 0)
		rc = merger(d, number, events, &in, m->github_issue);
	if (rc != 0)
		return err_wrap(ei, rc, "issue %u", number);
	m->github_issue->n_event = out.count;
	m->github_issue->event = (Maintpb__GithubIssueEvent **)out.items;
	m->github_issue->n_known_user = known.count;
	m->github_issue->known_user = (Maintpb__GithubUser **)known.items;
	if (synced_ms != TIME_NONE &&
	    (m->github_issue->event_status = diff_status(d, synced_ms)) == NULL)
		return ERR_NOMEM;
	*ret = out.count > 0 || m->github_issue->merged_by != NULL || synced_ms != TIME_NONE
		   ? m
		   : NULL;
	return 0;
}
