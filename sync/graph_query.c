/*
 * graph_query.c - one alias an issue, two fragments for all of them.
 *
 * A connection of 100 costs a hundredth of a point for each issue, whatever it holds
 * (https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api).
 */
#include "sync/graph_query.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "sync/graph_kinds.h"

#define ACTOR_FRAGMENT                                                                         \
	"fragment A on Actor{__typename login ...on Node{id} ...on User{databaseId} "          \
	"...on Bot{databaseId} ...on Mannequin{databaseId} ...on Organization{databaseId}}"

#define REVIEWS                                                                                \
	"reviews(first:100){pageInfo{hasNextPage} nodes{id fullDatabaseId author{...A} body "  \
	"state submittedAt updatedAt commit{oid} authorAssociation}}"

/* The fields of a kind beside actor and createdAt. */
static const char *const extra_fields[] = {
	[GRAPH_PLAIN] = "",
	[GRAPH_LABEL] = " label{name color}",
	[GRAPH_MILESTONE] = " milestoneTitle",
	[GRAPH_RENAME] = " previousTitle currentTitle",
	[GRAPH_ASSIGNEE] = " assignee{...A}",
	[GRAPH_LOCK] = " lockReason",
	[GRAPH_REASON] = " stateReason",
	[GRAPH_CLOSER] =
	    " stateReason closer{__typename ...on Commit{oid repository{nameWithOwner}}}",
	[GRAPH_COMMIT] = " commit{oid}",
	[GRAPH_REFERENCE] = " commit{oid} commitRepository{nameWithOwner}",
	[GRAPH_AFTER_COMMIT] = " afterCommit{oid}",
	[GRAPH_REVIEWER] = " requestedReviewer{...A ...on Team{__typename id databaseId slug}}",
	[GRAPH_DISMISSAL] = " dismissalMessage previousReviewState review{id fullDatabaseId}",
	[GRAPH_REST_ONLY] = "",
};

void
graph_alias(uint32_t number, char out[GRAPH_ALIAS_SIZE])
{
	snprintf(out, GRAPH_ALIAS_SIZE, "n%" PRIu32, number);
}

/* RenamedTitleEvent -> RENAMED_TITLE_EVENT */
static void
add_item_type(const char *type, struct buf *out)
{
	for (const char *c = type; *c != '\0'; c++) {
		bool word = c > type && isupper((unsigned char)*c);

		if (word)
			buf_char(out, '_');
		buf_char(out, (char)toupper((unsigned char)*c));
	}
}

static void
add_timeline(enum graph_home home, struct buf *out)
{
	buf_str(out, "events:timelineItems(first:100,itemTypes:[");
	for (size_t i = 0; i < graph_kind_count; i++) {
		if ((graph_kinds[i].home & home) == 0)
			continue;
		add_item_type(graph_kinds[i].type, out);
		buf_char(out, ' ');
	}
	buf_str(out, "]){pageInfo{hasNextPage} nodes{__typename ...on Node{id}");
	for (size_t i = 0; i < graph_kind_count; i++) {
		const struct graph_kind *k = &graph_kinds[i];

		if ((k->home & home) != 0 && k->extra != GRAPH_REST_ONLY)
			buf_fmt(out, " ...on %s{actor{...A} createdAt%s}", k->type,
			    extra_fields[k->extra]);
	}
	buf_str(out, "}}");
}

static void
add_item(const struct graph_item *item, struct buf *out)
{
	char alias[GRAPH_ALIAS_SIZE];

	graph_alias(item->number, alias);
	buf_fmt(
	    out, "%s:issueOrPullRequest(number:%" PRIu32 "){__typename", alias, item->number);
	if ((item->want & GRAPH_EVENTS) != 0)
		buf_str(out, " ...I ...P");
	if ((item->want & GRAPH_REVIEWS) != 0)
		buf_str(out, " ...R");
	buf_str(out, "}\n");
}

void
graph_query(const struct graph_item *items, size_t count, struct buf *out)
{
	uint32_t want = 0;

	buf_str(out, "query Details($owner:String!,$name:String!){"
		     "repository(owner:$owner,name:$name,followRenames:true){\n");
	for (size_t i = 0; i < count; i++) {
		add_item(&items[i], out);
		want |= items[i].want;
	}
	buf_str(out, "}}\n" ACTOR_FRAGMENT "\n");
	if ((want & GRAPH_EVENTS) != 0) {
		buf_str(out, "fragment I on Issue{");
		add_timeline(GRAPH_IN_ISSUES, out);
		buf_str(out, "}\nfragment P on PullRequest{headRepository{nameWithOwner} ");
		add_timeline(GRAPH_IN_PULLS, out);
		buf_str(out, "}\n");
	}
	if ((want & GRAPH_REVIEWS) != 0)
		buf_str(out, "fragment R on PullRequest{" REVIEWS "}\n");
}
