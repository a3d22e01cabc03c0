/* Service level objectives: the rules file, and what the rules say of issues. */
#include "fcgi/slo/slo_check.h"
#include "test/unit/fcgi/responder_rig.h"

#define SLO "/api/v1/acme/widgets/slo"
#define DAY_MS (INT64_C(86400) * 1000)

/* --- the file --- */

static void
durations_are_days_hours_minutes_and_seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1 = no duration */
	} cases[] = { { "2d", 172800 }, { "1h30m", 5400 }, { "90s", 90 }, { "2d12h", 216000 },
		{ "0s", 0 }, { "", -1 }, { "5", -1 }, { "d", -1 }, { "1.5h", -1 },
		{ "-1h", -1 }, { "1h ", -1 }, { "1w", -1 }, { "1H", -1 },
		{ "99999999999999999999d", -1 }, { "365000d1s", -1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms = -1000;
		int rc = slo_duration_parse(slice_str(cases[i].text), &ms);

		if (ms != cases[i].seconds * 1000 || (rc == 0) != (cases[i].seconds >= 0))
			fail_msg("\"%s\": %lld", cases[i].text, (long long)ms);
	}
}

static void
what_is_wrong_in_a_file_is_named(void **state)
{
	static const struct {
		const char *text, *named;
	} cases[] = {
		{ "{}", "list of rules" },
		{ "[1]", "rule 1 is not an object" },
		{ "[{},{\"appliesTo\":[]}]", "rule 2: appliesTo" },
		{ "[{\"appliesTo\":{\"gitHubLabels\":[1]}}]", "rule 1: gitHubLabels" },
		{ "[{\"appliesTo\":{\"prs\":\"yes\"}}]", "rule 1: prs" },
		{ "[{\"complianceSettings\":{\"responseTime\":\"soon\"}}]", "responseTime" },
		{ "[{\"complianceSettings\":{\"responseTime\":-1}}]", "responseTime" },
		{ "[{\"complianceSettings\":{\"resolutionTime\":1.5}}]", "resolutionTime" },
		{ "[{\"complianceSettings\":{\"responders\":{\"contributors\":\"ALL\"}}}]",
		    "contributors" },
		{ "[{\"appliesTo\":{\"priority\":7}}]", "rule 1: priority" },
		{ "[", "line 1" },
		{ "", "rules" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slo_rules rules = { 0 };
		struct err_info ei = { 0 };
		struct arena a;

		arena_init(&a, (size_t)8 << 20);
		assert_int_equal(
		    slo_rules_parse(slice_str(cases[i].text), &a, &rules, &ei), ERR_INVAL);
		if (strstr(ei.text, cases[i].named) == NULL)
			fail_msg("%s: %s", cases[i].text, ei.text);
		arena_clear(&a);
	}
}

static void
members_that_are_not_there_have_defaults(void **state)
{
	struct slo_rules rules = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)8 << 20);
	assert_int_equal(slo_rules_parse(SLICE("[{\"appliesTo\":{\"gitHubLabels\":\"bug\"},"
					       "\"complianceSettings\":{\"responseTime\":60,"
					       "\"resolutionTime\":0}}]"),
			     &a, &rules, NULL),
	    0);
	assert_int_equal(rules.count, 1);
	assert_true(rules.items[0].issues && !rules.items[0].pulls);
	assert_int_equal(rules.items[0].labels.count, 1);
	assert_int_equal(rules.items[0].response_ms, 60000);
	assert_int_equal(rules.items[0].contributors, SLO_WRITE);
	arena_clear(&a);
}

/* --- verdicts --- */

static void
set_rules(struct responder_rig *fx, const char *single_quoted)
{
	struct snap_txn *t = fx_begin(&fx->rig->fx);
	json_t *json = json_of(single_quoted);
	char *text = json_dumps(json, 0);

	snap_note_put(t, "slo_rules", slice_str(text));
	assert_int_equal(snap_txn_commit(t), 0);
	free(text);
	json_decref(json);
}

