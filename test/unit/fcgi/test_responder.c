/* Every route, and every way in which it refuses. */
#include "test/unit/fcgi/responder_rig.h"

static int
setup(void **state)
{
	struct sync_rig *rig;

	if (responder_setup(state) != 0)
		return -1;
	rig = ((struct responder_rig *)*state)->rig;
	rig_issue_says(rig, 1, "{'title':'one','user':{'id':5,'login':'ann'}}");
	rig_issue_says(rig, 2, "{'title':'two','pullRequest':true,'comment':[{'id':4}]}");
	rig_issue_says(rig, 3, "{'title':'three','closed':{'val':true}}");
	rig_issue_says(rig, 4, "{'title':'four','pullRequest':true,'closed':{'val':true}}");
	rig_issue_says(rig, 5, "{'title':'gone'}");
	rig_issue_says(rig, 5, "{'notExist':true}");
	return 0;
}

/* "1 2 3 " */
static void
numbers_of(const json_t *list, char out[256])
{
	const json_t *i;
	size_t n;

	out[0] = '\0';
	json_array_foreach(json_object_get(list, "issues"), n, i)
	{
		snprintf(out + strlen(out), 256 - strlen(out), "%d ",
		    (int)json_integer_value(json_object_get(i, "issueId")));
	}
}

static void
lists_hold_what_was_asked_for_and_the_total(void **state)
{
	static const struct {
		const char *query, *numbers;
		int total;
	} cases[] = {
		{ "", "1 2 3 4 ", 4 },
		{ "?orderBy=-number", "4 3 2 1 ", 4 },
		{ "?closed=true", "3 4 ", 2 },
		{ "?closed=false", "1 2 ", 2 },
		{ "?pullRequest=true", "2 4 ", 2 },
		{ "?pull_request=false&closed=false", "1 ", 1 },
		{ "?pageSize=3", "1 2 3 ", 4 },
		{ "?orderBy=-comments", "2 4 3 1 ", 4 },
	};
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char uri[128], numbers[256];
		struct answer a;

		snprintf(uri, sizeof(uri), ISSUES "%s", cases[i].query);
		ask(&fx->r, "GET", uri, &a);
		assert_int_equal(a.status, 200);
		assert_non_null(a.json);
		assert_non_null(strstr(a.raw.ptr, "Content-Type: application/json\r\n"));
		numbers_of(a.json, numbers);
		assert_string_equal(numbers, cases[i].numbers);
		assert_int_equal(
		    json_integer_value(json_object_get(a.json, "total")), cases[i].total);
		answer_clear(&a);
	}
}

static void
an_issue_is_found_by_its_number_alone(void **state)
{
	static const struct {
		const char *number;
		int status;
	} cases[] = {
		{ "1", 200 },
		{ "4", 200 },
		{ "5", 404 }, /* tombstoned */
		{ "6", 404 },
		{ "2147483647", 404 },
		{ "%31", 200 },
		{ "0", 400 },
		{ "01", 400 },
		{ "-1", 400 },
		{ "+1", 400 },
		{ "1x", 400 },
		{ "2147483648", 400 },
		{ "99999999999", 400 },
		{ "%", 404 }, /* no such path at all */
		{ "1%2F2", 400 },
		{ "1/", 404 },
		{ "1/2", 404 },
		{ "", 404 },
	};
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char uri[128];

		snprintf(uri, sizeof(uri), ISSUES "/%s", cases[i].number);
		if (status_of(&fx->r, uri) != cases[i].status)
			fail_msg("%s: %d", uri, status_of(&fx->r, uri));
	}
}

static void
the_answer_for_an_issue_has_its_fields(void **state)
{
	struct responder_rig *fx = *state;
	json_t *want = json_of("{'issue':{'title':'one','reporter':{'id':5,'login':'ann'}}}");
	struct answer a;

	ask(&fx->r, "GET", ISSUES "/1?fieldMask=title,reporter", &a);
	assert_json_equal(a.json, want);
	answer_clear(&a);
	json_decref(want);
	ask(&fx->r, "GET", ISSUES "/2?comments=true", &a);
	assert_int_equal(
	    json_array_size(json_object_get(json_object_get(a.json, "issue"), "comments")), 1);
	answer_clear(&a);
}

