/* What our own fields of a mutation mean. */
#include "test/unit/sync/sync_rig.h"

static struct snap_other
other_of(struct snap_view *v, uint32_t number)
{
	struct snap_other o;

	assert_int_equal(snap_other_get(v, number, &o), 0);
	return o;
}

static void
assert_other(struct sync_rig *rig, uint32_t number, const char *destination, const char *json)
{
	struct snap_view *v = fx_view(&rig->fx);
	struct snap_other o = other_of(v, number);

	assert_slice_equal(o.transferred_to, destination);
	assert_slice_equal(o.json, json);
	snap_writer_view_end(v);
}

#define REACTIONS(total, up)                                                                   \
	"{'totalCount':" #total ",'plusOne':" #up ",'minusOne':0,'laugh':0,'hooray':0,"        \
	"'confused':0,'heart':0,'rocket':0,'eyes':0}"

static void
each_fact_of_an_issue_is_kept_until_it_is_told_anew(void **state)
{
	static const struct {
		const char *fact, *shown, *next, *then; /* next NULL: nothing takes it away */
	} cases[] = {
		{ "{'authorAssociation':'OWNER'}", "{'authorAssociation':'OWNER'}",
		    "{'authorAssociation':'NONE'}", "{'authorAssociation':'NONE'}" },
		{ "{'activeLockReason':{'val':'spam'}}", "{'activeLockReason':'spam'}",
		    "{'activeLockReason':{}}", "{'activeLockReason':''}" },
		{ "{'reactions':{'totalCount':2,'plusOne':2}}",
		    "{'reactions':" REACTIONS(2, 2) "}", "{'reactions':{}}",
		    "{'reactions':" REACTIONS(0, 0) "}" },
		{ "{'reactions':{'totalCount':-1,'plusOne':1}}",
		    "{'reactions':" REACTIONS(0, 1) "}", NULL, NULL },
		{ "{'mergeCommitId':'abc','mergedBy':{'id':5,'login':'ann'},"
		  "'mergedAt':'2020-01-01T00:00:00Z'}",
		    "{'mergeCommit':'abc','mergedBy':{'id':5,'login':'ann'},"
		    "'mergedAt':'2020-01-01T00:00:00Z'}",
		    "{'mergedBy':{'id':0}}",
		    "{'mergeCommit':'abc','mergedBy':{'id':5,'login':'ann'}}" },
		{ "{'baseRef':{'owner':'acme','repo':'widgets','ref':'a\\\"b','commitId':'c'},"
		  "'headRef':{'ref':'x'}}",
		    "{'base':{'repo':'acme/widgets','ref':'a\\\"b','sha':'c'},"
		    "'head':{'repo':'','ref':'x','sha':''}}",
		    "{'baseRef':{'owner':'acme'}}", "{'base':{'repo':'','ref':'','sha':''}}" },
		{ "{'requestedReviewers':{'user':[{'id':9,'login':'zoe'},{'id':5,'login':"
		  "'ann'},{'id':9},{'id':0}],'team':[{'id':1,'slug':'z'},{'slug':'a\\\"'}]}}",
		    "{'requestedReviewers':[{'id':5,'login':'ann'},{'id':9,'login':'zoe'}],"
		    "'requestedTeams':['a\\\"','z']}",
		    "{'requestedReviewers':{'user':[{'id':9}]}}",
		    "{'requestedReviewers':[{'id':9,'login':'zoe'}],'requestedTeams':[]}" },
		{ "{'otherJson':'{\\\"type\\\":{\\\"name\\\":\\\"B\\\\u0022ug\\\"}}'}",
		    "{'type':'B\\\"ug'}", "{'otherJson':'{\\\"x\\\":1}'}", "{'type':''}" },
		{ "{'otherJson':'{\\\"type\\\":null}'}", "{'type':''}", NULL, NULL },
		{ "{'otherJson':'no JSON, but \\\"type\\\"'}", "{'type':''}", NULL, NULL },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		assert_int_equal(rig_setup(state), 0);
		rig_issue_says(*state, 7, "{'title':'t'}");
		rig_issue_says(*state, 7, cases[n].fact);
		assert_issue(*state, 7, cases[n].shown);
		rig_issue_says(*state, 7, "{'title':'u'}");
		assert_issue(*state, 7, cases[n].shown);
		if (cases[n].next != NULL) {
			rig_issue_says(*state, 7, cases[n].next);
			assert_issue(*state, 7, cases[n].then);
		}
		assert_sound(*state);
		rig_teardown(state);
	}
}

static void
other_members_are_stored_as_they_came(void **state)
{
	struct sync_rig *rig = *state;

	rig_issue_says(rig, 7, "{'title':'t','otherJson':'{\\\"b\\\":1}'}");
	assert_other(rig, 7, "", "{\"b\":1}");
	rig_issue_says(rig, 7, "{'title':'u'}");
	assert_other(rig, 7, "", "{\"b\":1}");
	rig_issue_says(rig, 7, "{'otherJson':'{}'}");
	assert_other(rig, 7, "", "");
	assert_sound(rig);
}

