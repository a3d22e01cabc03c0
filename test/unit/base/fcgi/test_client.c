/* test_client.c - the client against the server, against broken peers, and fcgi_call(). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/fcgi/client.h"
#include "base/mem.h"
#include "test/unit/base/fcgi/fcgi_rig.h"

#define HEAD "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"

/* One exchange as the test sees it. */
struct seen {
	struct buf out, err;
	struct fcgi_exchange *x;
	struct fcgi_end end;
	int ended, error, writable;
	size_t abort_after; /* abort when this much has come */
	bool pause;         /* pause after every piece; the loop helper resumes */
	bool paused;
};

static void
on_stdout(void *ctx, struct slice data)
{
	struct seen *s = ctx;

	buf_slice(&s->out, data);
	if (s->pause) {
		s->paused = true;
		fcgi_exchange_pause(s->x, true);
	}
	if (s->abort_after > 0 && s->out.len >= s->abort_after) {
		fcgi_exchange_abort(s->x);
		s->ended++;
	}
}

static void
on_stderr(void *ctx, struct slice data)
{
	buf_slice(&((struct seen *)ctx)->err, data);
}

static void
on_end(void *ctx, const struct fcgi_end *end)
{
	struct seen *s = ctx;

	s->end = *end;
	s->ended++;
	fcgi_exchange_abort(s->x); /* allowed, and without effect */
}

static void
on_error(void *ctx, int code)
{
	struct seen *s = ctx;

	s->error = code;
	s->ended++;
}

static void
on_writable(void *ctx)
{
	((struct seen *)ctx)->writable++;
}

static const struct fcgi_exchange_events events = { on_stdout, on_stderr, on_end, on_error,
	on_writable };

static void
seen_init(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	buf_init(&s->out, 64 << 20);
	buf_init(&s->err, 64 << 20);
}

static void
seen_clear(struct seen *s)
{
	buf_clear(&s->out);
	buf_clear(&s->err);
}

static int
start(struct fcgi_client *c, struct seen *s, const char *script, const char *size,
    struct slice body, bool repeatable, bool more)
{
	struct fcgi_pair params[] = { { SLICE("SCRIPT_NAME"), slice_str(script) },
		{ SLICE("SIZE"), slice_str(size) } };
	struct fcgi_exchange_spec spec = { .params = params,
		.param_count = size != NULL ? 2 : 1,
		.body = body,
		.more_body = more,
		.repeatable = repeatable };

	return fcgi_exchange_start(c, &spec, &events, s, &s->x);
}

static void
on_nothing(uv_timer_t *t)
{
	(void)t;
}

/* Run the loop until `s` has ended; it must within RIG_WAIT_MS. */
static void
run_until_ended(uv_loop_t *loop, struct seen *s)
{
	int64_t end = rig_ms() + RIG_WAIT_MS;
	uv_timer_t beat;

	uv_timer_init(loop, &beat);
	uv_timer_start(&beat, on_nothing, 0, 5);
	while (s->ended == 0 && rig_ms() < end) {
		uv_run(loop, UV_RUN_ONCE);
		if (s->paused && s->ended == 0) {
			s->paused = false;
			fcgi_exchange_pause(s->x, false);
		}
	}
	assert_int_equal(s->ended, 1);
	uv_close((uv_handle_t *)&beat, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

struct setup {
	struct rig rig;
	uv_loop_t loop;
	struct fcgi_client *client;
};

static void
setup_at(struct setup *u, const struct fcgi_client_opts *opts,
    const struct fcgi_server_opts *server_opts, const char *where)
{
	rig_start_at(&u->rig, server_opts, where);
	uv_loop_init(&u->loop);
	assert_int_equal(fcgi_client_new(&u->loop, &u->rig.addr, opts, &u->client), 0);
}

static void
teardown(struct setup *u)
{
	fcgi_client_free(u->client);
	uv_run(&u->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&u->loop), 0);
	rig_stop(&u->rig);
}

static void
exchanges_one_after_the_other_share_a_connection(void **state)
{
	static const char *const where[] = { "unix", "127.0.0.1:0", "[::1]:0", "localhost:0" };

	(void)state;
	for (size_t w = 0; w < 4; w++) {
		struct fcgi_server_stats stats;
		struct setup u;

		setup_at(&u, NULL, NULL, where[w]);
		for (int i = 0; i < 10; i++) {
			struct seen s;

			seen_init(&s);
			assert_int_equal(
			    start(u.client, &s, "/echo", NULL, SLICE("hello"), true, false), 0);
			run_until_ended(&u.loop, &s);
			assert_int_equal(s.error, 0);
			assert_slice_is(&s.out, HEAD "hello");
			seen_clear(&s);
		}
		fcgi_server_stats(u.rig.server, &stats);
		assert_int_equal(stats.conns_total, 1);
		assert_int_equal(stats.requests_total, 10);
		teardown(&u);
	}
}

static void
several_share_a_connection_at_once_if_allowed(void **state)
{
	static const struct fcgi_client_opts cases[] = { { .conns_max = 1,
							     .conn_calls_max = 4 },
		{ .conns_max = 1 }, { .no_keep = true }, { .conns_max = 3 } };
	static const unsigned conns[] = { 1, 1, 6, 3 };

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct fcgi_server_stats stats;
		struct seen s[6];
		struct setup u;

		setup_at(&u, &cases[k], NULL, "unix");
		for (int i = 0; i < 6; i++) {
			seen_init(&s[i]);
			assert_int_equal(
			    start(u.client, &s[i], i % 2 == 0 ? "/defer" : "/stderr", NULL,
				SLICE(""), true, false),
			    0);
		}
		for (int i = 0; i < 6; i++) {
			if (s[i].ended == 0)
				run_until_ended(&u.loop, &s[i]);
			assert_int_equal(s[i].error, 0);
			assert_slice_is(&s[i].out, i % 2 == 0 ? HEAD "late" : HEAD "said");
			assert_slice_is(&s[i].err, i % 2 == 0 ? "" : "oops");
			seen_clear(&s[i]);
		}
		fcgi_server_stats(u.rig.server, &stats);
		assert_int_equal(stats.conns_total, conns[k]);
		teardown(&u);
	}
}