/* Check issue 1 a given number of days after 2020-01-01. */
static struct slo_verdict
verdict(struct responder_rig *fx, const char *rules_text, int days)
{
	struct slo_verdict v = { 0 };
	struct slo_rules rules = { 0 };
	struct snap_issue issue;
	struct snap_view *view;
	json_t *json = json_of(rules_text);
	char *text = json_dumps(json, 0);
	struct arena a;
	int64_t start;

	arena_init(&a, (size_t)8 << 20);
	assert_int_equal(time_parse(SLICE("2020-01-01T00:00:00Z"), &start), 0);
	assert_int_equal(slo_rules_parse(slice_str(text), &a, &rules, NULL), 0);
	assert_int_equal(snap_writer_view(fx->rig->fx.writer, &view), 0);
	assert_int_equal(snap_issue_get(view, 1, &issue), 0);
	assert_int_equal(
	    slo_check(view, SLICE("acme"), &rules, &issue, start + days * DAY_MS, &v), 0);
	snap_writer_view_end(view);
	if (v.until_ms != TIME_NONE)
		v.until_ms = (v.until_ms - start) / DAY_MS;
	arena_clear(&a);
	free(text);
	json_decref(json);
	return v;
}

#define ISSUE "'title':'x','created':'2020-01-01T00:00:00Z','user':{'id':5,'login':'ann'}"
#define RESPOND "[{'complianceSettings':{'responseTime':'2d','resolutionTime':0}}]"

static void
a_rule_applies_by_kind_labels_and_priority(void **state)
{
	static const struct {
		const char *applies;
		bool want;
	} cases[] = {
		{ "{}", true },
		{ "{'issues':false}", false },
		{ "{'gitHubLabels':'bug'}", true },
		{ "{'gitHubLabels':['BUG','priority: p1']}", true },
		{ "{'gitHubLabels':['bug','other']}", false },
		{ "{'excludedGitHubLabels':['bug']}", false },
		{ "{'excludedGitHubLabels':['other']}", true },
		{ "{'priority':'P1'}", true },
		{ "{'priority':'p1'}", true },
		{ "{'priority':'P2'}", false },
		{ "{'issueType':'bug'}", true },
		{ "{'issueType':'feature'}", false },
	};
	struct responder_rig *fx = *state;

	rig_issue_says(fx->rig, 1,
	    "{" ISSUE ",'addLabel':[{'id':1,'name':'bug'},{'id':2,'name':'priority: p1'}]}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char rules[256];

		snprintf(rules, sizeof(rules),
		    "[{'appliesTo':%s,'complianceSettings':{'responseTime':'2d'}}]",
		    cases[i].applies);
		if (verdict(fx, rules, 1).applies != cases[i].want)
			fail_msg("%s", cases[i].applies);
	}
}

static void
an_answer_must_come_from_someone_else_with_a_part_in_it(void **state)
{
	struct responder_rig *fx = *state;
	struct slo_verdict v;

	rig_issue_says(fx->rig, 1,
	    "{" ISSUE ",'comment':[{'id':1,'user':{'id':5},'created':'2020-01-01T01:00:00Z',"
	    "'authorAssociation':'OWNER'},{'id':2,'user':{'id':6,'login':'bob'},"
	    "'created':'2020-01-01T02:00:00Z','authorAssociation':'NONE'}]}");
	v = verdict(fx, RESPOND, 1);
	assert_true(v.compliant);
	assert_int_equal(v.until_ms, 2);
	assert_int_equal(v.requirement, SLO_RESPONSE);
	v = verdict(fx, RESPOND, 3);
	assert_false(v.compliant);
	v = verdict(fx,
	    "[{'complianceSettings':{'responseTime':'2d','responders':{'users':['Bob']}}}]", 3);
	assert_true(v.compliant);
	assert_int_equal(v.until_ms, TIME_NONE);
	rig_issue_says(fx->rig, 1,
	    "{'comment':[{'id':3,'user':{'id':7,'login':'eve'},'created':'2020-01-09T00:00:00Z'"
	    ","
	    "'authorAssociation':'COLLABORATOR'}]}");
	assert_true(verdict(fx, RESPOND, 10).compliant);
	v = verdict(fx,
	    "[{'complianceSettings':{'responseTime':'2d','responders':{'contributors':'ADMIN'}}"
	    "}]",
	    10);
	assert_false(v.compliant);
}

