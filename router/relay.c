/*
 * relay.c - a request goes to its backend, and the answer back, as they arrive.
 *
 * Neither side is held whole: of the answer only its header is waited for, so that
 * nothing but an answer is passed on.  An answer that is complete by its own length is
 * sent at once, together with the end; the exchange then ends behind it.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "router/call.h"
#include "router/head.h"

#define STALLED_MANY 64
#define READ_BYTES_CALM ((size_t)64 << 10)
#define READ_BYTES_STALLED ((size_t)8 << 10) /* each stalled relay may hold one more reading */
#define LOG_ROUTE_FIRST_MS 65000             /* its long poll takes up to 55 s */
#define RETRY_AFTER_FULL_S 1
#define HEAD_GRACE_MS 500
#define LOST_MAX 4 /* pairs that are replaced: see wanted_pair() */

static void ask(struct call *c, bool fresh);

/* A slow client holds the backend up, not this process's memory. */
static void
set_paused(struct call *c, bool paused)
{
	struct router *rt = c->rt;

	if (c->relay.paused == paused)
		return;
	c->relay.paused = paused;
	rt->stalled += paused ? 1 : (unsigned)-1;
	fcgi_budget_set_read(
	    rt->budget, rt->stalled > STALLED_MANY ? READ_BYTES_STALLED : READ_BYTES_CALM);
	if (c->relay.x != NULL)
		fcgi_exchange_pause(c->relay.x, paused);
}

/* The backend's side is over; `c` may be gone. */
static void
drop_exchange(struct call *c)
{
	struct fcgi_exchange *x = c->relay.x;

	if (x == NULL)
		return;
	c->relay.x = NULL;
	fcgi_exchange_abort(x);
	call_release(c);
}

/*
 * Ends.
 */

static void
say_error(struct call *c, enum outcome o, int status, const char *what, int64_t retry_s)
{
	char text[REPO_NAME_MAX + 128], seconds[24];
	const struct call_field fields[] = { { "Retry-After", seconds }, { NULL, NULL } };

	snprintf(text, sizeof(text), "%s: %s", c->backend->name, what);
	snprintf(seconds, sizeof(seconds), "%lld", (long long)retry_s);
	call_error(c, o, status, text, retry_s > 0 ? fields : NULL);
}

static const struct {
	int code;
	enum outcome outcome;
	int status;
	bool may_return;
	const char *what;
} failures[] = {
	{ ERR_UNAVAILABLE, OUTCOME_REFUSED, 503, true, "its responder takes no connection" },
	{ ERR_NOENT, OUTCOME_UNRESOLVED, 503, true, "its responder is not there yet" },
	{ ERR_TIMEOUT, OUTCOME_TIMEOUT, 504, false, "its responder did not answer in time" },
	{ ERR_PROTO, OUTCOME_GARBAGE, 502, false, "its responder sent what is no answer" },
	{ ERR_LIMIT, OUTCOME_GARBAGE, 502, false, "its responder sent too long a header" },
	{ ERR_CLOSED, OUTCOME_CLOSED, 502, false, "its responder hung up before it answered" },
	{ ERR_CANCELED, OUTCOME_CLOSED, 503, true, "the router is stopping" },
	{ ERR_NOMEM, OUTCOME_ERROR, 500, false, "out of memory" },
};

/* Before anything was answered. */
static void
fail_early(struct call *c, int code)
{
	size_t i = 0, last = sizeof(failures) / sizeof(failures[0]) - 1;
	int64_t retry_s = (c->rt->opts.breaker.retry_ms + 999) / 1000;

	while (i < last && failures[i].code != code)
		i++;
	if (failures[i].code != code && code == ERR_IO) {
		say_error(c, OUTCOME_REFUSED, 503, "its responder cannot be reached", retry_s);
		return;
	}
	say_error(c, failures[i].outcome, failures[i].status, failures[i].what,
	    failures[i].may_return ? retry_s : 0);
}

/* The client has a part of an answer: it must not take it for the whole. */
static void
fail_late(struct call *c, enum outcome o)
{
	struct fcgi_request *req = c->req;

	set_paused(c, false);
	call_ended(c, o);
	fcgi_request_fail(req);
	call_release(c);
}

