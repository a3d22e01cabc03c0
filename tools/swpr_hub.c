/* swpr_hub.c - see swpr_hub.h; judges nothing, swpr_state.c does. */
#include "tools/swpr_hub.h"

#include <stdio.h>
#include <strings.h>

#include "sync/github/gh_graphql.h"

#define TRIES 3 /* of a page that failed in a way that may pass */

/* Parts of a listing, in their order, or all of it by REST; at the end it is done. */
static const char *const part_issues = "issues", *const part_pulls = "pullRequests",
			 *const part_rest = "rest", *const part_done = "done";

void
swpr_hub_init(struct swpr_hub *h, struct gh *gh, const struct repo_entry *e)
{
	*h = (struct swpr_hub){ .gh = gh, .now_ms = TIME_NONE };
	snprintf(h->owner, sizeof(h->owner), "%.*s", (int)e->owner_len, e->name);
	snprintf(h->name, sizeof(h->name), "%s", e->name + e->owner_len + 1);
}

bool
swpr_hub_spent(const struct swpr_hub *h)
{
	return gh_stats(h->gh)->requests >= h->requests_max;
}

/*
 * The time of each answer itself, also of a 404, which has no page: a listing and the
 * limits may take hours, and the hours between two 404s are what confirms them.
 */
static int
ask(struct swpr_hub *h, const char *url, struct gh_page *ret, struct err_info *ei)
{
	int rc = gh_get(h->gh, url, NULL, false, ret, ei);

	h->now_ms = gh_stats(h->gh)->answer_date_ms;
	return rc;
}

/* "owner/name" as GitHub spells it now: a rename is followed. */
static void
take_full_name(struct swpr_hub *h, const json_t *repo)
{
	const char *full = json_string_value(json_object_get(repo, "full_name"));
	const char *slash = full != NULL ? strchr(full, '/') : NULL;

	if (slash == NULL || !repo_name_ok(full))
		return;
	snprintf(h->owner, sizeof(h->owner), "%.*s", (int)(slash - full), full);
	snprintf(h->name, sizeof(h->name), "%s", slash + 1);
}

int
swpr_hub_health(struct swpr_hub *h, struct err_info *ei)
{
	char url[GH_URL_MAX];
	struct gh_page page;
	const json_t *issues;
	int rc = gh_url(h->gh, url, "/repos/%s/%s", h->owner, h->name);

	for (int i = 0; rc == 0; i++) {
		rc = ask(h, url, &page, ei);
		if (rc != ERR_NOENT || i + 1 >= TRIES)
			break;
		rc = 0; /* a replica may lag behind */
	}
	if (rc == ERR_NOENT)
		return err_wrap(ei, rc, "GitHub does not find the repository");
	if (rc != 0)
		return rc;
	take_full_name(h, page.doc);
	issues = json_object_get(page.doc, "has_issues");
	if (json_is_false(issues))
		rc = err_set(ei, ERR_GONE, "issues are switched off in the repository");
	gh_page_clear(&page);
	return rc;
}

static void
step(const struct swpr_hub *h, const char *doing, size_t count)
{
	if (h->on_step != NULL)
		h->on_step(h->ctx, doing, count);
}

/* --- listing --- */

static int
add_numbers(const json_t *items, struct swpr_listing *l, struct err_info *ei)
{
	size_t i;
	json_t *item;
	int rc = 0;

	json_array_foreach(items, i, item)
	{
		json_int_t n = json_integer_value(json_object_get(item, "number"));

		if (json_is_null(item))
			continue; /* GitHub did not get to it: it is looked at by itself */
		if (n < 1 || n > INT32_MAX)
			return err_set(ei, ERR_PROTO, "a listed issue has no number");
		rc = swpr_numbers_add(&l->seen, (uint32_t)n);
		if (rc != 0)
			return err_set(ei, rc, "more numbers than can be held");
	}
	return 0;
}

static void
set_part(struct swpr_listing *l, const char *part)
{
	snprintf(l->part, sizeof(l->part), "%s", part);
	l->next[0] = '\0';
}

