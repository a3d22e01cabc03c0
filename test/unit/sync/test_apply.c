/* What a mutation means (mutation-log/FORMAT.md): one case or more for each rule. */
#include "sync/apply.h"
#include "test/unit/sync/sync_rig.h"

#define FIRST                                                                                  \
	"{'id':70,'created':'2020-01-01T00:00:00Z','updated':'2020-01-02T00:00:00Z',"          \
	"'title':'one','bodyChange':{'val':'text'},'user':{'id':5,'login':'ann'},"             \
	"'addLabel':[{'id':1,'name':'bug'},{'id':2,'name':'p1'}],"                             \
	"'assignees':[{'id':6,'login':'bob'}],'milestoneId':9,'milestoneNum':3,"               \
	"'milestoneTitle':'soon'}"

/* After FIRST: what a second mutation makes of these members. */
static void
each_field_changes_what_it_names_and_nothing_else(void **state)
{
	static const struct {
		const char *second, *members;
	} cases[] = {
		{ "{}",
		    "{'title':'one','body':'text','labels':['bug','p1'],'closed':false,"
		    "'createdAt':'2020-01-01T00:00:00Z','updatedAt':'2020-01-02T00:00:00Z',"
		    "'reporter':{'id':5,'login':'ann'},'assignees':[{'id':6,'login':'bob'}],"
		    "'milestone':{'number':3,'title':'soon'},'priority':'P1',"
		    "'issueType':'BUG','locked':false,'draft':false,'isPr':false}" },
		{ "{'title':'two'}", "{'title':'two','body':'text'}" },
		{ "{'title':''}", "{'title':'one'}" },
		{ "{'bodyChange':{'val':''}}", "{'body':''}" },
		{ "{'bodyChange':{}}", "{'body':''}" },
		{ "{'body':'old form'}", "{'body':'old form'}" },
		{ "{'body':''}", "{'body':'text'}" },
		{ "{'body':'old','bodyChange':{'val':'new'}}", "{'body':'new'}" },
		{ "{'closed':{'val':true},'closedAt':'2020-02-02T00:00:00Z',"
		  "'closedBy':{'id':5,'login':'ann'}}",
		    "{'closed':true,'closedAt':'2020-02-02T00:00:00Z',"
		    "'closedBy':{'id':5,'login':'ann'}}" },
		{ "{'closedAt':'2020-02-02T00:00:00Z'}", "{'closed':false,'closedAt':null}" },
		{ "{'locked':{'val':true}}", "{'locked':true}" },
		{ "{'draft':{'val':true}}", "{'draft':true}" },
		{ "{'pullRequest':true}", "{'isPr':true}" },
		{ "{'mergedAt':'2020-03-03T00:00:00Z'}",
		    "{'mergedAt':'2020-03-03T00:00:00Z'}" },
		{ "{'stateReason':{'val':'completed'}}", "{'stateReason':'completed'}" },
		{ "{'noMilestone':true}", "{'milestone':null}" },
		{ "{'milestoneId':10,'milestoneNum':4,'milestoneTitle':'later'}",
		    "{'milestone':{'number':4,'title':'later'}}" },
		{ "{'noMilestone':true,'milestoneId':10,'milestoneTitle':'later'}",
		    "{'milestone':null}" },
		/* a first fact is taken from the first mutation only */
		{ "{'created':'2019-01-01T00:00:00Z'}",
		    "{'createdAt':'2020-01-01T00:00:00Z'}" },
		{ "{'user':{'id':8,'login':'cid'}}", "{'reporter':{'id':8,'login':'cid'}}" },
		{ "{'knownUser':[{'id':5,'login':'anna'}]}",
		    "{'reporter':{'id':5,'login':'anna'}}" },
		/* an id without a login does not erase the login */
		{ "{'knownUser':[{'id':5}]}", "{'reporter':{'id':5,'login':'ann'}}" },
		/* remove before add */
		{ "{'removeLabel':[1],'addLabel':[{'id':1,'name':'bug'}]}",
		    "{'labels':['bug','p1']}" },
		{ "{'removeLabel':[1]}", "{'labels':['p1']}" },
		{ "{'removeLabel':[77]}", "{'labels':['bug','p1']}" },
		{ "{'addLabel':[{'id':3,'name':'Apple'}]}", "{'labels':['Apple','bug','p1']}" },
		/* adding names a label, too */
		{ "{'addLabel':[{'id':1,'name':'defect'}]}", "{'labels':['defect','p1']}" },
		/* assignees are added or renamed, and only then removed */
		{ "{'assignees':[{'id':7,'login':'cat'}],'deletedAssignees':[6]}",
		    "{'assignees':[{'id':7,'login':'cat'}]}" },
		{ "{'assignees':[{'id':6,'login':'rob'}]}",
		    "{'assignees':[{'id':6,'login':'rob'}]}" },
		{ "{'assignees':[{'id':7,'login':'cat'}],'deletedAssignees':[7]}",
		    "{'assignees':[{'id':6,'login':'bob'}]}" },
		/* ids of 0 are ignored */
		{ "{'addLabel':[{'id':0,'name':'zero'}],'assignees':[{'id':0,'login':'z'}]}",
		    "{'labels':['bug','p1'],'assignees':[{'id':6,'login':'bob'}]}" },
	};

	for (uint32_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		assert_int_equal(rig_setup(state), 0);
		rig_issue_says(*state, n + 1, FIRST);
		rig_issue_says(*state, n + 1, cases[n].second);
		assert_issue(*state, n + 1, cases[n].members);
		assert_sound(*state);
		rig_teardown(state);
	}
}

