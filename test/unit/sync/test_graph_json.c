/* GraphQL's events and reviews in REST's form; whatever says less is left to REST. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sync/graph_json.h"
#include "sync/graph_kinds.h"

#define HOME "acme/widgets"
#define COMMITS "https://api.github.com/repos/"
#define ALICE "{'__typename':'User','id':'U_x','databaseId':11,'login':'alice'}"
#define BOB "{'__typename':'User','id':'U_y','databaseId':12,'login':'bob'}"
#define ALICE_REST "{'id':11,'login':'alice'}"
#define BOB_REST "{'id':12,'login':'bob'}"
#define NODE_ID "LE_lADOEEET9c7B1Wf-zwAAAARdpkRO" /* 18751046734 */
#define WHOLE "'pageInfo':{'hasNextPage':false}"

/* A document that is written with ' instead of ". */
static json_t *
doc_of(const char *text)
{
	char *copy = strdup(text);
	json_t *doc = NULL;
	struct err_info ei = { .text = "" };

	assert_non_null(copy);
	for (char *c = copy; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	if (json_in_parse(slice_str(copy), "test", &doc, &ei) != 0)
		fail_msg("%s: %s", ei.text, text);
	free(copy);
	return doc;
}

/* Two bots are known. */
static int
known(void *ctx, int64_t id, char *out, size_t size)
{
	const char *name = id == 49699333    ? "dependabot[bot]"
			   : id == 175728472 ? "Copilot"
					     : NULL;

	assert_null(ctx);
	if (name == NULL)
		return ERR_NOENT;
	snprintf(out, size, "%s", name);
	return 0;
}

static const struct graph_people people = { .login = known };

static int
convert(const char *text, bool reviews, json_t **ret)
{
	json_t *node = doc_of(text);
	int rc = reviews ? graph_reviews(node, &people, ret)
			 : graph_events(node, HOME, &people, ret);

	json_decref(node);
	return rc;
}

static void
expect(const char *text, bool reviews, const char *rest)
{
	json_t *want = doc_of(rest), *got = NULL;
	char *shown;

	assert_int_equal(convert(text, reviews, &got), 0);
	shown = json_dumps(got, JSON_COMPACT);
	if (!json_equal(want, got))
		fail_msg("%s\n  became %s\n  not    %s", text, shown, rest);
	free(shown);
	json_decref(want);
	json_decref(got);
}

static void
refuse(const char *text, bool reviews)
{
	json_t *got = NULL;

	if (convert(text, reviews, &got) != ERR_UNSUPPORTED || got != NULL)
		fail_msg("%s was taken", text);
}

#define TEXT_MAX 4096

/* `extra` and what follows are members, each with a comma before it. */
static const char *
event_node(char out[TEXT_MAX], const char *type, const char *extra)
{
	snprintf(out, TEXT_MAX,
	    "{'__typename':'Issue','events':{" WHOLE
	    ",'nodes':[{'__typename':'%s','id':'" NODE_ID
	    "','createdAt':'2024-05-06T07:08:09Z','actor':" ALICE "%s}]}}",
	    type, extra);
	return out;
}

static const char *
event_rest(char out[TEXT_MAX], const char *event, const char *extra)
{
	snprintf(out, TEXT_MAX,
	    "[{'id':18751046734,'event':'%s','created_at':'2024-05-06T07:08:09Z','actor'"
	    ":" ALICE_REST "%s}]",
	    event, extra);
	return out;
}

/* What GraphQL says of each kind beside who and when, and how REST says it. */
static const struct {
	enum graph_extra extra;
	const char *node, *rest;
} extras[] = {
	{ GRAPH_PLAIN, "", "" },
	{ GRAPH_LABEL, ",'label':{'name':'bug','color':'fff'}", ",'label':{'name':'bug'}" },
	{ GRAPH_MILESTONE, ",'milestoneTitle':'v1'", ",'milestone':{'title':'v1'}" },
	{ GRAPH_RENAME, ",'previousTitle':'a','currentTitle':'b'",
	    ",'rename':{'from':'a','to':'b'}" },
	{ GRAPH_ASSIGNEE, ",'assignee':" BOB, ",'assignee':" BOB_REST },
	{ GRAPH_ASSIGNEE, ",'assignee':null", ",'assignee':null" },
	{ GRAPH_LOCK, ",'lockReason':null", "" },
	{ GRAPH_LOCK, ",'lockReason':'OFF_TOPIC'", ",'lock_reason':'off-topic'" },
	{ GRAPH_LOCK, ",'lockReason':'TOO_HEATED'", ",'lock_reason':'too heated'" },
	{ GRAPH_LOCK, ",'lockReason':'RESOLVED'", ",'lock_reason':'resolved'" },
	{ GRAPH_LOCK, ",'lockReason':'SPAM'", ",'lock_reason':'spam'" },
	{ GRAPH_CLOSER, ",'stateReason':null,'closer':null", "" },
	{ GRAPH_CLOSER, ",'stateReason':'NOT_PLANNED','closer':null",
	    ",'state_reason':'not_planned'" },
	{ GRAPH_CLOSER, ",'stateReason':'COMPLETED','closer':{'__typename':'PullRequest'}",
	    ",'state_reason':'completed'" },
	{ GRAPH_CLOSER,
	    ",'closer':{'__typename':'Commit','oid':'c0ffee','repository':"
	    "{'nameWithOwner':'acme/other'}}",
	    ",'commit_id':'c0ffee','commit_url':'" COMMITS "acme/other/commits/c0ffee'" },
	{ GRAPH_REASON, ",'stateReason':'REOPENED'", ",'state_reason':'reopened'" },
	{ GRAPH_REASON, ",'stateReason':null", "" },
	{ GRAPH_COMMIT, ",'commit':null", "" },
	{ GRAPH_COMMIT, ",'commit':{'oid':'c0ffee'}",
	    ",'commit_id':'c0ffee','commit_url':'" COMMITS HOME "/commits/c0ffee'" },
	{ GRAPH_REFERENCE,
	    ",'commit':{'oid':'c0ffee'},'commitRepository':{'nameWithOwner':'bob/fork'}",
	    ",'commit_id':'c0ffee','commit_url':'" COMMITS "bob/fork/commits/c0ffee'" },
	{ GRAPH_AFTER_COMMIT, ",'afterCommit':{'oid':'c0ffee'}", ",'commit_id':'c0ffee'" },
	{ GRAPH_AFTER_COMMIT, ",'afterCommit':null", "" },
	{ GRAPH_REVIEWER, ",'requestedReviewer':" BOB,
	    ",'review_requester':" ALICE_REST ",'requested_reviewer':" BOB_REST },
	{ GRAPH_REVIEWER, ",'requestedReviewer':null",
	    ",'review_requester':" ALICE_REST ",'requested_reviewer':null" },
	{ GRAPH_REVIEWER,
	    ",'requestedReviewer':{'__typename':'Team','id':'T_x','databaseId':5,'slug':'core'"
	    "}",
	    ",'review_requester':" ALICE_REST ",'requested_team':{'id':5,'slug':'core'}" },
	{ GRAPH_DISMISSAL,
	    ",'dismissalMessage':'stale','previousReviewState':'APPROVED',"
	    "'review':{'id':'PRR_kwDOEEET9c48fCYu'}",
	    ",'dismissed_review':{'review_id':1014769198,'state':'APPROVED',"
	    "'dismissal_message':'stale'}" },
	{ GRAPH_DISMISSAL,
	    ",'dismissalMessage':null,'previousReviewState':'COMMENTED',"
	    "'review':{'id':'?','fullDatabaseId':'5000000000'}",
	    ",'dismissed_review':{'review_id':5000000000,'state':'COMMENTED',"
	    "'dismissal_message':''}" },
};
#define EXTRAS (sizeof(extras) / sizeof(extras[0]))

/* Members without which such an event says less than REST's. */
static const struct {
	enum graph_extra extra;
	const char *node;
} lacking[] = {
	{ GRAPH_LABEL, "" },
	{ GRAPH_LABEL, ",'label':null" },
	{ GRAPH_LABEL, ",'label':{'name':7}" },
	{ GRAPH_MILESTONE, "" },
	{ GRAPH_MILESTONE, ",'milestoneTitle':null" },
	{ GRAPH_RENAME, ",'previousTitle':'a'" },
	{ GRAPH_RENAME, ",'currentTitle':'b'" },
	{ GRAPH_ASSIGNEE, ",'assignee':{}" },
	{ GRAPH_ASSIGNEE, ",'assignee':{'__typename':'User','login':'bob'}" },
	{ GRAPH_LOCK, ",'lockReason':'BORED'" },
	{ GRAPH_CLOSER, ",'closer':{'__typename':'Commit','oid':'c0ffee'}" },
	{ GRAPH_CLOSER, ",'closer':{'oid':'c0ffee','repository':null}" },
	{ GRAPH_CLOSER, ",'stateReason':'A_REASON_OF_MORE_THAN_THIRTY_CHARACTERS'" },
	{ GRAPH_REASON, ",'stateReason':'A_REASON_OF_MORE_THAN_THIRTY_CHARACTERS'" },
	{ GRAPH_COMMIT, ",'commit':{}" },
	{ GRAPH_COMMIT, ",'commit':{'oid':5}" },
	{ GRAPH_REFERENCE, ",'commit':{'oid':'c0ffee'}" },
	{ GRAPH_REFERENCE, ",'commit':{'oid':'c0ffee'},'commitRepository':null" },
	{ GRAPH_AFTER_COMMIT, ",'afterCommit':{'oid':null}" },
	{ GRAPH_REVIEWER, ",'requestedReviewer':{'__typename':'Team','databaseId':5}" },
	{ GRAPH_REVIEWER, ",'requestedReviewer':{'__typename':'Team','slug':'core'}" },
	{ GRAPH_REVIEWER, ",'requestedReviewer':{'databaseId':12,'login':'bob'}" },
	{ GRAPH_DISMISSAL, ",'previousReviewState':'APPROVED','review':null" },
	{ GRAPH_DISMISSAL, ",'review':{'fullDatabaseId':'5'}" },
	{ GRAPH_REST_ONLY, "" },
};

static void
every_kind_of_event_becomes_rests(void **state)
{
	char node[TEXT_MAX], rest[TEXT_MAX];
	size_t done = 0, rest_only = 0;

	(void)state;
	for (size_t k = 0; k < graph_kind_count; k++) {
		const struct graph_kind *kind = &graph_kinds[k];
		size_t before = done;

		for (size_t i = 0; i < EXTRAS; i++) {
			if (extras[i].extra != kind->extra)
				continue;
			expect(event_node(node, kind->type, extras[i].node), false,
			    event_rest(rest, kind->event, extras[i].rest));
			done++;
		}
		rest_only += kind->extra == GRAPH_REST_ONLY;
		assert_true(done > before || kind->extra == GRAPH_REST_ONLY);
	}
	assert_int_equal(rest_only, 4); /* classic projects */
}

static void
an_event_that_says_less_than_rest_is_refused(void **state)
{
	char node[TEXT_MAX];

	(void)state;
	for (size_t k = 0; k < graph_kind_count; k++) {
		for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
			if (lacking[i].extra == graph_kinds[k].extra)
				refuse(event_node(node, graph_kinds[k].type, lacking[i].node),
				    false);
		}
	}
}

