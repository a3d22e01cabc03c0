/* Facts beyond title, body and state: what differs is told once, and nothing else. */
#include "test/unit/sync/sync_rig.h"

#define ISSUE(extra)                                                                           \
	"{'id':70,'number':7,'title':'t','state':'open','labels':[],'pull_request':{},"        \
	"'created_at':'2020-01-01T00:00:00Z','updated_at':'2020-01-01T00:00:00Z'" extra "}"
#define COMMENT(extra)                                                                         \
	"[{'id':4,'user':{'id':5,'login':'ann'},'body':'hi',"                                  \
	"'created_at':'2020-01-01T00:00:00Z','updated_at':'2020-01-02T00:00:00Z'" extra "}]"
#define LINE(extra)                                                                            \
	"[{'id':4,'user':{'id':5,'login':'ann'},'body':'hi','path':'a.c','line':3,"            \
	"'side':'RIGHT','diff_hunk':'@@','commit_id':'abc','original_commit_id':'def',"        \
	"'pull_request_review_id':8,'created_at':'2020-01-01T00:00:00Z',"                      \
	"'updated_at':'2020-01-02T00:00:00Z'" extra "}]"
#define LINE_SAYS(extra) LINE_SAYS_AT("'line':3,", extra)
#define LINE_SAYS_AT(line, extra)                                                              \
	"{'githubIssue':{'reviewComment':[{'id':4,'user':{'id':5,'login':'ann'},"              \
	"'body':'hi','path':'a.c'," line "'side':'RIGHT','diffHunk':'@@',"                     \
	"'commitId':'abc','originalCommitId':'def','reviewId':8,"                              \
	"'created':'2020-01-01T00:00:00Z','updated':'2020-01-02T00:00:00Z'" extra "}]}}"
#define PULL(extra) "{'number':7" extra "}"
#define MERGED "'merged_at':'2020-02-02T00:00:00Z','merge_commit_sha':'m1'"
#define ENDS                                                                                   \
	"'base':{'ref':'main','sha':'b1','repo':{'full_name':'acme/widgets'}},"                \
	"'head':{'ref':'topic','sha':'h1','repo':{'full_name':'ann/widgets'}}"

struct step {
	enum rig_kind kind;
	const char *json;
};

struct fact_case {
	struct step before[2]; /* json NULL: none */
	struct step after;
	const char *want; /* the mutation without the issue's number; NULL for none */
};

static void
check_case(void **state, const struct fact_case *c)
{
	json_t *got, *want, *part;

	assert_int_equal(rig_setup(state), 0);
	rig_takes(*state, RIG_ISSUE, 7, rig_json(*state, ISSUE("")));
	for (size_t i = 0; i < 2; i++) {
		if (c->before[i].json != NULL)
			rig_takes(
			    *state, c->before[i].kind, 7, rig_json(*state, c->before[i].json));
	}
	got = rig_shown(
	    rig_diff(*state, c->after.kind, 7, rig_json(*state, c->after.json), NULL, NULL));
	want = c->want == NULL ? json_null() : json_of(c->want);
	part = json_object_get(want, "githubIssue");
	if (part != NULL)
		json_object_set_new(part, "number", json_integer(7));
	assert_json_equal(got, want);
	json_decref(got);
	json_decref(want);
	rig_takes(*state, c->after.kind, 7, rig_json(*state, c->after.json));
	assert_null(
	    rig_diff(*state, c->after.kind, 7, rig_json(*state, c->after.json), NULL, NULL));
	assert_sound(*state);
	rig_teardown(state);
}

#define CHECK(cases)                                                                           \
	for (size_t n = 0; n < sizeof(cases) / sizeof((cases)[0]); n++)                        \
	check_case(state, &(cases)[n])

