/* graph_json.c - field by field; a latched error makes one check at the end enough. */
#include "sync/graph_json.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sync/github/gh_node_id.h"
#include "sync/graph_kinds.h"

struct reader {
	const char *repository;
	const char *head; /* of a pull request: the same of its branch, or NULL */
	const struct graph_people *people;
	int err; /* 0 or ERR_UNSUPPORTED */
};

static const char *
text_of(const json_t *o, const char *member)
{
	return json_string_value(json_object_get(o, member));
}

/* A member that must be a text. */
static const char *
need(struct reader *r, const json_t *o, const char *member)
{
	const char *s = text_of(o, member);

	if (s == NULL)
		r->err = ERR_UNSUPPORTED;
	return s != NULL ? s : "";
}

/* fullDatabaseId (a decimal text), databaseId, or what the node id holds. */
static int64_t
id_of(struct reader *r, const json_t *o)
{
	const json_t *full = json_object_get(o, "fullDatabaseId");
	const json_t *small = json_object_get(o, "databaseId");
	const char *node = text_of(o, "id");
	int64_t id = 0;

	if (json_is_string(full)) {
		const char *digits = json_string_value(full);

		errno = 0;
		if (digits[strspn(digits, "0123456789")] == '\0')
			id = strtoll(digits, NULL, 10);
		if (errno != 0)
			id = 0;
	} else if (json_is_integer(small)) {
		id = json_integer_value(small);
	} else if (node == NULL || gh_node_id_number(node, &id) != 0) {
		id = 0;
	}
	if (id <= 0)
		r->err = ERR_UNSUPPORTED;
	return id;
}

/* A deleted account is null in both; one that the answer does not mention is unknown. */
static json_t *
user_of(struct reader *r, const json_t *actor)
{
	const char *login, *type;
	char known[128];
	int64_t id;

	if (!json_is_object(actor)) {
		if (!json_is_null(actor))
			r->err = ERR_UNSUPPORTED;
		return json_null();
	}
	login = need(r, actor, "login");
	type = need(r, actor, "__typename");
	id = id_of(r, actor);
	if (strcmp(type, "Bot") == 0) {
		if (r->people->login(r->people->ctx, id, known, sizeof(known)) != 0)
			r->err = ERR_UNSUPPORTED;
		else
			login = known;
	}
	return json_pack("{s:I,s:s}", "id", (json_int_t)id, "login", login);
}

static void
set_commit(struct reader *r, json_t *event, const json_t *commit, const char *repository)
{
	const char *oid = json_is_object(commit) ? need(r, commit, "oid") : NULL;

	if (oid == NULL)
		return;
	json_object_set_new(event, "commit_id", json_string(oid));
	if (repository == NULL)
		return;
	json_object_set_new(event, "commit_url",
	    json_sprintf("https://api.github.com/repos/%s/commits/%s", repository, oid));
}

/* The repository that `holder`.`member` names. */
static const char *
home_of(struct reader *r, const json_t *holder, const char *member)
{
	return need(r, json_object_get(holder, member), "nameWithOwner");
}

/* TOO_HEATED -> "too heated", OFF_TOPIC -> "off-topic": as REST writes them. */
static const char *
lock_reason(struct reader *r, const char *value)
{
	static const char *const words[][2] = { { "OFF_TOPIC", "off-topic" },
		{ "TOO_HEATED", "too heated" }, { "RESOLVED", "resolved" },
		{ "SPAM", "spam" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i][0], value) == 0)
			return words[i][1];
	}
	r->err = ERR_UNSUPPORTED;
	return "";
}

/* NOT_PLANNED -> "not_planned" */
static void
set_reason(struct reader *r, json_t *event, const json_t *node)
{
	const char *reason = text_of(node, "stateReason");
	char lower[32] = "";

	if (reason == NULL)
		return;
	if (strlen(reason) >= sizeof(lower))
		r->err = ERR_UNSUPPORTED;
	for (size_t i = 0; i + 1 < sizeof(lower) && reason[i] != '\0'; i++)
		lower[i] = (char)tolower((unsigned char)reason[i]);
	json_object_set_new(event, "state_reason", json_string(lower));
}

static void
set_reviewer(struct reader *r, json_t *event, const json_t *node)
{
	const json_t *who = json_object_get(node, "requestedReviewer");
	const char *type = text_of(who, "__typename");

	json_object_set_new(
	    event, "review_requester", user_of(r, json_object_get(node, "actor")));
	if (type != NULL && strcmp(type, "Team") == 0)
		json_object_set_new(event, "requested_team",
		    json_pack("{s:I,s:s}", "id", (json_int_t)id_of(r, who), "slug",
			need(r, who, "slug")));
	else
		json_object_set_new(event, "requested_reviewer", user_of(r, who));
}

static void
set_dismissal(struct reader *r, json_t *event, const json_t *node)
{
	const char *message = text_of(node, "dismissalMessage");

	json_object_set_new(event, "dismissed_review",
	    json_pack("{s:I,s:s,s:s}", "review_id",
		(json_int_t)id_of(r, json_object_get(node, "review")), "state",
		need(r, node, "previousReviewState"), "dismissal_message",
		message != NULL ? message : ""));
}

