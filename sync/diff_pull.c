/*
 * diff_pull.c - what only the listing of pull requests tells: the merge, both ends, who is
 * asked to review.  Everything else in it the issue listing tells as well.
 */
#include <string.h>

#include "sync/diff_internal.h"

/* The pull request at work. */
struct work {
	struct diff *d;
	struct json_in in;
	const json_t *json;
	struct snap_issue old;
	Maintpb__GithubIssueMutation *m;
	struct diff_list known; /* users with news */
	bool differs;
	int err; /* ERR_NOMEM and the like */
};

static const char *const pull_members[] = { "url", "node_id", "html_url", "diff_url",
	"patch_url", "issue_url", "commits_url", "review_comments_url", "review_comment_url",
	"comments_url", "statuses_url", "_links", "number", "state", "locked", "title", "user",
	"body", "labels", "milestone", "active_lock_reason", "created_at", "updated_at",
	"closed_at", "closed_by", "merged_at", "merge_commit_sha", "merged", "merged_by",
	"assignee", "assignees", "requested_reviewers", "requested_teams", "head", "base",
	"author_association", "draft", "comments", "review_comments" };

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

static void
draft(struct work *w)
{
	bool now = json_in_opt_bool(&w->in, w->json, "draft");

	if (!json_is_boolean(json_object_get(w->json, "draft")) ||
	    now == ((w->old.flags & SNAP_ISSUE_DRAFT) != 0))
		return;
	w->m->draft = diff_bool(w->d, now);
	made(w, w->m->draft);
}

/*
 * Before the merge, merge_commit_sha is that of a trial which GitHub repeats as it likes:
 * no fact about the pull request.
 */
static void
merge(struct work *w)
{
	int64_t at = json_in_opt_time(&w->in, w->json, "merged_at");
	const char *sha = json_in_opt_str(&w->in, w->json, "merge_commit_sha");
	struct diff_user by = diff_read_user(&w->in, w->json, "merged_by");
	struct slice members = snap_issue_members(&w->old);

	if (at == TIME_NONE)
		return;
	if (at != snap_issue_merged_ms(&w->old)) {
		w->m->merged_at = diff_time(w->d, at);
		made(w, w->m->merged_at);
	}
	if (sha[0] != '\0' && !diff_member_is(w->d, members, "mergeCommit", sha)) {
		w->m->merge_commit_id = diff_text(sha);
		w->differs = true;
	}
	if (by.id > 0 &&
	    (by.id != snap_issue_merged_by(&w->old) || diff_user_is_news(w->d, by))) {
		w->m->merged_by = diff_user_message(w->d, by);
		made(w, w->m->merged_by);
	}
}

/* --- both ends --- */

/* "owner/repo" of an end, "" when that repository is gone. */
static const char *
home(struct work *w, const json_t *end)
{
	json_t *repo = json_in_opt_object(&w->in, end, "repo");
	const char *name = repo != NULL ? json_in_opt_str(&w->in, repo, "full_name") : "";
	const char *slash = strchr(name, '/');

	return slash != NULL && slash != name && slash[1] != '\0' ? name : "";
}

static bool
same_end(
    struct work *w, struct slice stored, const char *name, const char *ref, const char *sha)
{
	struct slice members;

	if (stored.len < 2 || stored.ptr[0] != '{') /* null */
		return name[0] == '\0' && ref[0] == '\0' && sha[0] == '\0';
	members = (struct slice){ stored.ptr + 1, stored.len - 2 };
	return diff_member_is(w->d, members, "repo", name) &&
	       diff_member_is(w->d, members, "ref", ref) &&
	       diff_member_is(w->d, members, "sha", sha);
}

static Maintpb__GithubRef *
end_message(struct work *w, const char *name, const char *ref, const char *sha)
{
	Maintpb__GithubRef *r = DIFF_NEW(w->d, Maintpb__GithubRef);
	const char *slash = strchr(name, '/');

	made(w, r);
	if (r == NULL)
		return NULL;
	maintpb__github_ref__init(r);
	r->ref = diff_text(ref);
	r->commit_id = diff_text(sha);
	if (slash != NULL) {
		r->repo = diff_text(slash + 1);
		r->owner =
		    arena_dup(w->d->arena, (struct slice){ name, (size_t)(slash - name) });
		if (r->owner == NULL)
			check(w, ERR_NOMEM);
	}
	return w->err == 0 ? r : NULL;
}

static Maintpb__GithubRef *
end_of(struct work *w, const char *member, enum snap_member stored)
{
	json_t *end = json_in_opt_object(&w->in, w->json, member);
	const char *name, *ref, *sha;

	if (end == NULL)
		return NULL;
	name = home(w, end);
	ref = json_in_opt_str(&w->in, end, "ref");
	sha = json_in_opt_str(&w->in, end, "sha");
	if (w->in.err != 0 || same_end(w, snap_issue_value(&w->old, stored), name, ref, sha))
		return NULL;
	return end_message(w, name, ref, sha);
}

/* --- who is asked to review --- */

static bool
same_users(const struct work *w, const json_t *users)
{
	if (json_array_size(users) != w->old.reviewer_count)
		return false;
	for (uint32_t i = 0; i < w->old.reviewer_count; i++) {
		if (!diff_array_has_id(users, snap_issue_reviewer(&w->old, i)))
			return false;
	}
	return true;
}

static bool
has_slug(const json_t *teams, const char *slug)
{
	const json_t *t;
	size_t i;

	json_array_foreach(teams, i, t)
	{
		const char *other = json_string_value(json_object_get(t, "slug"));

		if (other != NULL && strcmp(other, slug) == 0)
			return true;
	}
	return false;
}

