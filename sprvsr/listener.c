/* listener.c - routes of the supervisor's socket; knows nothing of Kubernetes. */
#include "sprvsr/listener.h"

#include "base/fcgi/service.h"
#include "base/mem.h"

#define ANSWER_MAX ((size_t)1 << 20)
#define DRAIN_MS 1000
#define ALLOW "allowPrune="
#define ALLOW_DIGITS 7

struct listener {
	struct listener_opts o;
	struct fcgi_service *service;
};

/* "allowPrune=N" and nothing else; 0 if it is not that. */
static size_t
allowance(struct slice query)
{
	const size_t skip = sizeof(ALLOW) - 1;
	size_t n = 0;

	if (query.len <= skip || query.len > skip + ALLOW_DIGITS ||
	    memcmp(query.ptr, ALLOW, skip) != 0)
		return 0;
	for (size_t i = skip; i < query.len; i++) {
		if (query.ptr[i] < '0' || query.ptr[i] > '9')
			return 0;
		n = n * 10 + (size_t)(query.ptr[i] - '0');
	}
	return n;
}

/* Anybody who reaches the socket may have the list read; removals need the secret. */
static void
serve_update(struct listener *l, struct fcgi_request *req, struct slice query)
{
	size_t allow = allowance(query);
	struct err_info ei = { .text = "" };

	if (!fcgi_service_is_method(req, "POST")) {
		fcgi_service_not_allowed(req, "POST");
	} else if (query.len > 0 && !fcgi_service_has_secret(req, l->o.secret)) {
		fcgi_service_error(req, 401, 16, "the internal secret is missing or wrong");
	} else if (query.len > 0 && allow == 0) {
		fcgi_service_error(
		    req, 400, 3, "allowPrune=N must tell how many repositories may be removed");
	} else if (allow > 0 && l->o.on_allow_prune(l->o.ctx, allow, &ei) != 0) {
		fcgi_service_error(req, 503, 14, ei.text);
	} else {
		l->o.on_update(l->o.ctx);
		fcgi_service_accept(req);
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
	fcgi_service_reply(
	    req, status, metrics ? "text/plain; version=0.0.4" : "application/json", &b);
	buf_clear(&b);
}

static void
on_request(void *ctx, struct fcgi_request *req)
{
	struct listener *l = ctx;
	struct slice path, query;

	fcgi_service_target(req, &path, &query);
	if (slice_is(path, "/api/v1/update"))
		serve_update(l, req, query);
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
	const struct fcgi_server_opts server = { .drain_ms = DRAIN_MS };
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