static void
facts_of_an_issue(void **state)
{
	static const struct fact_case cases[] = {
		{ { { 0 } }, { RIG_ISSUE, ISSUE(",'author_association':'OWNER'") },
		    "{'githubIssue':{'authorAssociation':'OWNER'}}" },
		/* not to know is no news */
		{ { { RIG_ISSUE, ISSUE(",'author_association':'OWNER'") } },
		    { RIG_ISSUE, ISSUE("") }, NULL },
		{ { { 0 } }, { RIG_ISSUE, ISSUE(",'active_lock_reason':'spam'") },
		    "{'githubIssue':{'activeLockReason':{'val':'spam'}}}" },
		{ { { RIG_ISSUE, ISSUE(",'active_lock_reason':'spam'") } },
		    { RIG_ISSUE, ISSUE(",'active_lock_reason':null") },
		    "{'githubIssue':{'activeLockReason':{}}}" },
		{ { { 0 } },
		    { RIG_ISSUE, ISSUE(",'reactions':{'url':'x','total_count':0,'+1':0}") },
		    NULL },
		{ { { 0 } },
		    { RIG_ISSUE,
			ISSUE(",'reactions':{'total_count':9,'+1':1,'-1':1,'laugh':1,"
			      "'hooray':1,'confused':1,'heart':1,'rocket':1,'eyes':2}") },
		    "{'githubIssue':{'reactions':{'totalCount':9,'plusOne':1,'minusOne':1,"
		    "'laugh':1,'hooray':1,'confused':1,'heart':1,'rocket':1,'eyes':2}}}" },
		{ { { RIG_ISSUE, ISSUE(",'reactions':{'total_count':1,'eyes':1}") } },
		    { RIG_ISSUE, ISSUE(",'reactions':{'total_count':0}") },
		    "{'githubIssue':{'reactions':{}}}" },
		{ { { RIG_ISSUE, ISSUE(",'reactions':{'total_count':1,'eyes':1}") } },
		    { RIG_ISSUE, ISSUE("") }, NULL },
	};

	CHECK(cases);
}

static void
members_without_a_field(void **state)
{
	static const struct fact_case cases[] = {
		{ { { 0 } },
		    { RIG_ISSUE, ISSUE(",'zz':1,'aa':{'url':'u','node_id':'n','b':null,'c':[]},"
				       "'empty':'','none':null,'list':[],'object':{}") },
		    "{'githubIssue':{'otherJson':'{\\\"zz\\\":1}'}}" },
		/* false and 0 are facts; a summary of nothing is none */
		{ { { 0 } },
		    { RIG_ISSUE, ISSUE(",'b':false,'a':0,'sub_issues_summary':{'total':0},"
				       "'x_summary':{'total':1}") },
		    "{'githubIssue':{'otherJson':'{\\\"a\\\":0,\\\"b\\\":false,"
		    "\\\"x_summary\\\":{\\\"total\\\":1}}'}}" },
		/* addresses: of this object no, of another one yes */
		{ { { 0 } },
		    { RIG_ISSUE, ISSUE(",'html_url':'h','parent_issue_url':'p','type':"
				       "{'id':1,'name':'Bug','url':'u'}") },
		    "{'githubIssue':{'otherJson':'{\\\"parent_issue_url\\\":\\\"p\\\","
		    "\\\"type\\\":{\\\"id\\\":1,\\\"name\\\":\\\"Bug\\\"}}'}}" },
		/* people are known by id and login, apps by little more */
		{ { { 0 } },
		    { RIG_ISSUE, ISSUE(",'by':[{'id':5,'login':'ann','type':'User'}],"
				       "'performed_via_github_app':{'id':1,'slug':'s',"
				       "'permissions':{'issues':'write'}}") },
		    "{'githubIssue':{'otherJson':'{\\\"by\\\":[{\\\"id\\\":5,"
		    "\\\"login\\\":\\\"ann\\\"}],\\\"performed_via_github_app\\\":"
		    "{\\\"id\\\":1,\\\"slug\\\":\\\"s\\\"}}'}}" },
		{ { { RIG_ISSUE, ISSUE(",'zz':1") } }, { RIG_ISSUE, ISSUE("") },
		    "{'githubIssue':{'otherJson':'{}'}}" },
		/* each listing replaces its own half */
		{ { { RIG_ISSUE, ISSUE(",'zz':1") } }, { RIG_PULL, PULL(",'id':9") },
		    "{'githubIssue':{'otherJson':'{\\\"pull\\\":{\\\"id\\\":9},"
		    "\\\"zz\\\":1}'}}" },
		{ { { RIG_ISSUE, ISSUE(",'zz':1") }, { RIG_PULL, PULL(",'id':9") } },
		    { RIG_ISSUE, ISSUE("") },
		    "{'githubIssue':{'otherJson':'{\\\"pull\\\":{\\\"id\\\":9}}'}}" },
		{ { { RIG_ISSUE, ISSUE(",'zz':1") }, { RIG_PULL, PULL(",'id':9") } },
		    { RIG_PULL, PULL("") }, "{'githubIssue':{'otherJson':'{\\\"zz\\\":1}'}}" },
		{ { { RIG_PULL, PULL(",'id':9") } }, { RIG_PULL, PULL("") },
		    "{'githubIssue':{'otherJson':'{}'}}" },
		{ { { RIG_PULL, PULL(",'id':9") } }, { RIG_ISSUE, ISSUE(",'pull':'mine'") },
		    NULL },
	};

	CHECK(cases);
}