static void
too_many_waiting_are_refused_at_once(void **state)
{
	const struct fcgi_client_opts opts = { .conns_max = 1, .waiting_max = 2 };
	struct seen s[3];
	struct setup u;

	(void)state;
	setup_at(&u, &opts, NULL, "unix");
	for (int i = 0; i < 3; i++) {
		seen_init(&s[i]);
		assert_int_equal(
		    start(u.client, &s[i], "/echo", NULL, SLICE("x"), false, false),
		    i < 2 ? 0 : ERR_FULL);
	}
	for (int i = 0; i < 2; i++) {
		if (s[i].ended == 0)
			run_until_ended(&u.loop, &s[i]);
		assert_int_equal(s[i].error, 0);
		seen_clear(&s[i]);
	}
	teardown(&u);
}

static void
a_long_body_goes_and_comes_in_pieces(void **state)
{
	const struct fcgi_server_opts server_opts = { .body_bytes_max = 16 << 20 };
	static char piece[200000];
	size_t sent = 0;
	struct setup u;
	struct seen s;

	(void)state;
	memset(piece, 'p', sizeof(piece));
	setup_at(&u, NULL, &server_opts, "unix");
	seen_init(&s);
	s.pause = true;
	assert_int_equal(start(u.client, &s, "/echo", NULL, SLICE("start"), true, true), 0);
	while (sent < 30 * sizeof(piece)) {
		int rc =
		    fcgi_exchange_write(s.x, (struct slice){ piece, sizeof(piece) }, false);

		if (rc == 0) {
			sent += sizeof(piece);
			continue;
		}
		assert_int_equal(rc, ERR_FULL);
		for (s.writable = 0; s.writable == 0;)
			uv_run(&u.loop, UV_RUN_ONCE);
	}
	assert_int_equal(fcgi_exchange_write(s.x, SLICE("end"), true), 0);
	assert_int_equal(fcgi_exchange_write(s.x, SLICE("more"), true), ERR_CLOSED);
	run_until_ended(&u.loop, &s);
	assert_int_equal(s.error, 0);
	assert_int_equal(s.out.len, strlen(HEAD) + 8 + 30 * sizeof(piece));
	assert_memory_equal(s.out.ptr + s.out.len - 4, "pend", 4);
	seen_clear(&s);
	teardown(&u);
}

