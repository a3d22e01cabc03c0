/* listener.c - routes of the sync daemon's socket; knows nothing of the snapshot. */
#include "sync/listener.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/fcgi/server.h"
#include "base/mem.h"

#define ANSWER_MAX ((size_t)1 << 20)

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
	buf_fmt(&b, "{\"code\":%d,\"message\":\"%s\",\"details\":[]}\n", code, message);
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
	struct listener *l = mem_zalloc(sizeof(*l));
	int rc;

	if (l == NULL)
		return ERR_NOMEM;
	l->o = *opts;
	rc = fcgi_listener_open(&l->socket, opts->addr, 0, 0, ei);
	l->listening = rc == 0;
	if (rc == 0)
		rc = fcgi_server_new(NULL, on_request, l, &l->server);
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