static void
who_closed_it_can_become_unknown(void **state)
{
	struct sync_rig *rig = *state;

	rig_issue_says(rig, 1, "{'closed':{'val':true},'closedBy':{'id':5,'login':'ann'}}");
	rig_issue_says(rig, 1, "{'noClosedBy':true}");
	assert_issue(rig, 1, "{'closed':true,'closedBy':null}");
}

static void
a_tombstone_hides_the_issue_and_says_nothing_else(void **state)
{
	struct sync_rig *rig = *state;
	struct snap_view *v;
	struct snap_repo r;

	rig_issue_says(rig, 7, FIRST);
	rig_issue_says(rig, 7, "{'notExist':true,'title':'ignored','comment':[{'id':4}]}");
	assert_issue(rig, 7, "{'notExist':true,'title':'one','comments':[]}");
	v = fx_view(&rig->fx);
	assert_int_equal(snap_repo_get(v, &r), 0);
	assert_int_equal(r.counts[SNAP_CLASS_OPEN_ISSUE], 0);
	snap_writer_view_end(v);
	assert_sound(rig);
}

static void
a_later_mutation_brings_a_tombstoned_issue_back(void **state)
{
	struct sync_rig *rig = *state;
	struct snap_view *v;
	struct snap_repo r;

	rig_issue_says(rig, 7, FIRST);
	rig_issue_says(rig, 7, "{'notExist':true}");
	rig_issue_says(rig, 7, "{'title':'back'}");
	assert_issue(rig, 7, "{'notExist':false,'title':'back','labels':['bug','p1']}");
	v = fx_view(&rig->fx);
	assert_int_equal(snap_repo_get(v, &r), 0);
	assert_int_equal(r.counts[SNAP_CLASS_OPEN_ISSUE], 1);
	snap_writer_view_end(v);
	assert_sound(rig);
}

static void
a_number_never_seen_can_be_tombstoned(void **state)
{
	struct sync_rig *rig = *state;
	struct snap_view *v;
	struct snap_issue i;

	rig_issue_says(rig, 9, "{'notExist':true}");
	v = fx_view(&rig->fx);
	assert_int_equal(snap_issue_get(v, 9, &i), 0);
	assert_int_equal(i.flags & (SNAP_ISSUE_NOT_EXIST | SNAP_ISSUE_SEEN), 1);
	snap_writer_view_end(v);
	assert_sound(rig);
}

#define NO_OPINION "'authorAssociation':'','reactions':{'totalCount':0}"
#define AT "'createdAt':'2020-01-01T00:00:00Z','updatedAt':'2020-01-02T00:00:00Z'," NO_OPINION