static void
names_are_compared_without_case_and_decoded_part_by_part(void **state)
{
	static const struct {
		const char *uri;
		int status;
	} cases[] = {
		{ "/api/v1/ACME/Widgets/issues", 200 },
		{ "/api/v1/%61cme/wid%67ets/issues", 200 },
		{ "/api/v1/acme/gadgets/issues", 404 },
		{ "/api/v1/acme/widget/issues", 404 },
		{ "/api/v1/acme/widgetss/issues", 404 },
		{ "/api/v1/other/widgets/issues", 404 },
		{ "/api/v1/acme%2Fwidgets/issues", 404 },
		{ "/api/v1/acme/widgets%2Fissues", 404 },
		{ "/api/v1/acme/widgets%2F/issues", 404 },
		{ "/api/v1/acme/widgets/issues%2F1", 404 },
		{ "/api/v1/acme/widgets/issue%73", 404 }, /* fixed parts are as they are */
		{ "/api/v1/acme//issues", 404 },
		{ "/api/v1//widgets/issues", 404 },
		{ "/api/v1/acme/widgets/issues/", 404 },
		{ "//api/v1/acme/widgets/issues", 404 },
		{ "/api/v2/acme/widgets/issues", 404 },
		{ "/api/v1/acme/widgets", 200 },
		{ "/api/v1/acme/widgets/", 404 },
		{ "/api/v1", 404 },
		{ "/", 404 },
		{ "", 404 },
		{ "/api/v1/%00/widgets/issues", 404 },
		{ "/api/v1/acme%00/widgets/issues", 404 },
		{ "/_healthz", 200 },
		{ "/_healthz/", 404 },
		{ "/metrics", 200 },
	};
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a;

		ask(&fx->r, "GET", cases[i].uri, &a);
		if (a.status != cases[i].status)
			fail_msg("%s: %d %s", cases[i].uri, a.status, a.body);
		if (a.status == 404)
			assert_int_equal(
			    json_integer_value(json_object_get(a.json, "code")), 5);
		answer_clear(&a);
	}
}

static void
bad_parameters_are_400_and_named(void **state)
{
	static const char *const uris[] = { ISSUES "?pageSize=x", ISSUES "?pageToken=junk",
		ISSUES "?orderBy=title", ISSUES "/1?fieldMask=nope", ISSUES "?closed=maybe" };
	static const char *const named[] = { "pageSize", "pageToken", "orderBy", "fieldMask",
		"closed" };
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		struct answer a;

		ask(&fx->r, "GET", uris[i], &a);
		assert_int_equal(a.status, 400);
		assert_int_equal(json_integer_value(json_object_get(a.json, "code")), 3);
		assert_true(json_is_array(json_object_get(a.json, "details")));
		assert_non_null(
		    strstr(json_string_value(json_object_get(a.json, "message")), named[i]));
		answer_clear(&a);
	}
}

/* A message quotes what the client sent: it must stay JSON. */
static void
an_error_is_json_whatever_it_quotes(void **state)
{
	static const char *const uris[] = { ISSUES "?orderBy=%22%5C%0a%01",
		ISSUES "?closed=%ff", ISSUES "?fieldMask=%c3%28%22", ISSUES "/%22%0a" };
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		struct answer a;

		ask(&fx->r, "GET", uris[i], &a);
		assert_int_equal(a.status, 400);
		assert_non_null(a.json);
		answer_clear(&a);
	}
}

static void
other_methods_are_405_with_allow(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH", "OPTIONS",
		"get", "" };
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct answer a;

		ask(&fx->r, methods[i], ISSUES, &a);
		assert_int_equal(a.status, 405);
		assert_non_null(strstr(a.raw.ptr, "\r\nAllow: GET, HEAD\r\n"));
		assert_int_equal(json_integer_value(json_object_get(a.json, "code")), 12);
		answer_clear(&a);
		ask(&fx->r, methods[i], "/nothing/here", &a);
		assert_int_equal(a.status, 404);
		answer_clear(&a);
	}
}

static void
head_has_the_head_of_get(void **state)
{
	static const char *const uris[] = { ISSUES, ISSUES "/1", ISSUES "/6", "/_healthz" };
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		struct answer get, head;

		ask(&fx->r, "GET", uris[i], &get);
		ask(&fx->r, "HEAD", uris[i], &head);
		assert_string_equal(head.body, "");
		assert_int_equal(head.raw.len, get.body - get.raw.ptr);
		assert_memory_equal(head.raw.ptr, get.raw.ptr, head.raw.len);
		answer_clear(&get);
		answer_clear(&head);
	}
}