static void
set_extra(struct reader *r, json_t *event, const json_t *node, enum graph_extra extra)
{
	const json_t *part;

	switch (extra) {
	case GRAPH_PLAIN:
		return;
	case GRAPH_LABEL:
		part = json_object_get(node, "label");
		json_object_set_new(
		    event, "label", json_pack("{s:s}", "name", need(r, part, "name")));
		return;
	case GRAPH_MILESTONE:
		json_object_set_new(event, "milestone",
		    json_pack("{s:s}", "title", need(r, node, "milestoneTitle")));
		return;
	case GRAPH_RENAME:
		json_object_set_new(event, "rename",
		    json_pack("{s:s,s:s}", "from", need(r, node, "previousTitle"), "to",
			need(r, node, "currentTitle")));
		return;
	case GRAPH_ASSIGNEE:
		json_object_set_new(
		    event, "assignee", user_of(r, json_object_get(node, "assignee")));
		return;
	case GRAPH_LOCK:
		if (text_of(node, "lockReason") != NULL)
			json_object_set_new(event, "lock_reason",
			    json_string(lock_reason(r, text_of(node, "lockReason"))));
		return;
	case GRAPH_REASON:
		set_reason(r, event, node);
		return;
	case GRAPH_CLOSER:
		set_reason(r, event, node);
		part = json_object_get(node, "closer");
		if (text_of(part, "oid") != NULL)
			set_commit(r, event, part, home_of(r, part, "repository"));
		return;
	case GRAPH_COMMIT:
		set_commit(r, event, json_object_get(node, "commit"), r->repository);
		return;
	case GRAPH_REFERENCE:
		set_commit(r, event, json_object_get(node, "commit"),
		    home_of(r, node, "commitRepository"));
		return;
	case GRAPH_AFTER_COMMIT:
		/* Of a fork that was deleted, the commit alone. */
		set_commit(r, event, json_object_get(node, "afterCommit"), r->head);
		return;
	case GRAPH_REVIEWER:
		set_reviewer(r, event, node);
		return;
	case GRAPH_DISMISSAL:
		set_dismissal(r, event, node);
		return;
	case GRAPH_REST_ONLY:
		r->err = ERR_UNSUPPORTED;
		return;
	}
}

static json_t *
event_of(struct reader *r, const json_t *node)
{
	const struct graph_kind *kind = graph_kind_of(need(r, node, "__typename"));
	json_t *event;

	if (kind == NULL || r->err != 0) {
		r->err = ERR_UNSUPPORTED;
		return NULL;
	}
	event = json_pack("{s:I,s:s}", "id", (json_int_t)id_of(r, node), "event", kind->event);
	json_object_set_new(event, "created_at", json_string(need(r, node, "createdAt")));
	json_object_set_new(event, "actor", user_of(r, json_object_get(node, "actor")));
	set_extra(r, event, node, kind->extra);
	return event;
}

static json_t *
review_of(struct reader *r, const json_t *node)
{
	json_t *review = json_pack("{s:I,s:s,s:s,s:s}", "id", (json_int_t)id_of(r, node),
	    "body", need(r, node, "body"), "state", need(r, node, "state"),
	    "author_association", need(r, node, "authorAssociation"));
	const json_t *commit = json_object_get(node, "commit");

	json_object_set_new(review, "user", user_of(r, json_object_get(node, "author")));
	if (text_of(node, "submittedAt") != NULL)
		json_object_set_new(
		    review, "submitted_at", json_string(text_of(node, "submittedAt")));
	if (json_is_object(commit))
		json_object_set_new(review, "commit_id", json_string(need(r, commit, "oid")));
	json_object_set_new(review, "updated_at", json_string(need(r, node, "updatedAt")));
	return review;
}

/* Every node, or nothing: a list that is not whole must not be taken for one that is. */
static int
convert(struct reader *r, const json_t *connection,
    json_t *(*one)(struct reader *r, const json_t *node), json_t **ret)
{
	const json_t *nodes = json_object_get(connection, "nodes"), *node;
	const json_t *more =
	    json_object_get(json_object_get(connection, "pageInfo"), "hasNextPage");
	json_t *all;
	size_t i;

	if (!json_is_array(nodes) || !json_is_false(more))
		return ERR_UNSUPPORTED;
	all = json_array();
	json_array_foreach(nodes, i, node)
	{
		if (r->err == 0 && json_array_append_new(all, one(r, node)) != 0)
			r->err = r->err != 0 ? r->err : ERR_NOMEM;
	}
	if (r->err != 0) {
		json_decref(all);
		return r->err;
	}
	*ret = all;
	return 0;
}

int
graph_events(
    const json_t *node, const char *repository, const struct graph_people *people, json_t **ret)
{
	struct reader r = { .repository = repository,
		.head = text_of(json_object_get(node, "headRepository"), "nameWithOwner"),
		.people = people };

	return convert(&r, json_object_get(node, "events"), event_of, ret);
}

int
graph_reviews(const json_t *node, const struct graph_people *people, json_t **ret)
{
	struct reader r = { .people = people };

	return convert(&r, json_object_get(node, "reviews"), review_of, ret);
}
