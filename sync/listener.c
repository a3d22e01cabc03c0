/* listener.c - routes of the sync daemon's socket; knows nothing of the snapshot. */
#include "sync/listener.h"

#include <string.h>

#include "base/fcgi/service.h"
#include "base/mem.h"

#define DRAIN_MS 1000 /* of the 5 s in which a daemon has to end the log may need 3 */
#define ANSWER_MAX ((size_t)1 << 20)
#define WAIT_MS 55000 /* below the minute that front ends give */

struct listener {
	struct listener_opts o;
	struct fcgi_service *service;
};

/* Right method and secret; else the answer was given. */
static bool
may_order(struct listener *l, struct fcgi_request *req)
{
	if (!fcgi_service_is_method(req, "POST"))
		fcgi_service_not_allowed(req, "POST");
	else if (!fcgi_service_has_secret(req, l->o.secret))
		fcgi_service_error(req, 401, 16, "the internal secret is missing or wrong");
	else
		return true;
	return false;
}

static void
serve_sync(struct listener *l, struct fcgi_request *req)
{
	if (!may_order(l, req))
		return;
	l->o.on_sync(l->o.ctx);
	fcgi_service_accept(req);
}

/* --- tombstones --- */

static void
reply_order(struct fcgi_request *req, const struct tomb_order *o, int status)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	tomb_order_show(o, status == 200, &b);
	fcgi_service_reply(req, status, "application/json", &b);
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
			fcgi_service_error(
			    req, 503, 14, o->why.text[0] ? o->why.text : err_name(o->rc));
		tomb_order_release(l->o.tombs, o); /* who waited */
	}
	tomb_order_release(l->o.tombs, o);
}

void
listener_order_done(struct tomb_order *o)
{
	struct listener *l = o->owner;

	if (fcgi_server_post(fcgi_service_server(l->service), answer_order, o) != 0)
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
		fcgi_service_error(req, rc == ERR_FULL ? 429 : 503, rc == ERR_FULL ? 8 : 14,
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
serve_tombstones(struct listener *l, struct fcgi_request *req)
{
	struct err_info ei = { .text = "" };
	struct tomb_order *o = NULL;
	int rc;

	if (!may_order(l, req))
		return;
	if (fcgi_request_body_over(req)) {
		fcgi_service_error(req, 413, 3, "the body is longer than 4 MiB");
		return;
	}
	rc = tomb_order_parse(fcgi_request_body(req), &o, &ei);
	if (rc == 0)
		take_order(l, req, o);
	else if (rc == ERR_NOMEM)
		fcgi_service_error(req, 500, 13, "out of memory");
	else
		fcgi_service_error(req, 400, 3, ei.text);
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
	fcgi_service_reply(
	    req, 200, metrics ? "text/plain; version=0.0.4" : "application/json", &b);
	buf_clear(&b);
}

static void
on_request(void *ctx, struct fcgi_request *req)
{
	struct listener *l = ctx;
	struct slice path, query;

	fcgi_service_target(req, &path, &query);
	if (slice_is(path, "/internal/v1/sync"))
		serve_sync(l, req);
	else if (slice_is(path, "/internal/v1/tombstones"))
		serve_tombstones(l, req);
	else if (!slice_is(path, "/_healthz") && !slice_is(path, "/metrics"))
		fcgi_service_error(req, 404, 5, "no such resource");
	else if (!fcgi_service_is_method(req, "GET") && !fcgi_service_is_method(req, "HEAD"))
		fcgi_service_not_allowed(req, "GET, HEAD");
	else
		serve_state(l, req, slice_is(path, "/metrics"));
}

int
listener_start(const struct listener_opts *opts, struct listener **ret, struct err_info *ei)
{
	const struct fcgi_server_opts server = { .body_bytes_max = TOMB_BODY_MAX,
		.drain_ms = DRAIN_MS };
	struct listener *l = mem_zalloc(sizeof(*l));
	int rc;

	if (l == NULL)
		return ERR_NOMEM;
	l->o = *opts;
	rc = fcgi_service_start(opts->addr, &server, on_request, l, &l->service, ei);
	if (rc == 0)
		*ret = l;
	else
		mem_free(l);
	return rc;
}

void
listener_stop(struct listener *l)
{
	if (l == NULL)
		return;
	fcgi_service_stop(l->service);
	mem_free(l);
}