static json_t *
page_variables(const struct swpr_hub *h, const struct swpr_listing *l)
{
	json_t *v = json_object();

	json_object_set_new(v, "owner", json_string(h->owner));
	json_object_set_new(v, "name", json_string(h->name));
	json_object_set_new(
	    v, "after", l->next[0] != '\0' ? json_string(l->next) : json_null());
	return v;
}

static int
take_graph_page(const json_t *list, struct swpr_listing *l, bool *ret_last, struct err_info *ei)
{
	const json_t *info = json_object_get(list, "pageInfo");
	const char *cursor = json_string_value(json_object_get(info, "endCursor"));
	const json_t *nodes = json_object_get(list, "nodes");
	int rc;

	if (!json_is_array(nodes) || !json_is_object(info))
		return err_set(ei, ERR_PROTO, "GraphQL: %s without nodes", l->part);
	*ret_last = !json_is_true(json_object_get(info, "hasNextPage"));
	if (!*ret_last && (cursor == NULL || strlen(cursor) >= sizeof(l->next) ||
			      strcmp(cursor, l->next) == 0))
		return err_set(ei, ERR_PROTO, "GraphQL: %s does not go on", l->part);
	rc = add_numbers(nodes, l, ei);
	if (rc == 0 && !*ret_last)
		snprintf(l->next, sizeof(l->next), "%s", cursor);
	return rc;
}

static int
ask_graph_page(struct swpr_hub *h, struct swpr_listing *l, bool *ret_last, struct err_info *ei)
{
	char query[400];
	struct gh_graph answer;
	json_t *variables = page_variables(h, l);
	const json_t *list;
	int rc;

	snprintf(query, sizeof(query),
	    "query($owner:String!,$name:String!,$after:String)"
	    "{repository(owner:$owner,name:$name){list:%s(first:100,after:$after,"
	    "orderBy:{field:CREATED_AT,direction:ASC}){pageInfo{hasNextPage endCursor}"
	    "nodes{number}}}}",
	    l->part);
	rc = gh_graphql(h->gh, query, variables, &answer, ei);
	json_decref(variables);
	if (rc != 0)
		return rc;
	list = json_object_get(json_object_get(answer.data, "repository"), "list");
	rc = take_graph_page(list, l, ret_last, ei);
	gh_graph_clear(&answer);
	return rc;
}

/* Where GraphQL is of no use, REST lists all of it, issues and pull requests in one. */
static int
list_graph_page(struct swpr_hub *h, struct swpr_listing *l, bool *ret_done, struct err_info *ei)
{
	bool last = false;
	int rc = ERR_TIMEOUT;

	for (int i = 0; i < TRIES && err_may_pass(rc); i++)
		rc = ask_graph_page(h, l, &last, ei);
	if (rc == ERR_UNSUPPORTED || rc == ERR_LIMIT || rc == ERR_PROTO || err_may_pass(rc)) {
		swpr_numbers_clear(&l->seen);
		set_part(l, part_rest);
		return 0;
	}
	if (rc == 0 && last && strcmp(l->part, part_issues) == 0)
		set_part(l, part_pulls);
	else if (rc == 0)
		*ret_done = last;
	return rc;
}

static int
list_rest_page(struct swpr_hub *h, struct swpr_listing *l, bool *ret_done, struct err_info *ei)
{
	char url[GH_URL_MAX], base[GH_URL_MAX];
	struct gh_page page;
	int rc = gh_url(h->gh, base, "/");

	/* What is remembered comes from outside; the token must not follow it anywhere. */
	if (rc == 0 && l->next[0] != '\0' && strncmp(l->next, base, strlen(base)) == 0)
		snprintf(url, sizeof(url), "%s", l->next);
	else if (rc == 0)
		rc = gh_url(h->gh, url,
		    "/repos/%s/%s/issues?state=all&sort=created&direction=asc&per_page=100",
		    h->owner, h->name);
	for (int i = 0; rc == 0; i++) {
		rc = gh_get(h->gh, url, NULL, true, &page, ei);
		if (rc != ERR_NOENT || i + 1 >= TRIES)
			break;
		rc = 0;
	}
	if (rc != 0)
		return rc;
	rc = add_numbers(page.doc, l, ei);
	snprintf(l->next, sizeof(l->next), "%s", page.next);
	*ret_done = page.next[0] == '\0';
	gh_page_clear(&page);
	return rc;
}

