/*
 * graph_json.h - answers to graph_query.h in REST's form, so that one diff reads both.
 *
 * Where GraphQL says less than REST would, or something that cannot be read, the result
 * is ERR_UNSUPPORTED: that issue is to be asked of REST.  Pure.
 */
#pragma once

#include "base/json.h"

/*
 * REST and GraphQL call a bot by different names ("x[bot]" and "x", "Copilot" and
 * "copilot-pull-request-reviewer"), and the mirror keeps REST's.  `login` gives what is known of
 * an id: 0, or an error if nothing is, and then that issue is to be asked of REST.
 */
struct graph_people {
	int (*login)(void *ctx, int64_t id, char *out, size_t size);
	void *ctx;
};

/*
 * Events of one issue as GET /repos/O/R/issues/N/events has them, as far as the diff
 * reads them.  `node` is the part of an answer (NULL: ERR_UNSUPPORTED), `repository`
 * "owner/name".  GraphQL names who assigned as the actor alone, so there is no assigner.
 * The caller json_decref()s *ret.
 */
int graph_events(const json_t *node, const char *repository, const struct graph_people *people,
    json_t **ret);

/* Reviews of one pull request, likewise. */
int graph_reviews(const json_t *node, const struct graph_people *people, json_t **ret);
