/* Each kind of difference in an issue gives the smallest mutation, and equality none. */
#include "test/unit/sync/sync_rig.h"

/* As GET /repos/O/R/issues shows it, without what nobody reads. */
#define BASE                                                                                   \
	"{'id':70,'number':7,'title':'one','body':'text','state':'open','locked':false,"       \
	"'draft':false,'state_reason':null,'user':{'id':5,'login':'ann'},"                     \
	"'labels':[{'id':1,'name':'bug'},{'id':2,'name':'p1'}],"                               \
	"'assignees':[{'id':6,'login':'bob'}],"                                                \
	"'milestone':{'id':9,'number':3,'title':'soon','state':'open'},"                       \
	"'created_at':'2020-01-01T00:00:00Z','updated_at':'2020-01-02T00:00:00Z',"             \
	"'closed_at':null,'closed_by':null,'comments':0}"

#define CLOSED                                                                                 \
	"{'state':'closed','closed_at':'2020-02-02T00:00:00Z',"                                \
	"'closed_by':{'id':5,'login':'ann'}}"

static json_t *
patched(struct sync_rig *rig, const char *patch)
{
	json_t *json = rig_json(rig, BASE), *change = json_of(patch);

	json_object_update(json, change);
	json_decref(change);
	return json;
}

static void
the_first_mutation_carries_every_fact(void **state)
{
	json_t *got =
	    rig_shown(rig_diff(*state, RIG_ISSUE, 0, rig_json(*state, BASE), NULL, NULL));
	json_t *want = json_of("{'githubIssue':{'number':7,'id':70,'title':'one',"
			       "'bodyChange':{'val':'text'},'user':{'id':5,'login':'ann'},"
			       "'addLabel':[{'id':1,'name':'bug'},{'id':2,'name':'p1'}],"
			       "'assignees':[{'id':6,'login':'bob'}],'milestoneId':9,"
			       "'milestoneNum':3,'milestoneTitle':'soon',"
			       "'created':'2020-01-01T00:00:00Z',"
			       "'updated':'2020-01-02T00:00:00Z'}}");

	assert_json_equal(got, want);
	json_decref(got);
	json_decref(want);
}

