/* CSV and JSON lines: which is wanted, what a cell looks like, and that nothing is left out. */
#include "fcgi/accept.h"
#include "test/unit/fcgi/responder_rig.h"

static void
the_accept_field_is_weighed(void **state)
{
	static const struct {
		const char *field;
		enum format want;
	} cases[] = {
		{ "", FORMAT_JSON },
		{ "*/*", FORMAT_JSON },
		{ "text/csv", FORMAT_CSV },
		{ "TEXT/CSV", FORMAT_CSV },
		{ "text/csv;charset=utf-8", FORMAT_CSV },
		{ "application/x-ndjson", FORMAT_NDJSON },
		{ "text/html, application/xhtml+xml, */*;q=0.8", FORMAT_JSON },
		{ "application/json, text/csv", FORMAT_JSON },
		{ "application/json;q=0.5, text/csv;q=0.9", FORMAT_CSV },
		{ "text/csv;q=0, application/json;q=0.1", FORMAT_JSON },
		{ "text/csv;q=0", FORMAT_JSON },
		{ "text/csv; q=1.001, application/x-ndjson;q=0.1", FORMAT_NDJSON },
		{ "text/csv;q=x", FORMAT_JSON },
		{ ",,text/csv , ,", FORMAT_CSV },
		{ "text/csvx", FORMAT_JSON },
		{ ";;;=,", FORMAT_JSON },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (accept_format(slice_str(cases[i].field)) != cases[i].want)
			fail_msg("%s", cases[i].field);
	}
}

static void
assert_body(struct responder_rig *fx, const char *uri, const char *want)
{
	struct answer a;

	ask(&fx->r, "GET", uri, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, want);
	assert_null(strstr(a.raw.ptr, "Content-Length"));
	answer_clear(&a);
}

static void
cells_are_quoted_where_they_must_be(void **state)
{
	struct responder_rig *fx = *state;

	rig_issue_says(fx->rig, 1,
	    "{'title':'a, \\\"b\\\"','body':'two\\nlines','user':{'id':5,'login':'ann'},"
	    "'assignees':[{'id':5,'login':'ann'},{'id':6,'login':'bob'}],"
	    "'addLabel':[{'id':1,'name':'x'},{'id':2,'name':'a,b'}]}");
	rig_issue_says(fx->rig, 2, "{'title':'=1+1','body':'-\\\"x','closed':{'val':true}}");
	assert_body(fx,
	    ISSUES "?format=csv&fieldMask=issueId,title,body,labels,reporter,assignees",
	    "title,labels,issueId,body,assignees,reporter\r\n"
	    "\"a, \"\"b\"\"\",\"a,b, x\",1,\"two\nlines\",\"ann, bob\",ann\r\n"
	    "'=1+1,,2,\"'-\"\"x\",,\r\n");
	assert_body(fx, ISSUES "?format=csv&csvRaw=true&fieldMask=title&closed=true",
	    "title\r\n=1+1\r\n");
}

static void
objects_are_shown_by_one_of_their_members(void **state)
{
	struct responder_rig *fx = *state;

	rig_issue_says(fx->rig, 3,
	    "{'title':'x','milestoneId':9,'milestoneNum':4,'milestoneTitle':'v1.0',"
	    "'created':'2020-01-02T03:04:05Z'}");
	assert_body(fx,
	    ISSUES "?format=csv&fieldMask=milestone,reactions,base,closedAt,createdAt,closed",
	    "createdAt,closedAt,closed,milestone,reactions,base\r\n"
	    "2020-01-02T03:04:05Z,,false,v1.0,0,\r\n");
}

static void
every_column_has_a_cell(void **state)
{
	struct responder_rig *fx = *state;
	struct answer a;
	const char *end;
	size_t commas[2] = { 0 };

	rig_issue_says(fx->rig, 3, "{'title':'x'}");
	ask_with(&fx->r, "GET", ISSUES, "HTTP_ACCEPT", "text/csv", &a);
	assert_non_null(strstr(a.raw.ptr, "\r\nContent-Type: text/csv"));
	assert_non_null(strstr(a.raw.ptr, "\r\nVary: Accept\r\n"));
	assert_non_null(strstr(a.raw.ptr, "filename=\"acme-widgets-issues.csv\""));
	end = strstr(a.body, "\r\n");
	for (const char *c = a.body; *c != '\0'; c++)
		commas[c > end] += *c == ',';
	assert_int_equal(commas[0], commas[1]);
	assert_int_equal(commas[0], FIELD_COMMENTS - 1);
	answer_clear(&a);
}

/* More issues than are read in one view, in JSON lines and in pages. */
static void
lines_are_the_issues_of_all_pages(void **state)
{
	struct responder_rig *fx = *state;
	struct snap_txn *t = fx_begin(&fx->rig->fx);
	json_t *list;
	struct answer a, lines;
	const char *at;
	size_t i;

	for (uint32_t n = 1; n <= 2500; n++) {
		struct snap_issue_edit e;

		assert_int_equal(snap_issue_edit_begin(t, n, &e), 0);
		e.flags |= SNAP_ISSUE_SEEN | (n % 3 == 0 ? SNAP_ISSUE_CLOSED : 0);
		e.created_ms = 1000 * (int64_t)(n % 100);
		snap_issue_edit_end(t, &e);
	}
	assert_int_equal(snap_txn_commit(t), 0);
	ask_with(&fx->r, "GET", ISSUES "?orderBy=-created&closed=false", "HTTP_ACCEPT",
	    "application/x-ndjson", &lines);
	assert_int_equal(lines.status, 200);
	ask(&fx->r, "GET", ISSUES "?orderBy=-created&closed=false&pageSize=500", &a);
	list = json_object_get(a.json, "issues");
	assert_int_equal(json_array_size(list), 500);
	at = lines.body;
	for (i = 0; *at != '\0'; i++) {
		size_t len = strcspn(at, "\n");
		json_t *line = json_loadb(at, len, 0, NULL);

		assert_non_null(line);
		if (i < 500)
			assert_json_equal(line, json_array_get(list, i));
		json_decref(line);
		at += len + 1;
	}
	assert_int_equal(i, json_integer_value(json_object_get(a.json, "total")));
	answer_clear(&a);
	answer_clear(&lines);
}

static void
what_makes_no_sense_for_a_whole_list_is_refused(void **state)
{
	static const char *const uris[] = { ISSUES "?format=csv&comments=true",
		ISSUES "?format=csv&fieldMask=reviews", ISSUES "?format=xml",
		ISSUES "?format=ndjson&pageToken=x", ISSUES "?format=csv&csvRaw=maybe" };
	struct responder_rig *fx = *state;
	struct answer a;

	rig_issue_says(fx->rig, 1, "{'title':'x'}");
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		if (status_of(&fx->r, uris[i]) != 400)
			fail_msg("%s", uris[i]);
	}
	ask(&fx->r, "HEAD", ISSUES "?format=csv", &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "");
	answer_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_accept_field_is_weighed),
		cmocka_unit_test_setup_teardown(
		    cells_are_quoted_where_they_must_be, responder_setup, responder_teardown),
		cmocka_unit_test_setup_teardown(objects_are_shown_by_one_of_their_members,
		    responder_setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    every_column_has_a_cell, responder_setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    lines_are_the_issues_of_all_pages, responder_setup, responder_teardown),
		cmocka_unit_test_setup_teardown(what_makes_no_sense_for_a_whole_list_is_refused,
		    responder_setup, responder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
