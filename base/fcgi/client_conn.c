/*
 * client_conn.c - one connection to a responder: connecting, bytes in and out.
 *
 * Errors are never reported from inside a call: they close the connection, and
 * its close callback fails what it carried.  Must not know records' contents.
 */
#include "base/fcgi/client_internal.h"

#include "base/fcgi/uv_util.h"
#include "base/mem.h"

/* The exchanges of a dead connection: once more, or the end. */
static void
fail_exchanges(struct client_conn *conn)
{
	bool stale = conn->served > 0 && conn->error == ERR_CLOSED;

	while (!link_empty(&conn->exchanges)) {
		struct fcgi_exchange *x =
		    LINK_OF(conn->exchanges.next, struct fcgi_exchange, list_link);

		if (stale && x->repeatable && !x->answered && !x->fresh_only && !x->zombie)
			client_requeue(x);
		else
			client_finish(x, conn->error, NULL);
	}
}

/* This address failed: the next one of the name, or the end of the first who waits. */
static void
connect_failed(struct client_conn *conn)
{
	struct fcgi_client *c = conn->client;
	unsigned next = conn->addr_index + 1;

	if (c->freed)
		return;
	if (conn->error != ERR_TIMEOUT && c->addr.kind == ADDR_TCP && next < c->addr_count &&
	    client_conn_new(c, next, conn->deadline_ms) == 0)
		return;
	c->addrs_until_ms = 0; /* the name may have moved */
	client_fail_waiting(c, 1, conn->error);
}

static void
on_closed(uv_handle_t *h)
{
	struct client_conn *conn = h->data;
	struct fcgi_client *c = conn->client;

	c->now_ms = (int64_t)uv_now(c->loop);
	client_hold(c);
	fail_exchanges(conn);
	if (conn->connect_failed) {
		c->connecting--;
		connect_failed(conn);
	}
	out_queue_clear(&conn->out);
	mem_free(conn);
	client_release(c); /* the connection's own hold */
	client_pump(c);
	client_budget_pump(c);
	client_release(c);
}

void
client_conn_close(struct client_conn *conn, int code)
{
	struct fcgi_client *c = conn->client;

	if (conn->state == CCONN_CLOSING)
		return;
	/*
	 * One that failed counts until its callback has failed somebody who waits: libuv tells
	 * some errors at once, and client_pump() would try again without end.
	 */
	if (conn->state == CCONN_CONNECTING && !conn->connect_failed)
		c->connecting--;
	conn->state = CCONN_CLOSING;
	conn->error = code;
	conn->reading = false;
	link_remove(&conn->list_link);
	client_budget_uncount(conn);
	c->conn_count--;
	if (conn->out.sink == NULL)
		uv_close(&conn->uv.handle, on_closed);
}

/*
 * Output.
 */

bool
client_conn_tell_writable(struct client_conn *conn)
{
	for (struct link *l = conn->exchanges.next; l != &conn->exchanges; l = l->next) {
		struct fcgi_exchange *x = LINK_OF(l, struct fcgi_exchange, list_link);

		if (!x->want_writable || out_queue_bytes(&conn->out) > 0)
			continue;
		x->want_writable = false;
		if (x->zombie || x->events.on_writable == NULL)
			continue;
		x->events.on_writable(x->ctx); /* may end anything */
		return true;
	}
	return false;
}

static void
on_written(struct out_queue *q, int status)
{
	struct client_conn *conn = q->data;
	struct fcgi_client *c = conn->client;

	if (conn->state == CCONN_CLOSING)
		return;
	c->now_ms = (int64_t)uv_now(c->loop);
	if (status != 0 || out_queue_kick(q) != 0) {
		client_conn_close(conn, ERR_CLOSED);
		return;
	}
	client_hold(c);
	while (conn->state == CCONN_OPEN && client_conn_tell_writable(conn))
		;
	client_release(c);
}

void
client_conn_send_more(struct client_conn *conn, const void *data, size_t len)
{
	if (conn->state != CCONN_OPEN)
		return;
	if (out_queue_send_bytes(&conn->out, data, len) != 0 || out_queue_kick(&conn->out) != 0)
		client_conn_close(conn, ERR_CLOSED);
}

/* Write `id` into every record of a framed request. */
static void
stamp(struct buf *b, uint16_t id)
{
	size_t at = 0;

	while (at + FCGI_HEADER_BYTES <= b->len) {
		struct fcgi_header h;

		if (fcgi_header_decode(b->ptr + at, &h) != 0)
			return; /* cannot be: we wrote it */
		h.id = id;
		fcgi_header_encode(b->ptr + at, &h);
		at += (size_t)FCGI_HEADER_BYTES + h.content_bytes + h.padding_bytes;
	}
}

static bool
has_id(const struct client_conn *conn, uint16_t id)
{
	for (struct link *l = conn->exchanges.next; l != &conn->exchanges; l = l->next) {
		if (LINK_OF(l, struct fcgi_exchange, list_link)->id == id)
			return true;
	}
	return false;
}

