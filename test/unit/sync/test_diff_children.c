/* Comments, events, reviews, labels and milestones: what differs, and nothing else. */
#include "test/unit/sync/sync_rig.h"

#define COMMENT(extra)                                                                         \
	"{'id':4,'user':{'id':5,'login':'ann'},'body':'hi',"                                   \
	"'created_at':'2020-01-01T00:00:00Z','updated_at':'2020-01-02T00:00:00Z'" extra "}"
#define REVIEW(extra)                                                                          \
	"{'id':4,'user':{'id':5,'login':'ann'},'body':'ok','state':'APPROVED',"                \
	"'commit_id':'abc','author_association':'OWNER',"                                      \
	"'submitted_at':'2020-01-01T00:00:00Z'" extra "}"

struct child_case {
	enum rig_kind kind;
	const char *before, *after; /* arrays */
	const char *want;           /* the mutation; NULL for none */
};

static void
check_cases(void **state, const struct child_case *cases, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		json_t *got, *want;

		assert_int_equal(rig_setup(state), 0);
		rig_issue_says(*state, 7, "{'title':'t','pullRequest':true}");
		if (cases[n].before != NULL)
			rig_takes(*state, cases[n].kind, 7, rig_json(*state, cases[n].before));
		got = rig_shown(rig_diff(
		    *state, cases[n].kind, 7, rig_json(*state, cases[n].after), NULL, NULL));
		want = cases[n].want == NULL ? json_null() : json_of(cases[n].want);
		if (json_object_get(want, "githubIssue") != NULL)
			json_object_set_new(
			    json_object_get(want, "githubIssue"), "number", json_integer(7));
		assert_json_equal(got, want);
		json_decref(got);
		json_decref(want);
		rig_teardown(state);
	}
}

#define CHECK(cases) check_cases(state, cases, sizeof(cases) / sizeof((cases)[0]))

static void
comments(void **state)
{
	static const struct child_case cases[] = {
		{ RIG_COMMENTS, NULL, "[" COMMENT("") "]",
		    "{'githubIssue':{'comment':[{'id':4,'user':{'id':5,'login':'ann'},"
		    "'body':'hi','created':'2020-01-01T00:00:00Z',"
		    "'updated':'2020-01-02T00:00:00Z'}]}}" },
		{ RIG_COMMENTS, "[" COMMENT("") "]", "[" COMMENT("") "]", NULL },
		{ RIG_COMMENTS, "[" COMMENT("") "]", "[" COMMENT(",'body':'new'") "]",
		    "{'githubIssue':{'comment':[{'id':4,'body':'new'}]}}" },
		{ RIG_COMMENTS, "[" COMMENT("") "]", "[" COMMENT(",'body':''") "]",
		    "{'githubIssue':{'comment':[{'id':4,'emptyBody':true}]}}" },
		{ RIG_COMMENTS, "[" COMMENT("") "]", "[" COMMENT(",'body':null") "]",
		    "{'githubIssue':{'comment':[{'id':4,'emptyBody':true}]}}" },
		{ RIG_COMMENTS, "[" COMMENT("") "]",
		    "[" COMMENT(",'updated_at':'2020-01-03T00:00:00Z'") "]",
		    "{'githubIssue':{'comment':[{'id':4,"
		    "'updated':'2020-01-03T00:00:00Z'}]}}" },
		{ RIG_COMMENTS, "[" COMMENT("") "]",
		    "[" COMMENT(",'user':{'id':5,'login':'anna'}") "]",
		    "{'githubIssue':{'comment':[{'id':4,'user':{'id':5,'login':'anna'}}]}}" },
		{ RIG_COMMENTS, "[" COMMENT("") "]", "[" COMMENT(",'user':null") "]", NULL },
		{ RIG_COMMENTS, "[" COMMENT("") "]", "[]", NULL },
		{ RIG_COMMENTS_WHOLE, "[" COMMENT("") "]", "[]",
		    "{'githubIssue':{'deletedComment':[4]}}" },
		{ RIG_COMMENTS_WHOLE, "[]", "[]", NULL },
		{ RIG_COMMENTS, NULL, "[" COMMENT(",'id':0") "]", NULL },
	};

	CHECK(cases);
}

