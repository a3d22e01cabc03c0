/* The parameter `filter`: every field, errors with their places, totals, narrowing. */
#include "base/mem.h"
#include "fcgi/filter/filter.h"
#include "test/unit/fcgi/responder_rig.h"

/* A pull request with everything, and one of each class with next to nothing. */
static void
fill(struct sync_rig *rig)
{
	rig_issue_says(rig, 7,
	    "{'title':'a \\\"title\\\" \\u00e9\\n','bodyChange':{'val':'line\\nbody \\\\ "
	    "tail'},"
	    "'created':'2020-01-01T00:00:00Z','updated':'2020-02-01T00:00:00Z',"
	    "'closed':{'val':true},'closedAt':'2020-01-15T10:00:00Z','locked':{'val':true},"
	    "'user':{'id':5,'login':'ann'},'closedBy':{'id':6,'login':'bob'},"
	    "'assignees':[{'id':8,'login':'eve'},{'id':9,'login':'max'}],"
	    "'addLabel':[{'id':1,'name':'type: bug'},{'id':2,'name':'Priority: P1'},"
	    "{'id':3,'name':'blocked, \\\"really\\\"'}],'pullRequest':true,"
	    "'milestoneId':4,'milestoneNum':3,'milestoneTitle':'v \\\"1\\\"',"
	    "'comment':[{'id':11,'user':{'id':5,'login':'ann'},'body':'first\\ncomment',"
	    "'created':'2020-01-02T00:00:00Z','updated':'2020-01-03T00:00:00Z'},"
	    "{'id':12,'user':{'id':6},'body':'second'}],"
	    "'review':[{'id':21,'actorId':6,'state':'APPROVED','body':'fine','commitId':'abc',"
	    "'actorAssociation':'MEMBER','created':'2020-01-04T00:00:00Z'}],"
	    "'event':[{'id':31,'eventType':'labeled','actorId':5,'label':{'name':'bug'},"
	    "'created':'2020-01-05T00:00:00Z'},{'id':32,'eventType':'closed','actorId':6,"
	    "'commit':{'commitId':'f00'},'created':'2020-01-06T00:00:00Z'}]}");
	rig_issue_says(rig, 1, "{'title':'one','created':'2019-01-01T00:00:00Z'}");
	rig_issue_says(rig, 2,
	    "{'title':'two','closed':{'val':true},'created':'2019-01-02T00:00:00Z',"
	    "'closedAt':'2019-01-03T00:00:00Z'}");
	rig_issue_says(rig, 3, "{'title':'three','pullRequest':true}");
	rig_issue_says(rig, 4, "{'title':'gone'}");
	rig_issue_says(rig, 4, "{'notExist':true}");
}

static int
setup(void **state)
{
	struct sync_rig *rig;

	if (responder_setup(state) != 0)
		return -1;
	rig = ((struct responder_rig *)*state)->rig;
	fill(rig);
	return 0;
}

static void
ask_filtered(struct responder_rig *fx, const char *list, const char *more, const char *filter,
    struct answer *ret)
{
	struct buf uri;

	buf_init(&uri, (size_t)1 << 20);
	buf_fmt(&uri, "%s?%sfilter=", list, more);
	for (const char *c = filter; *c != '\0'; c++)
		buf_fmt(&uri, "%%%02x", (unsigned)(unsigned char)*c);
	ask(&fx->r, "GET", buf_cstr(&uri), ret);
	buf_clear(&uri);
}

/* The ids of the list's objects, each with a space behind it, and the total. */
static void
assert_list(struct responder_rig *fx, const char *list, const char *array, const char *id,
    const char *filter, const char *want)
{
	struct answer a;
	char got[256] = "";
	const json_t *o;
	size_t n;

	ask_filtered(fx, list, "", filter, &a);
	if (a.status != 200)
		fail_msg("%s: %s", filter, a.body);
	json_array_foreach(json_object_get(a.json, array), n, o)
	{
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%lld ",
		    (long long)json_integer_value(json_object_get(o, id)));
	}
	if (strcmp(got, want) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", filter, got, want);
	assert_int_equal(json_integer_value(json_object_get(a.json, "total")),
	    json_array_size(json_object_get(a.json, array)));
	assert_string_equal(json_string_value(json_object_get(a.json, "nextPageToken")), "");
	answer_clear(&a);
}

static void
assert_issues(struct responder_rig *fx, const char *filter, const char *want)
{
	assert_list(fx, ISSUES, "issues", "issueId", filter, want);
}