static void
blame_backend(struct call *c, int code)
{
	if (code == ERR_CANCELED || code == ERR_NOMEM || !backend_failed(c->backend, code))
		return;
	c->rt->metrics.breaker_opened++;
	log_warning("backend given up, only probing it", LOG_S("repository", c->backend->name),
	    LOG_S("backend", c->backend->address), LOG_S("error", err_name(code)), LOG_END);
}

/* The backend failed this call, whose exchange is over. */
static void
backend_lost(struct call *c, int code)
{
	blame_backend(c, code);
	if (c->relay.begun) {
		fail_late(c, OUTCOME_BROKEN);
		return;
	}
	fail_early(c, code);
	call_release(c);
}

/*
 * The answer.
 */

/*
 * `first` and `second` are the rest of it.  The exchange goes on behind, to its end, unless
 * a body that nobody sends any more would keep it from one.
 */
static void
complete(struct call *c, struct slice first, struct slice second)
{
	struct fcgi_request *req = c->req;

	set_paused(c, false);
	backend_answered(c->backend);
	if (!c->relay.body_done)
		drop_exchange(c);
	call_ended(c, OUTCOME_ANSWERED);
	fcgi_request_reply(req, first, second);
	call_release(c);
}

static void
pass_on(struct call *c, struct slice first, struct slice second)
{
	if (fcgi_request_write_two(c->req, first, second) != 0) {
		drop_exchange(c);
		fail_late(c, OUTCOME_CLIENT_GONE);
		return;
	}
	if (fcgi_request_queued(c->req) >= ROUTER_OUT_BYTES)
		set_paused(c, true);
}

/* A piece of the body. */
static void
stream(struct call *c, struct slice data)
{
	struct relay *r = &c->relay;

	c->bytes += data.len;
	if (r->left >= 0 && (int64_t)data.len > r->left) {
		drop_exchange(c);
		backend_lost(c, ERR_PROTO);
		return;
	}
	if (r->left >= 0)
		r->left -= (int64_t)data.len;
	if (r->left == 0)
		complete(c, data, SLICE(""));
	else
		pass_on(c, SLICE(""), data);
}

static bool
is_bodyless(const struct call *c, int status)
{
	return c->head || status == 204 || status == 304;
}

/* `text` begins with a whole header. */
static void
begin(struct call *c, struct slice text, const struct head *h)
{
	struct slice body = { text.ptr + h->bytes, text.len - h->bytes };
	struct buf *out = &c->rt->scratch;
	struct relay *r = &c->relay;

	if (c->head)
		body.len = 0;
	r->left = is_bodyless(c, h->status) ? 0 : h->length;
	if (r->left >= 0 && (int64_t)body.len > r->left) {
		drop_exchange(c);
		backend_lost(c, ERR_PROTO);
		return;
	}
	buf_reset(out);
	head_copy(out, (struct slice){ text.ptr, h->bytes }, c->id);
	c->status = h->status;
	c->first_ms = clock_mono_ms();
	if (r->left == (int64_t)body.len && buf_err(out) == 0) {
		c->bytes = body.len;
		complete(c, buf_view(out), body);
		return;
	}
	r->begun = true;
	fcgi_request_defer(c->req, 0, NULL);
	if (buf_err(out) != 0) {
		drop_exchange(c);
		fail_late(c, OUTCOME_ERROR);
		return;
	}
	if (r->left > 0)
		r->left -= (int64_t)body.len;
	c->bytes = body.len;
	pass_on(c, buf_view(out), body); /* one record, one system call */
}

static void
on_stdout(void *ctx, struct slice data)
{
	struct call *c = ctx;
	struct relay *r = &c->relay;
	struct head h;
	int rc;

	if (c->req == NULL) { /* more than the length said: not to be used again */
		drop_exchange(c);
		return;
	}
	if (r->begun) {
		stream(c, data);
		return;
	}
	if (r->head.len > 0) {
		buf_slice(&r->head, data);
		data = buf_view(&r->head);
	}
	rc = buf_err(&r->head) != 0 ? ERR_LIMIT : head_check(data, &h);
	if (rc == 1) {
		begin(c, data, &h);
	} else if (rc < 0) {
		drop_exchange(c);
		backend_lost(c, rc);
	} else if (r->head.len == 0) {
		buf_slice(&r->head, data);
	}
}