static void
reviews(void **state)
{
	static const struct child_case cases[] = {
		{ RIG_REVIEWS, NULL, "[" REVIEW("") "]",
		    "{'githubIssue':{'knownUser':[{'id':5,'login':'ann'}],'review':[{'id':4,"
		    "'actorId':5,'body':'ok','state':'APPROVED','commitId':'abc',"
		    "'actorAssociation':'OWNER','created':'2020-01-01T00:00:00Z'}]}}" },
		{ RIG_REVIEWS, "[" REVIEW("") "]", "[" REVIEW("") "]", NULL },
		{ RIG_REVIEWS, "[" REVIEW(",'body':null") "]", "[" REVIEW(",'body':''") "]",
		    NULL },
		{ RIG_REVIEWS, "[" REVIEW(",'body':'\\\"state\\\":\\\"X\\\"'") "]",
		    "[" REVIEW(",'body':'\\\"state\\\":\\\"X\\\"'") "]", NULL },
		{ RIG_REVIEWS, "[" REVIEW("") "]", "[" REVIEW(",'state':'DISMISSED'") "]",
		    "{'githubIssue':{'review':[{'id':4,"
		    "'actorId':5,'body':'ok','state':'DISMISSED','commitId':'abc',"
		    "'actorAssociation':'OWNER','created':'2020-01-01T00:00:00Z'}]}}" },
		/* a prefix of the old state, and the other way round, is another state */
		{ RIG_REVIEWS, "[" REVIEW(",'body':'okay'") "]", "[" REVIEW("") "]",
		    "{'githubIssue':{'review':[{'id':4,"
		    "'actorId':5,'body':'ok','state':'APPROVED','commitId':'abc',"
		    "'actorAssociation':'OWNER','created':'2020-01-01T00:00:00Z'}]}}" },
		{ RIG_REVIEWS, "[" REVIEW("") "]", "[]",
		    "{'githubIssue':{'deletedReview':[4]}}" },
		{ RIG_REVIEWS, "[" REVIEW("") "]",
		    "[" REVIEW(",'user':{'id':5,'login':'anna'}") "]",
		    "{'githubIssue':{'knownUser':[{'id':5,'login':'anna'}]}}" },
		/* pending: not submitted yet; and a member that no field has */
		{ RIG_REVIEWS, NULL,
		    "[{'id':4,'user':null,'state':'PENDING','zz':{'b':1,'a':null}}]",
		    "{'githubIssue':{'review':[{'id':4,'state':'PENDING',"
		    "'otherJson':'{\\\"zz\\\":{\\\"b\\\":1}}'}]}}" },
	};

	CHECK(cases);
}

