/*
 * server_request.c - a request's life and its answer.
 *
 * Request objects are pooled with their buffers, so a steady load allocates
 * nothing.  Must not know sockets: output goes through server_conn_send().
 */
#include "base/fcgi/server_internal.h"

#include "base/mem.h"

#define REPLY_IOVS 64       /* two for each record: one system call up to 1.9 MB */
#define REPLY_STATUS_LOST 1 /* app status of a request that its handler forgot */

/*
 * The life of a request.
 */

static struct fcgi_request *
request_take(struct fcgi_server *s)
{
	struct fcgi_request *r = s->free_requests;

	if (r != NULL) {
		s->free_requests = r->next_free;
		s->free_request_count--;
		return r;
	}
	r = mem_zalloc(sizeof(*r));
	if (r == NULL)
		return NULL;
	buf_init(&r->params, s->opts.params_bytes_max);
	buf_init(&r->body, s->opts.body_bytes_max);
	arena_init(&r->arena, s->opts.arena_bytes_max);
	return r;
}

struct fcgi_request *
server_request_new(struct server_conn *c, uint16_t id)
{
	struct fcgi_server *s = c->server;
	struct fcgi_request *r = request_take(s);

	if (r == NULL)
		return NULL;
	r->conn = c;
	r->id = id;
	r->state = REQUEST_PARAMS;
	link_init(&r->read_link);
	link_init(&r->defer_link);
	link_init(&r->ready_link);
	link_before(&c->requests, &r->conn_link);
	c->request_count++;
	s->requests_open++;
	count_add(&s->counts.requests_total, 1);
	count_add(&s->counts.requests_open, 1);
	return r;
}

static void
request_destroy(struct fcgi_request *r)
{
	buf_clear(&r->params);
	buf_clear(&r->body);
	mem_free(r->pairs);
	arena_clear(&r->arena);
	mem_free(r);
}

static void
reset_buf(struct buf *b)
{
	if (b->cap > SERVER_KEEP_BYTES)
		buf_clear(b);
	else
		buf_reset(b);
}

/* Forget everything of the last request but the memory. */
static void
request_reset(struct fcgi_request *r)
{
	reset_buf(&r->params);
	reset_buf(&r->body);
	arena_reset(&r->arena);
	r->pair_count = 0;
	r->input_done = r->body_over = r->deferred = r->want_writable = r->paused = false;
	r->on_timeout = r->on_abort = r->on_writable = NULL;
	r->on_body = NULL;
	r->data = NULL;
	r->conn = NULL;
}

void
server_request_release(struct fcgi_request *r)
{
	struct server_conn *c = r->conn;
	struct fcgi_server *s = c->server;

	if (s->current == r)
		s->current = NULL;
	if (!r->input_done)
		c->unread = true;
	if (r->paused)
		c->pauses--;
	link_remove(&r->conn_link);
	link_remove(&r->read_link);
	link_remove(&r->defer_link);
	link_remove(&r->ready_link);
	c->request_count--;
	s->requests_open--;
	count_add(&s->counts.requests_open, (uint64_t)-1);
	if (s->free_request_count >= SERVER_POOL_MAX) {
		request_destroy(r);
		return;
	}
	request_reset(r);
	r->next_free = s->free_requests;
	s->free_requests = r;
	s->free_request_count++;
}

void
server_requests_clear(struct fcgi_server *s)
{
	while (s->free_requests != NULL) {
		struct fcgi_request *r = s->free_requests;

		s->free_requests = r->next_free;
		request_destroy(r);
	}
	s->free_request_count = 0;
}

void
server_request_abort(struct fcgi_request *r, bool tell_peer)
{
	struct server_conn *c = r->conn;
	uint16_t id = r->id;

	count_add(&c->server->counts.aborted, 1);
	if (r->on_abort != NULL)
		r->on_abort(r);
	/* The peer ends the input of what it aborted, or not; nothing more is expected. */
	r->input_done = true;
	server_request_release(r);
	if (tell_peer)
		server_conn_refuse(c, id, FCGI_REQUEST_COMPLETE);
}

void
server_request_dispatch(struct fcgi_request *r)
{
	struct fcgi_server *s = r->conn->server;

	r->state = REQUEST_RUNNING;
	s->current = r;
	s->handler(s->ctx, r);
	if (s->current == r && !r->deferred)
		fcgi_request_end(r, REPLY_STATUS_LOST);
	s->current = NULL;
}

void
server_request_timed_out(struct fcgi_request *r)
{
	struct fcgi_server *s = r->conn->server;
	fcgi_request_fn fn = r->on_timeout;

	r->deferred = false;
	s->current = r;
	if (fn != NULL)
		fn(r);
	if (s->current == r && !r->deferred)
		fcgi_request_end(r, REPLY_STATUS_LOST);
	s->current = NULL;
}

/*
 * What was asked.
 */

