/*
 * client.c - who waits, which connection serves whom, and for how long.
 *
 * Must not know how bytes travel (client_conn.c) or what they mean
 * (client_input.c).
 */
#include "base/fcgi/client_internal.h"

#include "base/mem.h"

#define TICK_MS_MIN 5
#define TICK_MS_MAX 250

static void
or_default(unsigned *v, unsigned dflt)
{
	*v = *v != 0 ? *v : dflt;
}

static void
fill_opts(struct fcgi_client_opts *o)
{
	or_default(&o->connect_ms, 1000);
	or_default(&o->first_ms, 10000);
	or_default(&o->idle_ms, 30000);
	or_default(&o->keep_ms, 60000);
	or_default(&o->names_ms, 30000);
	or_default(&o->conns_max, 64);
	or_default(&o->waiting_max, 256);
	or_default(&o->conn_calls_max, 1);
	if (o->body_queue_max == 0)
		o->body_queue_max = (size_t)1 << 20;
}

/*
 * Exchanges.
 */

static void
exchange_destroy(struct fcgi_exchange *x)
{
	buf_clear(&x->request);
	mem_free(x);
}

/* Take `x` out of wherever it is. */
static void
exchange_unlink(struct fcgi_exchange *x)
{
	link_remove(&x->list_link);
	if (x->conn != NULL)
		x->conn->exchange_count--;
	else
		x->client->waiting_count--;
	x->conn = NULL;
}

void
client_finish(struct fcgi_exchange *x, int code, const struct fcgi_end *end)
{
	exchange_unlink(x);
	x->finished = true;
	if (!x->zombie && code == 0 && x->events.on_end != NULL)
		x->events.on_end(x->ctx, end);
	if (!x->zombie && code != 0 && x->events.on_error != NULL)
		x->events.on_error(x->ctx, code);
	exchange_destroy(x);
}

static void
enqueue(struct fcgi_client *c, struct link *at, struct fcgi_exchange *x)
{
	x->deadline_ms = c->now_ms + c->opts.connect_ms + x->first_ms;
	link_before(at, &x->list_link);
	c->waiting_count++;
}

void
client_requeue(struct fcgi_exchange *x)
{
	exchange_unlink(x);
	x->fresh_only = true;
	enqueue(x->client, x->client->waiting.next, x);
}

void
client_fail_waiting(struct fcgi_client *c, unsigned count, int code)
{
	for (; count > 0 && !link_empty(&c->waiting); count--)
		client_finish(
		    LINK_OF(c->waiting.next, struct fcgi_exchange, list_link), code, NULL);
}

/* BEGIN, PARAMS and what there is of STDIN, with ids still to be stamped. */
static int
build_request(struct fcgi_client *c, const struct fcgi_exchange_spec *spec, struct buf *b)
{
	struct fcgi_begin begin = { .role = FCGI_RESPONDER,
		.flags = c->opts.no_keep ? 0 : FCGI_KEEP_CONN };

	buf_reset(&c->scratch);
	for (size_t i = 0; i < spec->param_count; i++)
		fcgi_pair_add(&c->scratch, spec->params[i].name, spec->params[i].value);
	if (buf_err(&c->scratch) != 0)
		return buf_err(&c->scratch);
	fcgi_add_begin(b, 0, &begin);
	fcgi_add_stream(b, FCGI_PARAMS, 0, buf_view(&c->scratch));
	fcgi_add_stream_end(b, FCGI_PARAMS, 0);
	fcgi_add_stream(b, FCGI_STDIN, 0, spec->body);
	if (!spec->more_body)
		fcgi_add_stream_end(b, FCGI_STDIN, 0);
	return buf_err(b);
}

static void ensure_tick(struct fcgi_client *c);

