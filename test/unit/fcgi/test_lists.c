/* The repository, its labels and milestones, what belongs to an issue, and validators. */
#include "test/unit/fcgi/responder_rig.h"

#define REPO "/api/v1/acme/widgets"

static int
setup(void **state)
{
	struct sync_rig *rig;

	if (responder_setup(state) != 0)
		return -1;
	rig = ((struct responder_rig *)*state)->rig;
	rig_issue_says(rig, 1,
	    "{'title':'one','user':{'id':5,'login':'ann'},'comment':["
	    "{'id':11,'user':{'id':5,'login':'ann'},'body':'a','created':'2020-01-01T00:00:00Z'"
	    "},"
	    "{'id':12,'body':'b','created':'2020-01-02T00:00:00Z'},"
	    "{'id':3000000000,'body':'c','created':'2020-01-03T00:00:00Z'}],"
	    "'event':[{'id':21,'eventType':'assigned','actorId':5,'assigneeId':5}]}");
	rig_issue_says(rig, 2,
	    "{'title':'two','pullRequest':true,'review':[{'id':31,'state':'APPROVED'}]}");
	rig_issue_says(rig, 3, "{'title':'gone'}");
	rig_issue_says(rig, 3, "{'notExist':true}");
	assert_int_equal(rig_apply_text(rig,
			     "{'github':{'labels':[{'id':7,'name':'bug'},{'id':8,'name':'x'}],"
			     "'milestones':[{'id':9,'title':'v1','number':4}]}}"),
	    0);
	return 0;
}

static void
assert_answers(struct responder_rig *fx, const char *uri, const char *single_quoted)
{
	json_t *want = json_of(single_quoted);
	struct answer a;

	ask(&fx->r, "GET", uri, &a);
	assert_int_equal(a.status, 200);
	assert_json_equal(a.json, want);
	answer_clear(&a);
	json_decref(want);
}

static void
labels_and_milestones_have_lists(void **state)
{
	assert_answers(*state, REPO "/labels",
	    "{'labels':[{'id':7,'name':'bug','color':'','description':''},"
	    "{'id':8,'name':'x','color':'','description':''}],'nextPageToken':'','total':2}");
	assert_answers(*state, REPO "/milestones",
	    "{'milestones':[{'id':9,'number':4,'title':'v1','description':'','closed':false,"
	    "'createdAt':null,'updatedAt':null,'closedAt':null,'dueOn':null,'creator':null}],"
	    "'nextPageToken':'','total':1}");
}

static void
what_belongs_to_an_issue_has_lists(void **state)
{
	assert_answers(*state, ISSUES "/1/events",
	    "{'events':[{'id':21,'event':'assigned','createdAt':null,"
	    "'actor':{'id':5,'login':'ann'},'assignee':{'id':5,'login':'ann'}}],"
	    "'nextPageToken':'','total':1}");
	assert_answers(*state, ISSUES "/2/reviews",
	    "{'reviews':[{'id':31,'actorAssociation':'','createdAt':null,'updatedAt':null,"
	    "'body':'','commitId':'','state':'APPROVED','actor':null}],"
	    "'nextPageToken':'','total':1}");
	assert_answers(*state, ISSUES "/2/reviewComments",
	    "{'reviewComments':[],'nextPageToken':'','total':0}");
	assert_answers(
	    *state, ISSUES "/2/comments", "{'comments':[],'nextPageToken':'','total':0}");
}

/* The list is as the comments of the issue are, page by page. */
static void
pages_of_comments_join_to_the_comments_of_the_issue(void **state)
{
	struct responder_rig *fx = *state;
	json_t *seen = json_array();
	char token[64] = "", uri[192];
	struct answer a, whole;

	for (int page = 1; page <= 3; page++) {
		snprintf(uri, sizeof(uri), ISSUES "/1/comments?pageSize=1&pageToken=%s", token);
		ask(&fx->r, "GET", uri, &a);
		assert_int_equal(a.status, 200);
		assert_int_equal(json_integer_value(json_object_get(a.json, "total")), 3);
		assert_int_equal(
		    json_array_extend(seen, json_object_get(a.json, "comments")), 0);
		assert_int_equal(json_array_size(seen), page);
		snprintf(token, sizeof(token), "%s",
		    json_string_value(json_object_get(a.json, "nextPageToken")));
		assert_int_equal(token[0] == '\0', page == 3);
		answer_clear(&a);
	}
	ask(&fx->r, "GET", ISSUES "/1?fieldMask=comments", &whole);
	assert_json_equal(
	    seen, json_object_get(json_object_get(whole.json, "issue"), "comments"));
	answer_clear(&whole);
	json_decref(seen);
}

static void
a_token_is_good_for_its_own_list_alone(void **state)
{
	struct responder_rig *fx = *state;
	char uri[192];
	struct answer a;

	ask(&fx->r, "GET", ISSUES "/1/comments?pageSize=1", &a);
	snprintf(uri, sizeof(uri), ISSUES "/1/events?pageToken=%s",
	    json_string_value(json_object_get(a.json, "nextPageToken")));
	answer_clear(&a);
	assert_int_equal(status_of(&fx->r, uri), 400);
}

