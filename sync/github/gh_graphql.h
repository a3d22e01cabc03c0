/*
 * gh_graphql.h - one GraphQL query: what its answer says, and whether the server
 * answers GraphQL at all.  Knows no field of GitHub's schema but errors and rate limits.
 */
#pragma once

#include "sync/github/gh_client.h"

struct gh_graph {
	json_t *doc;          /* the whole answer; owned, ended by gh_graph_clear() */
	const json_t *data;   /* borrowed from doc; an object, perhaps with null members */
	const json_t *errors; /* borrowed from doc; NULL if there are none */
	int64_t server_date_ms;
};
void gh_graph_clear(struct gh_graph *g);

/*
 * Ask `query` with `variables` (borrowed; may be NULL).  Waits and asks again when the
 * points are used up.
 *
 * ERR_TIMEOUT, ERR_UNAVAILABLE: the query took too long, a smaller one may pass.
 * ERR_LIMIT: it would cost too much, likewise.  ERR_UNSUPPORTED: this server does not
 * answer it (no token, no GraphQL, another schema); the text says what it said.
 * Partial data is success: see `errors`, whose paths name what is missing.
 */
int gh_graphql(struct gh *g, const char *query, const json_t *variables, struct gh_graph *ret,
    struct err_info *ei);

/* The error whose path begins with data.`first`.`second`, or NULL. */
const json_t *gh_graph_error(const struct gh_graph *g, const char *first, const char *second);