/* HeadRefForcePushedEvent -> head_ref_force_pushed, AddedToProjectV2Event -> ..._v2 */
static void
kinds_are_named_alike_but_for_renames(void **state)
{
	(void)state;
	for (size_t k = 0; k < graph_kind_count; k++) {
		const char *type = graph_kinds[k].type;
		size_t len = strlen(type) - strlen("Event"), n = 0;
		char name[128];

		assert_string_equal(type + len, "Event");
		assert_ptr_equal(graph_kind_of(type), &graph_kinds[k]);
		for (size_t i = 0; i < len; i++) {
			bool capital = type[i] >= 'A' && type[i] <= 'Z';

			if (capital && i > 0)
				name[n++] = '_';
			name[n++] = (char)(capital ? type[i] + 32 : type[i]);
		}
		name[n] = '\0';
		assert_string_equal(graph_kinds[k].event,
		    strcmp(type, "RenamedTitleEvent") == 0 ? "renamed" : name);
	}
	assert_null(graph_kind_of("CrossReferencedEvent"));
	assert_null(graph_kind_of(""));
}

static void
a_push_to_a_pull_request_is_of_its_fork(void **state)
{
	(void)state;
	expect("{'headRepository':{'nameWithOwner':'bob/fork'},'events':{" WHOLE
	       ",'nodes':[{'__typename':'HeadRefForcePushedEvent','id':'" NODE_ID
	       "','createdAt':'t','actor':null,'afterCommit':{'oid':'c0ffee'}},"
	       "{'__typename':'MergedEvent','databaseId':7,"
	       "'createdAt':'t','actor':null,'commit':{'oid':'beef'}}]}}",
	    false,
	    "[{'id':18751046734,'event':'head_ref_force_pushed','created_at':'t','actor':null,"
	    "'commit_id':'c0ffee','commit_url':'" COMMITS "bob/fork/commits/c0ffee'},"
	    "{'id':7,'event':'merged','created_at':'t','actor':null,"
	    "'commit_id':'beef','commit_url':'" COMMITS HOME "/commits/beef'}]");
}