int
fcgi_exchange_start(struct fcgi_client *c, const struct fcgi_exchange_spec *spec,
    const struct fcgi_exchange_events *events, void *ctx, struct fcgi_exchange **ret)
{
	struct fcgi_exchange *x;
	int rc;

	if (c->freed)
		return ERR_CANCELED;
	if (c->waiting_count >= c->opts.waiting_max)
		return ERR_FULL;
	x = mem_zalloc(sizeof(*x));
	if (x == NULL)
		return ERR_NOMEM;
	buf_init(&x->request, SIZE_MAX / 2);
	rc = build_request(c, spec, &x->request);
	if (rc != 0) {
		exchange_destroy(x);
		return rc;
	}
	x->client = c;
	x->events = *events;
	x->ctx = ctx;
	x->body_done = !spec->more_body;
	x->repeatable = spec->repeatable && !spec->more_body;
	x->fresh_only = spec->fresh;
	x->first_ms = spec->first_ms != 0 ? spec->first_ms : c->opts.first_ms;
	c->now_ms = (int64_t)uv_now(c->loop);
	enqueue(c, &c->waiting, x);
	client_pump(c);
	ensure_tick(c);
	*ret = x;
	return 0;
}

int
fcgi_exchange_write(struct fcgi_exchange *x, struct slice body, bool last)
{
	size_t queued = x->conn != NULL ? out_queue_bytes(&x->conn->out) : x->request.len;
	struct buf *b = x->conn != NULL ? &x->client->scratch : &x->request;
	int rc;

	if (x->body_done || x->finished)
		return ERR_CLOSED;
	if (queued > 0 && queued + body.len > x->client->opts.body_queue_max) {
		x->want_writable = true;
		return ERR_FULL;
	}
	if (x->conn != NULL)
		buf_reset(b);
	fcgi_add_stream(b, FCGI_STDIN, x->id, body);
	if (last)
		fcgi_add_stream_end(b, FCGI_STDIN, x->id);
	rc = buf_err(b);
	if (rc != 0)
		return rc;
	x->body_done = last;
	if (last)
		x->deadline_ms = (int64_t)uv_now(x->client->loop) + x->first_ms;
	if (x->conn != NULL)
		client_conn_send_more(x->conn, b->ptr, b->len);
	return 0;
}

void
fcgi_exchange_pause(struct fcgi_exchange *x, bool paused)
{
	if (x->paused == paused || x->finished)
		return;
	x->paused = paused;
	x->deadline_ms = x->client->now_ms + x->client->opts.idle_ms;
	if (x->conn != NULL && !x->conn->in_input) /* else its reader settles it */
		client_conn_settle(x->conn);
}

void
fcgi_exchange_abort(struct fcgi_exchange *x)
{
	struct client_conn *conn;

	if (x == NULL || x->finished)
		return;
	conn = x->conn;
	if (conn != NULL && x->client->opts.conn_calls_max > 1 && conn->state == CCONN_OPEN) {
		/* Others share the connection: tell the peer, and wait for its END_REQUEST. */
		char raw[FCGI_HEADER_BYTES];
		struct fcgi_header h = { .type = FCGI_ABORT_REQUEST, .id = x->id };

		x->zombie = true;
		x->body_done = true;
		fcgi_header_encode(raw, &h);
		client_conn_send_more(conn, raw, sizeof(raw));
		return;
	}
	exchange_unlink(x);
	exchange_destroy(x);
	if (conn != NULL)
		client_conn_close(conn, ERR_CANCELED);
}

/*
 * Matching exchanges with connections.
 */

static bool
is_usable(const struct client_conn *conn, const struct fcgi_exchange *x)
{
	return conn->state == CCONN_OPEN && !conn->spoiled && !conn->in_input &&
	       conn->exchange_count < conn->client->opts.conn_calls_max &&
	       (!x->fresh_only || conn->served == 0);
}

/* The least busy one. */
static struct client_conn *
pick(const struct fcgi_client *c, const struct fcgi_exchange *x)
{
	struct client_conn *best = NULL;

	for (struct link *l = c->conns.next; l != &c->conns; l = l->next) {
		struct client_conn *conn = LINK_OF(l, struct client_conn, list_link);

		if (!is_usable(conn, x))
			continue;
		if (conn->exchange_count == 0)
			return conn;
		if (best == NULL || conn->exchange_count < best->exchange_count)
			best = conn;
	}
	return best;
}