static int
add_pair(struct fcgi_request *r, const struct fcgi_pair *pair)
{
	if (r->pair_count == r->pair_cap) {
		size_t cap = r->pair_cap == 0 ? 32 : 2 * r->pair_cap;
		struct fcgi_pair *more = mem_realloc(r->pairs, cap * sizeof(*more));

		if (more == NULL)
			return ERR_NOMEM;
		r->pairs = more;
		r->pair_cap = cap;
	}
	r->pairs[r->pair_count++] = *pair;
	return 0;
}

int
server_request_parse_params(struct fcgi_request *r)
{
	struct slice rest = buf_view(&r->params);
	struct fcgi_pair pair;
	int rc;

	while ((rc = fcgi_pair_next(&rest, &pair)) == 1) {
		if (add_pair(r, &pair) != 0)
			return ERR_NOMEM;
	}
	return rc;
}

struct slice
fcgi_request_param(const struct fcgi_request *r, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = r->pair_count; i-- > 0;) {
		const struct fcgi_pair *p = &r->pairs[i];

		if (p->name.len == len && memcmp(p->name.ptr, name, len) == 0)
			return p->value;
	}
	return (struct slice){ NULL, 0 };
}

bool
fcgi_request_param_at(
    const struct fcgi_request *r, size_t i, struct slice *ret_name, struct slice *ret_value)
{
	if (i >= r->pair_count)
		return false;
	*ret_name = r->pairs[i].name;
	*ret_value = r->pairs[i].value;
	return true;
}

struct slice
fcgi_request_body(const struct fcgi_request *r)
{
	return buf_view(&r->body);
}

bool
fcgi_request_body_over(const struct fcgi_request *r)
{
	return r->body_over;
}

struct arena *
fcgi_request_arena(struct fcgi_request *r)
{
	return &r->arena;
}

void
fcgi_request_set_data(struct fcgi_request *r, void *data)
{
	r->data = data;
}

void *
fcgi_request_data(const struct fcgi_request *r)
{
	return r->data;
}

struct fcgi_server *
fcgi_request_server(struct fcgi_request *r)
{
	return r->conn->server;
}

/*
 * How it is answered.
 */

/* One gathered write: records around slices of somebody's memory. */
struct gather {
	uv_buf_t iov[REPLY_IOVS];
	char heads[REPLY_IOVS / 2][FCGI_HEADER_BYTES];
	char end[FCGI_HEADER_BYTES + FCGI_END_BYTES];
	unsigned count, head_count;
};

static void
gather_bytes(struct gather *g, const char *ptr, size_t len)
{
	if (len > 0) /* libuv's type has no const, but it only reads */
		g->iov[g->count++] = (uv_buf_t){ .base = (char *)ptr, .len = len };
}

static void
gather_header(struct gather *g, uint8_t type, uint16_t id, size_t content_bytes)
{
	struct fcgi_header h = {
		.type = type, .id = id, .content_bytes = (uint16_t)content_bytes
	};
	char *raw = g->heads[g->head_count++];

	fcgi_header_encode(raw, &h);
	gather_bytes(g, raw, FCGI_HEADER_BYTES);
}

/* The end of STDOUT and of the request, in one piece (5.5). */
static void
gather_end(struct gather *g, uint16_t id, const struct fcgi_end *end)
{
	struct fcgi_header h = { .type = FCGI_STDOUT, .id = id };

	fcgi_header_encode(g->end, &h);
	fcgi_end_encode(g->end + FCGI_HEADER_BYTES, id, end);
	gather_bytes(g, g->end, sizeof(g->end));
}

static int
gather_send(struct gather *g, struct server_conn *c)
{
	int rc = server_conn_send(c, g->iov, g->count);

	g->count = g->head_count = 0;
	return rc;
}

static size_t
take(struct slice *s, size_t max, const char **ret)
{
	size_t n = s->len < max ? s->len : max;

	*ret = s->ptr;
	if (n > 0)
		s->ptr += n;
	s->len -= n;
	return n;
}

/* head and body as one stream of records; what does not fill up `g` stays in it. */
static int
gather_stream(struct gather *g, struct server_conn *c, uint8_t type, uint16_t id,
    struct slice head, struct slice body)
{
	int rc = 0;

	while (rc == 0 && (head.len > 0 || body.len > 0)) {
		const char *first, *second;
		size_t head_bytes = take(&head, FCGI_CONTENT_ALIGNED, &first);
		size_t body_bytes = take(&body, FCGI_CONTENT_ALIGNED - head_bytes, &second);

		gather_header(g, type, id, head_bytes + body_bytes);
		gather_bytes(g, first, head_bytes);
		gather_bytes(g, second, body_bytes);
		if (g->count + 4 > REPLY_IOVS) /* a record of three and the end must fit */
			rc = gather_send(g, c);
	}
	return rc;
}

/* After the last byte of `r`: it is gone, and its connection may be. */
static void
finish(struct fcgi_request *r, bool lost)
{
	struct server_conn *c = r->conn;

	if (!lost)
		server_conn_kick(c);
	server_request_release(r);
	if (!c->in_input)
		server_conn_settle(c);
}