static void
each_difference_gives_the_smallest_mutation(void **state)
{
	static const struct {
		const char *before, *after; /* changes to BASE */
		const char *want;           /* without number; NULL for no mutation */
	} cases[] = {
		{ "{}", "{}", NULL },
		{ "{}", "{'comments':5,'html_url':'x','node_id':'y'}", NULL },
		{ "{}", "{'title':'two'}", "{'title':'two'}" },
		{ "{}", "{'title':'q\\\"\\u00e9\\n'}", "{'title':'q\\\"\\u00e9\\n'}" },
		{ "{}", "{'body':'new'}", "{'bodyChange':{'val':'new'}}" },
		{ "{}", "{'body':null}", "{'bodyChange':{}}" },
		{ "{}", "{'body':''}", "{'bodyChange':{}}" },
		{ "{'body':null}", "{'body':''}", NULL },
		{ "{}", "{'updated_at':'2020-01-03T00:00:00Z'}",
		    "{'updated':'2020-01-03T00:00:00Z'}" },
		{ "{}", "{'created_at':'2019-01-01T00:00:00Z'}", NULL },
		{ "{}", CLOSED,
		    "{'closed':{'val':true},'closedAt':'2020-02-02T00:00:00Z',"
		    "'closedBy':{'id':5,'login':'ann'}}" },
		{ CLOSED, CLOSED, NULL },
		{ CLOSED, "{}", "{'closed':{},'noClosedBy':true}" },
		/* who closed it is not said any more: that is no news */
		{ CLOSED, "{'state':'closed','closed_at':'2020-02-02T00:00:00Z'}", NULL },
		/* but a new closing by nobody knows whom is */
		{ CLOSED, "{'state':'closed','closed_at':'2020-03-03T00:00:00Z'}",
		    "{'closedAt':'2020-03-03T00:00:00Z','noClosedBy':true}" },
		{ CLOSED,
		    "{'state':'closed','closed_at':'2020-02-02T00:00:00Z',"
		    "'closed_by':{'id':6,'login':'bob'}}",
		    "{'closedBy':{'id':6,'login':'bob'}}" },
		{ "{}", "{'locked':true}", "{'locked':{'val':true}}" },
		{ "{'locked':true}", "{}", "{'locked':{}}" },
		{ "{}", "{'locked':null}", NULL },
		{ "{}", "{'draft':true}", "{'draft':{'val':true}}" },
		{ "{}", "{'state_reason':'reopened'}", "{'stateReason':{'val':'reopened'}}" },
		{ "{'state_reason':'reopened'}", "{}", "{'stateReason':{}}" },
		{ "{}", "{'pull_request':{}}", "{'pullRequest':true}" },
		{ "{'pull_request':{}}",
		    "{'pull_request':{'merged_at':'2020-03-03T00:00:00Z'}}",
		    "{'mergedAt':'2020-03-03T00:00:00Z'}" },
		{ "{}", "{'user':{'id':8,'login':'cid'}}", "{'user':{'id':8,'login':'cid'}}" },
		{ "{}", "{'user':{'id':5,'login':'anna'}}",
		    "{'user':{'id':5,'login':'anna'}}" },
		/* a deleted account: who it was stays as known */
		{ "{}", "{'user':null}", NULL },
		{ "{}", "{'milestone':null}", "{'noMilestone':true}" },
		{ "{'milestone':null}", "{'milestone':null}", NULL },
		{ "{}", "{'milestone':{'id':10,'number':4,'title':'later'}}",
		    "{'milestoneId':10,'milestoneNum':4,'milestoneTitle':'later'}" },
		{ "{}", "{'milestone':{'id':9,'number':3,'title':'now'}}",
		    "{'milestoneId':9,'milestoneNum':3,'milestoneTitle':'now'}" },
		{ "{}", "{'labels':[{'id':2,'name':'p1'},{'id':1,'name':'bug'}]}", NULL },
		{ "{}", "{'labels':[]}", "{'removeLabel':[1,2]}" },
		{ "{}", "{'labels':[{'id':2,'name':'p1'},{'id':3,'name':'new'}]}",
		    "{'removeLabel':[1],'addLabel':[{'id':3,'name':'new'}]}" },
		{ "{}", "{'labels':[{'id':1,'name':'defect'},{'id':2,'name':'p1'}]}",
		    "{'addLabel':[{'id':1,'name':'defect'}]}" },
		/* the log cannot say an empty text: it is no difference, once or again */
		{ "{}", "{'title':''}", NULL },
		{ "{}", "{'milestone':{'id':9,'number':3,'title':''}}", NULL },
		{ "{'milestone':{'id':10,'number':4,'title':''}}",
		    "{'milestone':{'id':10,'number':4,'title':''}}", NULL },
		{ "{}", "{'labels':[{'id':1,'name':''},{'id':2,'name':'p1'}]}", NULL },
		{ "{'labels':[{'id':3,'name':''}]}", "{'labels':[{'id':3,'name':''}]}", NULL },
		/* label id 0 crashes older readers */
		{ "{'labels':[]}", "{'labels':[{'id':0,'name':'zero'}]}", NULL },
		{ "{}", "{'assignees':[]}", "{'deletedAssignees':[6]}" },
		{ "{}", "{'assignees':null}", NULL },
		{ "{}", "{'assignees':[{'id':8,'login':'cid'},{'id':6,'login':'bob'}]}",
		    "{'assignees':[{'id':8,'login':'cid'}]}" },
		{ "{}", "{'assignees':[{'id':6,'login':'rob'}]}",
		    "{'assignees':[{'id':6,'login':'rob'}]}" },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		json_t *got, *want = json_null();

		assert_int_equal(rig_setup(state), 0);
		rig_takes(*state, RIG_ISSUE, 0, patched(*state, cases[n].before));
		got = rig_shown(rig_diff(
		    *state, RIG_ISSUE, 0, patched(*state, cases[n].after), NULL, NULL));
		if (cases[n].want != NULL) {
			want = json_pack("{s:o}", "githubIssue", json_of(cases[n].want));
			json_object_set_new(
			    json_object_get(want, "githubIssue"), "number", json_integer(7));
		}
		assert_json_equal(got, want);
		json_decref(got);
		json_decref(want);
		rig_teardown(state);
	}
}

static void
an_issue_that_was_tombstoned_is_back(void **state)
{
	json_t *got, *want = json_of("{'githubIssue':{'number':7}}");

	rig_takes(*state, RIG_ISSUE, 0, rig_json(*state, BASE));
	rig_issue_says(*state, 7, "{'notExist':true}");
	got = rig_shown(rig_diff(*state, RIG_ISSUE, 0, rig_json(*state, BASE), NULL, NULL));
	assert_json_equal(got, want);
	json_decref(got);
	json_decref(want);
}

/* A tombstone for a number never seen is not the first mutation that readers want. */
static void
an_issue_known_by_its_tombstone_alone_gets_its_first_facts(void **state)
{
	json_t *got, *issue;

	rig_issue_says(*state, 7, "{'notExist':true}");
	got = rig_shown(rig_diff(*state, RIG_ISSUE, 0, rig_json(*state, BASE), NULL, NULL));
	issue = json_object_get(got, "githubIssue");
	assert_non_null(json_object_get(issue, "id"));
	assert_non_null(json_object_get(issue, "created"));
	assert_non_null(json_object_get(issue, "title"));
	json_decref(got);
}