static void
silence_is_a_timeout_and_others_go_on(void **state)
{
	const struct fcgi_client_opts opts = { .first_ms = 100, .idle_ms = 100 };
	struct seen hold, echo;
	struct setup u;

	(void)state;
	setup_at(&u, &opts, NULL, "unix");
	seen_init(&hold);
	seen_init(&echo);
	assert_int_equal(start(u.client, &hold, "/hold", NULL, SLICE(""), true, false), 0);
	assert_int_equal(start(u.client, &echo, "/echo", NULL, SLICE("x"), true, false), 0);
	run_until_ended(&u.loop, &echo);
	assert_int_equal(echo.error, 0);
	if (hold.ended == 0)
		run_until_ended(&u.loop, &hold);
	assert_int_equal(hold.error, ERR_TIMEOUT);
	seen_clear(&hold);
	seen_clear(&echo);
	teardown(&u);
	assert_int_equal(atomic_load(&u.rig.aborted), 1);
}

static void
an_abort_ends_it_at_any_moment(void **state)
{
	static const struct fcgi_client_opts cases[] = { { .conn_calls_max = 1 },
		{ .conn_calls_max = 4, .conns_max = 1 } };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct seen early, hold, big, echo;
		struct setup u;

		setup_at(&u, &cases[k], NULL, "unix");
		seen_init(&early);
		seen_init(&hold);
		seen_init(&big);
		seen_init(&echo);
		assert_int_equal(
		    start(u.client, &early, "/echo", NULL, SLICE(""), true, false), 0);
		fcgi_exchange_abort(early.x); /* before it has a connection */
		assert_int_equal(
		    start(u.client, &hold, "/hold", NULL, SLICE(""), true, false), 0);
		big.abort_after = 100000;
		assert_int_equal(
		    start(u.client, &big, "/size", "3000000", SLICE(""), true, false), 0);
		run_until_ended(&u.loop, &big); /* in its own callback */
		fcgi_exchange_abort(hold.x);
		assert_int_equal(
		    start(u.client, &echo, "/echo", NULL, SLICE("x"), true, false), 0);
		run_until_ended(&u.loop, &echo);
		assert_slice_is(&echo.out, HEAD "x");
		assert_int_equal(early.ended + hold.ended, 0);
		for (int i = 0; i < 1000 && atomic_load(&u.rig.aborted) < 1; i++)
			uv_run(&u.loop, UV_RUN_NOWAIT), usleep(1000);
		assert_int_equal(atomic_load(&u.rig.aborted), 1);
		seen_clear(&big);
		seen_clear(&echo);
		teardown(&u);
	}
}

/* The server goes away and comes back while the client looks elsewhere. */
static void
a_stale_connection_is_replaced_once_if_the_request_may_be_repeated(void **state)
{
	(void)state;
	for (int repeatable = 0; repeatable < 2; repeatable++) {
		struct setup u;
		struct seen s;

		setup_at(&u, NULL, NULL, "unix");
		seen_init(&s);
		assert_int_equal(
		    start(u.client, &s, "/echo", NULL, SLICE("1"), true, false), 0);
		run_until_ended(&u.loop, &s);
		seen_clear(&s);
		rig_restart(&u.rig);
		seen_init(&s);
		assert_int_equal(
		    start(u.client, &s, "/echo", NULL, SLICE("2"), repeatable, false), 0);
		run_until_ended(&u.loop, &s);
		assert_int_equal(s.error, repeatable ? 0 : ERR_CLOSED);
		assert_slice_is(&s.out, repeatable ? HEAD "2" : "");
		seen_clear(&s);
		teardown(&u);
	}
}

static void
freeing_the_client_cancels_what_is_open(void **state)
{
	const struct fcgi_client_opts opts = { .conns_max = 1 };
	struct seen running, waiting;
	struct setup u;

	(void)state;
	setup_at(&u, &opts, NULL, "unix");
	seen_init(&running);
	seen_init(&waiting);
	assert_int_equal(start(u.client, &running, "/hold", NULL, SLICE(""), true, false), 0);
	assert_int_equal(start(u.client, &waiting, "/hold", NULL, SLICE(""), true, false), 0);
	while (atomic_load(&u.rig.handled) == 0)
		uv_run(&u.loop, UV_RUN_NOWAIT);
	fcgi_client_free(u.client);
	u.client = NULL;
	assert_int_equal(running.error, ERR_CANCELED);
	assert_int_equal(waiting.error, ERR_CANCELED);
	teardown(&u);
}