static void
a_tombstone_keeps_where_the_issue_went(void **state)
{
	struct sync_rig *rig = *state;

	rig_issue_says(rig, 7, "{'title':'t','otherJson':'{\\\"b\\\":1}'}");
	rig_issue_says(rig, 7, "{'notExist':true,'transferredTo':'acme/gadgets/3'}");
	assert_other(rig, 7, "acme/gadgets/3", "{\"b\":1}");
	rig_issue_says(rig, 7, "{'notExist':true}");
	assert_other(rig, 7, "acme/gadgets/3", "{\"b\":1}");
	assert_issue(rig, 7, "{'notExist':true}");
	rig_issue_says(rig, 7, "{'title':'back'}");
	assert_other(rig, 7, "", "{\"b\":1}");
	rig_issue_says(rig, 8, "{'notExist':true,'transferredTo':'acme/gadgets/4'}");
	assert_other(rig, 8, "acme/gadgets/4", "");
	assert_sound(rig);
}

static void
comments_merge_their_other_facts(void **state)
{
	static const struct {
		const char *second, *want; /* beside id, user, times and body */
	} cases[] = {
		{ "{'id':4,'body':'b'}",
		    "'authorAssociation':'OWNER','reactions':"
		    "{'totalCount':1,'eyes':1},'otherJson':'{\\\"z\\\":1}'" },
		{ "{'id':4,'body':'b','authorAssociation':'NONE'}",
		    "'authorAssociation':'NONE','reactions':{'totalCount':1,'eyes':1},"
		    "'otherJson':'{\\\"z\\\":1}'" },
		{ "{'id':4,'body':'b','reactions':{}}",
		    "'authorAssociation':'OWNER','reactions':{'totalCount':0},"
		    "'otherJson':'{\\\"z\\\":1}'" },
		{ "{'id':4,'body':'b','otherJson':'{}'}",
		    "'authorAssociation':'OWNER','reactions':{'totalCount':1,'eyes':1}" },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		char text[512];

		assert_int_equal(rig_setup(state), 0);
		rig_issue_says(*state, 7,
		    "{'title':'t','comment':[{'id':4,'body':'a','authorAssociation':'OWNER',"
		    "'reactions':{'totalCount':1,'eyes':1},'otherJson':'{\\\"z\\\":1}'}]}");
		snprintf(text, sizeof(text), "{'comment':[%s]}", cases[n].second);
		rig_issue_says(*state, 7, text);
		snprintf(text, sizeof(text),
		    "{'comments':[{'id':4,'user':null,'createdAt':null,'updatedAt':null,"
		    "'body':'b',%s}]}",
		    cases[n].want);
		assert_issue(*state, 7, text);
		rig_teardown(state);
	}
}

static void
a_review_says_when_it_was_edited(void **state)
{
	rig_issue_says(*state, 7,
	    "{'title':'t','review':[{'id':4,'updated':'2020-01-03T00:00:00Z',"
	    "'otherJson':'{\\\"z\\\":1}'}]}");
	assert_issue(*state, 7,
	    "{'reviews':[{'id':4,'actor':null,'actorAssociation':'','createdAt':null,"
	    "'updatedAt':'2020-01-03T00:00:00Z','otherJson':'{\\\"z\\\":1}','body':'',"
	    "'commitId':'','state':''}]}");
}

static void
a_review_comment_replaces_the_one_with_its_id(void **state)
{
	struct sync_rig *rig = *state;
	struct snap_view *v;
	struct snap_repo r;

	rig_issue_says(rig, 7,
	    "{'title':'t','reviewComment':[{'id':4,'user':{'id':5,'login':'ann'},"
	    "'reviewId':8,'inReplyToId':3,'path':'a \\\"b\\\".c','line':2,'originalLine':1,"
	    "'startLine':-1,'side':'RIGHT','commitId':'abc','originalCommitId':'def',"
	    "'diffHunk':'@@\\n+x','body':'hi','subjectType':'line','authorAssociation':'NONE',"
	    "'created':'2020-01-01T00:00:00Z','updated':'2020-01-02T00:00:00Z',"
	    "'reactions':{'totalCount':1,'rocket':1},'otherJson':'{\\\"z\\\":1}'},"
	    "{'id':0,'body':'no id'}]}");
	assert_issue(rig, 7,
	    "{'reviewComments':[{'id':4,'user':{'id':5,'login':'ann'},'reviewId':8,"
	    "'inReplyTo':3,'path':'a \\\"b\\\".c','line':2,'originalLine':1,'startLine':null,"
	    "'originalStartLine':null,'side':'RIGHT','startSide':'','commitId':'abc',"
	    "'originalCommitId':'def','diffHunk':'@@\\n+x','body':'hi','subjectType':'line',"
	    "'authorAssociation':'NONE','createdAt':'2020-01-01T00:00:00Z',"
	    "'updatedAt':'2020-01-02T00:00:00Z','reactions':{'totalCount':1,'rocket':1},"
	    "'otherJson':'{\\\"z\\\":1}'}]}");
	rig_issue_says(rig, 7, "{'reviewComment':[{'id':4,'body':'b'},{'id':2}]}");
	v = fx_view(&rig->fx);
	assert_int_equal(snap_repo_get(v, &r), 0);
	assert_int_equal(r.review_comments, 2);
	snap_writer_view_end(v);
	rig_issue_says(rig, 7, "{'deletedReviewComment':[2,9]}");
	assert_issue(rig, 7,
	    "{'reviewComments':[{'id':4,'user':null,'reviewId':null,'inReplyTo':null,"
	    "'path':'','line':null,'originalLine':null,'startLine':null,"
	    "'originalStartLine':null,'side':'','startSide':'','commitId':'',"
	    "'originalCommitId':'','diffHunk':'','body':'b','subjectType':'',"
	    "'authorAssociation':'','createdAt':null,'updatedAt':null,"
	    "'reactions':{'totalCount':0}}]}");
	assert_sound(rig);
}