static void
lists_refuse_what_they_cannot_do(void **state)
{
	static const struct {
		const char *uri;
		int status;
	} cases[] = {
		{ ISSUES "/1/comments?orderBy=-created", 400 },
		{ ISSUES "/1/comments?pageToken=x", 400 },
		{ ISSUES "/1/comments?fieldMask=body", 400 },
		{ REPO "/labels?filter=true", 400 },
		{ ISSUES "/x/comments", 400 },
		{ ISSUES "/3/comments", 404 },
		{ ISSUES "/9/events", 404 },
		{ ISSUES "/1/commits", 404 },
		{ REPO "/labels?orderBy=updated", 400 },
		{ "/api/v1/acme/other/labels", 404 },
		{ "/api/v1/acme/other", 404 },
	};
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (status_of(&fx->r, cases[i].uri) != cases[i].status)
			fail_msg("%s: %d", cases[i].uri, status_of(&fx->r, cases[i].uri));
	}
}

static void
the_repository_says_how_far_it_is_mirrored(void **state)
{
	struct responder_rig *fx = *state;
	json_t *r,
	    *want = json_of("{'issues':'2020-01-01T00:00:00Z','comments':null,'events':null,"
			    "'reviews':null,'pulls':null,'reviewComments':null,"
			    "'labels':null,'milestones':null}");
	struct answer a;

	assert_int_equal(rig_apply_text(fx->rig,
			     "{'github':{'syncState':[{'family':'issues','complete':true,"
			     "'serverDate':'2020-01-01T00:00:00Z'},"
			     "{'family':'comments','complete':false,'serverDate':'2020-01-"
			     "01T00:00:00Z'}]}}"),
	    0);
	ask(&fx->r, "GET", "/api/v1/Acme/WIDGETS", &a);
	assert_int_equal(a.status, 200);
	r = json_object_get(a.json, "repository");
	assert_string_equal(json_string_value(json_object_get(r, "name")), "acme/widgets");
	assert_int_equal(json_integer_value(json_object_get(r, "issueCount")), 1);
	assert_int_equal(json_integer_value(json_object_get(r, "commentCount")), 3);
	assert_int_equal(json_integer_value(json_object_get(r, "eventCount")), 1);
	assert_int_equal(json_integer_value(json_object_get(r, "reviewCount")), 1);
	assert_json_equal(json_object_get(r, "syncedAt"), want);
	assert_true(json_is_false(json_object_get(r, "complete")));
	assert_string_equal(json_string_value(json_object_get(r, "lastError")), "");
	answer_clear(&a);
	json_decref(want);
}

static void
etag_of(const struct answer *a, char out[128])
{
	const char *at = strstr(a->raw.ptr, "\r\nETag: ");

	assert_non_null(at);
	at += strlen("\r\nETag: ");
	snprintf(out, 128, "%.*s", (int)strcspn(at, "\r"), at);
}

/* One record more in the log, which changes the repository's own counts as well. */
static void
log_goes_on(struct responder_rig *fx, size_t nth)
{
	struct snap_txn *t;
	char comment[96];

	snprintf(comment, sizeof(comment), "{'comment':[{'id':%zu,'body':'new'}]}", 70 + nth);
	rig_issue_says(fx->rig, 1, comment);
	t = fx_begin(&fx->rig->fx);
	snap_log_end_put(t, 0, 1000 + nth);
	assert_int_equal(snap_txn_commit(t), 0);
}

static void
an_answer_that_did_not_change_is_304(void **state)
{
	static const char *const uris[] = { ISSUES "/1", ISSUES "/1/comments", REPO "/labels",
		REPO, "/api/v1/owners/acme/repositories" };
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		char etag[128], again[128];
		struct answer a;

		ask(&fx->r, "GET", uris[i], &a);
		etag_of(&a, etag);
		answer_clear(&a);
		ask_with(&fx->r, "GET", uris[i], "HTTP_IF_NONE_MATCH", etag, &a);
		assert_int_equal(a.status, 304);
		assert_string_equal(a.body, "");
		etag_of(&a, again);
		assert_string_equal(again, etag);
		answer_clear(&a);
		log_goes_on(fx, i);
		ask_with(&fx->r, "GET", uris[i], "HTTP_IF_NONE_MATCH", etag, &a);
		assert_int_equal(a.status, 200);
		answer_clear(&a);
	}
}

static void
a_validator_names_the_query_too(void **state)
{
	struct responder_rig *fx = *state;
	char one[128], other[128];
	struct answer a;

	ask(&fx->r, "GET", ISSUES "/1", &a);
	etag_of(&a, one);
	answer_clear(&a);
	ask(&fx->r, "GET", ISSUES "/1?comments=true", &a);
	etag_of(&a, other);
	answer_clear(&a);
	assert_string_not_equal(one, other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    labels_and_milestones_have_lists, setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    what_belongs_to_an_issue_has_lists, setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    pages_of_comments_join_to_the_comments_of_the_issue, setup,
		    responder_teardown),
		cmocka_unit_test_setup_teardown(
		    a_token_is_good_for_its_own_list_alone, setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    lists_refuse_what_they_cannot_do, setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    the_repository_says_how_far_it_is_mirrored, setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    an_answer_that_did_not_change_is_304, setup, responder_teardown),
		cmocka_unit_test_setup_teardown(
		    a_validator_names_the_query_too, setup, responder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