void
fcgi_request_reply(struct fcgi_request *r, struct slice head, struct slice body)
{
	struct fcgi_end end = { .protocol_status = FCGI_REQUEST_COMPLETE };
	struct server_conn *c = r->conn;
	struct gather g;
	int rc;

	g.count = g.head_count = 0;
	rc = gather_stream(&g, c, FCGI_STDOUT, r->id, head, body);
	if (rc == 0) {
		gather_end(&g, r->id, &end);
		rc = gather_send(&g, c);
	}
	finish(r, rc != 0);
}

static int
write_stream(struct fcgi_request *r, uint8_t type, struct slice first, struct slice second)
{
	struct server_conn *c = r->conn;
	size_t queued = server_conn_queued(c);
	struct gather g;
	int rc;

	if (c->closing)
		return ERR_CLOSED;
	if (queued > 0 && queued + first.len + second.len > c->server->opts.out_full_bytes)
		return ERR_FULL;
	g.count = g.head_count = 0;
	rc = gather_stream(&g, c, type, r->id, first, second);
	if (rc == 0 && g.count > 0)
		rc = gather_send(&g, c);
	if (rc != 0)
		return rc;
	server_conn_kick(c);
	if (server_conn_queued(c) >= c->server->opts.out_bytes_max)
		r->want_writable = true;
	if (!c->in_input)
		server_conn_settle(c);
	return 0;
}

int
fcgi_request_write(struct fcgi_request *r, struct slice data)
{
	return write_stream(r, FCGI_STDOUT, data, SLICE(""));
}

int
fcgi_request_write_two(struct fcgi_request *r, struct slice first, struct slice second)
{
	return write_stream(r, FCGI_STDOUT, first, second);
}

int
fcgi_request_write_stderr(struct fcgi_request *r, struct slice data)
{
	return write_stream(r, FCGI_STDERR, data, SLICE(""));
}

size_t
fcgi_request_queued(const struct fcgi_request *r)
{
	return server_conn_queued(r->conn);
}

void
fcgi_request_on_writable(struct fcgi_request *r, fcgi_request_fn fn)
{
	r->on_writable = fn;
}

void
fcgi_request_end(struct fcgi_request *r, uint32_t app_status)
{
	struct fcgi_end end = { .app_status = app_status,
		.protocol_status = FCGI_REQUEST_COMPLETE };
	struct server_conn *c = r->conn;
	struct gather g;

	g.count = g.head_count = 0;
	gather_end(&g, r->id, &end);
	finish(r, gather_send(&g, c) != 0);
}

void
fcgi_request_fail(struct fcgi_request *r)
{
	struct server_conn *c = r->conn;
	uint16_t id = r->id;
	bool alone = c->request_count == 1;

	server_request_release(r);
	if (alone)
		server_conn_close(c);
	else
		server_conn_refuse(c, id, FCGI_OVERLOADED);
	if (!c->in_input)
		server_conn_settle(c);
}

void
server_conn_refuse(struct server_conn *c, uint16_t id, enum fcgi_protocol_status status)
{
	struct fcgi_end end = { .protocol_status = (uint8_t)status };
	struct gather g;

	if (status != FCGI_REQUEST_COMPLETE)
		c->unread = true; /* its PARAMS and STDIN are still to come */
	g.count = g.head_count = 0;
	fcgi_end_encode(g.end, id, &end);
	gather_bytes(&g, g.end, FCGI_END_BYTES);
	if (gather_send(&g, c) == 0)
		server_conn_kick(c);
}

void
fcgi_request_defer(struct fcgi_request *r, uint32_t timeout_ms, fcgi_request_fn on_timeout)
{
	struct fcgi_server *s = r->conn->server;
	struct link *at;

	r->deferred = true;
	r->on_timeout = on_timeout;
	link_remove(&r->defer_link);
	if (timeout_ms == 0)
		return;
	r->defer_deadline_ms = s->now_ms + timeout_ms;
	/* Most programs use one timeout, so the place is nearly always the end. */
	for (at = &s->deferred; at->prev != &s->deferred; at = at->prev) {
		if (LINK_OF(at->prev, struct fcgi_request, defer_link)->defer_deadline_ms <=
		    r->defer_deadline_ms)
			break;
	}
	link_before(at, &r->defer_link);
	server_arm_deferred(s);
}

void
fcgi_request_on_abort(struct fcgi_request *r, fcgi_request_fn fn)
{
	r->on_abort = fn;
}

void
fcgi_request_on_body(struct fcgi_request *r, fcgi_body_fn fn)
{
	r->on_body = fn;
}

void
fcgi_request_pause_body(struct fcgi_request *r, bool paused)
{
	struct server_conn *c = r->conn;
	struct fcgi_server *s = c->server;

	if (r->paused == paused)
		return;
	r->paused = paused;
	c->pauses += paused ? 1 : (unsigned)-1;
	link_remove(&r->read_link);
	if (!paused && !r->input_done) {
		r->read_deadline_ms = s->now_ms + s->opts.read_ms;
		link_before(&s->reading, &r->read_link);
	}
	if (!c->in_input)
		server_conn_settle(c);
}