static void
comments_merge_field_by_field(void **state)
{
	static const struct {
		const char *second, *comments;
	} cases[] = {
		{ "{'comment':[{'id':4}]}",
		    "[{'id':4,'user':{'id':5,'login':'ann'}," AT ",'body':'hi'}]" },
		{ "{'comment':[{'id':4,'body':'new'}]}",
		    "[{'id':4,'user':{'id':5,'login':'ann'}," AT ",'body':'new'}]" },
		{ "{'comment':[{'id':4,'emptyBody':true}]}",
		    "[{'id':4,'user':{'id':5,'login':'ann'}," AT ",'body':''}]" },
		{ "{'comment':[{'id':4,'emptyBody':true,'body':'both'}]}",
		    "[{'id':4,'user':{'id':5,'login':'ann'}," AT ",'body':'both'}]" },
		{ "{'comment':[{'id':4,'user':{'id':6,'login':'bob'}}]}",
		    "[{'id':4,'user':{'id':6,'login':'bob'}," AT ",'body':'hi'}]" },
		{ "{'comment':[{'id':4,'updated':'2021-01-01T00:00:00Z'}]}",
		    "[{'id':4,'user':{'id':5,'login':'ann'},"
		    "'createdAt':'2020-01-01T00:00:00Z','updatedAt':'2021-01-01T00:00:00Z',"
		    "'body':'hi'," NO_OPINION "}]" },
		{ "{'comment':[{'id':0,'body':'no id'}]}",
		    "[{'id':4,'user':{'id':5,'login':'ann'}," AT ",'body':'hi'}]" },
		{ "{'deletedComment':[4]}", "[]" },
		{ "{'comment':[{'id':5,'body':'x'}],'deletedComment':[4,5,6]}", "[]" },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		char want[512];

		assert_int_equal(rig_setup(state), 0);
		rig_issue_says(*state, 1,
		    "{'title':'t','comment':[{'id':4,'user':{'id':5,'login':'ann'},'body':'hi',"
		    "'created':'2020-01-01T00:00:00Z','updated':'2020-01-02T00:00:00Z'}]}");
		rig_issue_says(*state, 1, cases[n].second);
		snprintf(want, sizeof(want), "{'comments':%s}", cases[n].comments);
		assert_issue(*state, 1, want);
		assert_sound(*state);
		rig_teardown(state);
	}
}

static void
a_review_replaces_the_one_with_its_id(void **state)
{
	struct sync_rig *rig = *state;

	rig_issue_says(rig, 1,
	    "{'title':'t','pullRequest':true,'knownUser':[{'id':5,'login':'ann'}],"
	    "'review':[{'id':4,'actorId':5,'body':'good','state':'APPROVED','commitId':'abc',"
	    "'actorAssociation':'OWNER','created':'2020-01-01T00:00:00Z'}]}");
	assert_issue(rig, 1, "{'approved':true}");
	rig_issue_says(
	    rig, 1, "{'review':[{'id':4,'actorId':5,'state':'DISMISSED'},{'id':0}]}");
	assert_issue(rig, 1,
	    "{'approved':false,'reviews':[{'id':4,'actor':{'id':5,'login':'ann'},'body':'',"
	    "'state':'DISMISSED','commitId':'','actorAssociation':'','createdAt':null,"
	    "'updatedAt':null}]}");
	rig_issue_says(rig, 1, "{'deletedReview':[4]}");
	assert_issue(rig, 1, "{'reviews':[]}");
	assert_sound(rig);
}

static void
an_event_replaces_the_one_with_its_id(void **state)
{
	struct sync_rig *rig = *state;

	rig_issue_says(rig, 1,
	    "{'title':'t','event':[{'id':4,'eventType':'closed','commit':{'commitId':'abc'},"
	    "'created':'2020-01-01T00:00:00Z'}]}");
	assert_issue(rig, 1, "{'commit':'abc'}");
	rig_issue_says(rig, 1, "{'event':[{'id':4,'eventType':'closed'},{'id':-1}]}");
	assert_issue(rig, 1, "{'commit':''}");
	rig_issue_says(rig, 1, "{'deletedEvent':[4]}");
	assert_sound(rig);
}

static void
a_new_login_renames_the_user_everywhere(void **state)
{
	struct sync_rig *rig = *state;

	rig_issue_says(rig, 1, FIRST);
	rig_issue_says(
	    rig, 2, "{'title':'t','comment':[{'id':4,'user':{'id':5,'login':'ann'}}]}");
	rig_issue_says(rig, 3, "{'title':'u','user':{'id':5,'login':'anna'}}");
	assert_issue(rig, 1, "{'reporter':{'id':5,'login':'anna'}}");
	assert_issue(rig, 2,
	    "{'comments':[{'id':4,'user':{'id':5,'login':'anna'},'createdAt':null,"
	    "'updatedAt':null,'body':''," NO_OPINION "}]}");
	assert_sound(rig);
}

