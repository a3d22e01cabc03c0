/*
 * graph_query.h - the GraphQL query for events and reviews of many issues at once.
 * Pure; what comes back is read by graph_json.h.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* What is asked of one issue. */
enum graph_want {
	GRAPH_EVENTS = 1,
	GRAPH_REVIEWS = 2
};

struct graph_item {
	uint32_t number;
	uint32_t want; /* of enum graph_want; reviews are for pull requests only */
};

#define GRAPH_ALIAS_SIZE 16

/* The name under which an issue's part of the answer stands, e.g. "n12". */
void graph_alias(uint32_t number, char out[GRAPH_ALIAS_SIZE]);

/*
 * Append a query over $owner and $name, whose answer has
 * data.repository.<alias of each item> = {__typename, events, reviews}.
 */
void graph_query(const struct graph_item *items, size_t count, struct buf *out);