static void
facts_of_a_pull_request(void **state)
{
	static const struct fact_case cases[] = {
		{ { { 0 } }, { RIG_PULL, PULL(",'draft':true") },
		    "{'githubIssue':{'draft':{'val':true}}}" },
		{ { { RIG_PULL, PULL(",'draft':true") } }, { RIG_PULL, PULL("") }, NULL },
		/* a merge that is only tried is no fact */
		{ { { 0 } }, { RIG_PULL, PULL(",'merge_commit_sha':'t1','merged_at':null") },
		    NULL },
		{ { { 0 } }, { RIG_PULL, PULL("," MERGED) },
		    "{'githubIssue':{'mergedAt':'2020-02-02T00:00:00Z','mergeCommitId':'m1'}"
		    "}" },
		{ { { RIG_PULL, PULL("," MERGED) } },
		    { RIG_PULL, PULL("," MERGED ",'merged_by':{'id':5,'login':'ann'}") },
		    "{'githubIssue':{'mergedBy':{'id':5,'login':'ann'}}}" },
		{ { { RIG_PULL, PULL("," MERGED ",'merged_by':{'id':5,'login':'ann'}") } },
		    { RIG_PULL, PULL("," MERGED ",'merged_by':null") }, NULL },
		{ { { RIG_PULL, PULL("," MERGED ",'merged_by':{'id':5,'login':'ann'}") } },
		    { RIG_PULL, PULL("," MERGED ",'merged_by':{'id':5,'login':'anna'}") },
		    "{'githubIssue':{'mergedBy':{'id':5,'login':'anna'}}}" },
		{ { { 0 } }, { RIG_PULL, PULL("," ENDS) },
		    "{'githubIssue':{'baseRef':{'owner':'acme','repo':'widgets','ref':'main',"
		    "'commitId':'b1'},'headRef':{'owner':'ann','repo':'widgets','ref':'topic',"
		    "'commitId':'h1'}}}" },
		/* the fork goes away */
		{ { { RIG_PULL, PULL("," ENDS) } },
		    { RIG_PULL, PULL(",'head':{'ref':'topic','sha':'h1','repo':null,"
				     "'label':'ann:topic','user':{'id':5,'login':'ann'}}") },
		    "{'githubIssue':{'headRef':{'ref':'topic','commitId':'h1'},'otherJson':"
		    "'{\\\"pull\\\":{\\\"head\\\":{\\\"label\\\":\\\"ann:topic\\\","
		    "\\\"user\\\":\\\"ann\\\"}}}'}}" },
		{ { { 0 } }, { RIG_PULL, PULL(",'head':{'repo':{'full_name':'noslash'}}") },
		    NULL },
	};

	CHECK(cases);
}