void
client_pump(struct fcgi_client *c)
{
	while (!c->freed && !link_empty(&c->waiting)) {
		struct fcgi_exchange *x =
		    LINK_OF(c->waiting.next, struct fcgi_exchange, list_link);
		struct client_conn *conn = pick(c, x);

		if (conn != NULL) {
			link_remove(&x->list_link);
			c->waiting_count--;
			client_conn_send(conn, x);
			client_names_freshen(c);
			continue;
		}
		if (c->connecting >= c->waiting_count || c->conn_count >= c->opts.conns_max)
			return;
		if (!client_names_ready(c) || !client_budget_room(c) ||
		    client_conn_new(c, 0, c->now_ms + c->opts.connect_ms) != 0)
			return;
	}
}

/*
 * Deadlines.
 */

/* Callbacks may end any exchange, so the search starts anew after each. */
static void
expire_waiting(struct fcgi_client *c)
{
	struct link *l = c->waiting.next;

	while (!c->freed && l != &c->waiting) {
		struct fcgi_exchange *x = LINK_OF(l, struct fcgi_exchange, list_link);

		l = l->next;
		if (x->deadline_ms <= c->now_ms) {
			client_finish(x, ERR_TIMEOUT, NULL);
			l = c->waiting.next;
		}
	}
}

/* True if an exchange of `conn` is overdue; sending a long body is no delay. */
static bool
is_overdue(struct client_conn *conn)
{
	struct fcgi_client *c = conn->client;
	bool moved = out_queue_bytes(&conn->out) > 0 && out_queue_progressed(&conn->out);

	for (struct link *l = conn->exchanges.next; l != &conn->exchanges; l = l->next) {
		struct fcgi_exchange *x = LINK_OF(l, struct fcgi_exchange, list_link);

		if (x->paused || !x->body_done)
			continue;
		if (moved && !x->answered)
			x->deadline_ms = c->now_ms + x->first_ms;
		else if (x->deadline_ms <= c->now_ms)
			return true;
	}
	return false;
}

static void
expire_conn(struct client_conn *conn)
{
	struct fcgi_client *c = conn->client;

	if (conn->state == CCONN_CONNECTING && conn->deadline_ms <= c->now_ms) {
		conn->connect_failed = true;
		client_conn_close(conn, ERR_TIMEOUT);
	} else if (conn->state == CCONN_OPEN && conn->exchange_count == 0) {
		if (conn->deadline_ms <= c->now_ms)
			client_conn_close(conn, ERR_CANCELED);
	} else if (conn->state == CCONN_OPEN && is_overdue(conn)) {
		/* With several on it, all of them wait behind one stuck peer. */
		client_conn_close(conn, ERR_TIMEOUT);
	}
}

/*
 * Who found its queue full while it waited for a connection, and was then sent at
 * once, has not heard that it may go on.  The callback may do anything, so the
 * search starts anew after each.
 */
static void
tell_writable(struct fcgi_client *c)
{
	struct link *l = c->conns.next;

	while (!c->freed && l != &c->conns) {
		struct client_conn *conn = LINK_OF(l, struct client_conn, list_link);

		l = client_conn_tell_writable(conn) ? c->conns.next : l->next;
	}
}

static void
on_tick(uv_timer_t *t)
{
	struct fcgi_client *c = t->data;
	struct link *next;

	c->now_ms = (int64_t)uv_now(c->loop);
	client_hold(c);
	for (struct link *l = c->conns.next; l != &c->conns; l = next) {
		next =
		    l->next; /* closing one leaves the others, and calls nobody back from here */
		expire_conn(LINK_OF(l, struct client_conn, list_link));
	}
	tell_writable(c);
	expire_waiting(c);
	if (!c->freed && c->lookup_wanted && c->lookup_deadline_ms <= c->now_ms)
		client_fail_waiting(c, c->waiting_count, ERR_TIMEOUT);
	client_pump(c);
	client_budget_pump(c);
	if (!c->freed && c->conn_count == 0 && c->waiting_count == 0) {
		uv_timer_stop(t);
		c->ticking = false;
	}
	client_release(c);
}

