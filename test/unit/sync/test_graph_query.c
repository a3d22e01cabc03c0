/* The GraphQL query: what is asked of which issue, and no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sync/graph_kinds.h"
#include "sync/graph_query.h"

#define BOTH (GRAPH_EVENTS | GRAPH_REVIEWS)

static void
make(struct buf *b, const struct graph_item *items, size_t count)
{
	buf_init(b, (size_t)1 << 20);
	graph_query(items, count, b);
	assert_int_equal(buf_err(b), 0);
}

static size_t
count_of(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text++;
		n++;
	}
	return n;
}

/* From `begin` up to the end of its line. */
static void
line_of(const char *text, const char *begin, char *out, size_t size)
{
	const char *at = strstr(text, begin);
	size_t len = at != NULL ? strcspn(at, "\n") : 0;

	assert_true(len > 0 && len < size);
	memcpy(out, at, len);
	out[len] = '\0';
}

static void
each_issue_has_an_alias(void **state)
{
	static const struct graph_item items[] = { { 1, GRAPH_EVENTS }, { 12, GRAPH_REVIEWS },
		{ UINT32_MAX, BOTH } };
	char alias[GRAPH_ALIAS_SIZE];
	struct buf b;

	(void)state;
	graph_alias(UINT32_MAX, alias);
	assert_string_equal(alias, "n4294967295");
	make(&b, items, 3);
	assert_int_equal(
	    count_of(buf_cstr(&b), "query Details($owner:String!,$name:String!){"
				   "repository(owner:$owner,name:$name,followRenames:true){\n"
				   "n1:issueOrPullRequest(number:1){__typename ...I ...P}\n"
				   "n12:issueOrPullRequest(number:12){__typename ...R}\n"
				   "n4294967295:issueOrPullRequest(number:4294967295)"
				   "{__typename ...I ...P ...R}\n}}\n"),
	    1);
	buf_clear(&b);
}

/* GraphQL refuses a fragment that nobody uses, and one that is used but not there. */
static void
fragments_are_there_exactly_if_they_are_used(void **state)
{
	static const char *const names[] = { "A", "I", "P", "R" };

	(void)state;
	for (uint32_t want = GRAPH_EVENTS; want <= BOTH; want++) {
		const struct graph_item item = { 7, want };
		struct buf b;

		make(&b, &item, 1);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			char use[16], definition[32];
			size_t uses;

			snprintf(use, sizeof(use), "...%s", names[i]);
			snprintf(definition, sizeof(definition), "fragment %s on ", names[i]);
			uses = count_of(buf_cstr(&b), use);
			assert_int_equal(count_of(buf_cstr(&b), definition), uses > 0 ? 1 : 0);
		}
		assert_int_equal(
		    count_of(buf_cstr(&b), "events:"), want & GRAPH_EVENTS ? 2 : 0);
		assert_int_equal(count_of(buf_cstr(&b), "reviews("), want >> 1);
		buf_clear(&b);
	}
}

static void
brackets_are_balanced(void **state)
{
	(void)state;
	for (uint32_t want = GRAPH_EVENTS; want <= BOTH; want++) {
		const struct graph_item item = { 7, want };
		char open[64];
		size_t depth = 0;
		struct buf b;

		make(&b, &item, 1);
		for (const char *c = buf_cstr(&b); *c != '\0'; c++) {
			if (strchr("({[", *c) != NULL) {
				assert_true(depth < sizeof(open));
				open[depth++] = *c == '(' ? ')' : (char)(*c + 2);
			} else if (strchr(")}]", *c) != NULL) {
				assert_true(depth > 0);
				assert_int_equal(open[--depth], *c);
			}
		}
		assert_int_equal(depth, 0);
		buf_clear(&b);
	}
}