#define EVENT_BY(id, actor)                                                                    \
	"{'events':{" WHOLE ",'nodes':[{'__typename':'PinnedEvent'," id                        \
	",'createdAt':'t','actor':" actor "}]}}"
#define ID "'databaseId':7"
#define REST_BY(id, actor) "[{'id':" id ",'event':'pinned','created_at':'t','actor':" actor "}]"

static void
actors_have_the_names_that_rest_has(void **state)
{
	static const struct {
		const char *node, *rest;
	} cases[] = {
		{ EVENT_BY(ID, ALICE), REST_BY("7", ALICE_REST) },
		{ EVENT_BY(ID, "null"), REST_BY("7", "null") }, /* deleted */
		{ EVENT_BY(
		      ID, "{'__typename':'Bot','databaseId':49699333,'login':'dependabot'}"),
		    REST_BY("7", "{'id':49699333,'login':'dependabot[bot]'}") },
		{ EVENT_BY(ID, "{'__typename':'Bot','databaseId':175728472,"
			       "'login':'copilot-pull-request-reviewer'}"),
		    REST_BY("7", "{'id':175728472,'login':'Copilot'}") },
		/* a user of a bot's name stays one */
		{ EVENT_BY(ID, "{'__typename':'User','databaseId':3,'login':'dependabot'}"),
		    REST_BY("7", "{'id':3,'login':'dependabot'}") },
		{ EVENT_BY(ID, "{'__typename':'Mannequin','databaseId':4,'login':'old'}"),
		    REST_BY("7", "{'id':4,'login':'old'}") },
		/* without databaseId, by the node id */
		{ EVENT_BY(ID, "{'__typename':'EnterpriseUserAccount','id':'U_kgDOAAjmPw',"
			       "'login':'managed'}"),
		    REST_BY("7", "{'id':583231,'login':'managed'}") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].node, false, cases[i].rest);
}