static void
events(void **state)
{
#define EVENT(more) "[{'id':4,'event':'e','created_at':'2020-01-01T00:00:00Z'" more "}]"
#define SAYS(known, more)                                                                      \
	"{'githubIssue':{" known "'event':[{'id':4,'eventType':'e',"                           \
	"'created':'2020-01-01T00:00:00Z'" more "}]}}"
	static const struct child_case cases[] = {
		{ RIG_EVENTS, NULL, EVENT(""), SAYS("", "") },
		/* what is known is taken to be unchanged */
		{ RIG_EVENTS, EVENT(""), EVENT(",'label':{'name':'x'}"), NULL },
		{ RIG_EVENTS, NULL,
		    EVENT(",'actor':{'id':5,'login':'ann'},'assignee':{'id':6,'login':'bob'},"
			  "'assigner':{'id':5,'login':'ann'},'label':{'name':'bug'},"
			  "'milestone':{'title':'soon'},'rename':{'from':'a','to':'b'}"),
		    SAYS("'knownUser':[{'id':5,'login':'ann'},{'id':6,'login':'bob'}],",
			",'actorId':5,'assigneeId':6,'assignerId':5,'label':{'name':'bug'},"
			"'milestone':{'title':'soon'},'renameFrom':'a','renameTo':'b'") },
		{ RIG_EVENTS, NULL,
		    EVENT(",'requested_reviewer':{'id':7,'login':'cat'},"
			  "'review_requester':null,'requested_team':{'id':8,'slug':'core'},"
			  "'dismissed_review':{'review_id':3,'state':'approved',"
			  "'dismissal_message':'old'}"),
		    SAYS("'knownUser':[{'id':7,'login':'cat'}],",
			",'reviewerId':7,'teamReviewer':{'id':8,'slug':'core'},"
			"'dismissedReview':{'reviewId':3,'state':'approved',"
			"'dismissalMessage':'old'}") },
		{ RIG_EVENTS, NULL,
		    EVENT(",'commit_id':'abc',"
			  "'commit_url':'https://api.github.com/repos/o/r/commits/abc'"),
		    SAYS("", ",'commit':{'commitId':'abc','owner':'o','repo':'r'}") },
		{ RIG_EVENTS, NULL, EVENT(",'commit_id':'abc','commit_url':null"),
		    SAYS("", ",'commit':{'commitId':'abc'}") },
		{ RIG_EVENTS, NULL, EVENT(",'commit_id':'abc','commit_url':'x/repos/o'"),
		    SAYS("", ",'commit':{'commitId':'abc'}") },
		{ RIG_EVENTS, NULL, EVENT(",'lock_reason':'spam','node_id':'n','z':null"),
		    SAYS("", ",'otherJson':'{\\\"lock_reason\\\":\\\"spam\\\"}'") },
	};

	CHECK(cases);
#undef EVENT
#undef SAYS
}

static void
labels_and_milestones(void **state)
{
	static const struct child_case cases[] = {
		{ RIG_LABELS, NULL, "[{'id':1,'name':'bug'},{'id':0,'name':'x'}]",
		    "{'github':{'labels':[{'id':1,'name':'bug'}]}}" },
		{ RIG_LABELS, "[{'id':1,'name':'bug'}]", "[{'id':1,'name':'bug'}]", NULL },
		/* the log cannot say an empty name, of what is known and of what is new */
		{ RIG_LABELS, "[{'id':1,'name':'bug'}]", "[{'id':1,'name':''}]", NULL },
		{ RIG_LABELS, NULL, "[{'id':1,'name':''}]", NULL },
		{ RIG_MILESTONES, "[{'id':1,'number':2,'title':'a','state':'open'}]",
		    "[{'id':1,'number':2,'title':'','state':'open'}]", NULL },
		{ RIG_MILESTONES, NULL, "[{'id':1,'number':2,'title':'','state':'open'}]",
		    NULL },
		{ RIG_LABELS, "[{'id':1,'name':'bug'}]", "[{'id':1,'name':'Bug'}]",
		    "{'github':{'labels':[{'id':1,'name':'Bug'}]}}" },
		{ RIG_MILESTONES, NULL,
		    "[{'id':1,'number':2,'title':'a','state':'open'},"
		    "{'id':0,'number':3,'title':'z','state':'open'}]",
		    "{'github':{'milestones':[{'id':1,'number':2,'title':'a',"
		    "'closed':{}}]}}" },
		{ RIG_MILESTONES, "[{'id':1,'number':2,'title':'a','state':'open'}]",
		    "[{'id':1,'number':2,'title':'a','state':'open'}]", NULL },
		{ RIG_MILESTONES, "[{'id':1,'number':2,'title':'a','state':'open'}]",
		    "[{'id':1,'number':2,'title':'a','state':'closed'}]",
		    "{'github':{'milestones':[{'id':1,'number':2,'title':'a',"
		    "'closed':{'val':true}}]}}" },
	};

	CHECK(cases);
}

