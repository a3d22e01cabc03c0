/* Requests to the API: tries, refusals, the lease. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sprvsr/lease.h"

static char server[] = "https://h", token[] = "t";
static const struct k8s_config config = { .server = server, .token = token };

struct rig {
	struct k8s_shared shared;
	struct k8s_client *client;
};

static void
begin(struct rig *r, const struct http_scripted *answers, size_t count)
{
	struct http *http;

	k8s_shared_init(&r->shared, &config, 1000, 1000);
	assert_int_equal(http_script_new(answers, count, &http), 0);
	assert_int_equal(k8s_client_new(&r->shared, NULL, http, &r->client, NULL), 0);
}

static void
end(struct rig *r)
{
	k8s_client_free(r->client);
	k8s_shared_clear(&r->shared);
}

static void
what_may_pass_is_asked_again_and_counted(void **state)
{
	static const struct http_scripted answers[] = { { .status = 503 }, { .rc = ERR_CLOSED },
		{ .expect_url = "https://h/p", .status = 200, .body = "{}" } };
	const struct k8s_call call = { .verb = "get", .method = "GET", .path = "/p" };
	struct rig r;
	json_t *doc = NULL;

	(void)state;
	begin(&r, answers, 3);
	assert_int_equal(k8s_ask_json(r.client, &call, &doc, NULL), 0);
	json_decref(doc);
	assert_int_equal(r.shared.count_count, 3);
	end(&r);
}

static int64_t
time_for_one(void *ctx)
{
	return (*(int *)ctx)++ == 0 ? 1000 : 0;
}

static void
what_is_no_longer_allowed_is_not_tried_again(void **state)
{
	static const struct http_scripted answers[] = { { .status = 503 }, { .status = 200 } };
	int asked = 0;
	const struct k8s_call call = { .verb = "patch",
		.method = "PATCH",
		.path = "/p",
		.time_left_ms = time_for_one,
		.left_ctx = &asked };
	struct rig r;

	(void)state;
	begin(&r, answers, 2);
	assert_int_equal(k8s_ask(r.client, &call, NULL, NULL), ERR_CANCELED);
	assert_int_equal(asked, 2);
	assert_int_equal(r.shared.count_count, 1);
	assert_int_equal(r.shared.counts[0].count, 1);
	end(&r);
}

static void
what_is_urgent_takes_no_turn(void **state)
{
	static const struct http_scripted answers[] = { { .status = 200 }, { .status = 200 } };
	struct k8s_call call = {
		.verb = "update", .method = "PUT", .path = "/p", .urgent = true
	};
	struct rig r;

	(void)state;
	begin(&r, answers, 2);
	assert_int_equal(k8s_ask(r.client, &call, NULL, NULL), 0);
	assert_float_equal(r.shared.tokens, r.shared.burst, 0);
	call.urgent = false;
	assert_int_equal(k8s_ask(r.client, &call, NULL, NULL), 0);
	assert_true(r.shared.tokens < r.shared.burst);
	end(&r);
}

static void
a_refusal_is_told_with_the_servers_words_and_not_repeated(void **state)
{
	static const struct http_scripted answers[] = { { .status = 403,
	    .body = "{\"message\":\"services is forbidden\"}" } };
	const struct k8s_call call = { .verb = "get", .method = "GET", .path = "/p?secret" };
	struct err_info ei = { .text = "" };
	struct rig r;

	(void)state;
	begin(&r, answers, 1);
	assert_int_equal(k8s_ask(r.client, &call, NULL, &ei), ERR_DENIED);
	assert_string_equal(ei.text, "GET /p: HTTP 403: services is forbidden");
	end(&r);
}

static void
how_long_the_server_asks_to_wait_is_told_when_no_try_is_left(void **state)
{
	static const struct http_scripted answers[] = { { .status = 429,
							    .headers = "retry-after: 7\n" },
		{ .status = 429, .headers = "retry-after: 7200\n" }, { .rc = ERR_CLOSED } };
	const struct k8s_call call = {
		.verb = "watch", .method = "GET", .path = "/p", .tries = 1
	};
	struct err_info ei = { .text = "" };
	struct rig r;

	(void)state;
	begin(&r, answers, 3);
	assert_int_equal(k8s_ask(r.client, &call, NULL, &ei), ERR_RATE);
	assert_int_equal(ei.retry_after_ms, 7000);
	assert_int_equal(k8s_ask(r.client, &call, NULL, &ei), ERR_RATE);
	assert_int_equal(ei.retry_after_ms, 60000);
	assert_int_equal(k8s_ask(r.client, &call, NULL, &ei), ERR_CLOSED);
	assert_int_equal(ei.retry_after_ms, 0);
	end(&r);
}

static void
a_lease_is_made_renewed_and_given_up(void **state)
{
	static const struct http_scripted answers[] = { { .status = 404 },
		{ .status = 201,
		    .body = "{\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{"
			    "\"holderIdentity\":\"me\"}}" },
		{ .status = 200,
		    .body = "{\"metadata\":{\"resourceVersion\":\"2\"},\"spec\":{"
			    "\"holderIdentity\":\"me\"}}" },
		{ .status = 409 } };
	struct lease l;
	struct rig r;

	(void)state;
	begin(&r, answers, 4);
	lease_init(&l, r.client, "ns", "lease");
	strcpy(l.identity, "me");
	assert_int_equal(lease_try(&l, NULL), 0);
	assert_true(l.valid_until_ms > clock_mono_ms());
	assert_int_equal(lease_try(&l, NULL), 0);
	assert_string_equal(l.seen, "2");
	assert_int_equal(lease_release(&l, NULL), ERR_CONFLICT);
	assert_int_equal(l.valid_until_ms, 0);
	lease_clear(&l);
	end(&r);
}

static void
anothers_lease_is_waited_for_on_our_clock(void **state)
{
	static const char held[] = "{\"metadata\":{\"resourceVersion\":\"5\"},\"spec\":{"
				   "\"holderIdentity\":\"you\",\"leaseDurationSeconds\":12,"
				   "\"renewTime\":\"2001-01-01T00:00:00.000000Z\"}}";
	const struct http_scripted answers[] = { { .status = 200, .body = held },
		{ .status = 200, .body = held }, { .status = 200, .body = held },
		{ .status = 409 } };
	struct lease l;
	struct rig r;

	(void)state;
	begin(&r, answers, 4);
	lease_init(&l, r.client, "ns", "lease");
	assert_int_equal(lease_try(&l, NULL), ERR_BUSY); /* however old its time is */
	assert_int_equal(lease_try(&l, NULL), ERR_BUSY);
	l.seen_ms -= 12001;
	assert_int_equal(lease_try(&l, NULL), ERR_BUSY); /* a third one was quicker: 409 */
	assert_null(l.object);
	lease_clear(&l);
	end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_pass_is_asked_again_and_counted),
		cmocka_unit_test(what_is_no_longer_allowed_is_not_tried_again),
		cmocka_unit_test(what_is_urgent_takes_no_turn),
		cmocka_unit_test(a_refusal_is_told_with_the_servers_words_and_not_repeated),
		cmocka_unit_test(how_long_the_server_asks_to_wait_is_told_when_no_try_is_left),
		cmocka_unit_test(a_lease_is_made_renewed_and_given_up),
		cmocka_unit_test(anothers_lease_is_waited_for_on_our_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