static void
actors_that_cannot_be_named_are_left_to_rest(void **state)
{
	(void)state;
	refuse(EVENT_BY(ID, "{'__typename':'Bot','databaseId':5,'login':'unknown'}"), false);
	refuse(EVENT_BY(ID, "{'__typename':'User','login':'alice'}"), false);
	refuse(EVENT_BY(ID, "{'__typename':'User','id':'U_x','login':'alice'}"), false);
	refuse(EVENT_BY(ID, "{'__typename':'User','databaseId':11}"), false);
	refuse(EVENT_BY(ID, "{'databaseId':11,'login':'alice'}"), false);
	refuse(EVENT_BY(ID, "{'__typename':'User','databaseId':0,'login':'a'}"), false);
	refuse(EVENT_BY(ID, "{}"), false);
	refuse(EVENT_BY(ID, "'alice'"), false);
	refuse(EVENT_BY(ID, "7"), false);
	refuse("{'events':{" WHOLE ",'nodes':[{'__typename':'PinnedEvent'," ID
	       ",'createdAt':'t'}]}}",
	    false); /* not asked is not deleted */
}

static void
ids_are_read_from_the_best_source(void **state)
{
	static const struct {
		const char *node, *rest;
	} cases[] = {
		{ EVENT_BY("'databaseId':7,'id':'" NODE_ID "'", "null"), REST_BY("7", "null") },
		{ EVENT_BY("'fullDatabaseId':'5000000000','databaseId':705032704", "null"),
		    REST_BY("5000000000", "null") },
		{ EVENT_BY(
		      "'fullDatabaseId':null,'databaseId':null,'id':'" NODE_ID "'", "null"),
		    REST_BY("18751046734", "null") },
		{ EVENT_BY("'id':'MDEyOkxhYmVsZWRFdmVudDQ2NzM4OTMxNzk='", "null"),
		    REST_BY("4673893179", "null") },
		{ EVENT_BY("'fullDatabaseId':'9223372036854775807'", "null"),
		    REST_BY("9223372036854775807", "null") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].node, false, cases[i].rest);
}

