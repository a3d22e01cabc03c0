/*
 * graph_json.h - answers to graph_query.h in REST's form, so that one diff reads both.
 *
 * Where GraphQL says less than REST would, or something that cannot be read, the result
 * is ERR_UNSUPPORTED: that issue is to be asked of REST.  Pure.
 */
#pragma once

#include <jansson.h>

/*
 * Events of one issue as GET /repos/O/R/issues/N/events has them, as far as the diff
 * reads them.  `connection` is the `events` of an answer, `repository` "owner/name".
 * The caller json_decref()s *ret.
 */
int graph_events(const json_t *connection, const char *repository, json_t **ret);

/* Reviews of one pull request, likewise, of the `reviews` of an answer. */
int graph_reviews(const json_t *connection, json_t **ret);
