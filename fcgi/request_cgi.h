/*
 * request_cgi.h - one plain CGI request; request_serve_fd0() and tests use it.
 */
#pragma once

#include "fcgi/request_transport.h"

/*
 * Serve the request that the environment describes, with its body on `in_fd`, and
 * print the answer to `out_fd`.  ERR_INVAL without REQUEST_METHOD, ERR_IO, ERR_NOMEM.
 */
int request_serve_cgi(int in_fd, int out_fd, const struct request_serve_opts *o,
    request_handler handler, void *ctx, struct err_info *ei);