static void
requested_reviewers(void **state)
{
#define ASKED                                                                                  \
	",'requested_reviewers':[{'id':6,'login':'bob'},{'id':5,'login':'ann'}],"              \
	"'requested_teams':[{'id':2,'slug':'z'},{'id':1,'slug':'a'}]"
	static const struct fact_case cases[] = {
		{ { { 0 } }, { RIG_PULL, PULL(ASKED) },
		    "{'githubIssue':{'requestedReviewers':{'user':[{'id':6,'login':'bob'},"
		    "{'id':5,'login':'ann'}],'team':[{'id':2,'slug':'z'},"
		    "{'id':1,'slug':'a'}]}}}" },
		/* in another order it is the same set */
		{ { { RIG_PULL, PULL(ASKED) } },
		    { RIG_PULL,
			PULL(",'requested_reviewers':[{'id':5,'login':'ann'},"
			     "{'id':6,'login':'bob'}],"
			     "'requested_teams':[{'id':1,'slug':'a'},{'id':2,'slug':'z'}]") },
		    NULL },
		{ { { RIG_PULL, PULL(ASKED) } },
		    { RIG_PULL, PULL(",'requested_reviewers':[],'requested_teams':[]") },
		    "{'githubIssue':{'requestedReviewers':{}}}" },
		{ { { RIG_PULL, PULL(ASKED) } }, { RIG_PULL, PULL("") }, NULL },
		{ { { RIG_PULL, PULL(ASKED) } },
		    { RIG_PULL, PULL(ASKED ",'requested_teams':[{'id':1,'slug':'a'},"
					   "{'id':3,'slug':'b'}]") },
		    "{'githubIssue':{'requestedReviewers':{'user':[{'id':6,'login':'bob'},"
		    "{'id':5,'login':'ann'}],'team':[{'id':1,'slug':'a'},"
		    "{'id':3,'slug':'b'}]}}}" },
		{ { { RIG_PULL, PULL(ASKED) } },
		    { RIG_PULL, PULL(ASKED ",'requested_reviewers':[{'id':5,'login':'ann'},"
					   "{'id':6,'login':'rob'}]") },
		    "{'githubIssue':{'knownUser':[{'id':6,'login':'rob'}]}}" },
	};

	CHECK(cases);
}

static void
comments_on_lines(void **state)
{
	static const struct fact_case cases[] = {
		{ { { 0 } }, { RIG_REVIEW_COMMENTS, LINE("") }, LINE_SAYS("") },
		{ { { 0 } },
		    { RIG_REVIEW_COMMENTS,
			LINE(",'start_line':1,'original_line':2,'original_start_line':4,"
			     "'start_side':'LEFT','subject_type':'line','in_reply_to_id':3,"
			     "'author_association':'NONE','position':6,"
			     "'reactions':{'total_count':1,'heart':1}") },
		    LINE_SAYS(",'startLine':1,'originalLine':2,'originalStartLine':4,"
			      "'startSide':'LEFT','subjectType':'line','inReplyToId':3,"
			      "'authorAssociation':'NONE','reactions':{'totalCount':1,"
			      "'heart':1},'otherJson':'{\\\"position\\\":6}'") },
		/* it replaces the one before, so it says everything again */
		{ { { RIG_REVIEW_COMMENTS, LINE(",'reactions':{'total_count':1,'eyes':1}") } },
		    { RIG_REVIEW_COMMENTS,
			LINE(",'reactions':{'total_count':1,'eyes':1},'body':'new'") },
		    LINE_SAYS(",'reactions':{'totalCount':1,'eyes':1},'body':'new'") },
		{ { { RIG_REVIEW_COMMENTS, LINE("") } },
		    { RIG_REVIEW_COMMENTS, LINE(",'line':null") }, LINE_SAYS_AT("", "") },
		{ { { RIG_REVIEW_COMMENTS, LINE("") } },
		    { RIG_REVIEW_COMMENTS, LINE(",'user':{'id':5,'login':'anna'}") },
		    LINE_SAYS(",'user':{'id':5,'login':'anna'}") },
		{ { { RIG_REVIEW_COMMENTS, LINE("") } }, { RIG_REVIEW_COMMENTS, "[]" }, NULL },
		{ { { RIG_REVIEW_COMMENTS, LINE("") } }, { RIG_REVIEW_COMMENTS_WHOLE, "[]" },
		    "{'githubIssue':{'deletedReviewComment':[4]}}" },
	};

	CHECK(cases);
}

