/*
 * service.h - the FastCGI socket of a program whose work is elsewhere: one server on a
 * thread of its own, and the short answers that such sockets give.
 */
#pragma once

#include "base/fcgi/server.h"

struct fcgi_service;

/*
 * Listen at `addr` and serve; `opts` may be NULL.  `handler` is called on the service's
 * thread.  What fcgi_listener_open() and fcgi_server_new() say; ERR_NOMEM.
 */
int fcgi_service_start(const struct addr *addr, const struct fcgi_server_opts *opts,
    fcgi_handler handler, void *ctx, struct fcgi_service **ret, struct err_info *ei);
/* Drains and ends.  NULL is fine. */
void fcgi_service_stop(struct fcgi_service *s);
/* For fcgi_server_post(); borrowed. */
struct fcgi_server *fcgi_service_server(struct fcgi_service *s);

/* REQUEST_URI (else SCRIPT_NAME) before its '?', and what follows it; borrowed. */
void fcgi_service_target(
    const struct fcgi_request *req, struct slice *ret_path, struct slice *ret_query);
bool fcgi_service_is_method(const struct fcgi_request *req, const char *method);
/*
 * Is X-Maintner-Secret this one?  In a time that tells nothing of it.  NULL: never.
 */
bool fcgi_service_has_secret(const struct fcgi_request *req, const char *secret);

/* Answers; `req` is gone afterwards.  A body that failed is answered 500. */
void fcgi_service_reply(
    struct fcgi_request *req, int status, const char *type, const struct buf *body);
/* 202 and an empty JSON object: it will be done. */
void fcgi_service_accept(struct fcgi_request *req);
/* A google.rpc.Status with its HTTP status. */
void fcgi_service_error(struct fcgi_request *req, int http, int code, const char *message);
/* 405; `allowed` is the header's value, "GET, HEAD". */
void fcgi_service_not_allowed(struct fcgi_request *req, const char *allowed);
