/* test_server.c - the server over real sockets, with a peer that speaks raw records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/base/fcgi/fcgi_rig.h"

#define HEAD_LEN (sizeof("Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n") - 1)
#define OK_HEAD "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"

static void
ask(struct rig_peer *p, unsigned id, bool keep, const char *script, long size, const char *body)
{
	struct buf b;

	buf_init(&b, 64 << 20);
	add_request(&b, id, keep, script, size, body);
	peer_send(p, &b);
	buf_clear(&b);
}

static void
kept_and_other_connections_are_served_on_every_kind_of_socket(void **state)
{
	static const char *const where[] = { "unix", "127.0.0.1:0", "[::1]:0" };

	(void)state;
	for (size_t w = 0; w < 3; w++) {
		struct rig_peer p;
		struct rig rig;

		rig_start_at(&rig, NULL, where[w]);
		peer_open(&p, &rig);
		for (int i = 0; i < 20; i++) {
			ask(&p, 1, i < 19, "/echo", -1, "hello");
			assert_true(peer_wait(&p, 1));
			assert_slice_is(&p.answers[1].out, OK_HEAD "hello");
			assert_int_equal(p.answers[1].end.app_status, 0);
			assert_int_equal(
			    p.answers[1].end.protocol_status, FCGI_REQUEST_COMPLETE);
			peer_reset(&p, 1);
		}
		assert_true(peer_wait_eof(&p)); /* the last did not ask to keep it */
		assert_false(p.broken);
		peer_close(&p);
		assert_int_equal(rig_stop(&rig), 0);
	}
}

