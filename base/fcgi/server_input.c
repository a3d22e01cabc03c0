/*
 * server_input.c - a connection's records become requests.
 *
 * Every byte here is a stranger's.  Must not know sockets, loops or the clock:
 * time is server->now_ms, and output goes through server_conn_send(), so that tests and
 * fuzzers can run all of it on bytes in memory.
 */
#include "base/fcgi/server_internal.h"

static struct fcgi_request *
find(const struct server_conn *c, uint16_t id)
{
	for (struct link *l = c->requests.next; l != &c->requests; l = l->next) {
		struct fcgi_request *r = LINK_OF(l, struct fcgi_request, conn_link);

		if (r->id == id)
			return r;
	}
	return NULL;
}

/* Send what was built in server->scratch. */
static int
send_scratch(struct server_conn *c)
{
	struct buf *b = &c->server->scratch;
	uv_buf_t iov = uv_buf_init(b->ptr, (unsigned)b->len);
	int rc = buf_err(b);

	if (rc == 0)
		rc = server_conn_send(c, &iov, 1);
	buf_reset(b);
	return rc;
}

static int
on_get_values(struct server_conn *c, struct slice piece, bool last)
{
	struct fcgi_server *s = c->server;
	int rc;

	buf_slice(&c->values, piece);
	if (buf_err(&c->values) != 0)
		return buf_err(&c->values);
	if (!last)
		return 0;
	rc = fcgi_add_values(
	    &s->scratch, buf_view(&c->values), s->opts.conns_max, s->opts.requests_max);
	buf_clear(&c->values);
	if (rc != 0) {
		buf_reset(&s->scratch);
		return rc;
	}
	return send_scratch(c);
}

/* Records with id 0 (3.3, 4). */
static int
on_management(struct server_conn *c, const struct fcgi_header *h, struct slice piece, bool last)
{
	if (h->type >= FCGI_BEGIN_REQUEST && h->type <= FCGI_DATA)
		return ERR_PROTO; /* these belong to a request */
	if (h->type == FCGI_GET_VALUES)
		return on_get_values(c, piece, last);
	if (!last)
		return 0;
	fcgi_add_unknown_type(&c->server->scratch, h->type);
	return send_scratch(c);
}

static int
on_begin(struct server_conn *c, uint16_t id, struct slice body)
{
	struct fcgi_server *s = c->server;
	struct fcgi_request *r;
	struct fcgi_begin begin;

	if (find(c, id) != NULL)
		return ERR_PROTO;
	fcgi_begin_decode(body.ptr, &begin);
	/* 5.1: the flag is a request's, but what it decides is the connection's. */
	c->no_keep = (begin.flags & FCGI_KEEP_CONN) == 0;
	if (begin.role != FCGI_RESPONDER) {
		server_conn_refuse(c, id, FCGI_UNKNOWN_ROLE);
		return 0;
	}
	if (s->requests_open >= s->opts.requests_max ||
	    c->request_count >= s->opts.conn_requests_max ||
	    (r = server_request_new(c, id)) == NULL) {
		count_add(&s->counts.overloaded, 1);
		server_conn_refuse(c, id, FCGI_OVERLOADED);
		return 0;
	}
	r->read_deadline_ms = s->now_ms + s->opts.read_ms;
	link_before(&s->reading, &r->read_link);
	return 0;
}

/* The whole input is there: hand it over, unless the peer must first read its answers. */
static void
input_complete(struct fcgi_request *r)
{
	struct server_conn *c = r->conn;

	r->input_done = true;
	link_remove(&r->read_link);
	if (server_conn_queued(c) < c->server->opts.out_bytes_max && link_empty(&c->ready)) {
		server_request_dispatch(r);
		return;
	}
	r->state = REQUEST_READY;
	link_before(&c->ready, &r->ready_link);
}