/* Far fewer than 65,535 are open, so there is a free one. */
static uint16_t
next_id(struct client_conn *conn)
{
	do
		conn->last_id = conn->last_id == UINT16_MAX ? 1 : (uint16_t)(conn->last_id + 1);
	while (has_id(conn, conn->last_id));
	return conn->last_id;
}

void
client_conn_send(struct client_conn *conn, struct fcgi_exchange *x)
{
	x->id = next_id(conn);
	x->conn = conn;
	x->deadline_ms = conn->client->now_ms + x->first_ms;
	link_remove(&conn->idle_link);
	link_before(&conn->exchanges, &x->list_link);
	conn->exchange_count++;
	stamp(&x->request, x->id);
	client_conn_send_more(conn, x->request.ptr, x->request.len);
	/* Kept for a second try only. */
	if (!x->repeatable)
		buf_clear(&x->request);
}

/*
 * Input.
 */

static void
on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct client_conn *conn = h->data;

	(void)suggested;
	*ret = uv_buf_init(conn->client->read_bytes,
	    (unsigned)budget_read_len(conn->client->opts.budget, CLIENT_READ_BYTES));
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct client_conn *conn = stream->data;
	struct fcgi_client *c = conn->client;
	int rc;

	if (n == 0 || conn->state == CCONN_CLOSING)
		return;
	c->now_ms = (int64_t)uv_now(c->loop);
	client_hold(c);
	if (n < 0)
		rc = n == UV_EOF ? ERR_CLOSED : err_from_uv((int)n);
	else
		rc = client_conn_input(conn, (struct slice){ b->base, (size_t)n });
	if (rc != 0)
		client_conn_close(conn, rc);
	else
		client_conn_settle(conn);
	client_pump(c);
	client_budget_pump(c);
	client_release(c);
}

void
client_conn_settle(struct client_conn *conn)
{
	struct fcgi_client *c = conn->client;
	bool paused = false;

	if (conn->state != CCONN_OPEN)
		return;
	if (conn->exchange_count == 0) {
		if (conn->spoiled || (c->opts.no_keep && conn->served > 0)) {
			client_conn_close(conn, ERR_CLOSED);
			return;
		}
		conn->deadline_ms = c->now_ms + c->opts.keep_ms;
		client_budget_idle(conn);
	}
	for (struct link *l = conn->exchanges.next; l != &conn->exchanges; l = l->next)
		paused |= LINK_OF(l, struct fcgi_exchange, list_link)->paused;
	if (paused == !conn->reading)
		return;
	conn->reading = !paused;
	if (paused)
		uv_read_stop(&conn->uv.stream);
	else if (uv_read_start(&conn->uv.stream, on_alloc, on_read) != 0)
		client_conn_close(conn, ERR_IO);
}

/*
 * Connecting.
 */

static void
fail_connect(struct client_conn *conn, int status)
{
	bool refused = status == UV_ECONNREFUSED || status == UV_EAGAIN;

	conn->connect_failed = true;
	client_conn_close(conn, refused ? ERR_UNAVAILABLE : err_from_uv(status));
}

static void
on_connect(uv_connect_t *req, int status)
{
	struct client_conn *conn = req->data;
	struct fcgi_client *c = conn->client;

	if (conn->state == CCONN_CLOSING)
		return;
	c->now_ms = (int64_t)uv_now(c->loop);
	if (status != 0) {
		fail_connect(conn, status);
		return;
	}
	conn->state = CCONN_OPEN;
	c->connecting--;
	if (c->addr.kind == ADDR_TCP)
		uv_tcp_nodelay(&conn->uv.tcp, 1);
	client_conn_settle(conn);
	client_pump(c);
}

static int
start_connect(struct client_conn *conn)
{
	struct fcgi_client *c = conn->client;
	const struct sockaddr *sa = (const struct sockaddr *)&c->addrs[conn->addr_index];

	conn->connect.data = conn;
	if (c->addr.kind == ADDR_TCP) {
		uv_tcp_init(c->loop, &conn->uv.tcp);
		conn->uv.handle.data = conn;
		return uv_tcp_connect(&conn->connect, &conn->uv.tcp, sa, on_connect);
	}
	uv_pipe_init(c->loop, &conn->uv.pipe, 0);
	conn->uv.handle.data = conn;
	uv_pipe_connect(&conn->connect, &conn->uv.pipe, c->addr.path, on_connect);
	return 0; /* its errors come by the callback */
}

int
client_conn_new(struct fcgi_client *c, unsigned addr_index, int64_t deadline_ms)
{
	struct client_conn *conn = mem_zalloc(sizeof(*conn));
	int rc;

	if (conn == NULL)
		return ERR_NOMEM;
	conn->client = c;
	conn->state = CCONN_CONNECTING;
	conn->addr_index = addr_index;
	conn->deadline_ms = deadline_ms;
	link_init(&conn->exchanges);
	link_init(&conn->idle_link);
	link_before(&c->conns, &conn->list_link);
	fcgi_reader_init(&conn->reader);
	out_queue_init(&conn->out, &conn->uv.stream, &c->spare, on_written, conn);
	client_budget_count(conn);
	c->conn_count++;
	c->connecting++;
	client_hold(c);
	rc = start_connect(conn);
	if (rc != 0)
		fail_connect(conn, rc);
	return 0;
}