static void
on_stderr(void *ctx, struct slice data)
{
	struct call *c = ctx;
	char text[256];

	snprintf(text, sizeof(text), "%.*s", (int)(data.len < 255 ? data.len : 255), data.ptr);
	log_debug("backend wrote to stderr", LOG_S("request_id", c->id),
	    LOG_S("repository", c->backend->name), LOG_S("text", text), LOG_END);
}

static void
on_end(void *ctx, const struct fcgi_end *end)
{
	struct call *c = ctx;
	struct fcgi_request *req = c->req;
	struct relay *r = &c->relay;

	r->x = NULL;
	if (req == NULL) {
		call_release(c);
		return;
	}
	call_release(c); /* the exchange's hold; the client's is still there */
	if (!r->begun && end->protocol_status == FCGI_OVERLOADED) {
		say_error(c, OUTCOME_OVERLOADED, 503, "its responder is overloaded",
		    RETRY_AFTER_FULL_S);
		call_release(c);
	} else if (!r->begun || r->left > 0 || end->app_status != 0 ||
		   end->protocol_status != FCGI_REQUEST_COMPLETE) {
		backend_lost(c, ERR_PROTO);
	} else {
		complete(c, SLICE(""), SLICE(""));
	}
}

static void
on_error(void *ctx, int code)
{
	struct call *c = ctx;
	struct relay *r = &c->relay;

	r->x = NULL;
	if (c->req == NULL) {
		call_release(c);
		return;
	}
	call_release(c);
	if (code == ERR_CLOSED && r->repeatable && !r->repeated && !r->begun &&
	    r->head.len == 0) {
		r->repeated = true;
		c->rt->metrics.retries++;
		ask(c, true);
		return;
	}
	backend_lost(c, code);
}

/*
 * The client's side.
 */

static void
on_abort(struct fcgi_request *req)
{
	struct call *c = fcgi_request_data(req);

	set_paused(c, false);
	c->status = 499; /* as web servers log it; nobody gets it */
	call_ended(c, OUTCOME_CLIENT_GONE);
	drop_exchange(c);
	call_release(c);
}

static void
on_client_writable(struct fcgi_request *req)
{
	set_paused(fcgi_request_data(req), false);
}

/* The header did not come in time, though perhaps a byte now and then. */
static void
on_late_head(struct fcgi_request *req)
{
	struct call *c = fcgi_request_data(req);

	drop_exchange(c);
	backend_lost(c, ERR_TIMEOUT);
}

/* A moment more than the exchange's own deadlines, which know better what is late. */
static void
await_head(struct call *c)
{
	const struct router_opts *o = &c->rt->opts;
	unsigned first_ms = c->path.log_route ? LOG_ROUTE_FIRST_MS : o->first_ms;

	fcgi_request_defer(c->req, o->connect_ms + first_ms + HEAD_GRACE_MS, on_late_head);
}

/* False if the backend does not take it now. */
static bool
send_body(struct call *c, struct slice piece, bool last)
{
	struct relay *r = &c->relay;

	if (fcgi_exchange_write(r->x, piece, last) == ERR_FULL)
		return false;
	r->body_done = last; /* another error comes by on_error */
	if (last && !r->begun)
		await_head(c);
	return true;
}

static void
on_body(struct fcgi_request *req, struct slice piece, bool last)
{
	struct call *c = fcgi_request_data(req);
	struct relay *r = &c->relay;

	if (r->x == NULL || r->body_done)
		return;
	if (r->waiting.len == 0 && !r->waiting_last && send_body(c, piece, last))
		return;
	/* It waits, with what was read before the pause takes effect. */
	buf_slice(&r->waiting, piece);
	r->waiting_last = last;
	fcgi_request_pause_body(req, true);
	if (buf_err(&r->waiting) == 0)
		return;
	drop_exchange(c);
	backend_lost(c, ERR_NOMEM);
}