int
swpr_hub_list(struct swpr_hub *h, struct swpr_listing *l, bool *ret_done, struct err_info *ei)
{
	bool done = strcmp(l->part, part_done) == 0;
	int rc = 0;

	/* A state of another program's making, or of one that had a token: begin again. */
	if (!done && strcmp(l->part, part_rest) != 0 &&
	    ((strcmp(l->part, part_issues) != 0 && strcmp(l->part, part_pulls) != 0) ||
		!gh_has_token(h->gh))) {
		swpr_listing_reset(l);
		set_part(l, gh_has_token(h->gh) ? part_issues : part_rest);
	}
	while (rc == 0 && !done && !swpr_hub_spent(h)) {
		rc = strcmp(l->part, part_rest) == 0 ? list_rest_page(h, l, &done, ei)
						     : list_graph_page(h, l, &done, ei);
		step(h, "listing what GitHub has", l->seen.count);
	}
	swpr_numbers_sort(&l->seen);
	if (rc == 0 && done)
		set_part(l, part_done);
	if (rc == 0)
		*ret_done = done;
	return rc == 0 ? 0 : err_wrap(ei, rc, "listing what GitHub has");
}

/* --- one number --- */

static bool
is_here(const struct swpr_hub *h, const json_t *issue, uint32_t number, const char *tail)
{
	char ours[300];

	if (json_integer_value(json_object_get(issue, "number")) != number)
		return false;
	snprintf(ours, sizeof(ours), "%s/%s", h->owner, h->name);
	return tail == NULL || strcasecmp(tail, ours) == 0;
}

/*
 * An issue that answers from another repository was transferred.  Where it says no legal
 * place, it is treated as not found, which must repeat before it counts.
 */
static enum swpr_sight
sight_of(const struct swpr_hub *h, const struct gh_page *page, uint32_t number,
    char moved_to[SWPR_DESTINATION_MAX])
{
	const char *repo = json_string_value(json_object_get(page->doc, "repository_url"));
	const char *tail = repo != NULL ? strstr(repo, "/repos/") : NULL;
	json_int_t n = json_integer_value(json_object_get(page->doc, "number"));

	tail = tail != NULL ? tail + strlen("/repos/") : NULL;
	if (page->moved_to[0] == '\0' || is_here(h, page->doc, number, tail))
		return SWPR_PRESENT;
	if (tail == NULL || !repo_name_ok(tail) || n < 1 || n > INT32_MAX)
		return SWPR_NOT_FOUND;
	snprintf(moved_to, SWPR_DESTINATION_MAX, "%s/%lld", tail, (long long)n);
	return SWPR_MOVED;
}

int
swpr_hub_look(struct swpr_hub *h, uint32_t number, enum swpr_sight *ret,
    char moved_to[SWPR_DESTINATION_MAX], struct err_info *ei)
{
	char url[GH_URL_MAX];
	struct gh_page page;
	int rc = gh_url(h->gh, url, "/repos/%s/%s/issues/%u", h->owner, h->name, number);

	moved_to[0] = '\0';
	if (rc == 0)
		rc = ask(h, url, &page, ei);
	step(h, "asking for what is missing", ++h->looked);
	if (rc == ERR_GONE || rc == ERR_NOENT) {
		*ret = rc == ERR_GONE ? SWPR_GONE : SWPR_NOT_FOUND;
		return 0;
	}
	if (rc != 0)
		return err_wrap(ei, rc, "asking for number %u", number);
	*ret = sight_of(h, &page, number, moved_to);
	gh_page_clear(&page);
	return 0;
}
