/* listener.c - routes of the sync daemon's socket; knows nothing of the snapshot. */
#include "sync/listener.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/fcgi/server.h"
#include "base/json_text.h"
#include "base/mem.h"

#define ANSWER_MAX ((size_t)1 << 20)
#define WAIT_MS 55000 /* below the minute that front ends give */

struct listener {
	struct listener_opts o;
	struct fcgi_listener socket;
	bool listening;
	struct fcgi_server *server;
	pthread_t thread;
};

static void
reply(struct fcgi_request *req, int status, const char *type, struct buf *body)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
	    "Status: %d\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status, type,
	    body->len);

	fcgi_request_reply(req, (struct slice){ head, (size_t)n }, buf_view(body));
}

static void
reply_error(struct fcgi_request *req, int http, int code, const char *message)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	buf_fmt(&b, "{\"code\":%d,\"message\":", code);
	json_text_quote(&b, slice_str(message));
	buf_str(&b, ",\"details\":[]}\n");
	reply(req, http, "application/json", &b);
	buf_clear(&b);
}

/* Compared as digests, so that neither content nor length shows in the time. */
static bool
secret_is_right(const struct listener *l, const struct fcgi_request *req)
{
	struct slice given = fcgi_request_param(req, "HTTP_X_MAINTNER_SECRET");
	unsigned char a[SHA256_LEN], b[SHA256_LEN];

	if (l->o.secret == NULL || given.ptr == NULL)
		return false;
	return sha256(given, a) == 0 && sha256(slice_str(l->o.secret), b) == 0 &&
	       digest_equal(a, b, SHA256_LEN);
}

static void
serve_sync(struct listener *l, struct fcgi_request *req, struct slice method)
{
	struct buf b;

	if (!slice_is(method, "POST")) {
		reply_error(req, 405, 12, "only POST is allowed here");
		return;
	}
	if (!secret_is_right(l, req)) {
		reply_error(req, 401, 16, "the internal secret is missing or wrong");
		return;
	}
	l->o.on_sync(l->o.ctx);
	buf_init(&b, ANSWER_MAX);
	buf_str(&b, "{}\n");
	reply(req, 202, "application/json", &b);
	buf_clear(&b);
}

/* --- tombstones --- */

static void
reply_order(struct fcgi_request *req, const struct tomb_order *o, int status)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	tomb_order_show(o, status == 200, &b);
	reply(req, status, "application/json", &b);
	buf_clear(&b);
}

/* Nobody waits any more; what was ordered is done all the same. */
static void
stop_waiting(struct fcgi_request *req)
{
	struct tomb_order *o = fcgi_request_data(req);
	struct listener *l = o->owner;

	o->waiter = NULL;
	tomb_order_release(l->o.tombs, o);
}

static void
on_wait_over(struct fcgi_request *req)
{
	struct tomb_order *o = fcgi_request_data(req);
	struct listener *l = o->owner;

	reply_order(req, o, 202); /* the order stays, in the queue or being worked on */
	o->waiter = NULL;
	tomb_order_release(l->o.tombs, o);
}

/* On the loop's thread. */
static void
answer_order(void *arg)
{
	struct tomb_order *o = arg;
	struct listener *l = o->owner;
	struct fcgi_request *req = o->waiter;

	if (req != NULL) {
		o->waiter = NULL;
		fcgi_request_on_abort(req, NULL);
		if (o->rc == 0)
			reply_order(req, o, 200);
		else
			reply_error(
			    req, 503, 14, o->why.text[0] ? o->why.text : err_name(o->rc));
		tomb_order_release(l->o.tombs, o); /* who waited */
	}
	tomb_order_release(l->o.tombs, o);
}

void
listener_order_done(struct tomb_order *o)
{
	struct listener *l = o->owner;

	if (fcgi_server_post(l->server, answer_order, o) != 0)
		tomb_order_release(l->o.tombs, o);
}

static bool
wants_to_wait(const struct fcgi_request *req)
{
	struct slice query = fcgi_request_param(req, "QUERY_STRING");

	for (size_t i = 0; i < query.len;) {
		const char *from = query.ptr + i;
		const char *end = memchr(from, '&', query.len - i);
		size_t len = end != NULL ? (size_t)(end - from) : query.len - i;

		if (slice_is((struct slice){ from, len }, "wait=true"))
			return true;
		i += len + 1;
	}
	return false;
}