static bool
same_teams(const struct work *w, const json_t *teams)
{
	struct slice stored = snap_issue_value(&w->old, SNAP_M_REQUESTED_TEAMS);
	json_t *slugs = json_loadb(stored.ptr, stored.len, 0, NULL), *slug;
	bool same = json_array_size(slugs) == json_array_size(teams);
	size_t i;

	json_array_foreach(slugs, i, slug) same =
	    same && json_is_string(slug) && has_slug(teams, json_string_value(slug));
	json_decref(slugs);
	return same;
}

static Maintpb__GithubTeam *
team_message(struct work *w, const json_t *json)
{
	Maintpb__GithubTeam *t = DIFF_NEW(w->d, Maintpb__GithubTeam);

	if (t == NULL)
		return NULL;
	maintpb__github_team__init(t);
	t->id = json_in_opt_i64(&w->in, json, "id");
	t->slug = diff_text(json_in_str(&w->in, json, "slug"));
	return t;
}

static void
reviewer_set(struct work *w, const json_t *users, const json_t *teams)
{
	Maintpb__GithubReviewerSet *set = DIFF_NEW(w->d, Maintpb__GithubReviewerSet);
	struct diff_list u = { 0 }, t = { 0 };
	json_t *json;
	size_t i;

	made(w, set);
	if (set == NULL)
		return;
	maintpb__github_reviewer_set__init(set);
	json_array_foreach(users, i, json)
	{
		struct diff_user user = { json_in_i64(&w->in, json, "id"),
			json_in_str(&w->in, json, "login") };
		void *m = diff_user_message(w->d, user);

		if (w->in.err == 0 && user.id <= 0)
			json_in_fail(&w->in, "requested_reviewers", "has an id out of range");
		if (w->in.err == 0)
			check(w, m == NULL ? ERR_NOMEM : diff_push(w->d, &u, m));
	}
	json_array_foreach(teams, i, json)
	{
		void *m = team_message(w, json);

		check(w, m == NULL ? ERR_NOMEM : diff_push(w->d, &t, m));
	}
	set->n_user = u.count;
	set->user = (Maintpb__GithubUser **)u.items;
	set->n_team = t.count;
	set->team = (Maintpb__GithubTeam **)t.items;
	w->m->requested_reviewers = set;
}

static void
reviewers(struct work *w)
{
	json_t *users = json_in_opt_array(&w->in, w->json, "requested_reviewers"), *u;
	json_t *teams = json_in_opt_array(&w->in, w->json, "requested_teams");
	size_t i;

	if (w->in.err != 0 || (users == NULL && teams == NULL))
		return;
	if (!same_users(w, users) || !same_teams(w, teams)) {
		reviewer_set(w, users, teams);
		return;
	}
	json_array_foreach(users, i, u)
	{
		check(w, diff_note_user(w->d, &w->known,
			     (struct diff_user){ json_in_i64(&w->in, u, "id"),
				 json_in_str(&w->in, u, "login") }));
	}
}

/* --- what has no field --- */

/* Of an end whose repository is gone, what is left to tell where it was. */
static int
add_lost_end(struct work *w, json_t *rest, const char *member)
{
	json_t *end = json_object_get(w->json, member), *label = json_object_get(end, "label");
	json_t *login = json_object_get(json_object_get(end, "user"), "login");
	json_t *out;

	if (!json_is_string(label) || home(w, end)[0] != '\0')
		return 0;
	out = json_pack("{s:O}", "label", label);
	if (json_is_string(login) && json_object_set(out, "user", login) != 0) {
		json_decref(out);
		return ERR_NOMEM;
	}
	return json_object_set_new(rest, member, out) != 0 ? ERR_NOMEM : 0;
}

static void
unnamed(struct work *w)
{
	json_t *rest = diff_unnamed(w->json, DIFF_NAMES(pull_members));

	if (rest != NULL &&
	    (add_lost_end(w, rest, "base") != 0 || add_lost_end(w, rest, "head") != 0)) {
		json_decref(rest);
		rest = NULL;
	}
	check(w, diff_other_half(w->d, w->old.number, "pull", rest, &w->m->other_json));
	w->differs = w->differs || w->m->other_json.len > 0;
}

static void
differences(struct work *w)
{
	draft(w);
	merge(w);
	w->m->base_ref = end_of(w, "base", SNAP_M_BASE);
	w->m->head_ref = end_of(w, "head", SNAP_M_HEAD);
	reviewers(w);
	unnamed(w);
	w->m->n_known_user = w->known.count;
	w->m->known_user = (Maintpb__GithubUser **)w->known.items;
	w->differs = w->differs || w->known.count > 0;
	check(w, w->d->err);
}

int
diff_pull(struct diff *d, const json_t *pull, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct work w = { .d = d, .in = { .what = "pull request", .ei = ei }, .json = pull };
	int64_t number = json_in_i64(&w.in, pull, "number");
	Maintpb__Mutation *m;
	int rc;

	if (w.in.err == 0 && (number <= 0 || number > INT32_MAX))
		json_in_fail(&w.in, "number", "is out of range");
	if (w.in.err != 0)
		return w.in.err;
	rc = diff_live_issue(d, (uint32_t)number, &w.old);
	if (rc == ERR_NOENT) {
		*ret = NULL;
		return 0;
	}
	if (rc != 0)
		return rc;
	m = diff_issue_message(d, (uint32_t)number);
	if (m == NULL)
		return ERR_NOMEM;
	w.m = m->github_issue;
	differences(&w);
	if (w.in.err != 0)
		return err_wrap(ei, w.in.err, "pull request %lld", (long long)number);
	if (w.err != 0)
		return w.err;
	*ret = w.differs ? m : NULL;
	return 0;
}
