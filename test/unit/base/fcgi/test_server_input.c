/*
 * test_server_input.c - the server's parser and its answers without any socket:
 * every split, hostile records, limits, and every allocation failing in turn.
 */
#include "base/fcgi/server_internal.h"
#include "base/mem.h"
#include "test/unit/base/fcgi/fcgi_rig.h"

struct pure {
	struct rig rig; /* only what the handler counts */
	struct fcgi_server *server;
	struct server_conn *conn;
	struct buf out;
};

static void
pure_open(struct pure *p, const struct fcgi_server_opts *opts)
{
	memset(p, 0, sizeof(*p));
	buf_init(&p->out, 1 << 24);
	assert_int_equal(fcgi_server_new(opts, rig_handler, &p->rig, &p->server), 0);
	p->conn = server_conn_new(p->server);
	assert_non_null(p->conn);
	p->conn->out.sink = &p->out;
}

static void
pure_close(struct pure *p)
{
	server_conn_release(p->conn);
	fcgi_server_free(p->server);
	buf_clear(&p->out);
}

static int
pure_feed(struct pure *p, struct slice in)
{
	int rc = server_conn_input(p->conn, in);

	if (rc == 0)
		server_conn_settle(p->conn);
	return rc;
}

/* Five requests, two of them interleaved, one aborted, and management records. */
static void
make_session(struct buf *b)
{
	struct fcgi_begin filter = { FCGI_FILTER, FCGI_KEEP_CONN };
	struct fcgi_header ask = { FCGI_GET_VALUES, 0, 17, 7 };
	char raw[FCGI_HEADER_BYTES];

	add_request(b, 1, true, "/echo", -1, "hello");
	add_request_start(b, 2, true, "/echo", -1, true);
	add_request_start(b, 3, true, "/params", 5, true);
	fcgi_add_stream(b, FCGI_STDIN, 2, SLICE("two"));
	fcgi_add_stream_end(b, FCGI_STDIN, 3);
	fcgi_add_stream_end(b, FCGI_STDIN, 2);
	fcgi_add_stream(b, FCGI_STDIN, 9, SLICE("nobody's")); /* ignored, 3.3 */
	add_request(b, 4, true, "/hold", -1, NULL);
	fcgi_add_abort(b, 4);
	fcgi_add_abort(b, 4);
	fcgi_add_begin(b, 5, &filter);
	fcgi_header_encode(raw, &ask);
	buf_add(b, raw, sizeof(raw));
	buf_add(b, "\x0f\0FCGI_MPXS_CONNSpadding", 24);
	fcgi_add_unknown_type(b, 99); /* from a peer it is itself unknown */
	add_request(b, 6, true, "/stderr", -1, NULL);
	add_request(b, 7, true, "/forget", -1, NULL);
}

static void
every_split_of_a_session_gives_the_same_answers(void **state)
{
	struct buf session, want;

	(void)state;
	buf_init(&session, 1 << 16);
	buf_init(&want, 1 << 16);
	make_session(&session);
	for (size_t cut = 0; cut <= session.len; cut++) {
		struct pure p;

		pure_open(&p, NULL);
		assert_int_equal(pure_feed(&p, (struct slice){ session.ptr, cut }), 0);
		assert_int_equal(
		    pure_feed(&p, (struct slice){ session.ptr + cut, session.len - cut }), 0);
		assert_int_equal(p.conn->request_count, 0);
		assert_int_equal(atomic_load(&p.rig.aborted), 1);
		assert_int_equal(atomic_load(&p.rig.handled), 6);
		if (cut == 0)
			buf_slice(&want, buf_view(&p.out));
		assert_true(slice_eq(buf_view(&p.out), buf_view(&want)));
		pure_close(&p);
	}
	buf_clear(&session);
	buf_clear(&want);
}