static void
take_order(struct listener *l, struct fcgi_request *req, struct tomb_order *o)
{
	bool wait = wants_to_wait(req);
	int rc;

	o->owner = l;
	o->waiter = wait ? req : NULL;
	rc = tomb_queue_put(l->o.tombs, o);
	if (rc != 0) {
		tomb_order_release(l->o.tombs, o);
		reply_error(req, rc == ERR_FULL ? 429 : 503, rc == ERR_FULL ? 8 : 14,
		    rc == ERR_FULL ? "too many tombstones wait already"
				   : "the sync daemon stops");
		return;
	}
	l->o.on_tombstones(l->o.ctx);
	if (wait) {
		fcgi_request_set_data(req, o);
		fcgi_request_on_abort(req, stop_waiting);
		fcgi_request_defer(req, WAIT_MS, on_wait_over);
		return;
	}
	reply_order(req, o, 202);
	tomb_order_release(l->o.tombs, o);
}

static void
serve_tombstones(struct listener *l, struct fcgi_request *req, struct slice method)
{
	struct err_info ei = { .text = "" };
	struct tomb_order *o = NULL;
	int rc;

	if (!slice_is(method, "POST")) {
		reply_error(req, 405, 12, "only POST is allowed here");
	} else if (!secret_is_right(l, req)) {
		reply_error(req, 401, 16, "the internal secret is missing or wrong");
	} else if (fcgi_request_body_over(req)) {
		reply_error(req, 413, 3, "the body is longer than 4 MiB");
	} else {
		rc = tomb_order_parse(fcgi_request_body(req), &o, &ei);
		if (rc == 0)
			take_order(l, req, o);
		else if (rc == ERR_NOMEM)
			reply_error(req, 500, 13, "out of memory");
		else
			reply_error(req, 400, 3, ei.text);
	}
}

static void
serve_state(struct listener *l, struct fcgi_request *req, bool metrics)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	if (metrics)
		status_metrics(l->o.status, &b);
	else
		status_health(l->o.status, &b);
	reply(req, 200, metrics ? "text/plain; version=0.0.4" : "application/json", &b);
	buf_clear(&b);
}

static struct slice
path_of(const struct fcgi_request *req)
{
	struct slice uri = fcgi_request_param(req, "REQUEST_URI");
	const char *q;

	if (uri.ptr == NULL)
		uri = fcgi_request_param(req, "SCRIPT_NAME");
	q = uri.len > 0 ? memchr(uri.ptr, '?', uri.len) : NULL;
	return (struct slice){ uri.ptr, q != NULL ? (size_t)(q - uri.ptr) : uri.len };
}

static void
on_request(void *ctx, struct fcgi_request *req)
{
	struct listener *l = ctx;
	struct slice path = path_of(req), method = fcgi_request_param(req, "REQUEST_METHOD");

	if (slice_is(path, "/internal/v1/sync"))
		serve_sync(l, req, method);
	else if (slice_is(path, "/internal/v1/tombstones"))
		serve_tombstones(l, req, method);
	else if (!slice_is(path, "/_healthz") && !slice_is(path, "/metrics"))
		reply_error(req, 404, 5, "no such resource");
	else if (!slice_is(method, "GET") && !slice_is(method, "HEAD"))
		reply_error(req, 405, 12, "only GET is allowed here");
	else
		serve_state(l, req, slice_is(path, "/metrics"));
}

static void *
run(void *arg)
{
	struct listener *l = arg;

	fcgi_server_run(l->server);
	return NULL;
}

int
listener_start(const struct listener_opts *opts, struct listener **ret, struct err_info *ei)
{
	const struct fcgi_server_opts server = { .body_bytes_max = TOMB_BODY_MAX };
	struct listener *l = mem_zalloc(sizeof(*l));
	int rc;

	if (l == NULL)
		return ERR_NOMEM;
	l->o = *opts;
	rc = fcgi_listener_open(&l->socket, opts->addr, 0, 0, ei);
	l->listening = rc == 0;
	if (rc == 0)
		rc = fcgi_server_new(&server, on_request, l, &l->server);
	if (rc == 0)
		rc = fcgi_server_listen(l->server, &l->socket);
	if (rc == 0 && pthread_create(&l->thread, NULL, run, l) != 0)
		rc = ERR_NOMEM;
	if (rc != 0) {
		fcgi_server_free(l->server);
		if (l->listening)
			fcgi_listener_close(&l->socket);
		mem_free(l);
		return rc;
	}
	*ret = l;
	return 0;
}

void
listener_stop(struct listener *l)
{
	if (l == NULL)
		return;
	fcgi_server_stop(l->server);
	pthread_join(l->thread, NULL);
	fcgi_server_free(l->server);
	fcgi_listener_close(&l->socket);
	mem_free(l);
}