static void
a_repository_is_listed_under_its_owner(void **state)
{
	static const struct {
		const char *owner;
		int listed;
	} cases[] = { { "acme", 1 }, { "Acme", 1 }, { "-", 1 }, { "other", 0 }, { "acm", 0 },
		{ "acme%2Fwidgets", 0 } };
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char uri[128];
		struct answer a;

		json_t *list;

		snprintf(uri, sizeof(uri), "/api/v1/owners/%s/repositories", cases[i].owner);
		ask(&fx->r, "GET", uri, &a);
		assert_int_equal(a.status, 200);
		assert_int_equal(
		    json_integer_value(json_object_get(a.json, "total")), cases[i].listed);
		list = json_object_get(a.json, "repositories");
		assert_int_equal(json_array_size(list), cases[i].listed);
		if (cases[i].listed != 0)
			assert_string_equal(
			    json_string_value(json_object_get(json_array_get(list, 0), "name")),
			    "acme/widgets");
		answer_clear(&a);
	}
}

static void
health_tells_whether_the_mirror_is_complete(void **state)
{
	struct responder_rig *fx = *state;
	json_t *half = json_of("{'status':'ok','complete':false}");
	json_t *whole = json_of("{'status':'ok','complete':true}");
	struct answer a;

	ask(&fx->r, "GET", "/_healthz", &a);
	assert_json_equal(a.json, half);
	answer_clear(&a);
	assert_int_equal(rig_apply_text(fx->rig,
			     "{'github':{'syncState':[{'family':'issues','complete':true},"
			     "{'family':'comments','complete':true},"
			     "{'family':'events','complete':true},"
			     "{'family':'reviews','complete':true},"
			     "{'family':'pulls','complete':true},"
			     "{'family':'review_comments','complete':true}]}}"),
	    0);
	ask(&fx->r, "GET", "/_healthz", &a);
	assert_json_equal(a.json, whole);
	answer_clear(&a);
	json_decref(half);
	json_decref(whole);
}

static void
metrics_count_answers_and_issues(void **state)
{
	struct responder_rig *fx = *state;
	struct answer a;

	assert_int_equal(status_of(&fx->r, ISSUES), 200);
	assert_int_equal(status_of(&fx->r, "/nowhere"), 404);
	ask(&fx->r, "GET", "/metrics", &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.raw.ptr, "Content-Type: text/plain"));
	assert_non_null(strstr(a.body, "maintner_fcgi_answers_total{status=\"2xx\"} 1\n"));
	assert_non_null(strstr(a.body, "maintner_fcgi_answers_total{status=\"4xx\"} 1\n"));
	assert_non_null(
	    strstr(a.body, "maintner_fcgi_issues{kind=\"pull_request\",state=\"closed\"} 1\n"));
	answer_clear(&a);
}

static void
before_there_is_a_snapshot_everything_is_503_and_then_not(void **state)
{
	static const char *const uris[] = { ISSUES, ISSUES "/1",
		"/api/v1/owners/acme/repositories", "/_healthz" };
	struct responder_rig *fx = *state;
	char dir[] = "/tmp/responder-test-XXXXXX";
	struct snap_writer *w = NULL;
	struct responder r;
	struct answer a;
	bool unclean;

	(void)fx;
	assert_non_null(mkdtemp(dir));
	responder_init(&r, dir);
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		ask(&r, "GET", uris[i], &a);
		assert_int_equal(a.status, 503);
		assert_int_equal(json_integer_value(json_object_get(a.json, "code")), 14);
		answer_clear(&a);
	}
	assert_int_equal(status_of(&r, "/metrics"), 200);
	assert_int_equal(status_of(&r, "/nowhere"), 404);
	assert_int_equal(snap_writer_open(dir, "acme/widgets", 0, &w, &unclean, NULL), 0);
	usleep(250000); /* a missing one is looked for now and then only */
	assert_int_equal(status_of(&r, ISSUES), 200);
	assert_int_equal(status_of(&r, "/_healthz"), 200);
	responder_clear(&r);
	snap_writer_close(w);
	fx_remove_dir(dir);
}