/* GraphQL refuses a type that the union of the timeline has not. */
static void
each_kind_is_asked_where_it_can_be(void **state)
{
	static const struct graph_item item = { 7, GRAPH_EVENTS };
	char issues[16384], pulls[16384];
	struct buf b;

	(void)state;
	make(&b, &item, 1);
	line_of(buf_cstr(&b), "fragment I on Issue{", issues, sizeof(issues));
	line_of(buf_cstr(&b), "fragment P on PullRequest{", pulls, sizeof(pulls));
	buf_clear(&b);
	for (size_t i = 0; i < graph_kind_count; i++) {
		const struct graph_kind *k = &graph_kinds[i];
		bool fields = k->extra != GRAPH_REST_ONLY;
		char spread[128];

		snprintf(spread, sizeof(spread), " ...on %s{actor{...A} createdAt", k->type);
		assert_int_equal(count_of(issues, spread),
		    fields && (k->home & GRAPH_IN_ISSUES) != 0 ? 1 : 0);
		assert_int_equal(
		    count_of(pulls, spread), fields && (k->home & GRAPH_IN_PULLS) != 0 ? 1 : 0);
	}
}

static void
kinds_are_listed_by_their_names_in_capitals(void **state)
{
	static const struct {
		const char *name;
		size_t issues, pulls;
	} cases[] = {
		{ "LABELED_EVENT", 1, 1 },
		{ "RENAMED_TITLE_EVENT", 1, 1 },
		{ "ADDED_TO_PROJECT_V2_EVENT", 1, 1 },
		{ "MOVED_COLUMNS_IN_PROJECT_EVENT", 1, 1 }, /* to see that there are some */
		{ "PROJECT_V2_ITEM_STATUS_CHANGED_EVENT", 1, 1 },
		{ "HEAD_REF_FORCE_PUSHED_EVENT", 0, 1 },
		{ "MERGED_EVENT", 0, 1 },
		{ "REVIEW_REQUESTED_EVENT", 0, 1 },
		{ "CROSS_REFERENCED_EVENT", 0, 0 },
		{ "ISSUE_COMMENT", 0, 0 },
	};
	static const struct graph_item item = { 7, GRAPH_EVENTS };
	char issues[16384], pulls[16384];
	struct buf b;

	(void)state;
	make(&b, &item, 1);
	line_of(buf_cstr(&b), "fragment I on Issue{", issues, sizeof(issues));
	line_of(buf_cstr(&b), "fragment P on PullRequest{", pulls, sizeof(pulls));
	buf_clear(&b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char listed[64];

		/* in the middle of the list */
		snprintf(listed, sizeof(listed), " %s ", cases[i].name);
		assert_int_equal(count_of(issues, listed), cases[i].issues);
		assert_int_equal(count_of(pulls, listed), cases[i].pulls);
	}
	assert_int_equal(count_of(pulls, "headRepository{nameWithOwner}"), 1);
	assert_int_equal(count_of(issues, "headRepository"), 0);
}

static void
a_hundred_issues_share_the_fragments(void **state)
{
	struct graph_item items[100];
	struct buf one, all;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		items[i] = (struct graph_item){ UINT32_MAX - i, BOTH };
	make(&one, items, 1);
	make(&all, items, 100);
	assert_int_equal(count_of(buf_cstr(&all), ":issueOrPullRequest(number:"), 100);
	assert_int_equal(count_of(buf_cstr(&all), "fragment "), 4);
	assert_true(all.len - one.len < (size_t)99 * 100);
	buf_clear(&one);
	buf_clear(&all);
}

static void
a_query_that_does_not_fit_is_told_by_the_buffer(void **state)
{
	static const struct graph_item item = { 7, BOTH };
	struct buf b;

	(void)state;
	for (size_t max = 0; max < 1000; max += 100) {
		buf_init(&b, max);
		graph_query(&item, 1, &b);
		assert_int_equal(buf_err(&b), ERR_LIMIT);
		buf_clear(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_issue_has_an_alias),
		cmocka_unit_test(fragments_are_there_exactly_if_they_are_used),
		cmocka_unit_test(brackets_are_balanced),
		cmocka_unit_test(each_kind_is_asked_where_it_can_be),
		cmocka_unit_test(kinds_are_listed_by_their_names_in_capitals),
		cmocka_unit_test(a_hundred_issues_share_the_fragments),
		cmocka_unit_test(a_query_that_does_not_fit_is_told_by_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