static void
labels_and_milestones_keep_what_is_not_told(void **state)
{
	struct sync_rig *rig = *state;
	struct snap_milestone m;
	struct snap_label l;
	struct snap_view *v;

	assert_int_equal(rig_apply_text(rig,
			     "{'github':{'labels':[{'id':1,'name':'bug','color':'ff0000',"
			     "'description':{'val':'d\\\"'}}],'milestones':[{'id':2,'number':3,"
			     "'title':'v1','closed':{'val':true},'description':{'val':'m'},"
			     "'due':'2020-01-01T00:00:00Z','closedAt':'2020-01-02T00:00:00Z',"
			     "'creator':{'id':5,'login':'ann'}}]}}"),
	    0);
	assert_int_equal(
	    rig_apply_text(rig, "{'github':{'labels':[{'id':1,'color':'00ff00'},{'id':7}],"
				"'milestones':[{'id':2,'closed':{},'noDue':true}]}}"),
	    0);
	rig_issue_says(rig, 7,
	    "{'addLabel':[{'id':1,'name':'defect'}],'milestoneId':2,'milestoneTitle':'v2'}");
	v = fx_view(&rig->fx);
	assert_int_equal(snap_label_get(v, 1, &l), 0);
	assert_slice_equal(l.name, "defect");
	assert_slice_equal(l.color, "00ff00");
	assert_slice_equal(l.description, "d\\\"");
	assert_int_equal(snap_label_get(v, 7, &l), ERR_NOENT);
	assert_int_equal(snap_milestone_get(v, 2, &m), 0);
	assert_slice_equal(m.title, "v2");
	assert_slice_equal(m.description, "m");
	assert_int_equal(m.number, 3);
	assert_int_equal(m.creator, 5);
	assert_false(m.closed);
	assert_int_equal(m.due_ms, TIME_NONE);
	assert_int_equal(m.closed_ms, TIME_NONE);
	snap_writer_view_end(v);
	assert_sound(rig);
}

static void
a_deleted_label_or_milestone_leaves_the_issues(void **state)
{
	struct sync_rig *rig = *state;

	for (uint32_t n = 1; n <= 3; n++)
		rig_issue_says(rig, n,
		    "{'title':'t','addLabel':[{'id':1,'name':'p0'},{'id':2,'name':'bug'}],"
		    "'milestoneId':9,'milestoneNum':3,'milestoneTitle':'soon'}");
	rig_issue_says(rig, 3, "{'removeLabel':[1],'noMilestone':true}");
	assert_int_equal(
	    rig_apply_text(rig, "{'github':{'deletedLabel':[1,77],'deletedMilestone':[9,78]}}"),
	    0);
	for (uint32_t n = 1; n <= 3; n++)
		assert_issue(rig, n,
		    "{'labels':['bug'],'milestone':null,'priority':'PRIORITY_UNSPECIFIED'}");
	/* and can come again */
	rig_issue_says(rig, 1, "{'addLabel':[{'id':1,'name':'p0'}]}");
	assert_issue(rig, 1, "{'labels':['bug','p0'],'priority':'P0'}");
	assert_sound(rig);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fact_of_an_issue_is_kept_until_it_is_told_anew),
		WITH_RIG(other_members_are_stored_as_they_came),
		WITH_RIG(a_tombstone_keeps_where_the_issue_went),
		cmocka_unit_test(comments_merge_their_other_facts),
		WITH_RIG(a_review_says_when_it_was_edited),
		WITH_RIG(a_review_comment_replaces_the_one_with_its_id),
		WITH_RIG(labels_and_milestones_keep_what_is_not_told),
		WITH_RIG(a_deleted_label_or_milestone_leaves_the_issues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
