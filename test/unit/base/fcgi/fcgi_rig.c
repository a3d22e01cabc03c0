/* fcgi_rig.c - see fcgi_rig.h. */
#include "test/unit/base/fcgi/fcgi_rig.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define HEAD "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"

int64_t
rig_ms(void)
{
	return clock_mono_ms();
}

/*
 * The handler.
 */

static size_t
param_size(const struct fcgi_request *req)
{
	struct slice s = fcgi_request_param(req, "SIZE");
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n = 10 * n + (size_t)(s.ptr[i] - '0');
	return n;
}

static void
reply_text(struct fcgi_request *req, const char *text)
{
	fcgi_request_reply(req, SLICE(HEAD), slice_str(text));
}

static void
reply_size(struct fcgi_request *req)
{
	size_t n = param_size(req);
	char *bytes = malloc(n + 1);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)('a' + i % 26);
	fcgi_request_reply(req, SLICE(HEAD), (struct slice){ bytes, n });
	free(bytes);
}

static void
reply_params(struct fcgi_request *req)
{
	struct slice name, value;
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; fcgi_request_param_at(req, i, &name, &value); i++) {
		buf_slice(&b, name);
		buf_char(&b, '=');
		buf_slice(&b, value);
		buf_char(&b, '\n');
	}
	fcgi_request_reply(req, SLICE(HEAD), buf_view(&b));
	buf_clear(&b);
}

static struct rig *
rig_of(struct fcgi_request *req)
{
	return fcgi_request_data(req);
}

static void
on_timeout(struct fcgi_request *req)
{
	atomic_fetch_add(&rig_of(req)->timed_out, 1);
	reply_text(req, "late");
}

static void
on_abort(struct fcgi_request *req)
{
	atomic_fetch_add(&rig_of(req)->aborted, 1);
}

/* Write until the queue is full, again when it is not, and end. */
static void
stream_on(struct fcgi_request *req)
{
	struct rig *rig = rig_of(req);
	size_t left = param_size(req) - atomic_load(&rig->streamed);
	char piece[10000];

	memset(piece, 's', sizeof(piece));
	while (left > 0) {
		size_t n = left < sizeof(piece) ? left : sizeof(piece);

		if (fcgi_request_queued(req) >= (size_t)256 << 10)
			return;
		if (fcgi_request_write(req, (struct slice){ piece, n }) != 0)
			return;
		atomic_fetch_add(&rig->streamed, n);
		left -= n;
	}
	fcgi_request_end(req, 7);
}

static void
start_stream(struct fcgi_request *req)
{
	fcgi_request_on_writable(req, stream_on);
	fcgi_request_on_abort(req, on_abort);
	fcgi_request_defer(req, 0, NULL);
	fcgi_request_write(req, SLICE(HEAD));
	stream_on(req);
}

void
rig_handler(void *ctx, struct fcgi_request *req)
{
	struct slice script = fcgi_request_param(req, "SCRIPT_NAME");

	fcgi_request_set_data(req, ctx);
	atomic_fetch_add(&((struct rig *)ctx)->handled, 1);
	if (slice_is(script, "/echo")) {
		fcgi_request_reply(req,
		    fcgi_request_body_over(req) ? SLICE("Status: 413 Too Large\r\n\r\n")
						: SLICE(HEAD),
		    fcgi_request_body(req));
	} else if (slice_is(script, "/params")) {
		reply_params(req);
	} else if (slice_is(script, "/size")) {
		reply_size(req);
	} else if (slice_is(script, "/defer")) {
		fcgi_request_on_abort(req, on_abort);
		fcgi_request_defer(req, 30, on_timeout);
	} else if (slice_is(script, "/hold")) {
		fcgi_request_on_abort(req, on_abort);
		fcgi_request_defer(req, 0, NULL);
	} else if (slice_is(script, "/stream")) {
		start_stream(req);
	} else if (slice_is(script, "/stderr")) {
		assert_int_equal(fcgi_request_write_stderr(req, SLICE("oops")), 0);
		reply_text(req, "said");
	} else if (slice_is(script, "/fail")) {
		fcgi_request_defer(req, 0, NULL);
		assert_int_equal(fcgi_request_write(req, SLICE(HEAD "half")), 0);
		fcgi_request_fail(req);
	} else if (slice_is(script, "/sleep")) {
		usleep(50000);
		reply_text(req, "slept");
	}
}

