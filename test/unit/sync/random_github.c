/* random_github.c - see random_github.h. */
#include <stdio.h>

#include "base/clock.h"
#include "test/unit/sync/random_github.h"

uint32_t
random_below(struct random_github *r, uint32_t end)
{
	r->seed ^= r->seed >> 12;
	r->seed ^= r->seed << 25;
	r->seed ^= r->seed >> 27;
	return (uint32_t)((r->seed * UINT64_C(2685821657736338717)) >> 33) % end;
}

static const char *
one_of(struct random_github *r, const char *const *texts, uint32_t count)
{
	return texts[random_below(r, count)];
}

#define ONE_OF(r, ...)                                                                         \
	one_of((r), (const char *const[]){ __VA_ARGS__ },                                      \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static json_t *
random_text(struct random_github *r)
{
	return json_string(ONE_OF(r, "plain", "with \"quotes\" and \\", "two\nlines\t.",
	    "caf\xc3\xa9 \xf0\x9f\x98\x80", "\x01\x1f\x7f", "</script>",
	    "\"state\":\"APPROVED\"", "x"));
}

static json_t *
random_time(struct random_github *r)
{
	char text[TIME_TEXT_MAX];

	time_format(INT64_C(1577836800000) + 1000 * (int64_t)random_below(r, 200), text);
	return json_string(text);
}

static json_t *
maybe(struct random_github *r, json_t *v)
{
	if (random_below(r, 3) != 0)
		return v;
	json_decref(v);
	return json_null();
}

static json_t *
random_user(struct random_github *r)
{
	char login[16];
	unsigned id = 1 + random_below(r, 6);

	snprintf(login, sizeof(login), "u%u%s", id, (r->logins >> id & 1) != 0 ? "-new" : "");
	return json_pack("{s:i,s:s}", "id", id, "login", login);
}

static json_t *
random_label(struct random_github *r)
{
	static const char *const names[] = { "bug", "p1", "Priority: P2", "kind/bug", "\"q\"" };
	unsigned id = random_below(r, 5);

	return json_pack("{s:i,s:s,s:s,s:o}", "id", id + 1, "name",
	    random_below(r, 20) == 0 ? "renamed" : names[id], "color",
	    ONE_OF(r, "ff0000", "ededed", ""), "description", maybe(r, random_text(r)));
}

static json_t *
random_milestone(struct random_github *r)
{
	unsigned id = 1 + random_below(r, 3);

	bool closed = random_below(r, 2) == 0;

	return json_pack("{s:i,s:i,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "id", id, "number", id + 10,
	    "title", ONE_OF(r, "soon", "later"), "state", closed ? "closed" : "open",
	    "description", maybe(r, random_text(r)), "due_on", maybe(r, random_time(r)),
	    "updated_at", random_time(r), "closed_at", closed ? random_time(r) : json_null(),
	    "creator", maybe(r, random_user(r)));
}

/* Between two documents somebody may take another name. */
static void
next_document(struct random_github *r)
{
	if (random_below(r, 10) == 0)
		r->logins ^= 1U << (1 + random_below(r, 6));
}

/* Up to `max` of them, no two with one id. */
static json_t *
some(struct random_github *r, json_t *(*make)(struct random_github *), uint32_t max)
{
	json_t *array = json_array(), *have;
	uint32_t count = random_below(r, max + 1);
	size_t i;

	while (count-- > 0) {
		json_t *v = make(r);
		bool twice = false;

		json_array_foreach(array, i, have) twice =
		    twice || json_equal(json_object_get(have, "id"), json_object_get(v, "id"));
		if (!twice)
			json_array_append(array, v);
		json_decref(v);
	}
	return array;
}

static json_t *
random_reactions(struct random_github *r)
{
	unsigned up = random_below(r, 3), eyes = random_below(r, 2);

	return json_pack("{s:i,s:i,s:i}", "total_count", up + eyes, "+1", up, "eyes", eyes);
}

/* What several kinds of objects have, and what no schema names. */
static void
add_facts(struct random_github *r, json_t *o)
{
	json_object_set_new(
	    o, "author_association", json_string(ONE_OF(r, "OWNER", "NONE", "MEMBER")));
	json_object_set_new(o, "reactions", maybe(r, random_reactions(r)));
	if (random_below(r, 3) == 0)
		json_object_set_new(o, "new_member", maybe(r, random_text(r)));
	if (random_below(r, 4) == 0)
		json_object_set_new(o, "performed_via_github_app",
		    json_pack("{s:i,s:s,s:[s]}", "id", 5, "slug", "app", "events", "push"));
}

static void
set_state(struct random_github *r, json_t *issue)
{
	bool closed = random_below(r, 2) == 0;

	json_object_set_new(issue, "state", json_string(closed ? "closed" : "open"));
	json_object_set_new(issue, "closed_at", closed ? random_time(r) : json_null());
	json_object_set_new(
	    issue, "closed_by", closed ? maybe(r, random_user(r)) : json_null());
	json_object_set_new(issue, "state_reason",
	    maybe(r, json_string(ONE_OF(r, "completed", "reopened", "not_planned"))));
}

json_t *
random_issue(struct random_github *r, uint32_t number)
{
	json_t *i = json_pack("{s:i,s:I,s:s}", "number", number, "id",
	    (json_int_t)number + 1000, "created_at", "2020-01-01T00:00:00Z");

	next_document(r);
	json_object_set_new(i, "title", random_text(r));
	json_object_set_new(i, "body", maybe(r, random_text(r)));
	json_object_set_new(i, "user", maybe(r, random_user(r)));
	json_object_set_new(i, "updated_at", random_time(r));
	json_object_set_new(i, "locked", json_boolean(random_below(r, 4) == 0));
	json_object_set_new(i, "draft", json_boolean(random_below(r, 4) == 0));
	json_object_set_new(i, "milestone", maybe(r, random_milestone(r)));
	json_object_set_new(i, "labels", some(r, random_label, 4));
	json_object_set_new(i, "assignees", some(r, random_user, 3));
	set_state(r, i);
	add_facts(r, i);
	json_object_set_new(
	    i, "active_lock_reason", maybe(r, json_string(ONE_OF(r, "spam", "too heated"))));
	if (random_below(r, 3) == 0)
		json_object_set_new(
		    i, "type", json_pack("{s:i,s:o}", "id", 1, "name", random_text(r)));
	if (number % 2 == 0)
		json_object_set_new(i, "pull_request",
		    json_pack("{s:o}", "merged_at", maybe(r, random_time(r))));
	return i;
}

static json_t *
random_comment(struct random_github *r)
{
	json_t *c = json_pack("{s:i,s:o,s:o,s:o,s:o}", "id", 1 + random_below(r, 8), "user",
	    maybe(r, random_user(r)), "body", maybe(r, random_text(r)), "created_at",
	    random_time(r), "updated_at", random_time(r));

	add_facts(r, c);
	return c;
}

static json_t *
random_review_comment(struct random_github *r)
{
	json_t *c = random_comment(r);

	json_object_set_new(c, "path", random_text(r));
	json_object_set_new(c, "diff_hunk", random_text(r));
	json_object_set_new(c, "line", maybe(r, json_integer(1 + random_below(r, 3))));
	json_object_set_new(c, "side", maybe(r, json_string(ONE_OF(r, "LEFT", "RIGHT"))));
	json_object_set_new(c, "commit_id", json_string(ONE_OF(r, "abc", "def0")));
	json_object_set_new(
	    c, "pull_request_review_id", maybe(r, json_integer(1 + random_below(r, 6))));
	if (random_below(r, 3) == 0)
		json_object_set_new(c, "in_reply_to_id", json_integer(1 + random_below(r, 8)));
	return c;
}

/* An end of a pull request, perhaps in a fork that is gone. */
static json_t *
random_end(struct random_github *r)
{
	json_t *repo =
	    maybe(r, json_pack("{s:s}", "full_name", ONE_OF(r, "acme/widgets", "u1/fork")));

	return json_pack("{s:o,s:s,s:s,s:s,s:o}", "repo", repo, "ref",
	    ONE_OF(r, "main", "topic"), "sha", ONE_OF(r, "abc", "def0"), "label",
	    ONE_OF(r, "acme:main", "u1:topic"), "user", maybe(r, random_user(r)));
}

static json_t *
random_team(struct random_github *r)
{
	unsigned id = random_below(r, 3);
	static const char *const slugs[] = { "zeta", "alpha", "mid-\"q\"" };

	return json_pack("{s:i,s:s}", "id", id + 1, "slug", slugs[id]);
}

json_t *
random_pull(struct random_github *r, uint32_t number)
{
	json_t *p;

	next_document(r);
	p = json_pack("{s:i,s:I,s:b,s:o,s:o,s:o}", "number", number, "id",
	    (json_int_t)number + 5000, "draft", random_below(r, 2) == 0, "merged_at",
	    maybe(r, random_time(r)), "base", random_end(r), "head", random_end(r));
	json_object_set_new(
	    p, "merge_commit_sha", maybe(r, json_string(ONE_OF(r, "abc", "def0"))));
	if (random_below(r, 2) == 0)
		json_object_set_new(p, "merged_by", maybe(r, random_user(r)));
	json_object_set_new(p, "requested_reviewers", some(r, random_user, 3));
	json_object_set_new(p, "requested_teams", some(r, random_team, 3));
	if (random_below(r, 3) == 0)
		json_object_set_new(p, "auto_merge",
		    json_pack("{s:o,s:s}", "enabled_by", random_user(r), "merge_method",
			ONE_OF(r, "squash", "merge")));
	return p;
}

static json_t *
random_event(struct random_github *r)
{
	json_t *e = json_pack("{s:i,s:s,s:o,s:o}", "id", 1 + random_below(r, 12), "event",
	    ONE_OF(r, "closed", "labeled", "renamed", "merged"), "actor",
	    maybe(r, random_user(r)), "created_at", random_time(r));

	if (random_below(r, 2) == 0)
		json_object_set_new(e, "commit_id", json_string(ONE_OF(r, "abc", "def0")));
	if (random_below(r, 2) == 0)
		json_object_set_new(e, "label", random_label(r));
	if (random_below(r, 3) == 0)
		json_object_set_new(e, "rename",
		    json_pack("{s:o,s:o}", "from", random_text(r), "to", random_text(r)));
	if (random_below(r, 3) == 0)
		json_object_set_new(e, "lock_reason", random_text(r));
	return e;
}

static json_t *
random_review(struct random_github *r)
{
	json_t *v = json_pack("{s:i,s:o,s:o,s:s,s:s,s:s,s:o}", "id", 1 + random_below(r, 6),
	    "user", maybe(r, random_user(r)), "body", maybe(r, random_text(r)), "state",
	    ONE_OF(r, "APPROVED", "COMMENTED", "CHANGES_REQUESTED"), "commit_id",
	    ONE_OF(r, "abc", "", "def0"), "author_association", ONE_OF(r, "OWNER", "NONE"),
	    "submitted_at", maybe(r, random_time(r)));

	if (random_below(r, 3) == 0)
		json_object_set_new(v, "updated_at", random_time(r));
	if (random_below(r, 4) == 0)
		json_object_set_new(v, "new_member", random_text(r));
	return v;
}

json_t *
random_comments(struct random_github *r)
{
	next_document(r);
	return some(r, random_comment, 5);
}

json_t *
random_events(struct random_github *r)
{
	next_document(r);
	return some(r, random_event, 5);
}

json_t *
random_reviews(struct random_github *r)
{
	next_document(r);
	return some(r, random_review, 5);
}

json_t *
random_review_comments(struct random_github *r)
{
	next_document(r);
	return some(r, random_review_comment, 5);
}

json_t *
random_labels(struct random_github *r)
{
	return some(r, random_label, 5);
}

json_t *
random_milestones(struct random_github *r)
{
	return some(r, random_milestone, 3);
}
