/* service.c - see service.h; knows no routes. */
#include "base/fcgi/service.h"

#include <pthread.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/json_text.h"
#include "base/mem.h"

#define ERROR_MAX ((size_t)64 << 10)

struct fcgi_service {
	struct fcgi_listener socket;
	bool listening;
	struct fcgi_server *server;
	pthread_t thread;
};

static void *
run(void *arg)
{
	struct fcgi_service *s = arg;

	fcgi_server_run(s->server);
	return NULL;
}

static void
free_service(struct fcgi_service *s)
{
	fcgi_server_free(s->server);
	if (s->listening)
		fcgi_listener_close(&s->socket);
	mem_free(s);
}

int
fcgi_service_start(const struct addr *addr, const struct fcgi_server_opts *opts,
    fcgi_handler handler, void *ctx, struct fcgi_service **ret, struct err_info *ei)
{
	struct fcgi_service *s = mem_zalloc(sizeof(*s));
	int rc;

	if (s == NULL)
		return ERR_NOMEM;
	rc = fcgi_listener_open(&s->socket, addr, 0, 0, ei);
	s->listening = rc == 0;
	if (rc == 0)
		rc = fcgi_server_new(opts, handler, ctx, &s->server);
	if (rc == 0)
		rc = fcgi_server_listen(s->server, &s->socket);
	if (rc == 0)
		*ret = s; /* handlers may run, and ask for it, before this returns */
	if (rc == 0 && pthread_create(&s->thread, NULL, run, s) != 0)
		rc = err_set(ei, ERR_NOMEM, "no thread can be had");
	if (rc != 0) {
		*ret = NULL;
		free_service(s);
	}
	return rc;
}

void
fcgi_service_stop(struct fcgi_service *s)
{
	if (s == NULL)
		return;
	fcgi_server_stop(s->server);
	pthread_join(s->thread, NULL);
	free_service(s);
}

struct fcgi_server *
fcgi_service_server(struct fcgi_service *s)
{
	return s->server;
}

/* --- what was asked --- */

void
fcgi_service_target(
    const struct fcgi_request *req, struct slice *ret_path, struct slice *ret_query)
{
	struct slice uri = fcgi_request_param(req, "REQUEST_URI");
	const char *q;

	if (uri.ptr == NULL)
		uri = fcgi_request_param(req, "SCRIPT_NAME");
	q = uri.len > 0 ? memchr(uri.ptr, '?', uri.len) : NULL;
	*ret_path = uri;
	*ret_query = SLICE("");
	if (q != NULL) {
		ret_path->len = (size_t)(q - uri.ptr);
		*ret_query = (struct slice){ q + 1, uri.len - ret_path->len - 1 };
	}
}

bool
fcgi_service_is_method(const struct fcgi_request *req, const char *method)
{
	return slice_is(fcgi_request_param(req, "REQUEST_METHOD"), method);
}

/* Compared as digests, so that neither content nor length shows in the time. */
bool
fcgi_service_has_secret(const struct fcgi_request *req, const char *secret)
{
	struct slice given = fcgi_request_param(req, "HTTP_X_MAINTNER_SECRET");
	unsigned char a[SHA256_LEN], b[SHA256_LEN];

	if (secret == NULL || given.ptr == NULL)
		return false;
	return sha256(given, a) == 0 && sha256(slice_str(secret), b) == 0 &&
	       digest_equal(a, b, SHA256_LEN);
}

/* --- answers --- */

static void
reply_with(struct fcgi_request *req, int status, const char *type, const char *more,
    const struct buf *body)
{
	struct slice bytes = buf_err(body) == 0 ? buf_view(body) : SLICE("");
	char head[256];
	int n;

	if (buf_err(body) != 0)
		status = 500;
	n = snprintf(head, sizeof(head),
	    "Status: %d\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n", status, type,
	    more, bytes.len);
	fcgi_request_reply(req, (struct slice){ head, (size_t)n }, bytes);
}

void
fcgi_service_reply(
    struct fcgi_request *req, int status, const char *type, const struct buf *body)
{
	reply_with(req, status, type, "", body);
}

void
fcgi_service_accept(struct fcgi_request *req)
{
	struct buf b;

	buf_init(&b, ERROR_MAX);
	buf_str(&b, "{}\n");
	fcgi_service_reply(req, 202, "application/json", &b);
	buf_clear(&b);
}

static void
error_with(struct fcgi_request *req, int http, int code, const char *more, const char *message)
{
	struct buf b;

	buf_init(&b, ERROR_MAX);
	buf_fmt(&b, "{\"code\":%d,\"message\":", code);
	json_text_quote(&b, slice_str(message));
	buf_str(&b, ",\"details\":[]}\n");
	reply_with(req, http, "application/json", more, &b);
	buf_clear(&b);
}

void
fcgi_service_error(struct fcgi_request *req, int http, int code, const char *message)
{
	error_with(req, http, code, "", message);
}

void
fcgi_service_not_allowed(struct fcgi_request *req, const char *allowed)
{
	char more[64], message[96];

	snprintf(more, sizeof(more), "Allow: %s\r\n", allowed);
	snprintf(message, sizeof(message), "only %s is allowed here", allowed);
	error_with(req, 405, 12, more, message);
}