/*
 * The server.
 */

static void *
run(void *arg)
{
	struct rig *rig = arg;

	rig->run_rc = fcgi_server_run(rig->server);
	return NULL;
}

void
rig_start_at(struct rig *rig, const struct fcgi_server_opts *opts, const char *where)
{
	struct err_info ei = { .text = "" };

	memset(rig, 0, sizeof(*rig));
	strcpy(rig->dir, "/tmp/fcgi-rig-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->path, sizeof(rig->path), "unix:%s/s", rig->dir);
	if (strcmp(where, "unix") == 0)
		where = rig->path;
	assert_int_equal(addr_parse(where, &rig->addr, &ei), 0);
	if (fcgi_listener_open(&rig->listener, &rig->addr, 0, 0, &ei) != 0)
		fail_msg("%s", ei.text);
	if (rig->addr.kind == ADDR_TCP)
		snprintf(rig->addr.port, sizeof(rig->addr.port), "%u",
		    fcgi_listener_port(&rig->listener) & 0xffff);
	assert_int_equal(fcgi_server_new(opts, rig_handler, rig, &rig->server), 0);
	assert_int_equal(fcgi_server_listen(rig->server, &rig->listener), 0);
	assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
	rig->running = true;
}

void
rig_start(struct rig *rig, const struct fcgi_server_opts *opts)
{
	rig_start_at(rig, opts, "unix");
}

void
rig_restart(struct rig *rig)
{
	fcgi_server_kill(rig->server);
	pthread_join(rig->thread, NULL);
	fcgi_server_free(rig->server);
	assert_int_equal(fcgi_server_new(NULL, rig_handler, rig, &rig->server), 0);
	assert_int_equal(fcgi_server_listen(rig->server, &rig->listener), 0);
	assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
}

int
rig_stop(struct rig *rig)
{
	if (rig->running) {
		fcgi_server_stop(rig->server);
		pthread_join(rig->thread, NULL);
	}
	rig->running = false;
	fcgi_server_free(rig->server);
	fcgi_listener_close(&rig->listener);
	rmdir(rig->dir);
	return rig->run_rc;
}

/*
 * The peer.
 */

static int
connect_to(const struct addr *a)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int fd, rc;

	if (a->kind == ADDR_UNIX) {
		strcpy(sa.sun_path, a->path);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	} else {
		assert_int_equal(getaddrinfo(a->host, a->port, &hints, &list), 0);
		fd = socket(list->ai_family, SOCK_STREAM, 0);
		rc = connect(fd, list->ai_addr, list->ai_addrlen);
		freeaddrinfo(list);
	}
	assert_int_equal(rc, 0);
	return fd;
}

void
peer_open(struct rig_peer *p, const struct rig *rig)
{
	memset(p, 0, sizeof(*p));
	p->fd = connect_to(&rig->addr);
	fcgi_reader_init(&p->reader);
	for (unsigned i = 0; i < RIG_IDS; i++) {
		buf_init(&p->answers[i].out, 64 << 20);
		buf_init(&p->answers[i].err, 1 << 20);
	}
	buf_init(&p->management, 1 << 20);
}

void
peer_close(struct rig_peer *p)
{
	close(p->fd);
	for (unsigned i = 0; i < RIG_IDS; i++) {
		buf_clear(&p->answers[i].out);
		buf_clear(&p->answers[i].err);
	}
	buf_clear(&p->management);
}

void
peer_reset(struct rig_peer *p, unsigned id)
{
	buf_reset(&p->answers[id].out);
	buf_reset(&p->answers[id].err);
	p->answers[id].ended = false;
}