static void
one_byte_at_a_time_is_enough(void **state)
{
	struct buf session;
	struct pure p;

	(void)state;
	buf_init(&session, 1 << 16);
	make_session(&session);
	pure_open(&p, NULL);
	for (size_t i = 0; i < session.len; i++)
		assert_int_equal(pure_feed(&p, (struct slice){ session.ptr + i, 1 }), 0);
	assert_int_equal(atomic_load(&p.rig.handled), 6);
	pure_close(&p);
	buf_clear(&session);
}

static void
hostile_records_end_the_connection(void **state)
{
	static const struct {
		const char *what, *bytes;
		size_t len;
	} cases[] = {
		{ "version 0", "\0\1\0\1\0\10\0\0", 8 },
		{ "version 2", "\2\1\0\1\0\10\0\0", 8 },
		{ "http", "GET / HTTP/1.1\r\n", 16 },
		{ "short BEGIN", "\1\1\0\1\0\7\0\0", 8 },
		{ "BEGIN for id 0", "\1\1\0\0\0\10\0\0\0\1\1\0\0\0\0\0", 16 },
		{ "STDIN for id 0", "\1\5\0\0\0\0\0\0", 8 },
		{ "BEGIN twice",
		    "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0", 32 },
		{ "STDIN before the end of PARAMS",
		    "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\5\0\1\0\1\0\0x", 25 },
		{ "PARAMS after their end",
		    "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\1\0\0\0\0\1\4\0\1\0\1\0\0x", 33 },
		{ "pair cut short",
		    "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\1\0\3\0\0\5\5n\1\4\0\1\0\0\0\0",
		    35 },
		{ "bad GET_VALUES", "\1\11\0\0\0\1\0\0\5", 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fcgi_server_stats stats;
		struct pure p;

		pure_open(&p, NULL);
		if (pure_feed(&p, (struct slice){ cases[i].bytes, cases[i].len }) != ERR_PROTO)
			fail_msg("%s was not refused", cases[i].what);
		fcgi_server_stats(p.server, &stats);
		assert_int_equal(stats.proto_errors, 1);
		assert_int_equal(atomic_load(&p.rig.handled), 0);
		pure_close(&p);
	}
}

static void
params_past_their_cap_are_a_431(void **state)
{
	const struct fcgi_server_opts opts = { .params_bytes_max = 1000 };
	char text[999];
	struct buf b;
	struct pure p;

	(void)state;
	memset(text, 0, sizeof(text));
	pure_open(&p, &opts);
	buf_init(&b, 1 << 16);
	add_request_start(&b, 1, true, "/echo", -1, false);
	fcgi_add_stream(&b, FCGI_PARAMS, 1, (struct slice){ text, sizeof(text) });
	fcgi_add_stream(&b, FCGI_PARAMS, 1, SLICE("the rest is ignored"));
	fcgi_add_stream_end(&b, FCGI_PARAMS, 1);
	fcgi_add_stream_end(&b, FCGI_STDIN, 1);
	add_request(&b, 2, true, "/echo", -1, "next");
	assert_int_equal(pure_feed(&p, buf_view(&b)), 0);
	assert_non_null(memmem(p.out.ptr, p.out.len, "Status: 431", 11));
	assert_non_null(memmem(p.out.ptr, p.out.len, "next", 4));
	assert_int_equal(atomic_load(&p.rig.handled), 1);
	pure_close(&p);
	buf_clear(&b);
}

static void
requests_past_a_limit_are_overloaded(void **state)
{
	const struct fcgi_server_opts limits[] = { { .conn_requests_max = 3 },
		{ .requests_max = 3 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fcgi_server_stats stats;
		struct buf b;
		struct pure p;

		pure_open(&p, &limits[i]);
		buf_init(&b, 1 << 16);
		for (unsigned id = 1; id <= 5; id++)
			add_request(&b, id, true, "/hold", -1, NULL);
		assert_int_equal(pure_feed(&p, buf_view(&b)), 0);
		fcgi_server_stats(p.server, &stats);
		assert_int_equal(stats.requests_open, 3);
		assert_int_equal(stats.overloaded, 2);
		assert_int_equal(p.out.len, 2 * FCGI_END_BYTES);
		assert_int_equal(p.out.ptr[12], FCGI_OVERLOADED);
		pure_close(&p);
		assert_int_equal(atomic_load(&p.rig.aborted), 3);
		buf_clear(&b);
	}
}

static void
huge_get_values_and_other_floods_are_bounded(void **state)
{
	struct fcgi_header h = { FCGI_GET_VALUES, 0, 65535, 0 };
	char raw[FCGI_HEADER_BYTES], zeros[8192] = { 0 };
	struct pure p;
	int rc;

	(void)state;
	pure_open(&p, NULL);
	fcgi_header_encode(raw, &h);
	rc = pure_feed(&p, (struct slice){ raw, sizeof(raw) });
	assert_int_equal(rc, 0);
	assert_int_equal(pure_feed(&p, (struct slice){ zeros, sizeof(zeros) }), ERR_LIMIT);
	assert_true(p.conn->values.cap <= 8192);
	pure_close(&p);
}

static void
every_allocation_may_fail(void **state)
{
	struct buf session;

	(void)state;
	buf_init(&session, 1 << 16);
	make_session(&session);
	for (long n = 0; n < 60; n++) { /* let n allocations pass, fail the next */
		struct pure p;

		pure_open(&p, NULL);
		assert_int_equal(buf_reserve(&p.out, 1 << 16), 0);
		mem_fail_after(n);
		/* The test's own handler may meet the failure, too: an empty list is fine. */
		(void)pure_feed(&p, buf_view(&session));
		mem_fail_after(MEM_NEVER);
		pure_close(&p);
	}
	buf_clear(&session);
}

static void
a_steady_load_allocates_nothing(void **state)
{
	struct buf b;
	struct pure p;

	(void)state;
	buf_init(&b, 1 << 16);
	pure_open(&p, NULL);
	assert_int_equal(buf_reserve(&p.out, 1 << 16), 0);
	for (int i = 0; i < 100; i++) {
		buf_reset(&b);
		buf_reset(&p.out);
		add_request(&b, 1, true, "/echo", 10, "hello");
		if (i == 1)
			mem_fail_after(0); /* the first may; no other does */
		assert_int_equal(pure_feed(&p, buf_view(&b)), 0);
		if (i == 1)
			mem_fail_after(MEM_NEVER);
		assert_non_null(memmem(p.out.ptr, p.out.len, "hello", 5));
	}
	assert_int_equal(atomic_load(&p.rig.handled), 100);
	pure_close(&p);
	buf_clear(&b);
}

static void
a_connection_without_keep_ends_with_its_request(void **state)
{
	struct buf b;
	struct pure p;

	(void)state;
	buf_init(&b, 1 << 16);
	pure_open(&p, NULL);
	add_request(&b, 1, true, "/echo", -1, "kept");
	assert_int_equal(pure_feed(&p, buf_view(&b)), 0);
	assert_false(p.conn->closing);
	buf_reset(&b);
	add_request(&b, 1, false, "/echo", -1, "last");
	assert_int_equal(pure_feed(&p, buf_view(&b)), 0);
	assert_true(p.conn->closing);
	pure_close(&p);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split_of_a_session_gives_the_same_answers),
		cmocka_unit_test(one_byte_at_a_time_is_enough),
		cmocka_unit_test(hostile_records_end_the_connection),
		cmocka_unit_test(params_past_their_cap_are_a_431),
		cmocka_unit_test(requests_past_a_limit_are_overloaded),
		cmocka_unit_test(huge_get_values_and_other_floods_are_bounded),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_steady_load_allocates_nothing),
		cmocka_unit_test(a_connection_without_keep_ends_with_its_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
