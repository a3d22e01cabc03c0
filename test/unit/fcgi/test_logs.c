/* Log shipping: the list of durable segments, their bytes by range, and the long poll. */
#include "test/unit/fcgi/responder_rig.h"
#include "test/unit/sync/mirror_rig.h"

#define LOGS "/api/v1/acme/widgets/logs"

struct fixture {
	struct mirror_rig *mirror;
	struct responder r;
	char url[128];
};

static int
setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	void *rig = NULL;

	if (mr_setup(&rig) != 0)
		return -1;
	fx->mirror = rig;
	mr_write(fx->mirror, 1, "one");
	mr_write(fx->mirror, 2, "two");
	mr_close(fx->mirror); /* notes the segments */
	if (mr_open(fx->mirror) != 0)
		return -1;
	responder_init(&fx->r, fx->mirror->snapshot);
	snprintf(fx->url, sizeof(fx->url), "file://%s", fx->mirror->log);
	fx->r.log_url = fx->url;
	*state = fx;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fx = *state;
	void *rig = fx->mirror;

	responder_clear(&fx->r);
	mr_teardown(&rig);
	free(fx);
	return 0;
}

/* The whole log as it is on the disk; one segment. */
static char *
bytes_on_disk(const struct fixture *fx, size_t *ret_len)
{
	struct store *s = fx->mirror->m->store;
	struct store_list l;
	struct buf b;

	buf_init(&b, (size_t)1 << 20);
	assert_int_equal(store_list(s, "acme/widgets/0000.", &l, NULL), 0);
	assert_int_equal(l.count, 1);
	assert_int_equal(store_get(s, l.items[0].name, (size_t)1 << 20, &b, NULL, NULL), 0);
	store_list_clear(&l);
	return buf_take(&b, ret_len);
}

static void
the_list_names_each_segment_with_its_size_and_digest(void **state)
{
	struct fixture *fx = *state;
	char sha[SHA224_HEX_LEN + 1];
	size_t len = 0;
	char *bytes = bytes_on_disk(fx, &len);
	json_t *want;
	struct answer a;

	assert_int_equal(sha224_hex((struct slice){ bytes, len }, sha), 0);
	want = json_pack("[{s:i,s:i,s:s,s:s}]", "number", 0, "size", (int)len, "sha224", sha,
	    "url", "logs/0");
	ask(&fx->r, "GET", LOGS, &a);
	assert_int_equal(a.status, 200);
	assert_json_equal(a.json, want);
	answer_clear(&a);
	ask(&fx->r, "GET", LOGS "?startseg=1", &a);
	assert_string_equal(a.body, "[]");
	answer_clear(&a);
	json_decref(want);
	mem_free(bytes);
}

static void
ranges_give_these_bytes(void **state)
{
	static const struct {
		const char *range;
		size_t from, count; /* count 0: to the end */
		int status;
	} cases[] = {
		{ NULL, 0, 0, 200 },
		{ "bytes=0-0", 0, 1, 206 },
		{ "bytes=5-9", 5, 5, 206 },
		{ "bytes=5-", 5, 0, 206 },
		{ "bytes=0-999999", 0, 0, 206 },
		{ "bytes=7-7", 7, 1, 206 },
		/* what is no single range is left out of account */
		{ "bytes=9-5", 0, 0, 200 },
		{ "bytes=-", 0, 0, 200 },
		{ "bytes=x-1", 0, 0, 200 },
		{ "bytes=0-1,3-4", 0, 0, 200 },
		{ "bytes=0-1 ", 0, 0, 200 },
		{ "bytes 0-1", 0, 0, 200 },
		{ "items=0-1", 0, 0, 200 },
		{ "bytes=99999999999999999999-", 0, 0, 200 },
	};
	struct fixture *fx = *state;
	size_t len = 0;
	char *bytes = bytes_on_disk(fx, &len);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t count = cases[i].count != 0 ? cases[i].count : len - cases[i].from;
		struct answer a;
		char field[96];

		ask_with(&fx->r, "GET", LOGS "/0", cases[i].range != NULL ? "HTTP_RANGE" : NULL,
		    cases[i].range, &a);
		if (a.status != cases[i].status)
			fail_msg("%s: %d", cases[i].range, a.status);
		assert_int_equal(a.raw.ptr + a.raw.len - a.body, count);
		assert_memory_equal(a.body, bytes + cases[i].from, count);
		snprintf(field, sizeof(field), "\r\nContent-Range: bytes %zu-%zu/%zu\r\n",
		    cases[i].from, cases[i].from + count - 1, len);
		assert_int_equal(strstr(a.raw.ptr, field) != NULL, cases[i].status == 206);
		assert_non_null(strstr(a.raw.ptr, "\r\nAccept-Ranges: bytes\r\n"));
		answer_clear(&a);
	}
	mem_free(bytes);
}