static void
every_field_of_an_issue_can_be_compared(void **state)
{
	static const char *const true_of_7[] = { "issue.number == 7", "issue.issue_id == 7",
		"issue.issueId == 7", "issue.name == 'acme/widgets/issues/7'",
		"issue.title == 'a \"title\" \\u00e9\\n'", "issue.title.endsWith('\\n')",
		"issue.body == 'line\\nbody \\\\ tail'",
		"issue.is_pr && issue.isPr && issue.closed", "issue.locked",
		"issue.approved && !issue.draft", "issue.blocked",
		"!issue.release_blocking && !issue.releaseBlocking && issue.is_pr && "
		"issue.closed",
		"!issue.priority_unknown", "issue.priority == 'P1'",
		"issue.issue_type == 'BUG'",
		"issue.labels.size() == 3 && 'type: bug' in issue.labels",
		"'blocked, \"really\"' in issue.labels",
		"issue.created_at == timestamp('2020-01-01T00:00:00Z')",
		"issue.updatedAt > timestamp('2020-01-31T00:00:00Z')",
		"issue.closed_at == timestamp('2020-01-15T10:00:00Z')",
		"issue.closed_at.getHours() == 10",
		"issue.updated_at - issue.created_at > duration('24h')",
		"issue.reporter.login == 'ann' && issue.reporter.id == 5",
		"issue.closed_by.login == 'bob'", "issue.closedBy.id == 6",
		"issue.assignees.exists(u, u.login == 'eve')",
		"issue.assignees.map(u, u.id) == [8, 9]",
		"issue.milestone.title == 'v \"1\"' && issue.milestone.number == 3",
		"issue.milestone != null", "issue.commit == 'f00'",
		"issue.url == 'https://github.com/acme/widgets/issues/7'",
		"issue.repo == 'acme/widgets' && issue.locked", "issue.comments.size() == 2",
		"issue.comments.exists(c, c.body == 'first\\ncomment')",
		"issue.comments.exists(c, c.user.login == 'ann' && c.id == 11)",
		"issue.comments[0].updated_at > issue.comments[0].created_at",
		"issue.reviews.exists_one(r, r.state == 'APPROVED' && r.actor.id == 6)",
		"issue.reviews[0].commit_id == 'abc' && issue.reviews[0].actorAssociation == "
		"'MEMBER'",
		"has(issue.milestone)", "has(issue.closed_at) && issue.is_pr",
		"repository.name == 'acme/widgets' && issue.blocked",
		"repository.pull_request_count == 2 && issue.blocked",
		"repository.issueCount == 2 && issue.blocked",
		"issue.created_at < now && issue.closed_at < now && issue.is_pr",
		"issue.title.matches('t[a-z]+le')" };

	for (size_t i = 0; i < sizeof(true_of_7) / sizeof(true_of_7[0]); i++)
		assert_issues(*state, true_of_7[i], "7 ");
}

static void
what_is_not_there_has_its_default(void **state)
{
	static const char *const true_of_all_others[] = { "issue.reporter == null",
		"issue.reporter.login == '' && issue.number != 7", "issue.milestone == null",
		"issue.milestone.title == '' && issue.milestone.number == 0",
		"issue.body == ''", "issue.labels == []", "issue.assignees.size() == 0",
		"!issue.comments.exists(c, true)",
		"issue.reactions.total_count == 0 && !issue.blocked",
		"issue.base == null && issue.number < 7",
		"issue.state_reason == '' && issue.body == ''", "!has(issue.milestone)",
		"issue.merged_at == null && issue.number < 7",
		"issue.requested_teams.size() == 0 && issue.number < 7",
		"issue.requested_reviewers == [] && issue.number < 7",
		"issue.git_commit == '' && issue.number < 7" };

	for (size_t i = 0; i < sizeof(true_of_all_others) / sizeof(true_of_all_others[0]); i++)
		assert_issues(*state, true_of_all_others[i], "1 2 3 ");
}

/* A row that fails does not match; what absorbs the error still counts. */
static void
a_row_on_which_it_fails_does_not_match(void **state)
{
	assert_issues(*state, "issue.closed_at < now", "2 7 ");
	assert_issues(*state, "!(issue.closed_at < now)", "");
	assert_issues(*state, "issue.closed_at < now || issue.number == 1", "1 2 7 ");
	assert_issues(*state, "issue.comments[1].id == 12", "7 ");
	assert_issues(*state, "10 / (issue.number - 1) == 1", "7 ");
}

