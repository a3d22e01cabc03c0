/*
 * graph_kinds.h - how GraphQL's timeline types and REST's events name the same thing.
 *
 * REST:    https://docs.github.com/en/rest/using-the-rest-api/issue-event-types
 * GraphQL: https://docs.github.com/en/graphql/reference/unions (IssueTimelineItems,
 *          PullRequestTimelineItems); cross references, comments, commits and reviews,
 *          which REST does not call events, are left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Which members of a REST event are made of the kind's own fields. */
enum graph_extra {
	GRAPH_PLAIN,
	GRAPH_LABEL,
	GRAPH_MILESTONE,
	GRAPH_RENAME,
	GRAPH_ASSIGNEE,
	GRAPH_LOCK,
	GRAPH_CLOSER, /* and why */
	GRAPH_REASON,
	GRAPH_COMMIT,       /* of this repository */
	GRAPH_REFERENCE,    /* a commit of commitRepository */
	GRAPH_AFTER_COMMIT, /* a push */
	GRAPH_REVIEWER,
	GRAPH_DISMISSAL,
	GRAPH_REST_ONLY, /* REST says more than GraphQL: ask there */
};

enum graph_home {
	GRAPH_IN_ISSUES = 1,
	GRAPH_IN_PULLS = 2,
	GRAPH_IN_BOTH = 3
};

struct graph_kind {
	const char *type;  /* GraphQL's, e.g. "RenamedTitleEvent" */
	const char *event; /* REST's, e.g. "renamed" */
	enum graph_home home;
	enum graph_extra extra;
};

extern const struct graph_kind graph_kinds[];
extern const size_t graph_kind_count;

/* The kind of a __typename; NULL for one that the table has not. */
const struct graph_kind *graph_kind_of(const char *type);