static void
ids_that_cannot_be_read_are_left_to_rest(void **state)
{
	static const char *const ids[] = { "'id':'LE_unreadable'", "'id':null", "'id':7",
		"'databaseId':0", "'databaseId':-7", "'databaseId':'7'", "'databaseId':7.0",
		"'fullDatabaseId':''", "'fullDatabaseId':'0'", "'fullDatabaseId':'-7'",
		"'fullDatabaseId':' 7'", "'fullDatabaseId':'+7'", "'fullDatabaseId':'7x'",
		"'fullDatabaseId':'0x7'", "'fullDatabaseId':'9223372036854775808'",
		"'fullDatabaseId':'99999999999999999999999'", "'other':1" };
	char text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(text, sizeof(text), EVENT_BY("%s", "null"), ids[i]);
		refuse(text, false);
		snprintf(text, sizeof(text),
		    "{'reviews':{" WHOLE ",'nodes':[{%s,'body':'','state':'APPROVED',"
		    "'authorAssociation':'NONE','updatedAt':'t','author':null}]}}",
		    ids[i]);
		refuse(text, true);
	}
}

#define GOOD "{'__typename':'PinnedEvent','databaseId':7,'createdAt':'t','actor':null}"

static void
a_list_that_is_not_whole_is_refused(void **state)
{
	static const char *const nodes[] = {
		"{}",
		"{'events':null,'reviews':null}",
		"{'events':[],'reviews':[]}",
		"{'events':{" WHOLE "},'reviews':{" WHOLE "}}",
		"{'events':{" WHOLE ",'nodes':null},'reviews':{" WHOLE ",'nodes':null}}",
		"{'events':{" WHOLE ",'nodes':{}},'reviews':{" WHOLE ",'nodes':{}}}",
		"{'events':{" WHOLE ",'nodes':[null]},'reviews':{" WHOLE ",'nodes':[null]}}",
		"{'events':{" WHOLE ",'nodes':[[]]},'reviews':{" WHOLE ",'nodes':[7]}}",
		"{'events':{'nodes':[]},'reviews':{'nodes':[]}}",
		"{'events':{'pageInfo':{},'nodes':[]},'reviews':{'pageInfo':{},'nodes':[]}}",
		"{'events':{'pageInfo':{'hasNextPage':null},'nodes':[]},"
		"'reviews':{'pageInfo':{'hasNextPage':0},'nodes':[]}}",
		"{'events':{'pageInfo':{'hasNextPage':true},'nodes':[" GOOD "]},"
		"'reviews':{'pageInfo':{'hasNextPage':true},'nodes':[]}}",
	};
	json_t *got = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		refuse(nodes[i], false);
		refuse(nodes[i], true);
	}
	assert_int_equal(graph_events(NULL, HOME, &people, &got), ERR_UNSUPPORTED);
	assert_int_equal(graph_reviews(NULL, &people, &got), ERR_UNSUPPORTED);
	assert_null(got);
}

static void
one_event_that_is_not_understood_refuses_all(void **state)
{
	static const char *const bad[] = { "{'__typename':'NewKindOfEvent','databaseId':8,"
					   "'createdAt':'t','actor':null}",
		"{'__typename':'IssueComment','databaseId':8,'createdAt':'t','actor':null}",
		"{'databaseId':8,'createdAt':'t','actor':null}", "{}", "null",
		"{'__typename':'PinnedEvent','databaseId':8,'actor':null}",
		"{'__typename':'PinnedEvent','databaseId':8,'createdAt':7,'actor':null}",
		"{'__typename':'AddedToProjectEvent','databaseId':8,'createdAt':'t',"
		"'actor':null}" };
	char text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text),
		    "{'events':{" WHOLE ",'nodes':[" GOOD ",%s," GOOD "]}}", bad[i]);
		refuse(text, false);
	}
}

