/*
 * gh_graphql.c - errors[] told apart, as in
 * https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
 */
#include "sync/github/gh_graphql.h"

#include <stdlib.h>
#include <string.h>

#include "sync/github/gh_limit.h"

#define EXHAUSTED_TRIES 5

void
gh_graph_clear(struct gh_graph *g)
{
	json_decref(g->doc);
	*g = (struct gh_graph){ 0 };
}

static const char *
text_of(const json_t *object, const char *member)
{
	const char *s = json_string_value(json_object_get(object, member));

	return s != NULL ? s : "";
}

/* An error of this type, or of this code in its extensions. */
static const json_t *
error_of_type(const json_t *errors, const char *type)
{
	const json_t *e;
	size_t i;

	json_array_foreach(errors, i, e)
	{
		if (strcmp(text_of(e, "type"), type) == 0 ||
		    strcmp(text_of(json_object_get(e, "extensions"), "code"), type) == 0)
			return e;
	}
	return NULL;
}

const json_t *
gh_graph_error(const struct gh_graph *g, const char *first, const char *second)
{
	const json_t *e;
	size_t i;

	json_array_foreach(g->errors, i, e)
	{
		const json_t *path = json_object_get(e, "path");
		const char *a = json_string_value(json_array_get(path, 0));
		const char *b = json_string_value(json_array_get(path, 1));

		if (a != NULL && b != NULL && strcmp(a, first) == 0 && strcmp(b, second) == 0)
			return e;
	}
	return NULL;
}

static char *
make_body(const char *query, const json_t *variables, size_t *ret_len)
{
	json_t *doc = json_object();
	char *text;

	json_object_set_new(doc, "query", json_string(query));
	if (variables != NULL)
		json_object_set(doc, "variables", (json_t *)(uintptr_t)variables);
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	*ret_len = text != NULL ? strlen(text) : 0;
	return text;
}

/*
 * A secondary limit can come as a 200 whose only mark is a message: of an error without
 * a type, or of an answer that has neither data nor errors.
 */
static bool
speaks_of_limit(const struct gh_graph *a)
{
	const json_t *first = json_array_get(a->errors, 0);

	return gh_limit_in_words(slice_str(text_of(first != NULL ? first : a->doc, "message")));
}

/* What the answer as a whole means: ERR_BUSY = the budget is used up, ask again. */
static int
judge(const struct gh_graph *a, struct err_info *ei)
{
	static const char *const too_much[] = { "MAX_NODE_LIMIT_EXCEEDED",
		"RESOURCE_LIMITS_EXCEEDED", "EXCESSIVE_PAGINATION" };
	const json_t *first = json_array_get(a->errors, 0);

	if (error_of_type(a->errors, "RATE_LIMITED") != NULL)
		return ERR_BUSY;
	if (json_is_object(a->data) && json_object_size(a->data) > 0)
		return 0;
	if (speaks_of_limit(a))
		return ERR_BUSY;
	for (size_t i = 0; i < sizeof(too_much) / sizeof(too_much[0]); i++) {
		if (error_of_type(a->errors, too_much[i]) != NULL)
			return err_set(ei, ERR_LIMIT, "GraphQL: %.160s",
			    text_of(error_of_type(a->errors, too_much[i]), "message"));
	}
	if (first == NULL)
		return err_set(ei, ERR_PROTO, "GraphQL: neither data nor errors");
	return err_set(ei, ERR_UNSUPPORTED, "GraphQL: %.160s", text_of(first, "message"));
}

/* Statuses with which a server without GraphQL, or a token without rights to it, answers. */
static int
translate(int rc, struct err_info *ei)
{
	bool absent = rc == ERR_NOENT || rc == ERR_DENIED || rc == ERR_AUTH || rc == ERR_GONE ||
		      rc == ERR_MOVED || rc == ERR_HTTP;

	if (!absent)
		return rc;
	return err_wrap(ei, ERR_UNSUPPORTED, "GraphQL");
}

static int
ask_once(struct gh *g, const char *url, const char *body, size_t len, struct gh_graph *ret,
    struct err_info *ei)
{
	struct gh_page page;
	int rc = gh_post_json(g, url, body, len, GH_GRAPHQL, &page, ei);

	if (rc != 0)
		return translate(rc, ei);
	ret->doc = page.doc;
	ret->data = json_object_get(page.doc, "data");
	ret->errors = json_object_get(page.doc, "errors");
	ret->server_date_ms = page.server_date_ms;
	rc = judge(ret, ei);
	if (rc != 0)
		gh_graph_clear(ret);
	return rc;
}

int
gh_graphql(struct gh *g, const char *query, const json_t *variables, struct gh_graph *ret,
    struct err_info *ei)
{
	char url[GH_URL_MAX];
	struct gh_graph answer = { 0 };
	size_t len;
	char *body;
	int rc;

	if (!gh_has_token(g))
		return err_set(ei, ERR_UNSUPPORTED, "GraphQL needs a token");
	rc = gh_graphql_url(g, url);
	body = make_body(query, variables, &len);
	if (rc == 0 && body == NULL)
		rc = ERR_NOMEM;
	for (int i = 0; rc == 0; i++) {
		rc = ask_once(g, url, body, len, &answer, ei);
		if (rc != ERR_BUSY)
			break;
		gh_note_exhausted(g, GH_GRAPHQL, TIME_NONE);
		rc = i < EXHAUSTED_TRIES
			 ? 0
			 : err_set(ei, ERR_RATE, "GraphQL: the budget stays used up");
	}
	free(body);
	if (rc == 0)
		*ret = answer;
	return rc;
}