static int
on_params(struct fcgi_request *r, const struct fcgi_header *h, struct slice piece)
{
	if (r->state != REQUEST_PARAMS)
		return ERR_PROTO;
	if (h->content_bytes > 0) {
		buf_slice(&r->params, piece);
		if (buf_err(&r->params) == ERR_LIMIT) {
			/* One answer a web server can show; later records of it are ignored. */
			fcgi_request_reply(r,
			    SLICE("Status: 431 Request Header Fields Too Large\r\n"
				  "Content-Length: 0\r\n\r\n"),
			    SLICE(""));
			return 0;
		}
		return buf_err(&r->params);
	}
	r->state = REQUEST_STDIN;
	if (server_request_parse_params(r) != 0)
		return ERR_PROTO;
	if (r->conn->server->opts.stream_body)
		server_request_dispatch(r);
	return 0;
}

/* Input for a handler that takes it in pieces: the deadline is one for each piece. */
static void
stream_piece(struct fcgi_request *r, struct slice piece, bool last)
{
	struct fcgi_server *s = r->conn->server;

	link_remove(&r->read_link);
	if (last) {
		r->input_done = true;
	} else if (!r->paused) {
		r->read_deadline_ms = s->now_ms + s->opts.read_ms;
		link_before(&s->reading, &r->read_link);
	}
	if (r->on_body != NULL)
		r->on_body(r, piece, last);
}

static int
on_stdin(struct fcgi_request *r, const struct fcgi_header *h, struct slice piece)
{
	size_t room;

	if (r->state == REQUEST_PARAMS || r->input_done)
		return ERR_PROTO;
	if (r->state == REQUEST_RUNNING) {
		stream_piece(r, piece, h->content_bytes == 0);
		return 0;
	}
	if (h->content_bytes == 0) {
		input_complete(r);
		return 0;
	}
	room = r->body.max - r->body.len;
	if (piece.len > room) {
		r->body_over = true;
		piece.len = room;
	}
	buf_slice(&r->body, piece);
	return buf_err(&r->body);
}

/* Records of requests.  Those for an id that is not open are ignored (3.3). */
static int
on_application(struct server_conn *c, const struct fcgi_header *h, struct slice piece)
{
	struct fcgi_request *r;

	if (h->type == FCGI_BEGIN_REQUEST)
		return on_begin(c, h->id, piece);
	r = find(c, h->id);
	if (r == NULL)
		return 0;
	switch (h->type) {
	case FCGI_PARAMS:
		return on_params(r, h, piece);
	case FCGI_STDIN:
		return on_stdin(r, h, piece);
	case FCGI_ABORT_REQUEST:
		server_request_abort(r, true);
		return 0;
	default:
		return 0; /* FCGI_DATA is for filters; others are not for us */
	}
}

static int
on_piece(void *ctx, const struct fcgi_header *h, struct slice piece, bool last)
{
	struct server_conn *c = ctx;
	int rc;

	rc = h->id == 0 ? on_management(c, h, piece, last) : on_application(c, h, piece);
	return rc == 0 && c->closing ? ERR_CLOSED : rc;
}

int
server_conn_input(struct server_conn *c, struct slice in)
{
	int rc = 0;

	if (c->lingering || c->closing)
		return 0;
	c->in_input = true;
	rc = fcgi_reader_feed(&c->reader, in, on_piece, c);
	c->in_input = false;
	if (rc == 0 || c->closing)
		return 0;
	if (rc != ERR_NOMEM)
		count_add(&c->server->counts.proto_errors, 1);
	return rc;
}

void
server_conn_dispatch_ready(struct server_conn *c)
{
	while (!c->closing && !link_empty(&c->ready) &&
	       server_conn_queued(c) < c->server->opts.out_bytes_max) {
		struct fcgi_request *r =
		    LINK_OF(c->ready.next, struct fcgi_request, ready_link);

		link_remove(&r->ready_link);
		server_request_dispatch(r);
	}
}