static void
no_events_and_no_reviews_are_empty_lists(void **state)
{
	(void)state;
	expect("{'events':{" WHOLE ",'nodes':[]}}", false, "[]");
	expect("{'reviews':{" WHOLE ",'nodes':[]}}", true, "[]");
}

static void
reviews_become_rests(void **state)
{
	(void)state;
	expect("{'reviews':{" WHOLE ",'nodes':["
	       "{'id':'PRR_kwDOEEET9c48fCYu','fullDatabaseId':'1014769198','author':" ALICE
	       ",'body':'fine','state':'APPROVED','submittedAt':'s','updatedAt':'u',"
	       "'commit':{'oid':'c0ffee'},'authorAssociation':'MEMBER'},"
	       /* pending, of a deleted account, its commit gone, an older server */
	       "{'id':'PRR_kwDOEEET9c48fCYu','author':null,'body':'','state':'PENDING',"
	       "'submittedAt':null,'updatedAt':'u','commit':null,'authorAssociation':'NONE'},"
	       "{'fullDatabaseId':'9','author':{'__typename':'Bot','databaseId':175728472,"
	       "'login':'copilot-pull-request-reviewer'},'body':'','state':'COMMENTED',"
	       "'updatedAt':'u','authorAssociation':'CONTRIBUTOR'}]}}",
	    true,
	    "[{'id':1014769198,'user':" ALICE_REST ",'body':'fine','state':'APPROVED',"
	    "'submitted_at':'s','updated_at':'u','commit_id':'c0ffee',"
	    "'author_association':'MEMBER'},"
	    "{'id':1014769198,'user':null,'body':'','state':'PENDING','updated_at':'u',"
	    "'author_association':'NONE'},"
	    "{'id':9,'user':{'id':175728472,'login':'Copilot'},'body':'',"
	    "'state':'COMMENTED','updated_at':'u','author_association':'CONTRIBUTOR'}]");
}

static void
a_review_that_says_less_than_rest_is_refused(void **state)
{
	static const char *const members[] = { "'fullDatabaseId':'9'", "'author':null",
		"'body':''", "'state':'APPROVED'", "'updatedAt':'u'",
		"'authorAssociation':'NONE'", "'commit':{'oid':'c0ffee'}" };
	enum {
		MEMBERS = sizeof(members) / sizeof(members[0])
	};

	(void)state;
	for (size_t without = 0; without <= MEMBERS; without++) {
		char text[TEXT_MAX] = "{'reviews':{" WHOLE ",'nodes':[{'submittedAt':null";
		json_t *got = NULL;

		for (size_t i = 0; i < MEMBERS; i++) {
			if (i != without) {
				strcat(text, ",");
				strcat(text, members[i]);
			}
		}
		strcat(text, "}]}}");
		if (without < MEMBERS - 1) {
			refuse(text, true);
			continue;
		}
		/* all of them; or all but the commit, which may be gone */
		assert_int_equal(convert(text, true, &got), 0);
		json_decref(got);
	}
	refuse("{'reviews':{" WHOLE ",'nodes':[{'fullDatabaseId':'9','author':null,'body':'',"
	       "'state':'APPROVED','updatedAt':'u','authorAssociation':'NONE','commit':{}}]}}",
	    true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_event_becomes_rests),
		cmocka_unit_test(an_event_that_says_less_than_rest_is_refused),
		cmocka_unit_test(kinds_are_named_alike_but_for_renames),
		cmocka_unit_test(a_push_to_a_pull_request_is_of_its_fork),
		cmocka_unit_test(actors_have_the_names_that_rest_has),
		cmocka_unit_test(actors_that_cannot_be_named_are_left_to_rest),
		cmocka_unit_test(ids_are_read_from_the_best_source),
		cmocka_unit_test(ids_that_cannot_be_read_are_left_to_rest),
		cmocka_unit_test(a_list_that_is_not_whole_is_refused),
		cmocka_unit_test(one_event_that_is_not_understood_refuses_all),
		cmocka_unit_test(no_events_and_no_reviews_are_empty_lists),
		cmocka_unit_test(reviews_become_rests),
		cmocka_unit_test(a_review_that_says_less_than_rest_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