void
peer_send(struct rig_peer *p, struct buf *b)
{
	size_t at = 0;

	assert_int_equal(buf_err(b), 0);
	while (at < b->len) {
		ssize_t n = send(p->fd, b->ptr + at, b->len - at, MSG_NOSIGNAL);

		if (n <= 0)
			break; /* the server has closed: the test sees it by reading */
		at += (size_t)n;
	}
	buf_reset(b);
}

static int
on_piece(void *ctx, const struct fcgi_header *h, struct slice piece, bool last)
{
	struct rig_peer *p = ctx;
	struct rig_answer *a = &p->answers[h->id];

	(void)last;
	assert_in_range(h->id, 0, RIG_IDS - 1);
	if (h->id == 0) {
		buf_char(&p->management, (char)h->type);
		buf_slice(&p->management, piece);
		return 0;
	}
	assert_false(a->ended);
	if (h->type == FCGI_STDOUT) {
		buf_slice(&a->out, piece);
	} else if (h->type == FCGI_STDERR) {
		buf_slice(&a->err, piece);
	} else {
		assert_int_equal(h->type, FCGI_END_REQUEST);
		fcgi_end_decode(piece.ptr, &a->end);
		a->ended = true;
	}
	return 0;
}

/* One read; false at the end of the connection or after `ms`. */
static bool
read_some(struct rig_peer *p, int ms)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	char bytes[30011]; /* an odd size, so that records are cut anywhere */
	ssize_t n;

	if (p->eof || poll(&pfd, 1, ms) <= 0)
		return false;
	n = read(p->fd, bytes, sizeof(bytes));
	if (n <= 0) {
		p->eof = true;
		p->broken = n < 0;
		return false;
	}
	assert_int_equal(
	    fcgi_reader_feed(&p->reader, (struct slice){ bytes, (size_t)n }, on_piece, p), 0);
	return true;
}

bool
peer_wait(struct rig_peer *p, unsigned id)
{
	while (!p->answers[id].ended && read_some(p, RIG_WAIT_MS))
		;
	return p->answers[id].ended;
}

bool
peer_wait_eof(struct rig_peer *p)
{
	while (read_some(p, RIG_WAIT_MS))
		;
	return p->eof;
}

void
peer_read_for(struct rig_peer *p, int ms)
{
	int64_t end = rig_ms() + ms;

	for (int64_t left = ms; left > 0; left = end - rig_ms())
		read_some(p, (int)left);
}

void
add_request_start(
    struct buf *b, unsigned id, bool keep, const char *script, long size, bool whole)
{
	struct fcgi_begin begin = { .role = FCGI_RESPONDER,
		.flags = keep ? FCGI_KEEP_CONN : 0 };
	char digits[24];
	struct buf params;

	buf_init(&params, 1 << 16);
	snprintf(digits, sizeof(digits), "%ld", size);
	fcgi_pair_add(&params, SLICE("SCRIPT_NAME"), slice_str(script));
	fcgi_pair_add(&params, SLICE("REQUEST_METHOD"), SLICE("GET"));
	if (size >= 0)
		fcgi_pair_add(&params, SLICE("SIZE"), slice_str(digits));
	fcgi_add_begin(b, (uint16_t)id, &begin);
	fcgi_add_stream(b, FCGI_PARAMS, (uint16_t)id, buf_view(&params));
	if (whole)
		fcgi_add_stream_end(b, FCGI_PARAMS, (uint16_t)id);
	buf_clear(&params);
}

void
add_request(
    struct buf *b, unsigned id, bool keep, const char *script, long size, const char *body)
{
	add_request_start(b, id, keep, script, size, true);
	if (body != NULL)
		fcgi_add_stream(b, FCGI_STDIN, (uint16_t)id, slice_str(body));
	fcgi_add_stream_end(b, FCGI_STDIN, (uint16_t)id);
}

void
assert_slice_is(const struct buf *b, const char *text)
{
	if (!slice_is(buf_view(b), text))
		fail_msg("\"%.*s\" is not \"%s\"", (int)b->len, b->ptr, text);
}