static void
facts_of_comments_and_reviews(void **state)
{
#define REVIEW(extra) "[{'id':4,'state':'APPROVED'" extra "}]"
	static const struct fact_case cases[] = {
		{ { { RIG_COMMENTS, COMMENT("") } },
		    { RIG_COMMENTS, COMMENT(",'author_association':'OWNER','zz':1,"
					    "'reactions':{'total_count':1,'heart':1}") },
		    "{'githubIssue':{'comment':[{'id':4,'authorAssociation':'OWNER',"
		    "'reactions':{'totalCount':1,'heart':1},"
		    "'otherJson':'{\\\"zz\\\":1}'}]}}" },
		{ { { RIG_COMMENTS, COMMENT(",'zz':1,'reactions':{'total_count':1}") } },
		    { RIG_COMMENTS, COMMENT("") },
		    "{'githubIssue':{'comment':[{'id':4,'otherJson':'{}'}]}}" },
		{ { { RIG_REVIEWS, REVIEW("") } },
		    { RIG_REVIEWS, REVIEW(",'updated_at':'2020-01-03T00:00:00Z'") },
		    "{'githubIssue':{'review':[{'id':4,'state':'APPROVED',"
		    "'updated':'2020-01-03T00:00:00Z'}]}}" },
		{ { { RIG_REVIEWS, REVIEW("") } }, { RIG_REVIEWS, REVIEW(",'zz':1") },
		    "{'githubIssue':{'review':[{'id':4,'state':'APPROVED',"
		    "'otherJson':'{\\\"zz\\\":1}'}]}}" },
	};

	CHECK(cases);
}

static void
who_merged_is_taken_from_the_event(void **state)
{
#define EVENT(extra) "[{'id':4,'event':'merged','created_at':'2020-01-01T00:00:00Z'" extra "}]"
	static const struct fact_case cases[] = {
		{ { { 0 } }, { RIG_EVENTS, EVENT(",'actor':{'id':5,'login':'ann'}") },
		    "{'githubIssue':{'mergedBy':{'id':5,'login':'ann'},"
		    "'knownUser':[{'id':5,'login':'ann'}],'event':[{'id':4,"
		    "'eventType':'merged','actorId':5,'created':'2020-01-01T00:00:00Z'}]}}" },
		/* the listing knows better */
		{ { { RIG_PULL, PULL("," MERGED ",'merged_by':{'id':6,'login':'bob'}") } },
		    { RIG_EVENTS, EVENT(",'actor':{'id':6,'login':'bob'}") },
		    "{'githubIssue':{'event':[{'id':4,'eventType':'merged','actorId':6,"
		    "'created':'2020-01-01T00:00:00Z'}]}}" },
		{ { { RIG_EVENTS, EVENT(",'actor':null") } },
		    { RIG_EVENTS, EVENT(",'actor':null") }, NULL },
		/* of a dismissal: the commit that no field has */
		{ { { 0 } },
		    { RIG_EVENTS, EVENT(",'event':'review_dismissed','dismissed_review':"
					"{'review_id':3,'dismissal_commit_id':'c'}") },
		    "{'githubIssue':{'event':[{'id':4,'eventType':'review_dismissed',"
		    "'created':'2020-01-01T00:00:00Z','dismissedReview':{'reviewId':3},"
		    "'otherJson':'{\\\"dismissed_review\\\":{\\\"dismissal_commit_id\\\":"
		    "\\\"c\\\"}}'}]}}" },
	};

	CHECK(cases);
}