static void
errors_say_where(void **state)
{
	static const struct {
		const char *filter, *text;
	} cases[] = {
		{ "issue.tilte == 'x'",
		    "filter: line 1, column 7: issue has no field 'tilte'" },
		{ "issue.number == '7'",
		    "filter: line 1, column 14: no such overload: int == string" },
		{ "comment.body == 'x'",
		    "filter: line 1, column 1: undeclared reference to 'comment'" },
		{ "issue.title",
		    "filter: line 1, column 1: expected a bool, but the expression is "
		    "string" },
		{ "issue.closed &&",
		    "filter: line 1, column 16: expected an expression, but found "
		    "the end" },
		{ "issue.created_at > timestamp('yesterday')",
		    "filter: line 1, column 20: the time or duration is not valid" },
		{ "issue.title.matches('(')",
		    "filter: line 1, column 21: regular expression, byte 2:" },
		{ "issue.user.login == 'x'",
		    "filter: line 1, column 7: issue has no field 'user'" },
		{ "issue.reporter.name == 'x'",
		    "filter: line 1, column 16: user has no field 'name'" },
		{ "   ", "filter: line 1, column 4: expected an expression" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a;

		ask_filtered(*state, ISSUES, "", cases[i].filter, &a);
		assert_int_equal(a.status, 400);
		assert_int_equal(json_integer_value(json_object_get(a.json, "code")), 3);
		if (strstr(a.body, cases[i].text) == NULL)
			fail_msg("%s: %s", cases[i].filter, a.body);
		answer_clear(&a);
	}
}

static void
lists_of_an_issue_have_variables_of_their_own(void **state)
{
	assert_list(*state, ISSUES "/7/comments", "comments", "id",
	    "comment.user.login == 'ann' && issue.closed", "11 ");
	assert_list(
	    *state, ISSUES "/7/comments", "comments", "id", "comment.body == 'second'", "12 ");
	assert_list(
	    *state, ISSUES "/7/reviews", "reviews", "id", "review.state == 'APPROVED'", "21 ");
	assert_list(*state, ISSUES "/7/events", "events", "id",
	    "event.event == 'labeled' && event.label == 'bug'", "31 ");
	assert_list(
	    *state, ISSUES "/7/events", "events", "id", "event.commit_id == 'f00'", "32 ");
	assert_list(*state, ISSUES "/7/events", "events", "id",
	    "event.dismissed_review == null && repository.name == 'acme/widgets'", "31 32 ");
	assert_list(*state, ISSUES "/7/reviewComments", "reviewComments", "id",
	    "review_comment.line > 3 || reviewComment.path == 'x'", "");
}

static void
a_repository_is_listed_when_it_matches(void **state)
{
	static const struct {
		const char *filter;
		int status, total;
	} cases[] = {
		{ "repository.name == 'acme/widgets'", 200, 1 },
		{ "repository.name.endsWith('/gadgets')", 200, 0 },
		{ "repository.issue_count == 2 && repository.open_pull_request_count == 1", 200,
		    1 },
		{ "repository.comment_count > 2", 200, 0 },
		{ "issue.closed", 400, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a;

		ask_filtered(
		    *state, "/api/v1/owners/acme/repositories", "", cases[i].filter, &a);
		assert_int_equal(a.status, cases[i].status);
		assert_int_equal(
		    json_integer_value(json_object_get(a.json, "total")), cases[i].total);
		answer_clear(&a);
	}
}

static void
a_filter_and_the_parameters_for_classes_both_hold(void **state)
{
	struct answer a;

	ask_filtered(*state, ISSUES, "closed=true&pullRequest=false&", "issue.number < 7", &a);
	assert_int_equal(json_integer_value(json_object_get(a.json, "total")), 1);
	answer_clear(&a);
	ask_filtered(*state, ISSUES, "closed=true&", "!issue.closed", &a);
	assert_int_equal(json_integer_value(json_object_get(a.json, "total")), 0);
	answer_clear(&a);
}

static void
pages_keep_the_total_of_the_first(void **state)
{
	struct responder_rig *fx = *state;
	char more[128] = "pageSize=1&";
	int pages = 0;

	for (;; pages++) {
		struct answer a;
		const char *token;

		ask_filtered(fx, ISSUES, more, "issue.title != 'two'", &a);
		assert_int_equal(a.status, 200);
		assert_int_equal(json_array_size(json_object_get(a.json, "issues")), 1);
		assert_int_equal(json_integer_value(json_object_get(a.json, "total")), 3);
		token = json_string_value(json_object_get(a.json, "nextPageToken"));
		snprintf(more, sizeof(more), "pageSize=1&pageToken=%s&", token);
		answer_clear(&a);
		if (strstr(more, "pageToken=&") != NULL)
			break;
	}
	assert_int_equal(pages, 2);
}

static void
a_token_belongs_to_its_filter(void **state)
{
	struct responder_rig *fx = *state;
	struct answer a;
	char more[128];

	ask_filtered(fx, ISSUES, "pageSize=1&", "issue.number > 0", &a);
	snprintf(more, sizeof(more), "pageToken=%s&",
	    json_string_value(json_object_get(a.json, "nextPageToken")));
	answer_clear(&a);
	ask_filtered(fx, ISSUES, more, "issue.number > 1", &a);
	assert_int_equal(a.status, 400);
	assert_non_null(strstr(a.body, "belongs to another query"));
	answer_clear(&a);
}

/* Not 400: the filter is good, but there is too much to look at. */
static void
work_beyond_the_budget_is_a_timeout(void **state)
{
	struct responder_rig *fx = *state;
	struct answer a;

	fx->r.filter_steps = 3 * FILTER_ROW_STEPS;
	ask_filtered(fx, ISSUES, "", "issue.number > 0", &a);
	assert_int_equal(a.status, 504);
	assert_int_equal(json_integer_value(json_object_get(a.json, "code")), 4);
	assert_non_null(strstr(a.body, "more work than one request may"));
	answer_clear(&a);
	ask_filtered(fx, ISSUES, "", "issue.closed", &a); /* no row is looked at */
	assert_int_equal(a.status, 200);
	answer_clear(&a);
	ask_filtered(fx, ISSUES "/7/events", "",
	    "[1, 2, 3].all(x, [4, 5, 6].all(y, x < y)) && "
	    "event.id > 0",
	    &a);
	assert_int_equal(a.status, 504);
	answer_clear(&a);
	fx->r.filter_steps = FILTER_STEPS_MAX;
	ask_filtered(fx, ISSUES, "",
	    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a|aa)+$' + issue.type)",
	    &a);
	assert_int_equal(a.status, 400);
	assert_non_null(strstr(a.body, "regular expression takes more work"));
	answer_clear(&a);
}

static void
answers_about_the_clock_have_no_validator(void **state)
{
	struct answer a;

	ask_filtered(*state, ISSUES, "", "issue.created_at < now", &a);
	assert_null(strstr(buf_cstr(&a.raw), "ETag"));
	answer_clear(&a);
	ask_filtered(*state, ISSUES, "", "issue.number > 1", &a);
	assert_non_null(strstr(buf_cstr(&a.raw), "ETag"));
	answer_clear(&a);
}

static void
closed_and_kind_choose_the_indexes(void **state)
{
	static const struct {
		const char *filter;
		unsigned classes;
		bool decided;
	} cases[] = {
		{ "issue.closed", 12, true },
		{ "!issue.closed", 3, true },
		{ "issue.closed == false", 3, true },
		{ "issue.closed != true && issue.is_pr", 2, true },
		{ "issue.isPr || issue.closed", 14, true },
		{ "issue.closed ? issue.is_pr : !issue.is_pr", 9, true },
		{ "has(issue.closed)", 12, true },
		{ "issue.closed && issue.title == 'x'", 12, false },
		{ "issue.title == 'x' && !issue.is_pr", 5, false },
		{ "issue.closed || issue.title == 'x'", 15, false },
		{ "issue.title == 'x'", 15, false },
		{ "true", 15, true },
		{ "false", 0, true },
		{ "issue.closed && !issue.closed", 0, true },
		{ "1 / issue.number == 1 && false", 0, true },
		{ "issue.closed == issue.is_pr", 9, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter *f = NULL;
		bool decided;

		assert_int_equal(filter_new(slice_str(cases[i].filter), FILTER_ISSUES,
				     FILTER_STEPS_MAX, &f, NULL),
		    0);
		if (filter_classes(f, SNAP_CLASS_ALL, &decided) != cases[i].classes ||
		    decided != cases[i].decided)
			fail_msg("%s", cases[i].filter);
		filter_free(f);
	}
}

static void
every_allocation_may_fail(void **state)
{
	static const struct slice text =
	    SLICE_INIT("issue.title.matches('a|b') && issue.labels.exists(l, l + 'x' == 'y')");
	struct filter *f = NULL;
	int rc = ERR_NOMEM;

	(void)state;
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = filter_new(text, FILTER_ISSUES, FILTER_STEPS_MAX, &f, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
		assert_in_range(n, 0, 1000);
	}
	filter_free(f);
}

/* --- scans that take long --- */

struct counted {
	struct responder *r;
	unsigned turns;
	void (*between)(struct responder_rig *fx); /* before the second turn */
	struct responder_rig *fx;
};

static void
count_turns(void *ctx, unsigned thread, struct request *req)
{
	struct counted *c = ctx;

	if (++c->turns == 2 && c->between != NULL)
		c->between(c->fx);
	responder_handle(c->r, thread, req);
}

static void
add_issues(struct responder_rig *fx, uint32_t from, uint32_t to)
{
	struct snap_txn *t = fx_begin(&fx->rig->fx);

	for (uint32_t n = from; n <= to; n++) {
		struct snap_issue_edit e;

		assert_int_equal(snap_issue_edit_begin(t, n, &e), 0);
		e.flags |= SNAP_ISSUE_SEEN;
		snap_issue_edit_end(t, &e);
	}
	snap_log_end_put(t, 0, to);
	assert_int_equal(snap_txn_commit(t), 0);
}

static void
add_hundred(struct responder_rig *fx)
{
	add_issues(fx, 5001, 5100);
}

/* Every issue above 100, at some expense. */
#define EXPENSIVE                                                                              \
	"issue.number%20%3E%20100%20%26%26%20[1,2,3,4,5,6,7,8].all(a,[1,2,3,4,5,6,7,8]"        \
	".all(b,[1,2,3,4,5,6,7,8].all(c,a*b*c%3Cissue.number*900)))"

static void
scan_long(struct responder_rig *fx, void (*between)(struct responder_rig *fx),
    struct answer *ret, unsigned *ret_turns)
{
	struct counted c = { &fx->r, 0, between, fx };
	const struct request_pair params[] = { { "REQUEST_METHOD", "GET" },
		{ "REQUEST_URI", ISSUES "?pageSize=300&fieldMask=issueId&filter=" EXPENSIVE },
		{ NULL, NULL } };

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->raw, (size_t)64 << 20);
	assert_int_equal(
	    request_serve_mem(params, SLICE(""), NULL, count_turns, &c, &ret->raw), 0);
	ret->body = strstr(buf_cstr(&ret->raw), "\r\n\r\n") + 4;
	ret->json = json_loads(ret->body, 0, NULL);
	*ret_turns = c.turns;
}

static void
a_long_scan_lets_others_have_their_turn(void **state)
{
	struct responder_rig *fx = *state;
	struct answer a;
	unsigned turns;
	const json_t *list;

	add_issues(fx, 101, 5000);
	scan_long(fx, NULL, &a, &turns);
	assert_in_range(turns, 3, 1000);
	list = json_object_get(a.json, "issues");
	assert_int_equal(json_array_size(list), 300);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(
		    json_integer_value(json_object_get(json_array_get(list, i), "issueId")),
		    101 + i);
	assert_int_equal(json_integer_value(json_object_get(a.json, "total")), 4900);
	assert_non_null(strstr(a.raw.ptr, "\r\nETag: "));
	answer_clear(&a);
}

static void
what_is_written_between_turns_is_seen_behind_the_last_row(void **state)
{
	struct responder_rig *fx = *state;
	struct answer a;
	unsigned turns;

	add_issues(fx, 101, 5000);
	scan_long(fx, add_hundred, &a, &turns);
	assert_in_range(turns, 3, 1000);
	assert_int_equal(json_integer_value(json_object_get(a.json, "total")), 5000);
	/* It is of no one place of the log. */
	assert_null(strstr(a.raw.ptr, "\r\nETag: "));
	answer_clear(&a);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, responder_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(every_field_of_an_issue_can_be_compared),
		WITH(what_is_not_there_has_its_default),
		WITH(a_row_on_which_it_fails_does_not_match),
		WITH(errors_say_where),
		WITH(lists_of_an_issue_have_variables_of_their_own),
		WITH(a_repository_is_listed_when_it_matches),
		WITH(a_filter_and_the_parameters_for_classes_both_hold),
		WITH(pages_keep_the_total_of_the_first),
		WITH(a_token_belongs_to_its_filter),
		WITH(work_beyond_the_budget_is_a_timeout),
		WITH(answers_about_the_clock_have_no_validator),
		WITH(a_long_scan_lets_others_have_their_turn),
		WITH(what_is_written_between_turns_is_seen_behind_the_last_row),
		cmocka_unit_test(closed_and_kind_choose_the_indexes),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