static void
a_renamed_label_or_milestone_shows_in_every_issue(void **state)
{
	struct sync_rig *rig = *state;

	rig_issue_says(rig, 1, FIRST);
	rig_issue_says(rig, 2, FIRST);
	assert_int_equal(rig_apply_text(rig,
			     "{'github':{'labels':[{'id':2,'name':'p0'},{'id':0,'name':'x'}],"
			     "'milestones':[{'id':9,'number':3,'title':'now'}]}}"),
	    0);
	for (uint32_t n = 1; n <= 2; n++)
		assert_issue(rig, n,
		    "{'labels':['bug','p0'],'priority':'P0',"
		    "'milestone':{'number':3,'title':'now'}}");
	assert_int_equal(apply_stats(rig->apply)->zero_ids, 1);
	assert_sound(rig);
}

static void
sync_state_is_kept_by_family(void **state)
{
	struct sync_rig *rig = *state;
	struct snap_view *v;
	struct snap_sync s;

	assert_int_equal(
	    rig_apply_text(rig, "{'github':{'renamedTo':'acme/gadgets','syncState':["
				"{'family':'issues','serverDate':'2020-01-01T00:00:00Z',"
				"'complete':true},{'family':'events','position':'page 3'},"
				"{'family':'','complete':true}]}}"),
	    0);
	v = fx_view(&rig->fx);
	assert_int_equal(snap_sync_get(v, SLICE("issues"), &s), 0);
	assert_true(s.complete);
	assert_int_equal(s.server_date_ms, INT64_C(1577836800000));
	assert_int_equal(snap_sync_get(v, SLICE("events"), &s), 0);
	assert_false(s.complete);
	assert_int_equal(s.server_date_ms, TIME_NONE);
	assert_slice_equal(s.position, "page 3");
	snap_writer_view_end(v);
}

static void
what_changes_nothing_is_counted(void **state)
{
	static const struct {
		const char *mutation;
		struct apply_stats want;
	} cases[] = {
		{ "{'githubIssue':{'number':1,'title':'t'}}", { .applied = 1 } },
		{ "{'githubIssue':{'owner':'ACME','repo':'Widgets','number':1,'title':'t'}}",
		    { .applied = 1 } },
		{ "{'githubIssue':{'owner':'acme','repo':'other','number':1,'title':'t'}}",
		    { .applied = 1, .other_repo = 1 } },
		{ "{'github':{'owner':'acm','repo':'widgets','labels':[{'id':1}]}}",
		    { .applied = 1, .other_repo = 1 } },
		{ "{'githubIssue':{'number':0,'title':'t'}}", { .applied = 1, .zero_ids = 1 } },
		{ "{'githubIssue':{'number':-5,'title':'t'}}",
		    { .applied = 1, .zero_ids = 1 } },
		{ "{'git':'x'}", { .foreign = 1 } },
		{ "{'gerrit':'x'}", { .foreign = 1 } },
		{ "{}", { .empty = 1 } },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const struct apply_stats *got;
		struct sync_rig *rig;

		assert_int_equal(rig_setup(state), 0);
		rig = *state;
		assert_int_equal(rig_apply_text(rig, cases[n].mutation), 0);
		got = apply_stats(rig->apply);
		assert_int_equal(got->applied, cases[n].want.applied);
		assert_int_equal(got->other_repo, cases[n].want.other_repo);
		assert_int_equal(got->zero_ids, cases[n].want.zero_ids);
		assert_int_equal(got->foreign, cases[n].want.foreign);
		assert_int_equal(got->empty, cases[n].want.empty);
		rig_teardown(state);
	}
}