static void
json_that_is_not_githubs_names_the_member(void **state)
{
	static const struct {
		enum rig_kind kind;
		const char *json, *named;
	} cases[] = {
		{ RIG_COMMENTS, "[5]", "\"id\"" },
		{ RIG_COMMENTS, "[" COMMENT(",'id':'4'") "]", "\"id\"" },
		{ RIG_COMMENTS, "[" COMMENT(",'body':[]") "]", "\"body\"" },
		{ RIG_COMMENTS, "[" COMMENT(",'user':5") "]", "\"user\"" },
		{ RIG_COMMENTS, "[" COMMENT(",'user':{'id':5}") "]", "\"login\"" },
		{ RIG_COMMENTS, "[" COMMENT(",'created_at':null") "]", "\"created_at\"" },
		{ RIG_COMMENTS, "[" COMMENT(",'updated_at':''") "]", "\"updated_at\"" },
		{ RIG_REVIEWS, "[" REVIEW(",'id':null") "]", "\"id\"" },
		{ RIG_REVIEWS, "[" REVIEW(",'state':null") "]", "\"state\"" },
		{ RIG_REVIEWS, "[" REVIEW(",'commit_id':1") "]", "\"commit_id\"" },
		{ RIG_REVIEWS, "[" REVIEW(",'submitted_at':'x'") "]", "\"submitted_at\"" },
		{ RIG_REVIEWS, "[" REVIEW(",'author_association':1") "]",
		    "\"author_association\"" },
		{ RIG_EVENTS, "[null]", "\"id\"" },
		{ RIG_EVENTS, "[{'id':1,'created_at':'2020-01-01T00:00:00Z'}]", "\"event\"" },
		{ RIG_EVENTS, "[{'id':1,'event':'x'}]", "\"created_at\"" },
		{ RIG_EVENTS,
		    "[{'id':1,'event':'x','created_at':'2020-01-01T00:00:00Z',"
		    "'label':{'name':1}}]",
		    "\"name\"" },
		{ RIG_EVENTS,
		    "[{'id':1,'event':'x','created_at':'2020-01-01T00:00:00Z',"
		    "'requested_team':{'slug':'x'}}]",
		    "\"id\"" },
		{ RIG_LABELS, "[{'id':1,'name':null}]", "\"name\"" },
		{ RIG_MILESTONES, "[{'id':1,'number':'x','title':'t','state':'open'}]",
		    "\"number\"" },
		{ RIG_MILESTONES, "[{'id':1,'number':1,'title':'t'}]", "\"state\"" },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct err_info ei = { .text = "" };
		int rc = 0;

		rig_diff(*state, cases[n].kind, 7, rig_json(*state, cases[n].json), &rc, &ei);
		if (rc != ERR_PROTO || strstr(ei.text, cases[n].named) == NULL)
			fail_msg("%s: %s: %s", cases[n].json, err_name(rc), ei.text);
	}
}

static void
a_status_is_noted_even_when_nothing_differs(void **state)
{
	struct sync_rig *rig = *state;
	static char owner[] = RIG_OWNER, repo[] = RIG_REPO;
	const json_t *none = rig_json(rig, "[]");
	json_t *got[3], *want;
	struct snap_view *v;
	Maintpb__Mutation *m[3] = { NULL, NULL, NULL };
	struct diff d;
	static const char *const names[] = { "commentStatus", "eventStatus", "reviewStatus" };

	rig_issue_says(rig, 7, "{'title':'t'}");
	v = fx_view(&rig->fx);
	diff_init(&d, &rig->arena, v, owner, repo);
	assert_int_equal(diff_comments(&d, 7, none, false, 1000, &m[0], NULL), 0);
	assert_int_equal(diff_events(&d, 7, none, 1000, &m[1], NULL), 0);
	assert_int_equal(diff_reviews(&d, 7, none, 1000, &m[2], NULL), 0);
	for (int i = 0; i < 3; i++) {
		got[i] = rig_shown(m[i]);
		want = json_pack("{s:{s:i,s:{s:s}}}", "githubIssue", "number", 7, names[i],
		    "serverDate", "1970-01-01T00:00:01Z");
		assert_json_equal(got[i], want);
		json_decref(got[i]);
		json_decref(want);
	}
	diff_clear(&d);
	snap_writer_view_end(v);
}