static void
ensure_tick(struct fcgi_client *c)
{
	const struct fcgi_client_opts *o = &c->opts;
	unsigned ms = o->connect_ms < o->first_ms ? o->connect_ms : o->first_ms;

	if (c->ticking)
		return;
	ms = (o->idle_ms < ms ? o->idle_ms : ms) / 8;
	ms = ms > TICK_MS_MAX ? TICK_MS_MAX : ms;
	ms = ms < TICK_MS_MIN ? TICK_MS_MIN : ms;
	c->ticking = true;
	uv_timer_start(&c->tick, on_tick, ms, ms);
}

/*
 * The life of a client.
 */

void
client_hold(struct fcgi_client *c)
{
	c->handles++;
}

void
client_release(struct fcgi_client *c)
{
	if (--c->handles > 0)
		return;
	buf_clear(&c->spare);
	buf_clear(&c->scratch);
	if (c->opts.budget == NULL)
		mem_free(c->read_bytes);
	budget_release(c->opts.budget);
	mem_free(c);
}

int
fcgi_client_new(struct uv_loop_s *loop, const struct addr *a,
    const struct fcgi_client_opts *opts, struct fcgi_client **ret)
{
	struct fcgi_client *c = mem_zalloc(sizeof(*c));

	if (c == NULL)
		return ERR_NOMEM;
	if (opts != NULL)
		c->opts = *opts;
	c->read_bytes =
	    c->opts.budget != NULL ? c->opts.budget->read_bytes : mem_alloc(CLIENT_READ_BYTES);
	if (c->read_bytes == NULL) {
		mem_free(c);
		return ERR_NOMEM;
	}
	budget_hold(c->opts.budget);
	c->loop = loop;
	c->addr = *a;
	link_init(&c->starved_link);
	fill_opts(&c->opts);
	link_init(&c->conns);
	link_init(&c->waiting);
	buf_init(&c->spare, SIZE_MAX / 2);
	buf_init(&c->scratch, CLIENT_PARAMS_MAX + 2 * c->opts.body_queue_max);
	uv_timer_init(loop, &c->tick); /* cannot fail */
	c->tick.data = c;
	uv_unref((uv_handle_t *)&c->tick);
	client_hold(c); /* the timer's */
	*ret = c;
	return 0;
}

static void
on_tick_closed(uv_handle_t *h)
{
	client_release(h->data);
}

void
fcgi_client_free(struct fcgi_client *c)
{
	if (c == NULL || c->freed)
		return;
	c->freed = true;
	client_hold(c);
	link_remove(&c->starved_link);
	client_fail_waiting(c, c->waiting_count, ERR_CANCELED);
	while (!link_empty(&c->conns)) {
		struct client_conn *conn =
		    LINK_OF(c->conns.next, struct client_conn, list_link);

		client_conn_close(conn, ERR_CANCELED);
		while (!link_empty(&conn->exchanges))
			client_finish(
			    LINK_OF(conn->exchanges.next, struct fcgi_exchange, list_link),
			    ERR_CANCELED, NULL);
	}
	if (c->looking_up)
		uv_cancel((uv_req_t *)&c->lookup);
	uv_close((uv_handle_t *)&c->tick, on_tick_closed);
	client_release(c);
}

void
fcgi_client_refresh(struct fcgi_client *c)
{
	struct link *next;

	if (!c->literal)
		c->addrs_until_ms = 0;
	for (struct link *l = c->conns.next; l != &c->conns; l = next) {
		struct client_conn *conn = LINK_OF(l, struct client_conn, list_link);

		next = l->next;
		if (conn->state != CCONN_OPEN)
			continue;
		conn->spoiled = true;
		if (conn->exchange_count == 0 && !conn->in_input)
			client_conn_close(conn, ERR_CANCELED);
	}
}

void
fcgi_client_stats(const struct fcgi_client *c, struct fcgi_client_stats *ret)
{
	*ret =
	    (struct fcgi_client_stats){ .conns = c->conn_count, .waiting = c->waiting_count };
	for (struct link *l = c->conns.next; l != &c->conns; l = l->next) {
		const struct client_conn *conn = LINK_OF(l, struct client_conn, list_link);

		ret->running += conn->exchange_count;
		ret->idle += conn->state == CCONN_OPEN && conn->exchange_count == 0;
	}
}