static void
interleaved_requests_are_answered_each_on_its_own(void **state)
{
	struct rig_peer p;
	struct rig rig;
	struct buf b;

	(void)state;
	rig_start(&rig, NULL);
	peer_open(&p, &rig);
	buf_init(&b, 1 << 16);
	add_request_start(&b, 1, true, "/echo", -1, true);
	add_request_start(&b, 2, true, "/echo", -1, true);
	fcgi_add_stream(&b, FCGI_STDIN, 1, SLICE("on"));
	fcgi_add_stream(&b, FCGI_STDIN, 2, SLICE("tw"));
	peer_send(&p, &b);
	usleep(20000);
	fcgi_add_stream(&b, FCGI_STDIN, 2, SLICE("o"));
	fcgi_add_stream_end(&b, FCGI_STDIN, 2);
	peer_send(&p, &b);
	assert_true(peer_wait(&p, 2));
	assert_false(p.answers[1].ended);
	fcgi_add_stream(&b, FCGI_STDIN, 1, SLICE("e"));
	fcgi_add_stream_end(&b, FCGI_STDIN, 1);
	add_request(&b, 3, true, "/defer", -1, NULL);
	add_request(&b, 4, true, "/stderr", -1, NULL);
	peer_send(&p, &b);
	assert_true(peer_wait(&p, 4));
	assert_false(p.answers[3].ended); /* deferred, and holds nobody up */
	assert_true(peer_wait(&p, 3));
	assert_slice_is(&p.answers[1].out, OK_HEAD "one");
	assert_slice_is(&p.answers[2].out, OK_HEAD "two");
	assert_slice_is(&p.answers[3].out, OK_HEAD "late");
	assert_slice_is(&p.answers[4].out, OK_HEAD "said");
	assert_slice_is(&p.answers[4].err, "oops");
	peer_close(&p);
	buf_clear(&b);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
an_abort_or_a_lost_connection_reaches_the_handler(void **state)
{
	struct rig_peer p;
	struct rig rig;
	struct buf b;

	(void)state;
	rig_start(&rig, NULL);
	peer_open(&p, &rig);
	buf_init(&b, 1 << 16);
	ask(&p, 1, true, "/hold", -1, NULL);
	fcgi_add_abort(&b, 1);
	peer_send(&p, &b);
	assert_true(peer_wait(&p, 1));
	assert_int_equal(p.answers[1].out.len, 0);
	assert_int_equal(atomic_load(&rig.aborted), 1);
	ask(&p, 2, true, "/hold", -1, NULL);
	ask(&p, 3, true, "/echo", -1, "still here");
	assert_true(peer_wait(&p, 3));
	peer_close(&p);
	for (int i = 0; i < 1000 && atomic_load(&rig.aborted) < 2; i++)
		usleep(2000);
	assert_int_equal(atomic_load(&rig.aborted), 2);
	buf_clear(&b);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
management_records_are_answered(void **state)
{
	const struct fcgi_server_opts opts = { .conns_max = 12, .requests_max = 34 };
	static const char want[] = "\x0a\x0e\x02"
				   "FCGI_MAX_CONNS12"
				   "\x0d\x02"
				   "FCGI_MAX_REQS34"
				   "\x0f\x01"
				   "FCGI_MPXS_CONNS1";
	struct rig_peer p;
	struct rig rig;
	struct buf b, names;
	struct fcgi_header h = { .type = FCGI_GET_VALUES };
	char raw[FCGI_HEADER_BYTES];

	(void)state;
	rig_start(&rig, &opts);
	peer_open(&p, &rig);
	buf_init(&b, 1 << 16);
	buf_init(&names, 1 << 16);
	fcgi_pair_add(&names, SLICE("FCGI_MPXS_CONNS"), SLICE(""));
	fcgi_pair_add(&names, SLICE("FCGI_MAX_REQS"), SLICE(""));
	fcgi_pair_add(&names, SLICE("FCGI_MAX_CONNS"), SLICE(""));
	h.content_bytes = (uint16_t)names.len;
	fcgi_header_encode(raw, &h);
	buf_add(&b, raw, sizeof(raw));
	buf_slice(&b, buf_view(&names));
	h = (struct fcgi_header){ .type = 77, .content_bytes = 3, .padding_bytes = 5 };
	fcgi_header_encode(raw, &h);
	buf_add(&b, raw, sizeof(raw));
	buf_add(&b, "abcpadng", 8);
	peer_send(&p, &b);
	ask(&p, 1, true, "/echo", -1, "");
	assert_true(peer_wait(&p, 1));
	assert_int_equal(p.management.len, sizeof(want) - 1 + 9);
	assert_memory_equal(p.management.ptr, want, sizeof(want) - 1);
	assert_memory_equal(p.management.ptr + sizeof(want) - 1, "\x0b\x4d\0\0\0\0\0\0\0", 9);
	peer_close(&p);
	buf_clear(&b);
	buf_clear(&names);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
another_role_is_refused_and_the_refusal_arrives(void **state)
{
	struct rig_peer p;
	struct rig rig;
	struct buf b;
	struct fcgi_begin begin = { FCGI_AUTHORIZER, 0 };
	char text[5000] = { 0 };

	(void)state;
	rig_start_at(&rig, NULL, "127.0.0.1:0"); /* where a reset would destroy it */
	peer_open(&p, &rig);
	buf_init(&b, 1 << 20);
	fcgi_add_begin(&b, 1, &begin);
	peer_send(&p, &b);
	for (int i = 0; i < 50; i++) {
		fcgi_add_stream(&b, FCGI_PARAMS, 1, (struct slice){ text, sizeof(text) });
		peer_send(&p, &b);
	}
	assert_true(peer_wait(&p, 1));
	assert_int_equal(p.answers[1].end.protocol_status, FCGI_UNKNOWN_ROLE);
	assert_true(peer_wait_eof(&p));
	assert_false(p.broken);
	peer_close(&p);
	buf_clear(&b);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
params_up_to_their_cap_arrive(void **state)
{
	struct rig_peer p;
	struct rig rig;
	struct buf b, params;
	struct fcgi_begin begin = { FCGI_RESPONDER, FCGI_KEEP_CONN };
	static char value[60000];

	(void)state;
	memset(value, 'v', sizeof(value));
	rig_start(&rig, NULL);
	peer_open(&p, &rig);
	buf_init(&b, 1 << 20);
	buf_init(&params, 1 << 20);
	fcgi_pair_add(&params, SLICE("SCRIPT_NAME"), SLICE("/params"));
	fcgi_pair_add(&params, SLICE("LONG"), (struct slice){ value, sizeof(value) });
	for (int i = 0; i < 300; i++)
		fcgi_pair_add(&params, SLICE("N"), SLICE("m"));
	fcgi_add_begin(&b, 1, &begin);
	fcgi_add_stream(&b, FCGI_PARAMS, 1, buf_view(&params));
	fcgi_add_stream_end(&b, FCGI_PARAMS, 1);
	fcgi_add_stream_end(&b, FCGI_STDIN, 1);
	peer_send(&p, &b);
	assert_true(peer_wait(&p, 1));
	assert_int_equal(p.answers[1].out.len, HEAD_LEN + 20 + 5 + sizeof(value) + 1 + 300 * 4);
	peer_close(&p);
	buf_clear(&b);
	buf_clear(&params);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
a_body_past_its_cap_is_flagged(void **state)
{
	const struct fcgi_server_opts opts = { .body_bytes_max = 1000 };
	static char body[200001];
	struct rig_peer p;
	struct rig rig;

	(void)state;
	memset(body, 'b', sizeof(body) - 1);
	rig_start(&rig, &opts);
	peer_open(&p, &rig);
	ask(&p, 1, true, "/echo", -1, body);
	assert_true(peer_wait(&p, 1));
	assert_memory_equal(p.answers[1].out.ptr, "Status: 413", 11);
	assert_int_equal(p.answers[1].out.len, strlen("Status: 413 Too Large\r\n\r\n") + 1000);
	peer_reset(&p, 1);
	body[1000] = '\0';
	ask(&p, 1, true, "/echo", -1, body);
	assert_true(peer_wait(&p, 1));
	assert_int_equal(p.answers[1].out.len, HEAD_LEN + 1000);
	peer_close(&p);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
half_sent_requests_time_out_while_others_are_answered(void **state)
{
	const struct fcgi_server_opts opts = { .read_ms = 200 };
	struct rig_peer half[3], p;
	struct fcgi_server_stats stats;
	struct rig rig;
	struct buf b;
	int64_t start;

	(void)state;
	rig_start(&rig, &opts);
	buf_init(&b, 1 << 16);
	for (unsigned i = 0; i < 3; i++)
		peer_open(&half[i], &rig);
	buf_add(&b, "\1\1\0", 3); /* half a header */
	peer_send(&half[0], &b);
	add_request_start(&b, 1, true, "/echo", -1, false); /* half the params */
	peer_send(&half[1], &b);
	add_request_start(&b, 1, true, "/echo", -1, true); /* no end of the input */
	peer_send(&half[2], &b);
	start = rig_ms();
	peer_open(&p, &rig);
	for (int i = 0; i < 20; i++) {
		ask(&p, 1, true, "/echo", -1, "x");
		assert_true(peer_wait(&p, 1));
		peer_reset(&p, 1);
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_true(peer_wait_eof(&half[i]));
		peer_close(&half[i]);
	}
	assert_in_range(rig_ms() - start, 150, RIG_WAIT_MS);
	fcgi_server_stats(rig.server, &stats);
	assert_int_equal(stats.timeouts, 3);
	/* A kept connection that only waits is not meant. */
	ask(&p, 1, true, "/echo", -1, "x");
	assert_true(peer_wait(&p, 1));
	peer_close(&p);
	buf_clear(&b);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
idle_connections_are_closed_after_their_time(void **state)
{
	const struct fcgi_server_opts opts = { .idle_ms = 100 };
	struct rig_peer p;
	struct rig rig;

	(void)state;
	rig_start(&rig, &opts);
	peer_open(&p, &rig);
	ask(&p, 1, true, "/echo", -1, "x");
	assert_true(peer_wait(&p, 1));
	assert_true(peer_wait_eof(&p));
	assert_false(p.broken);
	peer_close(&p);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
make_slow(struct rig_peer *p)
{
	int small = 65536; /* much smaller, and TCP waits for its window timers */

	assert_int_equal(setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
}

/* The socket takes a little at a time: every write of the server is a short one. */
static void
a_slow_reader_gets_ten_megabytes_and_holds_nobody_up(void **state)
{
	static const char *const where[] = { "unix", "127.0.0.1:0" };
	static const char *const scripts[] = { "/size", "/stream" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const size_t size = 10000000;
		struct rig_peer slow, quick;
		struct rig rig;

		rig_start_at(&rig, NULL, where[i / 2]);
		peer_open(&slow, &rig);
		make_slow(&slow);
		ask(&slow, 1, true, scripts[i % 2], (long)size, NULL);
		peer_open(&quick, &rig);
		for (int n = 0; n < 10; n++) {
			int64_t start = rig_ms();

			ask(&quick, 1, true, "/echo", -1, "x");
			assert_true(peer_wait(&quick, 1));
			peer_reset(&quick, 1);
			assert_in_range(rig_ms() - start, 0, 2000);
		}
		/* A producer that looks at the queue stays within its cap. */
		if (i % 2 == 1)
			assert_in_range(atomic_load(&rig.streamed), 1, size / 2);
		assert_true(peer_wait(&slow, 1));
		assert_int_equal(slow.answers[1].out.len, HEAD_LEN + size);
		if (i % 2 == 0) {
			for (size_t k = 0; k < size; k++)
				assert_true(slow.answers[1].out.ptr[HEAD_LEN + k] ==
					    (char)('a' + k % 26));
		}
		assert_int_equal(slow.answers[1].end.app_status, i % 2 == 0 ? 0 : 7);
		peer_close(&slow);
		peer_close(&quick);
		assert_int_equal(rig_stop(&rig), 0);
	}
}

static void
a_reader_that_takes_nothing_is_cut_off(void **state)
{
	const struct fcgi_server_opts opts = { .write_ms = 200 };
	struct fcgi_server_stats stats = { 0 };
	struct rig_peer p;
	struct rig rig;

	(void)state;
	rig_start(&rig, &opts);
	peer_open(&p, &rig);
	ask(&p, 1, true, "/size", 5000000, NULL);
	for (int i = 0; i < 1000 && stats.timeouts == 0; i++) {
		usleep(10000);
		fcgi_server_stats(rig.server, &stats);
	}
	assert_int_equal(stats.timeouts, 1);
	peer_close(&p);
	assert_int_equal(rig_stop(&rig), 0);
}

/* It pipelines, and reads nothing: its answers must not fill the memory. */
static void
a_peer_that_asks_without_reading_is_not_served_on(void **state)
{
	struct rig_peer p;
	struct rig rig;
	struct buf b;
	int sent = 0, handled, small = 1;

	(void)state;
	rig_start(&rig, NULL);
	peer_open(&p, &rig);
	buf_init(&b, 1 << 20);
	assert_int_equal(setsockopt(p.fd, SOL_SOCKET, SO_SNDTIMEO,
			     &(struct timeval){ .tv_usec = 300000 }, sizeof(struct timeval)),
	    0);
	(void)small;
	for (; sent < 400; sent++) {
		add_request(&b, (unsigned)sent % 7 + 1, true, "/size", 100000, NULL);
		if (send(p.fd, b.ptr, b.len, MSG_NOSIGNAL) != (ssize_t)b.len)
			break;
		buf_reset(&b);
		if (sent % 7 == 6) /* their ids are used again only when they have ended */
			usleep(3000);
	}
	usleep(100000);
	handled = atomic_load(&rig.handled);
	assert_in_range(handled, 1, 20); /* 256 KiB queued, and what the kernel took */
	peer_close(&p);
	buf_clear(&b);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
many_idle_connections_hold_nobody_up(void **state)
{
	enum {
		COUNT = 500
	};
	static struct rig_peer idle[COUNT];
	struct rlimit lim = { 4096, 4096 };
	struct rig_peer p;
	struct rig rig;
	int64_t start;

	(void)state;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
	rig_start(&rig, NULL);
	for (unsigned i = 0; i < COUNT; i++) {
		peer_open(&idle[i], &rig);
		ask(&idle[i], 1, true, "/echo", -1, "x");
	}
	for (unsigned i = 0; i < COUNT; i++)
		assert_true(peer_wait(&idle[i], 1));
	start = rig_ms();
	for (int i = 0; i < 20; i++) {
		peer_open(&p, &rig);
		ask(&p, 1, false, "/echo", -1, "quick");
		assert_true(peer_wait(&p, 1));
		peer_close(&p);
	}
	assert_in_range(rig_ms() - start, 0, 5000);
	for (unsigned i = 0; i < COUNT; i++)
		peer_close(&idle[i]);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
connections_past_the_limit_wait_their_turn(void **state)
{
	const struct fcgi_server_opts opts = { .conns_max = 2 };
	struct rig_peer a, b, c;
	struct rig rig;

	(void)state;
	rig_start(&rig, &opts);
	peer_open(&a, &rig);
	ask(&a, 1, true, "/echo", -1, "a");
	assert_true(peer_wait(&a, 1));
	peer_open(&b, &rig);
	ask(&b, 1, true, "/echo", -1, "b");
	assert_true(peer_wait(&b, 1));
	peer_open(&c, &rig);
	ask(&c, 1, true, "/echo", -1, "c");
	peer_read_for(&c, 100);
	assert_false(c.answers[1].ended);
	peer_close(&a);
	assert_true(peer_wait(&c, 1));
	peer_close(&b);
	peer_close(&c);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
a_drain_lets_requests_end_and_closes_the_idle(void **state)
{
	struct rig_peer idle, busy, late;
	struct rig rig;
	struct buf b;

	(void)state;
	rig_start(&rig, NULL);
	buf_init(&b, 1 << 16);
	peer_open(&idle, &rig);
	ask(&idle, 1, true, "/echo", -1, "x");
	assert_true(peer_wait(&idle, 1));
	peer_open(&busy, &rig);
	ask(&busy, 1, true, "/defer", -1, NULL); /* 30 ms */
	add_request_start(&b, 2, true, "/echo", -1, true);
	peer_send(&busy, &b);
	while (atomic_load(&rig.handled) < 2)
		usleep(1000);
	/* Connected before the stop, and perhaps still in the listen queue. */
	ask(&busy, 3, true, "/sleep", -1, NULL);
	peer_open(&late, &rig);
	ask(&late, 1, true, "/echo", -1, "late");
	fcgi_server_stop(rig.server);
	assert_true(peer_wait_eof(&idle));
	assert_false(idle.broken);
	assert_true(peer_wait(&late, 1));
	assert_true(peer_wait_eof(&late));
	assert_true(peer_wait(&busy, 1));
	assert_true(peer_wait(&busy, 3));
	fcgi_add_stream(&b, FCGI_STDIN, 2, SLICE("after the stop"));
	fcgi_add_stream_end(&b, FCGI_STDIN, 2);
	peer_send(&busy, &b);
	assert_true(peer_wait(&busy, 2));
	assert_true(peer_wait_eof(&busy));
	peer_close(&idle);
	peer_close(&busy);
	peer_close(&late);
	buf_clear(&b);
	assert_int_equal(rig_stop(&rig), 0);
}

static void
a_drain_does_not_wait_for_the_rest_of_what_a_peer_began(void **state)
{
	const struct fcgi_server_opts opts = { .drain_ms = 400 };
	struct rig_peer half_header, half_request, busy;
	struct rig rig;
	struct buf b;

	(void)state;
	rig_start(&rig, &opts);
	buf_init(&b, 1 << 16);
	peer_open(&half_header, &rig);
	buf_add(&b, "\1\1\0", 3);
	peer_send(&half_header, &b);
	peer_open(&half_request, &rig);
	add_request_start(&b, 1, true, "/echo", -1, true);
	peer_send(&half_request, &b);
	peer_open(&busy, &rig);
	ask(&busy, 1, true, "/defer", -1, NULL); /* 30 ms */
	while (atomic_load(&rig.handled) < 1)
		usleep(1000);
	fcgi_server_stop(rig.server);
	assert_true(peer_wait(&busy, 1));
	assert_true(peer_wait_eof(&half_header));
	assert_true(peer_wait_eof(&half_request));
	peer_close(&half_header);
	peer_close(&half_request);
	peer_close(&busy);
	buf_clear(&b);
	assert_int_equal(rig_stop(&rig), 0); /* not ERR_TIMEOUT: the deadline was not needed */
}

static void
a_drain_ends_at_its_deadline_and_a_kill_at_once(void **state)
{
	const struct fcgi_server_opts opts = { .drain_ms = 200 };

	(void)state;
	for (int kill = 0; kill < 2; kill++) {
		struct rig_peer p;
		struct rig rig;
		int64_t start;

		rig_start(&rig, &opts);
		peer_open(&p, &rig);
		ask(&p, 1, true, "/hold", -1, NULL);
		while (atomic_load(&rig.handled) < 1)
			usleep(1000);
		start = rig_ms();
		if (kill)
			fcgi_server_kill(rig.server);
		else
			fcgi_server_stop(rig.server);
		pthread_join(rig.thread, NULL);
		rig.running = false;
		assert_in_range(rig_ms() - start, kill ? 0 : 150, 5000);
		assert_int_equal(atomic_load(&rig.aborted), 1);
		peer_close(&p);
		assert_int_equal(rig_stop(&rig), kill ? 0 : ERR_TIMEOUT);
	}
}

static void
add_one(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void
posts_run_on_the_loop_and_fail_after_the_end(void **state)
{
	atomic_int ran = 0;
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	for (int i = 0; i < 100; i++)
		assert_int_equal(fcgi_server_post(rig.server, add_one, &ran), 0);
	fcgi_server_stop(rig.server);
	pthread_join(rig.thread, NULL);
	rig.running = false;
	assert_int_equal(atomic_load(&ran), 100);
	assert_int_equal(fcgi_server_post(rig.server, add_one, &ran), ERR_CLOSED);
	rig_stop(&rig);
	assert_int_equal(atomic_load(&ran), 100);
}

static void
a_server_that_never_ran_can_be_freed(void **state)
{
	struct fcgi_server *s;
	struct rig rig;

	(void)state;
	assert_int_equal(fcgi_server_new(NULL, rig_handler, &rig, &s), 0);
	fcgi_server_free(s);
	fcgi_server_free(NULL);
}

static void
a_stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	struct fcgi_listener second, third;
	struct err_info ei = { .text = "" };
	struct stat st;
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	assert_int_equal(stat(rig.addr.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(fcgi_listener_open(&second, &rig.addr, 0, 0, &ei), ERR_BUSY);
	/* As after a kill -9: the file is there, and nobody listens. */
	rig.listener.path[0] = '\0';
	rig_stop(&rig);
	assert_int_equal(fcgi_listener_open(&second, &rig.addr, 0600, 0, &ei), 0);
	assert_int_equal(stat(rig.addr.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A successor's socket outlives us. */
	unlink(rig.addr.path);
	assert_int_equal(fcgi_listener_open(&third, &rig.addr, 0, 0, &ei), 0);
	fcgi_listener_close(&second);
	assert_int_equal(stat(rig.addr.path, &st), 0);
	fcgi_listener_close(&third);
	assert_int_not_equal(stat(rig.addr.path, &st), 0);
	rmdir(rig.dir);
}

static void
what_is_no_socket_is_left_alone(void **state)
{
	struct fcgi_listener l;
	struct addr a = { .kind = ADDR_UNIX };
	struct err_info ei = { .text = "" };
	int fd;

	(void)state;
	strcpy(a.path, "/tmp/fcgi-file-XXXXXX");
	fd = mkstemp(a.path);
	assert_true(fd >= 0);
	assert_int_equal(fcgi_listener_open(&l, &a, 0, 0, &ei), ERR_EXISTS);
	assert_int_equal(access(a.path, F_OK), 0);
	assert_int_equal(fcgi_listener_adopt(&l, fd, &ei), ERR_INVAL);
	close(fd);
	unlink(a.path);
}

static void
an_answer_that_is_given_up_has_no_end(void **state)
{
	struct rig_peer p;
	struct rig rig;
	struct buf b;

	(void)state;
	rig_start(&rig, NULL);
	peer_open(&p, &rig);
	buf_init(&b, 1 << 20);
	add_request(&b, 1, true, "/fail", -1, "");
	peer_send(&p, &b);
	assert_true(peer_wait_eof(&p));
	assert_false(p.answers[1].ended);
	peer_close(&p);
	/* Beside another request the connection must stay. */
	peer_open(&p, &rig);
	add_request_start(&b, 2, true, "/echo", -1, true);
	add_request(&b, 1, true, "/fail", -1, "");
	peer_send(&p, &b);
	assert_true(peer_wait(&p, 1));
	assert_int_equal(p.answers[1].end.protocol_status, FCGI_OVERLOADED);
	fcgi_add_stream_end(&b, FCGI_STDIN, 2);
	peer_send(&p, &b);
	assert_true(peer_wait(&p, 2));
	assert_int_equal(p.answers[2].end.protocol_status, FCGI_REQUEST_COMPLETE);
	peer_close(&p);
	buf_clear(&b);
	assert_int_equal(rig_stop(&rig), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_and_other_connections_are_served_on_every_kind_of_socket),
		cmocka_unit_test(interleaved_requests_are_answered_each_on_its_own),
		cmocka_unit_test(an_abort_or_a_lost_connection_reaches_the_handler),
		cmocka_unit_test(management_records_are_answered),
		cmocka_unit_test(another_role_is_refused_and_the_refusal_arrives),
		cmocka_unit_test(params_up_to_their_cap_arrive),
		cmocka_unit_test(a_body_past_its_cap_is_flagged),
		cmocka_unit_test(half_sent_requests_time_out_while_others_are_answered),
		cmocka_unit_test(idle_connections_are_closed_after_their_time),
		cmocka_unit_test(a_slow_reader_gets_ten_megabytes_and_holds_nobody_up),
		cmocka_unit_test(a_reader_that_takes_nothing_is_cut_off),
		cmocka_unit_test(a_peer_that_asks_without_reading_is_not_served_on),
		cmocka_unit_test(many_idle_connections_hold_nobody_up),
		cmocka_unit_test(connections_past_the_limit_wait_their_turn),
		cmocka_unit_test(a_drain_lets_requests_end_and_closes_the_idle),
		cmocka_unit_test(a_drain_does_not_wait_for_the_rest_of_what_a_peer_began),
		cmocka_unit_test(a_drain_ends_at_its_deadline_and_a_kill_at_once),
		cmocka_unit_test(posts_run_on_the_loop_and_fail_after_the_end),
		cmocka_unit_test(a_server_that_never_ran_can_be_freed),
		cmocka_unit_test(a_stale_socket_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(what_is_no_socket_is_left_alone),
		cmocka_unit_test(an_answer_that_is_given_up_has_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