static void
labels_and_milestones_say_all_and_go_away(void **state)
{
#define LABEL(extra) "[{'id':1,'name':'bug'" extra "}]"
#define MS(extra) "[{'id':1,'number':2,'title':'v1','state':'open'" extra "}]"
#define MS_SAYS(extra)                                                                         \
	"{'github':{'milestones':[{'id':1,'number':2,'title':'v1','closed':{}" extra "}]}}"
	static const struct fact_case cases[] = {
		{ { { RIG_LABELS, LABEL("") } },
		    { RIG_LABELS, LABEL(",'color':'ff0000','description':'d'") },
		    "{'github':{'labels':[{'id':1,'name':'bug','color':'ff0000',"
		    "'description':{'val':'d'}}]}}" },
		{ { { RIG_LABELS, LABEL(",'description':'d'") } }, { RIG_LABELS, LABEL("") },
		    "{'github':{'labels':[{'id':1,'name':'bug','description':{}}]}}" },
		{ { { RIG_LABELS, LABEL("") } }, { RIG_LABELS, "[]" },
		    "{'github':{'deletedLabel':[1]}}" },
		{ { { RIG_MILESTONES, MS("") } },
		    { RIG_MILESTONES, MS(",'description':'d','due_on':'2020-01-01T00:00:00Z',"
					 "'created_at':'2020-01-02T00:00:00Z',"
					 "'updated_at':'2020-01-03T00:00:00Z',"
					 "'closed_at':null,'creator':{'id':5,'login':'ann'}") },
		    MS_SAYS(",'description':{'val':'d'},'due':'2020-01-01T00:00:00Z',"
			    "'created':'2020-01-02T00:00:00Z',"
			    "'updated':'2020-01-03T00:00:00Z',"
			    "'creator':{'id':5,'login':'ann'}") },
		{ { { RIG_MILESTONES, MS(",'due_on':'2020-01-01T00:00:00Z'") } },
		    { RIG_MILESTONES, MS("") }, MS_SAYS(",'noDue':true") },
		{ { { RIG_MILESTONES, MS("") } },
		    { RIG_MILESTONES,
			MS(",'state':'closed','closed_at':'2020-01-01T00:00:00Z'") },
		    MS_SAYS(",'closed':{'val':true},'closedAt':'2020-01-01T00:00:00Z'") },
		{ { { RIG_MILESTONES,
		      MS(",'state':'closed','closed_at':'2020-01-01T00:00:00Z'") } },
		    { RIG_MILESTONES, MS("") }, MS_SAYS("") },
		{ { { RIG_MILESTONES, MS("") } }, { RIG_MILESTONES, "[]" },
		    "{'github':{'deletedMilestone':[1]}}" },
	};

	CHECK(cases);
}

static void
what_is_not_there_or_tombstoned_is_left_alone(void **state)
{
	struct sync_rig *rig = *state;

	assert_null(
	    rig_diff(rig, RIG_PULL, 7, rig_json(rig, PULL(",'draft':true")), NULL, NULL));
	assert_null(
	    rig_diff(rig, RIG_REVIEW_COMMENTS_WHOLE, 7, rig_json(rig, LINE("")), NULL, NULL));
	rig_issue_says(rig, 7, "{'notExist':true}");
	assert_null(
	    rig_diff(rig, RIG_PULL, 7, rig_json(rig, PULL(",'draft':true")), NULL, NULL));
	assert_null(
	    rig_diff(rig, RIG_REVIEW_COMMENTS_WHOLE, 7, rig_json(rig, LINE("")), NULL, NULL));
}