static void
the_number_in_a_url_is_its_last_part(void **state)
{
	static const struct {
		const char *url;
		uint32_t want;
	} cases[] = {
		{ "https://api.github.com/repos/o/r/issues/7", 7 },
		{ "/2147483647", INT32_MAX },
		{ "/2147483648", 0 },
		{ "/99999999999999999999", 0 },
		{ "/7/", 0 },
		{ "/7a", 0 },
		{ "/-7", 0 },
		{ "/", 0 },
		{ "7", 0 },
		{ "", 0 },
		{ "/0", 0 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_int_equal(diff_number_of_url(cases[n].url), cases[n].want);
}

/* Whatever does not fit is an error: nothing may be left out of a mutation. */
static void
a_full_arena_is_no_memory(void **state)
{
	static const struct {
		enum rig_kind kind;
		const char *json;
	} cases[] = {
		{ RIG_COMMENTS_WHOLE, "[" COMMENT("") "]" },
		{ RIG_REVIEWS, "[" REVIEW(",'zz':1") "]" },
		{ RIG_EVENTS, "[{'id':4,'event':'e','created_at':'2020-01-01T00:00:00Z','z':1,"
			      "'actor':{'id':5,'login':'ann'},'label':{'name':'bug'},"
			      "'commit_id':'abc','commit_url':'/repos/o/r/commits/abc',"
			      "'dismissed_review':{}}]" },
		{ RIG_LABELS, "[{'id':1,'name':'bug'}]" },
		{ RIG_MILESTONES, "[{'id':1,'number':2,'title':'a','state':'open'}]" },
	};
	struct sync_rig *rig = *state;

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const json_t *json = rig_json(rig, cases[n].json);
		size_t whole, start;
		int rc = 0;

		arena_clear(&rig->arena);
		rig->arena.max = (size_t)1 << 20;
		rig_diff(rig, cases[n].kind, 7, json, &rc, NULL);
		assert_int_equal(rc, 0);
		whole = rig->arena.used;
		for (start = 0; start < whole; start += 16) {
			arena_clear(&rig->arena);
			rig->arena.max = start;
			rig_diff(rig, cases[n].kind, 7, json, &rc, NULL);
			assert_int_equal(rc, ERR_NOMEM);
		}
	}
}

/*
 * One failure, after which there is memory again, must not leave a hole in a mutation.
 * The arena allocates only now and then, so its blocks are made to end everywhere.
 */
static void
a_failed_allocation_anywhere_is_reported(void **state)
{
	static const struct {
		enum rig_kind kind;
		const char *json;
	} cases[] = {
		{ RIG_COMMENTS, "[" COMMENT("") "]" },
		{ RIG_REVIEWS, "[" REVIEW("") "]" },
		{ RIG_EVENTS, "[{'id':4,'event':'e','created_at':'2020-01-01T00:00:00Z'}]" },
		{ RIG_ISSUE, "{'id':70,'number':7,'title':'one','state':'open','labels':[],"
			     "'created_at':'2020-01-01T00:00:00Z','updated_at':'2020-01-02T00:"
			     "00:00Z'}" },
	};
	struct sync_rig *rig = *state;

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const json_t *json = rig_json(rig, cases[n].json);
		json_t *want = rig_shown(rig_diff(rig, cases[n].kind, 7, json, NULL, NULL));

		for (size_t left = 0; left < 2048; left += 16) {
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
		cmocka_unit_test(comments),
		cmocka_unit_test(reviews),
		cmocka_unit_test(events),
		cmocka_unit_test(labels_and_milestones),
		WITH_RIG(json_that_is_not_githubs_names_the_member),
		WITH_RIG(a_status_is_noted_even_when_nothing_differs),
		cmocka_unit_test(the_number_in_a_url_is_its_last_part),
		WITH_RIG(a_full_arena_is_no_memory),
		WITH_RIG(a_failed_allocation_anywhere_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