static void
on_backend_writable(void *ctx)
{
	struct call *c = ctx;
	struct relay *r = &c->relay;

	if (c->req == NULL || (r->waiting.len == 0 && !r->waiting_last))
		return;
	if (!send_body(c, buf_view(&r->waiting), r->waiting_last))
		return;
	buf_reset(&r->waiting);
	r->waiting_last = false;
	fcgi_request_pause_body(c->req, false);
}

/*
 * The question.
 */

/*
 * What a client sends as a header must not stand for what the router or the cluster says:
 * the id is replaced, a secret and a "Proxy" header (httpoxy) are dropped, and what
 * decided the route is passed on once.
 */
static bool
wanted_pair(struct slice name)
{
	static const char *const lost[] = { "HTTP_X_REQUEST_ID", "HTTP_X_MAINTNER_SECRET",
		"HTTP_PROXY", "REQUEST_URI", "REQUEST_METHOD" };

	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		if (slice_is(name, lost[i]))
			return false;
	}
	return true;
}

static int
fill_params(struct call *c)
{
	struct relay *r = &c->relay;
	struct slice name, value;
	size_t count = 0;

	while (fcgi_request_param_at(c->req, count, &name, &value))
		count++;
	r->params =
	    arena_alloc(fcgi_request_arena(c->req), (count + LOST_MAX) * sizeof(*r->params));
	if (r->params == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; fcgi_request_param_at(c->req, i, &name, &value); i++) {
		if (wanted_pair(name))
			r->params[r->param_count++] = (struct fcgi_pair){ name, value };
	}
	r->params[r->param_count++] = (struct fcgi_pair){ SLICE("REQUEST_METHOD"), c->method };
	r->params[r->param_count++] = (struct fcgi_pair){ SLICE("REQUEST_URI"),
		fcgi_request_param(c->req, "REQUEST_URI") };
	r->params[r->param_count++] =
	    (struct fcgi_pair){ SLICE("HTTP_X_REQUEST_ID"), slice_str(c->id) };
	return 0;
}

static void
ask(struct call *c, bool fresh)
{
	static const struct fcgi_exchange_events events = { on_stdout, on_stderr, on_end,
		on_error, on_backend_writable };
	struct relay *r = &c->relay;
	struct fcgi_exchange_spec spec = { .params = r->params,
		.param_count = r->param_count,
		.more_body = !r->body_done,
		.fresh = fresh,
		.first_ms = c->path.log_route ? LOG_ROUTE_FIRST_MS : 0 };
	int rc = backend_ask(c->backend, c->path.log_route, &spec, &events, c, &r->x);

	if (rc == 0) {
		c->holders++;
		return;
	}
	if (rc == ERR_BUSY)
		say_error(c, OUTCOME_BREAKER_OPEN, 503, "its responder does not answer",
		    (breaker_wait_ms(&c->backend->breaker, clock_mono_ms()) + 999) / 1000);
	else if (rc == ERR_FULL)
		say_error(c, OUTCOME_OVERLOADED, 503, "too many requests wait for it",
		    RETRY_AFTER_FULL_S);
	else if (rc == ERR_LIMIT)
		call_error(
		    c, OUTCOME_BAD_REQUEST, 400, "the request's header is too long", NULL);
	else
		fail_early(c, rc);
	call_release(c);
}

static bool
has_body(const struct call *c)
{
	struct slice n = fcgi_request_param(c->req, "CONTENT_LENGTH");

	return n.len > 0 && !slice_is(n, "0");
}

void
relay_start(struct call *c)
{
	struct relay *r = &c->relay;

	buf_init(&r->head, 2 * HEAD_MAX + READ_BYTES_CALM);
	buf_init(&r->waiting, 4 * READ_BYTES_CALM);
	r->body_done = !has_body(c);
	r->repeatable = r->body_done && (c->head || slice_is(c->method, "GET"));
	if (fill_params(c) != 0) {
		fail_early(c, ERR_NOMEM);
		call_release(c);
		return;
	}
	fcgi_request_on_abort(c->req, on_abort);
	fcgi_request_on_writable(c->req, on_client_writable);
	fcgi_request_on_body(c->req, on_body);
	if (r->body_done)
		await_head(c);
	else
		fcgi_request_defer(c->req, 0, NULL);
	ask(c, false);
}