static void
json_that_is_not_githubs_names_the_member(void **state)
{
	static const struct {
		enum rig_kind kind;
		const char *json, *member;
	} cases[] = {
		{ RIG_PULL, "{'number':'7'}", "number" },
		{ RIG_PULL, "{'number':0}", "number" },
		{ RIG_PULL, "{'number':4294967303}", "number" },
		{ RIG_PULL, PULL(",'merged_at':'soon'"), "merged_at" },
		{ RIG_PULL, PULL(",'head':'main'"), "head" },
		{ RIG_PULL, PULL(",'base':{'repo':{'full_name':5}}"), "full_name" },
		{ RIG_PULL, PULL(",'base':{'sha':5}"), "sha" },
		{ RIG_PULL, PULL(",'requested_reviewers':{}"), "requested_reviewers" },
		{ RIG_PULL, PULL(",'requested_reviewers':[{'id':-1,'login':'x'}]"),
		    "requested_reviewers" },
		{ RIG_PULL, PULL(",'requested_teams':[{'id':1}]"), "slug" },
		{ RIG_REVIEW_COMMENTS, LINE(",'line':-1"), "line" },
		{ RIG_REVIEW_COMMENTS, LINE(",'original_line':4294967296"), "original_line" },
		{ RIG_REVIEW_COMMENTS, LINE(",'created_at':null"), "created_at" },
		{ RIG_REVIEW_COMMENTS, LINE(",'reactions':{'eyes':-1}"), "eyes" },
		{ RIG_COMMENTS, COMMENT(",'reactions':{'total_count':4294967296}"),
		    "total_count" },
		{ RIG_ISSUE, ISSUE(",'reactions':[]"), "reactions" },
		{ RIG_MILESTONES, MS(",'due_on':5"), "due_on" },
		{ RIG_LABELS, LABEL(",'color':5"), "color" },
	};
	struct sync_rig *rig = *state;

	rig_takes(rig, RIG_ISSUE, 7, rig_json(rig, ISSUE("")));
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct err_info ei = { .text = "" };
		int rc = 0;

		rig_diff(rig, cases[n].kind, 7, rig_json(rig, cases[n].json), &rc, &ei);
		if (rc != ERR_PROTO || strstr(ei.text, cases[n].member) == NULL)
			fail_msg("%s: %d, \"%s\"", cases[n].json, rc, ei.text);
	}
}

/* Memory that ends anywhere leaves no hole in a mutation: see test_diff_children.c. */
static void
a_failed_allocation_anywhere_is_reported(void **state)
{
	static const struct step cases[] = {
		{ RIG_PULL, PULL(ASKED "," ENDS "," MERGED
				       ",'id':9,'merged_by':{'id':5,'login':'ann'}") },
		{ RIG_REVIEW_COMMENTS, LINE(",'zz':1,'reactions':{'total_count':1,'eyes':1}") },
		{ RIG_COMMENTS, COMMENT(",'zz':1,'reactions':{'total_count':1,'eyes':1}") },
		{ RIG_EVENTS, EVENT(",'actor':{'id':5,'login':'ann'},'zz':1") },
		{ RIG_MILESTONES, MS(",'description':'d','due_on':'2020-01-01T00:00:00Z'") },
		{ RIG_LABELS, LABEL(",'description':'d'") },
		{ RIG_ISSUE, ISSUE(",'zz':1,'reactions':{'total_count':1,'eyes':1},"
				   "'active_lock_reason':'spam'") },
	};
	struct sync_rig *rig = *state;

	rig_takes(rig, RIG_ISSUE, 7, rig_json(rig, ISSUE("")));
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const json_t *json = rig_json(rig, cases[n].json);
		json_t *want = rig_shown(rig_diff(rig, cases[n].kind, 7, json, NULL, NULL));

		for (size_t left = 0; left < 3072; left += 16) {
			Maintpb__Mutation *m;
			json_t *got;
			int rc;

			arena_clear(&rig->arena);
			arena_alloc(&rig->arena, ((size_t)16 << 10) - left);
			mem_fail_after(1); /* the first is the view, which is the rig's */
			m = rig_diff(rig, cases[n].kind, 7, json, &rc, NULL);
			mem_fail_after(MEM_NEVER);
			assert_true(rc == 0 || rc == ERR_NOMEM);
			if (rc != 0)
				continue;
			got = rig_shown(m);
			assert_json_equal(got, want);
			json_decref(got);
		}
		json_decref(want);
	}
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_of_an_issue),
		cmocka_unit_test(members_without_a_field),
		cmocka_unit_test(facts_of_a_pull_request),
		cmocka_unit_test(requested_reviewers),
		cmocka_unit_test(comments_on_lines),
		cmocka_unit_test(facts_of_comments_and_reviews),
		cmocka_unit_test(who_merged_is_taken_from_the_event),
		cmocka_unit_test(labels_and_milestones_say_all_and_go_away),
		WITH_RIG(what_is_not_there_or_tombstoned_is_left_alone),
		WITH_RIG(json_that_is_not_githubs_names_the_member),
		WITH_RIG(a_failed_allocation_anywhere_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
