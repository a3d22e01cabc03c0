/* listener.c - routes of the supervisor's socket; knows nothing of Kubernetes. */
#include "sprvsr/listener.h"

#include <stdio.h>

#include "base/fcgi/server.h"
#include "base/mem.h"

#define ANSWER_MAX ((size_t)1 << 20)
#define ALLOW_MAX 1000000

struct listener {
	struct listener_opts o;
	struct fcgi_listener socket;
	bool listening;
	struct fcgi_server *server;
	pthread_t thread;
};

static void
reply(
    struct fcgi_request *req, int status, const char *type, const char *more, struct buf *body)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
	    "Status: %d\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n", status, type,
	    more, body->len);

	fcgi_request_reply(req, (struct slice){ head, (size_t)n }, buf_view(body));
}

static void
reply_error(struct fcgi_request *req, int http, int code, const char *message)
{
	const char *more = http != 405                       ? ""
			   : strstr(message, "POST") != NULL ? "Allow: POST\r\n"
							     : "Allow: GET, HEAD\r\n";
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	buf_fmt(&b, "{\"code\":%d,\"message\":\"%s\",\"details\":[]}\n", code, message);
	reply(req, http, "application/json", more, &b);
	buf_clear(&b);
}

static void
accepted(struct fcgi_request *req)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	buf_str(&b, "{}\n");
	reply(req, 202, "application/json", "", &b);
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

/* "allow=N" and nothing else; 0 if it is not that. */
static size_t
allowance(struct slice query)
{
	size_t n = 0;

	if (query.len < 7 || query.len > 6 + 7 || memcmp(query.ptr, "allow=", 6) != 0)
		return 0;
	for (size_t i = 6; i < query.len; i++) {
		if (query.ptr[i] < '0' || query.ptr[i] > '9')
			return 0;
		n = n * 10 + (size_t)(query.ptr[i] - '0');
	}
	return n <= ALLOW_MAX ? n : 0;
}

static void
serve_post(struct listener *l, struct fcgi_request *req, struct slice query, bool prune)
{
	size_t allow = allowance(query);

	if (!slice_is(fcgi_request_param(req, "REQUEST_METHOD"), "POST")) {
		reply_error(req, 405, 12, "only POST is allowed here");
	} else if (prune && !secret_is_right(l, req)) {
		reply_error(req, 401, 16, "the internal secret is missing or wrong");
	} else if (prune && allow == 0) {
		reply_error(
		    req, 400, 3, "allow=N must tell how many repositories may be removed");
	} else {
		if (prune)
			l->o.on_prune(l->o.ctx, allow);
		else
			l->o.on_update(l->o.ctx);
		accepted(req);
	}
}

static void
serve_state(struct listener *l, struct fcgi_request *req, bool metrics)
{
	struct buf b;
	int status = 200;

	buf_init(&b, ANSWER_MAX);
	if (metrics)
		l->o.on_metrics(l->o.ctx, &b);
	else
		status = l->o.on_health(l->o.ctx, &b);
	reply(req, status, metrics ? "text/plain; version=0.0.4" : "application/json", "", &b);
	buf_clear(&b);
}

static void
on_request(void *ctx, struct fcgi_request *req)
{
	struct listener *l = ctx;
	struct slice method = fcgi_request_param(req, "REQUEST_METHOD"), query = SLICE("");
	struct slice path = fcgi_request_param(req, "REQUEST_URI");
	const char *q;

	if (path.ptr == NULL)
		path = fcgi_request_param(req, "SCRIPT_NAME");
	q = path.len > 0 ? memchr(path.ptr, '?', path.len) : NULL;
	if (q != NULL) {
		query = (struct slice){ q + 1, path.len - (size_t)(q + 1 - path.ptr) };
		path.len = (size_t)(q - path.ptr);
	}
	if (slice_is(path, "/api/v1/update") || slice_is(path, "/internal/v1/prune"))
		serve_post(l, req, query, slice_is(path, "/internal/v1/prune"));
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
	const struct fcgi_server_opts server = { .drain_ms = 1000 };
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