static void
nobody_there_is_an_error_of_its_own(void **state)
{
	static const struct {
		const char *where;
		int want;
	} cases[] = {
		{ "unix:/tmp/fcgi-no-such-socket", ERR_NOENT },
		{ "127.0.0.1:1", ERR_UNAVAILABLE },
		{ "[::1]:1", ERR_UNAVAILABLE },
		{ "no-such-host.invalid:9000", ERR_NOENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fcgi_client_opts opts = { .connect_ms = 15000 };
		struct fcgi_client *c;
		uv_loop_t loop;
		struct addr a;
		struct seen s;

		assert_int_equal(addr_parse(cases[i].where, &a, NULL), 0);
		uv_loop_init(&loop);
		seen_init(&s);
		assert_int_equal(fcgi_client_new(&loop, &a, &opts, &c), 0);
		assert_int_equal(start(c, &s, "/echo", NULL, SLICE(""), true, false), 0);
		assert_int_equal(s.ended, 0); /* never from inside the call */
		run_until_ended(&loop, &s);
		assert_int_equal(s.error, cases[i].want);
		fcgi_client_free(c);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&loop), 0);
	}
}

/* A peer that accepts one connection, reads a little, says `text`, and closes. */
struct liar {
	int fd;
	struct slice text;
};

static void *
lie(void *arg)
{
	struct liar *l = arg;
	int fd = accept(l->fd, NULL, NULL);
	char bytes[4096];

	if (read(fd, bytes, sizeof(bytes)) > 0 && l->text.len > 0)
		(void)!write(fd, l->text.ptr, l->text.len);
	usleep(20000);
	close(fd);
	return NULL;
}

static void
answers_that_break_the_protocol_are_errors(void **state)
{
	const struct {
		const char *what;
		struct slice text;
		int want;
	} cases[] = {
		{ "nothing", SLICE(""), ERR_CLOSED },
		{ "garbage", SLICE("HTTP/1.1 200 OK\r\n\r\n"), ERR_PROTO },
		{ "half a record", SLICE("\1\6\0\1\0\20\0\0half"), ERR_CLOSED },
		{ "output without end", SLICE("\1\6\0\1\0\4\0\0full"), ERR_CLOSED },
		{ "another's output", SLICE("\1\6\0\2\0\4\0\0full"), ERR_PROTO },
		{ "another's end", SLICE("\1\3\0\2\0\10\0\0\0\0\0\0\0\0\0\0"), ERR_PROTO },
		{ "a request", SLICE("\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"), ERR_PROTO },
		{ "end of wrong size", SLICE("\1\3\0\1\0\4\0\0\0\0\0\0"), ERR_PROTO },
		{ "input", SLICE("\1\5\0\1\0\0\0\0"), ERR_PROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr a = { .kind = ADDR_TCP, .host = "127.0.0.1", .port = "0" };
		struct fcgi_listener listener;
		struct fcgi_client *c;
		pthread_t thread;
		uv_loop_t loop;
		struct liar liar;
		struct seen s;

		assert_int_equal(fcgi_listener_open(&listener, &a, 0, 0, NULL), 0);
		snprintf(a.port, sizeof(a.port), "%u", fcgi_listener_port(&listener) & 0xffff);
		liar = (struct liar){ listener.fds[0], cases[i].text };
		uv_loop_init(&loop);
		seen_init(&s);
		assert_int_equal(fcgi_client_new(&loop, &a, NULL, &c), 0);
		assert_int_equal(start(c, &s, "/echo", NULL, SLICE(""), true, false), 0);
		usleep(1000);
		uv_run(&loop, UV_RUN_NOWAIT);
		assert_int_equal(pthread_create(&thread, NULL, lie, &liar), 0);
		run_until_ended(&loop, &s);
		if (s.error != cases[i].want)
			fail_msg("%s: %s", cases[i].what, err_name(s.error));
		pthread_join(thread, NULL);
		fcgi_client_free(c);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&loop), 0);
		seen_clear(&s);
		fcgi_listener_close(&listener);
	}
}

/*
 * The blocking call.
 */

static int
call(const struct addr *a, const char *script, const char *size, unsigned ms, size_t max,
    struct buf *out, struct cgi_head *head, struct err_info *ei)
{
	const struct fcgi_pair params[] = { { SLICE("SCRIPT_NAME"), slice_str(script) },
		{ SLICE("SIZE"), slice_str(size) } };

	buf_init(out, max);
	return fcgi_call(a, params, 2, SLICE("body"), ms, out, head, ei);
}