static void
every_allocation_may_fail(void **state)
{
	static const char *const uris[] = { ISSUES "?comments=true&pageSize=2", ISSUES "/1",
		"/metrics", "/_healthz" };
	struct responder_rig *fx = *state;

	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		const struct request_pair params[] = { { "REQUEST_METHOD", "GET" },
			{ "REQUEST_URI", uris[i] }, { NULL, NULL } };

		for (long n = 0; n < 30; n++) {
			struct buf out;
			int rc;

			buf_init(&out, (size_t)1 << 20);
			mem_fail_after(n);
			rc = request_serve_mem(
			    params, SLICE(""), NULL, responder_handle, &fx->r, &out);
			mem_fail_after(MEM_NEVER);
			assert_true(rc == 0 || rc == ERR_NOMEM);
			if (rc == 0)
				assert_true(strncmp(buf_cstr(&out), "Status: 200 ", 12) == 0 ||
					    strncmp(out.ptr, "Status: 50", 10) == 0);
			buf_clear(&out);
		}
	}
}

/* Three times the same; the third from memory. */
static void
ask_thrice(struct responder *r, const char *uri, const char *title)
{
	struct answer a[3];

	for (size_t i = 0; i < 3; i++) {
		ask(r, "GET", uri, &a[i]);
		assert_int_equal(a[i].status, 200);
		assert_non_null(strstr(a[i].body, title));
		assert_string_equal(a[i].raw.ptr, a[0].raw.ptr);
	}
	for (size_t i = 0; i < 3; i++)
		answer_clear(&a[i]);
}

static void
an_answer_from_memory_is_the_same_until_something_is_written(void **state)
{
	struct responder_rig *fx = *state;
	struct answer a;

	fx->r.cache_bytes = (size_t)1 << 20;
	ask_thrice(&fx->r, ISSUES "/1", "\"one\"");
	ask_thrice(&fx->r, ISSUES "?pageSize=2&fieldMask=title", "\"one\"");
	ask_thrice(&fx->r, ISSUES "?pageSize=2&fieldMask=title&orderBy=-number", "\"four\"");
	assert_int_equal(fx->r.from_cache, 3);
	rig_issue_says(fx->rig, 1, "{'title':'uno'}");
	ask_thrice(&fx->r, ISSUES "/1", "\"uno\"");
	ask_thrice(&fx->r, ISSUES "?pageSize=2&fieldMask=title", "\"uno\"");
	assert_int_equal(fx->r.from_cache, 5);
	ask(&fx->r, "HEAD", ISSUES "/1", &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "");
	answer_clear(&a);
	assert_int_equal(fx->r.from_cache, 6);
}

static void
errors_and_other_routes_are_answered_anew(void **state)
{
	struct responder_rig *fx = *state;

	fx->r.cache_bytes = (size_t)1 << 20;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(status_of(&fx->r, ISSUES "/4711"), 404);
		assert_int_equal(status_of(&fx->r, ISSUES "/x"), 400);
		assert_int_equal(status_of(&fx->r, ISSUES "?fieldMask=x"), 400);
		assert_int_equal(status_of(&fx->r, "/api/v1/acme/other/issues"), 404);
		assert_int_equal(status_of(&fx->r, "/api/v1/acme/widgets/logs"), 200);
		assert_int_equal(status_of(&fx->r, "/_healthz"), 200);
	}
	assert_int_equal(fx->r.from_cache, 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, responder_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(lists_hold_what_was_asked_for_and_the_total),
		WITH(an_issue_is_found_by_its_number_alone),
		WITH(the_answer_for_an_issue_has_its_fields),
		WITH(names_are_compared_without_case_and_decoded_part_by_part),
		WITH(bad_parameters_are_400_and_named),
		WITH(an_error_is_json_whatever_it_quotes),
		WITH(other_methods_are_405_with_allow),
		WITH(head_has_the_head_of_get),
		WITH(a_repository_is_listed_under_its_owner),
		WITH(health_tells_whether_the_mirror_is_complete),
		WITH(metrics_count_answers_and_issues),
		WITH(before_there_is_a_snapshot_everything_is_503_and_then_not),
		WITH(an_answer_from_memory_is_the_same_until_something_is_written),
		WITH(errors_and_other_routes_are_answered_anew),
		WITH(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