static void
the_last_bytes_can_be_asked_for(void **state)
{
	struct fixture *fx = *state;
	size_t len = 0;
	char *bytes = bytes_on_disk(fx, &len);
	struct answer a;

	ask_with(&fx->r, "GET", LOGS "/0", "HTTP_RANGE", "bytes=-3", &a);
	assert_int_equal(a.status, 206);
	assert_memory_equal(a.body, bytes + len - 3, 3);
	answer_clear(&a);
	ask_with(&fx->r, "GET", LOGS "/0", "HTTP_RANGE", "bytes=-999999", &a);
	assert_int_equal(a.raw.ptr + a.raw.len - a.body, len);
	answer_clear(&a);
	mem_free(bytes);
}

static void
what_the_log_has_not_is_refused(void **state)
{
	static const struct {
		const char *uri, *range;
		int status;
	} cases[] = {
		{ LOGS "/1", NULL, 404 },
		{ LOGS "/9999", NULL, 404 },
		{ LOGS "/10000", NULL, 400 },
		{ LOGS "/x", NULL, 400 },
		{ LOGS "/00", NULL, 400 },
		{ LOGS "/-1", NULL, 400 },
		{ LOGS "/", NULL, 404 },
		{ LOGS "/0", "bytes=999999-", 416 },
		{ LOGS "/0", "bytes=-0", 416 },
		{ "/api/v1/acme/gadgets/logs", NULL, 404 },
		{ "/api/v1/acme/gadgets/logs/0", NULL, 404 },
		{ LOGS "?startseg=x", NULL, 400 },
	};
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a;

		ask_with(&fx->r, "GET", cases[i].uri,
		    cases[i].range != NULL ? "HTTP_RANGE" : NULL, cases[i].range, &a);
		if (a.status != cases[i].status)
			fail_msg("%s %s: %d", cases[i].uri,
			    cases[i].range != NULL ? cases[i].range : "", a.status);
		assert_non_null(a.json);
		answer_clear(&a);
	}
}

static void
without_a_log_the_bytes_are_not_implemented(void **state)
{
	struct fixture *fx = *state;

	fx->r.log_url = NULL;
	assert_int_equal(status_of(&fx->r, LOGS), 200);
	assert_int_equal(status_of(&fx->r, LOGS "/0"), 501);
}

static void *
write_later(void *ctx)
{
	struct fixture *fx = ctx;

	usleep(200000);
	mr_write(fx->mirror, 3, "three");
	return NULL;
}

static void
a_long_poll_is_answered_when_the_log_grows(void **state)
{
	struct fixture *fx = *state;
	size_t len = 0;
	char uri[128];
	int64_t began = clock_mono_ms();
	pthread_t thread;
	struct answer a;

	mem_free(bytes_on_disk(fx, &len));
	snprintf(uri, sizeof(uri), LOGS "?waitsizenot=%zu", len + 1);
	assert_int_equal(status_of(&fx->r, uri), 200); /* another size: at once */
	snprintf(uri, sizeof(uri), LOGS "?waitsizenot=%zu", len);
	assert_int_equal(pthread_create(&thread, NULL, write_later, fx), 0);
	ask(&fx->r, "GET", uri, &a);
	pthread_join(thread, NULL);
	assert_int_equal(a.status, 200);
	assert_true(json_integer_value(json_object_get(json_array_get(a.json, 0), "size")) >
		    (json_int_t)len);
	assert_in_range(clock_mono_ms() - began, 200, 20000);
	answer_clear(&a);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(the_list_names_each_segment_with_its_size_and_digest),
		WITH(ranges_give_these_bytes),
		WITH(the_last_bytes_can_be_asked_for),
		WITH(what_the_log_has_not_is_refused),
		WITH(without_a_log_the_bytes_are_not_implemented),
		WITH(a_long_poll_is_answered_when_the_log_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