static void
times_that_no_calendar_has_are_unknown(void **state)
{
	static const struct {
		int64_t seconds;
		int32_t nanos;
		const char *want;
	} cases[] = {
		{ 0, 0, "{'updatedAt':'1970-01-01T00:00:00Z'}" },
		{ 1, 999999999, "{'updatedAt':'1970-01-01T00:00:01.999Z'}" },
		{ 1, -1, "{'updatedAt':'1970-01-01T00:00:01Z'}" },
		{ INT64_MAX, 0, "{'updatedAt':null}" },
		{ INT64_MIN, 0, "{'updatedAt':null}" },
		{ 253402300799, 0, "{'updatedAt':'9999-12-31T23:59:59Z'}" },
		{ 253402300800, 0, "{'updatedAt':null}" },
		{ -62135596800, 0, "{'updatedAt':'0001-01-01T00:00:00Z'}" },
		{ -62135596801, 0, "{'updatedAt':null}" },
	};
	struct sync_rig *rig = *state;

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		Maintpb__Mutation *m = mutation_of(&rig->arena,
		    rig_json(rig, "{'githubIssue':{'owner':'acme','repo':'widgets',"
				  "'number':1,'updated':'2020-01-01T00:00:00Z'}}"));

		m->github_issue->updated->seconds = cases[n].seconds;
		m->github_issue->updated->nanos = cases[n].nanos;
		assert_int_equal(rig_apply(rig, m), 0);
		assert_issue(rig, 1, cases[n].want);
	}
}

static void
more_labels_than_an_issue_may_have_is_an_error(void **state)
{
	struct sync_rig *rig = *state;
	json_t *many = json_array(), *json;

	for (int i = 1; i <= (int)SNAP_LIST_MAX + 1; i++)
		json_array_append_new(many, json_pack("{s:i,s:s}", "id", i, "name", "l"));
	json = json_pack("{s:{s:s,s:s,s:i,s:o}}", "githubIssue", "owner", RIG_OWNER, "repo",
	    RIG_REPO, "number", 1, "addLabel", many);
	json_array_append_new(rig->documents, json);
	assert_int_equal(rig_apply(rig, mutation_of(&rig->arena, json)), ERR_LIMIT);
	rig_issue_says(rig, 1, "{'title':'fine'}"); /* nothing of it stayed */
	assert_issue(rig, 1, "{'labels':[]}");
}

static void
every_allocation_may_fail(void **state)
{
	struct sync_rig *rig = *state;
	Maintpb__Mutation *m;
	int rc = ERR_NOMEM;

	m = mutation_of(&rig->arena,
	    rig_json(rig, "{'githubIssue':{'owner':'acme','repo':'widgets','number':1,"
			  "'title':'a','bodyChange':{'val':'b'},'user':{'id':1,'login':'l'},"
			  "'addLabel':[{'id':1,'name':'x'}],'comment':[{'id':1,'body':'c'}],"
			  "'review':[{'id':1,'actorId':1,'state':'APPROVED'}],"
			  "'event':[{'id':1,'eventType':'closed','otherJson':'{}',"
			  "'commit':{'commitId':'abc'}}],'pullRequest':true}}"));
	for (long n = 0; rc != 0; n++) {
		struct snap_txn *t = NULL;

		mem_fail_after(n);
		rc = snap_txn_begin(rig->fx.writer, &t);
		if (rc == 0) {
			apply_mutation(rig->apply, t, m);
			rc = snap_txn_commit(t);
		}
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
		assert_in_range(n, 0, 500);
	}
	assert_issue(rig, 1, "{'title':'a','body':'b','labels':['x'],'commit':'abc'}");
	assert_sound(rig);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_changes_what_it_names_and_nothing_else),
		WITH_RIG(who_closed_it_can_become_unknown),
		WITH_RIG(a_tombstone_hides_the_issue_and_says_nothing_else),
		WITH_RIG(a_later_mutation_brings_a_tombstoned_issue_back),
		WITH_RIG(a_number_never_seen_can_be_tombstoned),
		cmocka_unit_test(comments_merge_field_by_field),
		WITH_RIG(a_review_replaces_the_one_with_its_id),
		WITH_RIG(an_event_replaces_the_one_with_its_id),
		WITH_RIG(a_new_login_renames_the_user_everywhere),
		WITH_RIG(a_renamed_label_or_milestone_shows_in_every_issue),
		WITH_RIG(sync_state_is_kept_by_family),
		cmocka_unit_test(what_changes_nothing_is_counted),
		WITH_RIG(times_that_no_calendar_has_are_unknown),
		WITH_RIG(more_labels_than_an_issue_may_have_is_an_error),
		WITH_RIG(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