static void
a_call_gives_the_answer_or_says_why_not(void **state)
{
	static const struct {
		const char *script, *size;
		size_t max;
		unsigned ms;
		int want;
		size_t len;
	} cases[] = {
		{ "/echo", "0", 1 << 20, 5000, 0, 4 },
		{ "/size", "3000000", 4 << 20, 5000, 0, 3000000 },
		{ "/size", "3000000", 1 << 20, 5000, ERR_LIMIT, 0 },
		{ "/hold", "0", 1 << 20, 100, ERR_TIMEOUT, 0 },
		{ "/forget", "0", 1 << 20, 5000, ERR_PROTO, 0 },
	};
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cgi_head head = { .status = 0 };
		struct err_info ei = { .text = "" };
		struct buf out;
		int rc = call(&rig.addr, cases[i].script, cases[i].size, cases[i].ms,
		    cases[i].max, &out, &head, &ei);

		assert_int_equal(rc, cases[i].want);
		assert_true(rc == 0 || ei.text[0] != '\0');
		if (rc == 0) {
			assert_int_equal(head.status, 200);
			assert_int_equal(out.len - head.bytes, cases[i].len);
		}
		buf_clear(&out);
	}
	assert_int_equal(rig_stop(&rig), 0);
}

static void
a_refused_call_is_unavailable(void **state)
{
	const struct fcgi_server_opts opts = { .requests_max = 1 };
	struct rig_peer p;
	struct cgi_head head;
	struct rig rig;
	struct buf b, out;

	(void)state;
	rig_start(&rig, &opts);
	peer_open(&p, &rig);
	buf_init(&b, 1 << 16);
	add_request(&b, 1, true, "/hold", -1, NULL);
	peer_send(&p, &b);
	while (atomic_load(&rig.handled) == 0)
		usleep(1000);
	assert_int_equal(
	    call(&rig.addr, "/echo", "0", 5000, 1 << 20, &out, &head, NULL), ERR_UNAVAILABLE);
	buf_clear(&out);
	buf_clear(&b);
	peer_close(&p);
	rig_stop(&rig);
}

/* No stream leads to a broadcast address, which connect() says before it returns. */
static void
a_connection_that_fails_at_once_is_not_tried_without_end(void **state)
{
	struct err_info ei = { .text = "" };
	struct fcgi_pair params[FCGI_CALL_PARAMS];
	size_t n = fcgi_call_params("GET", "/echo", NULL, params);
	int64_t begun = rig_ms();
	struct cgi_head head;
	struct buf out;
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse("255.255.255.255:9", &a, NULL), 0);
	buf_init(&out, 1 << 20);
	assert_int_not_equal(
	    fcgi_call(&a, params, n, SLICE(""), RIG_WAIT_MS, &out, &head, &ei), 0);
	assert_true(rig_ms() - begun < RIG_WAIT_MS / 2);
	assert_string_not_equal(ei.text, "");
	buf_clear(&out);
}

static void
a_call_survives_every_allocation_failure(void **state)
{
	struct cgi_head head;
	struct rig rig;
	struct buf out;
	int rc = ERR_NOMEM;

	(void)state;
	rig_start(&rig, NULL);
	/* The server in the other thread may meet the failure instead: any error will do. */
	for (long n = 0; n < 40; n++) {
		mem_fail_after(n);
		rc = call(&rig.addr, "/echo", "0", 2000, 1 << 20, &out, &head, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc <= 0);
		buf_clear(&out);
	}
	assert_int_equal(rc, 0);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchanges_one_after_the_other_share_a_connection),
		cmocka_unit_test(several_share_a_connection_at_once_if_allowed),
		cmocka_unit_test(too_many_waiting_are_refused_at_once),
		cmocka_unit_test(a_long_body_goes_and_comes_in_pieces),
		cmocka_unit_test(silence_is_a_timeout_and_others_go_on),
		cmocka_unit_test(an_abort_ends_it_at_any_moment),
		cmocka_unit_test(
		    a_stale_connection_is_replaced_once_if_the_request_may_be_repeated),
		cmocka_unit_test(freeing_the_client_cancels_what_is_open),
		cmocka_unit_test(nobody_there_is_an_error_of_its_own),
		cmocka_unit_test(answers_that_break_the_protocol_are_errors),
		cmocka_unit_test(a_call_gives_the_answer_or_says_why_not),
		cmocka_unit_test(a_refused_call_is_unavailable),
		cmocka_unit_test(a_connection_that_fails_at_once_is_not_tried_without_end),
		cmocka_unit_test(a_call_survives_every_allocation_failure),
	};

	/* As client.h asks; a server's loop and fcgi_call() see to it themselves. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