static void
json_that_is_not_githubs_names_the_member(void **state)
{
	static const struct {
		const char *patch, *named;
	} cases[] = {
		{ "{'number':null}", "\"number\"" },
		{ "{'number':'7'}", "\"number\"" },
		{ "{'number':0}", "\"number\"" },
		{ "{'number':-7}", "\"number\"" },
		{ "{'number':2147483648}", "\"number\"" },
		{ "{'id':'x'}", "\"id\"" },
		{ "{'id':null}", "\"id\"" },
		{ "{'id':7.5}", "\"id\"" },
		{ "{'title':null}", "\"title\"" },
		{ "{'title':5}", "\"title\"" },
		{ "{'body':5}", "\"body\"" },
		{ "{'body':{}}", "\"body\"" },
		{ "{'state':'reopened'}", "\"state\"" },
		{ "{'state':null}", "\"state\"" },
		{ "{'state':true}", "\"state\"" },
		{ "{'state_reason':5}", "\"state_reason\"" },
		{ "{'locked':'false'}", "\"locked\"" },
		{ "{'draft':0}", "\"draft\"" },
		{ "{'created_at':null}", "\"created_at\"" },
		{ "{'created_at':''}", "\"created_at\"" },
		{ "{'created_at':'yesterday'}", "\"created_at\"" },
		{ "{'created_at':1577836800}", "\"created_at\"" },
		{ "{'updated_at':null}", "\"updated_at\"" },
		{ "{'updated_at':'2020-13-01T00:00:00Z'}", "\"updated_at\"" },
		{ "{'closed_at':'soon'}", "\"closed_at\"" },
		{ "{'closed_at':''}", "\"closed_at\"" },
		{ "{'user':[]}", "\"user\"" },
		{ "{'user':{'login':'x'}}", "\"id\"" },
		{ "{'user':{'id':'5','login':'x'}}", "\"id\"" },
		{ "{'user':{'id':5}}", "\"login\"" },
		{ "{'closed_by':'ann'}", "\"closed_by\"" },
		{ "{'labels':null}", "\"labels\"" },
		{ "{'labels':{}}", "\"labels\"" },
		{ "{'labels':['bug']}", "\"id\"" },
		{ "{'labels':[{'id':1}]}", "\"name\"" },
		{ "{'assignees':{}}", "\"assignees\"" },
		{ "{'assignees':[null]}", "\"id\"" },
		{ "{'assignees':[{'id':1,'login':2}]}", "\"login\"" },
		{ "{'milestone':3}", "\"milestone\"" },
		{ "{'milestone':{'number':1,'title':'x'}}", "\"id\"" },
		{ "{'milestone':{'id':11,'title':'x'}}", "\"number\"" },
		{ "{'milestone':{'id':11,'number':1,'title':null}}", "\"title\"" },
		{ "{'pull_request':true}", "\"pull_request\"" },
		{ "{'pull_request':{'merged_at':5}}", "\"merged_at\"" },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct err_info ei = { .text = "" };
		int rc = 0;

		rig_diff(*state, RIG_ISSUE, 0, patched(*state, cases[n].patch), &rc, &ei);
		if (rc != ERR_PROTO || strstr(ei.text, cases[n].named) == NULL)
			fail_msg("%s: %s: %s", cases[n].patch, err_name(rc), ei.text);
	}
}

/* The arena's own cap, at every size. */
static void
a_full_arena_is_no_memory(void **state)
{
	struct sync_rig *rig = *state;
	const json_t *json = rig_json(rig, BASE);
	size_t whole;
	int rc;

	rig_diff(rig, RIG_ISSUE, 0, json, &rc, NULL);
	whole = rig->arena.used;
	for (size_t max = 0; max < whole; max += 16) {
		arena_clear(&rig->arena);
		rig->arena.max = max;
		rig_diff(rig, RIG_ISSUE, 0, json, &rc, NULL);
		assert_int_equal(rc, ERR_NOMEM);
	}
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RIG(the_first_mutation_carries_every_fact),
		cmocka_unit_test(each_difference_gives_the_smallest_mutation),
		WITH_RIG(an_issue_that_was_tombstoned_is_back),
		WITH_RIG(an_issue_known_by_its_tombstone_alone_gets_its_first_facts),
		WITH_RIG(json_that_is_not_githubs_names_the_member),
		WITH_RIG(a_full_arena_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