static void
the_earliest_end_decides(void **state)
{
	struct responder_rig *fx = *state;
	struct slo_verdict v;

	rig_issue_says(fx->rig, 1, "{" ISSUE "}");
	v = verdict(fx,
	    "[{'complianceSettings':{'resolutionTime':'9d'}},"
	    "{'complianceSettings':{'responseTime':'4d','resolutionTime':'5d'}},"
	    "{'appliesTo':{'issues':false},'complianceSettings':{'responseTime':'1d'}}]",
	    3);
	assert_int_equal(v.rule, 1);
	assert_int_equal(v.until_ms, 4);
	assert_true(v.compliant);
	v = verdict(fx, "[{'complianceSettings':{'requiresAssignee':true}}]", 0);
	assert_int_equal(v.requirement, SLO_ASSIGNEE);
	assert_false(v.compliant);
	rig_issue_says(fx->rig, 1, "{'assignees':[{'id':9,'login':'kim'}]}");
	assert_true(
	    verdict(fx, "[{'complianceSettings':{'requiresAssignee':true}}]", 0).compliant);
	assert_false(verdict(fx,
	    "[{'complianceSettings':{'requiresAssignee':true,'responders':{'users':['x']}}}]",
	    0)
			 .compliant);
	rig_issue_says(fx->rig, 1, "{'closed':{'val':true}}");
	assert_true(
	    verdict(fx, "[{'complianceSettings':{'resolutionTime':'1d'}}]", 30).compliant);
}

/* --- the route --- */

static void
the_route_lists_what_the_rules_apply_to(void **state)
{
	struct responder_rig *fx = *state;
	json_t *issue;
	struct answer a;

	assert_int_equal(status_of(&fx->r, SLO), 404);
	rig_issue_says(fx->rig, 1, "{" ISSUE "}");
	rig_issue_says(fx->rig, 2, "{" ISSUE ",'pullRequest':true}");
	rig_issue_says(fx->rig, 3, "{" ISSUE ",'closed':{'val':true}}");
	rig_issue_says(fx->rig, 4, "{" ISSUE ",'assignees':[{'id':9,'login':'kim'}]}");
	set_rules(fx, "[{'complianceSettings':{'requiresAssignee':true}}]");
	ask(&fx->r, "GET", SLO, &a);
	assert_int_equal(a.status, 200);
	assert_int_equal(json_array_size(json_object_get(a.json, "rules")), 1);
	assert_int_equal(json_array_size(json_object_get(a.json, "issues")), 2);
	issue = json_array_get(json_object_get(a.json, "issues"), 0);
	assert_int_equal(json_integer_value(json_object_get(issue, "issueId")), 1);
	assert_true(json_is_false(json_object_get(issue, "compliant")));
	assert_string_equal(
	    json_string_value(json_object_get(issue, "requirement")), "ASSIGNEE");
	answer_clear(&a);
	ask(&fx->r, "GET", SLO "?compliant=true&pageSize=1", &a);
	issue = json_array_get(json_object_get(a.json, "issues"), 0);
	assert_int_equal(json_integer_value(json_object_get(issue, "issueId")), 4);
	answer_clear(&a);
	ask(&fx->r, "GET", SLO "?closed=true", &a);
	assert_int_equal(json_array_size(json_object_get(a.json, "issues")), 1);
	answer_clear(&a);
	/* Whatever a word is, the answer is JSON. */
	set_rules(fx, "[{'appliesTo':{'priority':'p\\n\\u00011'}}]");
	ask(&fx->r, "GET", SLO, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(a.json);
	assert_string_equal(
	    json_string_value(json_object_get(
		json_array_get(json_object_get(a.json, "rules"), 0), "priority")),
	    "P\n\0011");
	answer_clear(&a);
	set_rules(fx, "[{'appliesTo':7}]");
	ask(&fx->r, "GET", SLO, &a);
	assert_int_equal(a.status, 400);
	assert_non_null(strstr(a.body, "rule 1: appliesTo"));
	answer_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_days_hours_minutes_and_seconds),
		cmocka_unit_test(what_is_wrong_in_a_file_is_named),
		cmocka_unit_test(members_that_are_not_there_have_defaults),
		cmocka_unit_test_setup_teardown(a_rule_applies_by_kind_labels_and_priority,
		    responder_setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    an_answer_must_come_from_someone_else_with_a_part_in_it, responder_setup,
		    responder_teardown),
		cmocka_unit_test_setup_teardown(
		    the_earliest_end_decides, responder_setup, responder_teardown),
		cmocka_unit_test_setup_teardown(the_route_lists_what_the_rules_apply_to,
		    responder_setup, responder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
